"""Training: the lake to tensors, one process first, Ray around it."""
