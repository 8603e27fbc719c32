"""One file a fact: its protocol, sample size, source and pass rule, and how it is measured."""
