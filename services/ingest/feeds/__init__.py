"""The feeds: one file each, one line each in ``FEEDS``."""
