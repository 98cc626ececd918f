"""Canonical forms of names, identifiers, dates and places, for fusion, search and deconfliction alike."""
