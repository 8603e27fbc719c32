"""What loads look like, one file a scenario: a frozen dataclass of settings, named by `SCENARIO`, found by discovery.

A scenario has no lifecycle: it says which events are due when. A run (`load_tests.runner`) has one.
"""
