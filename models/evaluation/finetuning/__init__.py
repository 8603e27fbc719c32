"""What fine-tuning to one world gives, what it costs, and what is forgotten of the others."""
