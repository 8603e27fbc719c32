"""How good a model is: against the base rate, a strong simple model, and the best possible."""
