"""What a model is held against, one file each; every file has a constant `BASELINE` (see `catalog.Baseline`)."""
