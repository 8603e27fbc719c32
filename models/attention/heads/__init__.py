"""Heads, one file each; every file has a constant `HEAD` (see `catalog.Head`)."""
