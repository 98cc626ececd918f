"""The paths of the leads API, one file per resource."""
