"""Randomised trials inside the simulation, without services: are intervals honest, effects found, do they spread.

`offering` gives practices to some of the people; `coverage` repeats a small trial over many seeds; `interference`
treats half of every circle and looks at the other half.
"""
