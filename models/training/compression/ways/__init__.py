"""Ways to compress a model, one file each, found by discovery."""
