"""Intervention policies: given the people in session, offer a practice or not. No I/O.

A policy is one file here that defines `POLICY`, a frozen dataclass; `catalog` finds it, the conformance tests
hold it to the rules, and `engine` applies caps, draws the action and records the propensity.
"""
