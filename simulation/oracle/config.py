"""What the observable oracle is given besides the data."""

from dataclasses import dataclass
from typing import Final

from infra.contracts.split import PeopleSplit

HEADS: Final = ("interaction", "lapse")
"""What is predicted: `interaction`, that an exposure is acted on within ten minutes; `lapse`, that an attention check
within the next ten minutes fails, given that there is one."""
HORIZON_US: Final = 600_000_000
"""Ten minutes: the window of both heads, µs."""
HORIZON_TICKS: Final = 10


@dataclass(frozen=True, kw_only=True)
class OracleConfig:
    """How many people are looked at, with how many suppositions each, and from which seed.

    `first_guesses`: how many times as many suppositions there are until a person is first seen, when the hour of waking
    rules most of them out. `resample_below`: effective share of them at which they are resampled. `lives`: how often
    their past is lived again at most, to move their traits. `ahead`: suppositions, of those, whose next ten minutes are
    lived. `threads`: people filtered at once. `split`: only people whom a model trained with it has never seen.
    """

    people: int = 300
    particles: int = 1000
    seed: int = 1
    first_guesses: int = 4
    resample_below: float = 0.5
    lives: int = 24
    ahead: int = 1000
    threads: int = 2
    split: PeopleSplit | None = None
