"""Discovery of heads and attention mechanisms: to add one is to write one file."""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from infra.contracts.errors import BadInput

if TYPE_CHECKING:
    from torch import nn

    from models.attention.mechanism import Mechanism

_PACKAGE = "models.attention"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Labels of n tokens: `value` (n,) float32, 0 or 1 or the index of a class; `known` (n,) bool, False where censored
    or undefined.
    """

    value: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class LabelSource:
    """What a head may look at to label n events, as flat columns sorted by (person, seq).

    events: event_id, person, kind, in_reply_to, occurred_at, and of a reading of emotion its valence and arousal, NaN
    elsewhere (n,). checks: the attention checks, sorted by (person, occurred_at): event_id, person, occurred_at, passed
    (m,). truth: ref, probability (k,), sorted by ref; None in training, always. horizon_us: how long to wait for an
    answer, the next reading or the next event, None for as long as it takes. end_us: the last moment the data covers.
    """

    events: dict[str, npt.NDArray[Any]]
    checks: dict[str, npt.NDArray[Any]]
    truth: dict[str, npt.NDArray[Any]] | None
    horizon_us: int | None
    end_us: int


@dataclass(frozen=True, kw_only=True)
class Head:
    """An output of the model: how it is built, what its label is, and (for evaluation) its true probability.

    classes: names of what the label may be. Two are told apart by one logit, of the second; more have a logit each.
    `truth` gives the probability that the simulation used, NaN where it is not known.
    """

    name: str
    meaning: str
    build: "Callable[[int], nn.Module]"
    labels: Callable[[LabelSource], Labels]
    truth: Callable[[LabelSource], npt.NDArray[np.float64]]
    classes: tuple[str, ...] = ("no", "yes")

    @property
    def binary(self) -> bool:
        """Whether there are two classes."""
        return len(self.classes) == 2

    @property
    def width(self) -> int:
        """How many logits it has."""
        return 1 if self.binary else len(self.classes)


def unknown_truth(source: LabelSource) -> npt.NDArray[np.float64]:
    """(n,) NaN: for a head whose probabilities the simulation does not write down."""
    return np.full(len(source.events["event_id"]), np.nan)


@cache
def _names(kind: str) -> tuple[str, ...]:
    package = importlib.import_module(f"{_PACKAGE}.{kind}")
    return tuple(sorted(module.name for module in pkgutil.iter_modules(package.__path__)))


def _load(kind: str, name: str, attribute: str) -> object:
    if name not in _names(kind):
        raise BadInput(f"no {kind[:-1]} is called '{name}'; there are: {', '.join(_names(kind))}")
    return getattr(importlib.import_module(f"{_PACKAGE}.{kind}.{name}"), attribute)


def heads() -> tuple[str, ...]:
    """Names of all heads."""
    return _names("heads")


def head(name: str) -> Head:
    """The head called `name`. Raises BadInput where there is none."""
    return cast("Head", _load("heads", name, "HEAD"))


def columns(names: tuple[str, ...]) -> dict[str, slice]:
    """Which logits of a model with these heads, in this order, belong to each. Raises BadInput for an unknown head."""
    ends = np.cumsum([head(name).width for name in names]).tolist()
    return {name: slice(end - head(name).width, end) for name, end in zip(names, ends, strict=True)}


def mechanisms() -> tuple[str, ...]:
    """Names of all attention mechanisms."""
    return _names("mechanisms")


def mechanism(name: str) -> "type[Mechanism]":
    """The class of the mechanism called `name`. Raises BadInput where there is none.

    It is built as `Attention(d_model, heads, window)` and has these methods: `band(time_us, mask, features)`, what all
    layers share when every token of (B, T) is a query; `tail(time_us, mask, queries, features)`, the same for the last
    `queries` tokens; and `forward(x, band, queries)`: (B, T, D) -> (B, queries, D). Explanations also ask for
    `weights(x, band, queries)` of a band of `tail`: -> (H, B, queries, T), each row summing to 1.

    `windowed` says that a query sees its last `window` tokens alone, `streaming` that it may score events as they
    arrive: it is windowed, and keys and values depend on their own token alone. `models.attention.windowed` and
    `unwindowed` hold what they share.
    """
    return cast("type[Mechanism]", _load("mechanisms", name, "Attention"))
