"""Search for settings: which are tried, and the trials on Ray Tune."""
