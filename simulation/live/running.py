"""A population that runs in a thread, and is looked at twice a second at most."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from simulation.core.model import Metaverse
from simulation.live.snapshot import snapshot
from simulation.scenarios.model import Scenario
from simulation.trials.offering import Offers, half_of_each, offer_to

SAMPLE_EVERY_S = 0.5
"""Between two looks, whoever asks and however often."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is run: half of every circle is offered `offers`; `ticks_per_s` at most (0: as fast as it goes)."""

    scenario: Scenario
    seed: int
    offers: Offers
    ticks_per_s: float = 0.0


class RunningPopulation:
    """Steps a population through its scenario; `latest` is the newest look, a whole dictionary at a time."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._model = Metaverse(look.scenario, look.seed)
        self._treated = half_of_each(self._model.people["circle"], look.seed)
        self._stop = threading.Event()
        self._next_look = 0.0
        self.looks = 0
        self.latest: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._run, name="population", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End between two minutes."""
        self._stop.set()
        self._thread.join()

    def join(self) -> None:
        """Wait until the scenario is over."""
        self._thread.join()

    def _run(self) -> None:
        ticks = self._look.scenario.warmup_ticks + self._look.scenario.ticks
        began = time.monotonic()
        for tick in range(ticks):
            if self._look.ticks_per_s and self._stop.wait(max(0.0, began + tick / self._look.ticks_per_s - _now())):
                return
            if self._stop.is_set():
                return
            if tick % self._look.offers.every == 0 and tick >= self._look.scenario.warmup_ticks:
                offer_to(self._model, self._treated, self._look.offers)
            self._model.step()
            self._look_in(last=tick == ticks - 1)

    def _look_in(self, *, last: bool) -> None:
        now = _now()
        if now < self._next_look and not last:
            return
        self._next_look = now + SAMPLE_EVERY_S
        self.looks += 1
        self.latest = snapshot(self._model, self._treated) | {"scenario": self._look.scenario.name, "over": last}


def _now() -> float:
    return time.monotonic()
