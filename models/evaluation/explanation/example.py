"""A worked example: one score, and what each method makes of the tokens before it."""

from typing import Any

import numpy as np

from infra.contracts.kinds import EventKind
from infra.contracts.worlds import World
from models.evaluation.explanation.subject import Doubles, Subject
from models.features.tokens import FEATURES
from models.features.vocabulary import KIND_CODES

SHOWN = 10
"""Tokens of the example: those that matter most by the mean share over methods."""
_SAID = ("gaze_on_task", "valence", "arousal", "importance", "score")
_WORLDS = tuple(world for world in World if world is not World.NONE)


def example(subjects: list[Subject], importances: dict[str, list[Doubles]]) -> dict[str, Any]:
    """The score whose past moves it by the median amount: neither the most nor the least telling one."""
    ends = [each.ends() for each in subjects]
    moved = [abs(whole - none) for whole, none in ends]
    at = int(np.argsort(moved, kind="stable")[(len(moved) - 1) // 2])
    subject, (whole, none) = subjects[at], ends[at]
    own = {name: each[at] for name, each in importances.items()}
    share = np.mean([np.abs(each) / max(float(np.abs(each).sum()), 1e-12) for each in own.values()], axis=0)
    shown = np.argsort(-share, kind="stable")[:SHOWN]
    return {
        "event": _event(subject, subject.past),
        "logit": whole,
        "probability": float(1 / (1 + np.exp(-whole))),
        "probability_without_past": float(1 / (1 + np.exp(-none))),
        "past_tokens": subject.past,
        "tokens": [
            _event(subject, int(place)) | {name: float(each[place]) for name, each in own.items()} for place in shown
        ],
    }


def _event(subject: Subject, place: int) -> dict[str, Any]:
    """What happened, where, how long before the score, and what it said."""
    index = int(subject.kind[0, place])
    features = subject.features[0, place]
    world = [each.label for each in _WORLDS if float(features[FEATURES.index(f"world_{each.label}")]) > 0]
    before_us = int(subject.time_us[0, -1] - subject.time_us[0, place])
    said = {name: float(features[FEATURES.index(name)]) for name in _SAID}
    return {
        "kind": EventKind(KIND_CODES[index - 2]).name.lower() if index >= 2 else "unknown",
        "world": world[0] if world else "none",
        "minutes_before": before_us / 60e6,
        "said": {name: round(value, 3) for name, value in said.items() if value},
    }
