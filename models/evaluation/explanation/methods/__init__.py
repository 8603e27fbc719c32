"""Methods of explanation, one file each; every file has a constant `METHOD` (see `explanation.catalog`)."""
