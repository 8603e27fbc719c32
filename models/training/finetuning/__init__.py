"""Fine-tuning of a checkpoint to one world, in full or with few parameters."""
