"""Fusion: reports in, resolutions out; owns the resolver's tables."""
