"""Settings held against each other: each trained from several starts, judged on the same unseen people."""
