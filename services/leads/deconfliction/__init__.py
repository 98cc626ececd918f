"""Deconfliction: tells two agencies whom to call before they collide; apart from fusion and lead rules."""
