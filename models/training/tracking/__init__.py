"""What a training tells of itself while it runs: one interface, and a file for each place where it goes."""
