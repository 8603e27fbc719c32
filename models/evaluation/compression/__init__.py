"""What compression saves in bytes and time, and what it costs in quality; and the exported forward pass."""
