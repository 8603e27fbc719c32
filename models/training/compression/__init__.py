"""Compression of a checkpoint: fewer bytes, fewer operations, a smaller model; the same inputs and logits."""
