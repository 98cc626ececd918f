"""Ingest: one process per feed takes agencies' reports over HTTP and appends them to the log."""
