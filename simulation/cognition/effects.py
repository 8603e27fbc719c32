"""The three sizes that effects of practices and offers come in, as changes to the default parameters."""

from collections.abc import Mapping
from typing import Final

EFFECTS: Final[Mapping[str, Mapping[str, float]]] = {
    # As the literature has it: small and decaying.
    "demo": {},
    # Nothing a practice or an offer does changes how people are or what else they do.
    "null": {"practice": 0.0, "interruption": 0.0, "displaces": 0.0},
    # For seeing that the pipeline can see an effect: several times what any study found.
    "strong": {"practice": 5.0, "practice_fade": 200.0, "interruption": 0.5, "accept_base": 0.8},
}
"""Preset → parameter → value."""
