"""Leads: the analysts' picture, the lead rules, who sees what, and the API."""
