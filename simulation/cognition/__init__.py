"""How attention, fatigue, stress, mood and practice move: scalar kernels and their constants."""
