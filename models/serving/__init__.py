"""Scoring events as they arrive: the scorer owns each person's tokens, a forward pass turns them into scores.

`scorer` is written for one process; `local` runs the forward pass in it, `app` on Ray Serve.
"""
