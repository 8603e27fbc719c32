"""One file each: a constant `OBJECTIVE`."""
