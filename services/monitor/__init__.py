"""The monitor: reads events, writes a score for each."""
