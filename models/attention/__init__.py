"""The attention model: mechanisms and heads are found by discovery, one file each."""
