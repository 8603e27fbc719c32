"""Attention mechanisms, one file each; every file has a class `Attention` (see `catalog.mechanism`)."""
