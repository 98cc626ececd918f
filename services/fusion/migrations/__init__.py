"""The fusion schema's migrations."""
