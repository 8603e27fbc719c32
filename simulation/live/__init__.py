"""A look inside: a running population on a page of its own, without slowing it down (`calmverse look`)."""
