"""Ways to fine-tune, one file each; every file has a constant `WAY` (see `catalog.Way`)."""
