"""Learning from events before labels: what is learned, one file each in `objectives/`, and how it is begun."""
