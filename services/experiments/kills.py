"""Kills in the course of a run: of whom, when, and how long it takes until each is back at work.

A kill is SIGKILL at a random moment of a tick, by seed; victims take turns. Nobody is killed while somebody else is
still coming back, so that of three broker nodes no two are ever gone.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np

from infra.contracts.errors import BadInput, EnvironmentFailed

SERVICES: Final = ("monitor", "interventions", "archiver", "gateway")
"""Services that may be killed, in the order of their turns; a broker node comes after them."""
BACK_WITHIN_S: Final = 170.0
_LEAST_TICKS: Final = 4
"""Of a run, for each kill."""
_FIRST, _LAST = 0.02, 0.95
"""Shares of the run between which kills are spread: what is killed last has to come back before the end."""
_LOOK_EVERY_S: Final = 0.05
_MOST_TICKS_LATE: Final = 1.5
_DRAWS: Final = 0x6B696C6C


class Killable(Protocol):
    """A system whose parts can be killed one by one."""

    def victims(self) -> Sequence[str]:
        """Who can be killed without taking what cannot be had again, in the order of their turns."""
        ...

    def kill(self, victim: str) -> int:
        """SIGKILL to a part; the process id that it had."""
        ...

    def is_back(self, victim: str, killed: int) -> bool:
        """Whether another process than `killed` does its work."""
        ...


@dataclass(frozen=True)
class Kill:
    """One kill to come: `tick` counts the ticks of the run from 0, `moment` is in ticks after that one's start."""

    victim: str
    tick: int
    moment: float


@dataclass
class Killed:
    """One kill that took place. `back_s`: from the signal until the part works again. `held_ticks`: those meanwhile."""

    victim: str
    pid: int
    tick: int
    back_tick: int
    back_s: float


def require_room(count: int, ticks: int) -> None:
    """Raise BadInput where a run is too short for so many kills."""
    if count * _LEAST_TICKS > ticks:
        raise BadInput(f"--kills {count}: a run of {ticks} ticks has room for at most {ticks // _LEAST_TICKS}")


def plan_kills(count: int, ticks: int, seed: int, victims: Sequence[str]) -> list[Kill]:
    """So many kills, one in each equal stretch of the run, at ticks and moments by the seed."""
    draw = np.random.default_rng([seed, _DRAWS])
    edges = np.linspace(_FIRST, _LAST, count + 1) * ticks
    return [
        Kill(victims[turn % len(victims)], int(draw.uniform(low, high)), float(draw.uniform(0.0, _MOST_TICKS_LATE)))
        for turn, (low, high) in enumerate(pairwise(edges))
    ]


class Killer:
    """Carries a plan out while the run goes on in another thread, which calls `look` every tick and while it waits."""

    def __init__(self, system: Killable, plan: Sequence[Kill]) -> None:
        self._system = system
        self._plan = list(plan)
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None
        self._tick, self._tick_began, self._tick_s = -1, time.monotonic(), 0.1
        self._over = threading.Event()
        self.killed: list[Killed] = []

    def look(self, tick: int) -> None:
        """The run is in this tick: begin a kill that is due; raises EnvironmentFailed where one did not come back."""
        if self._failure is not None:
            raise EnvironmentFailed(str(self._failure)) from self._failure
        if tick != self._tick:
            now = time.monotonic()
            self._tick, self._tick_s, self._tick_began = tick, now - self._tick_began, now
        busy = self._thread is not None and self._thread.is_alive()
        if self._plan and tick >= self._plan[0].tick and not busy:
            kill = self._plan.pop(0)
            self._thread = threading.Thread(target=self._carry_out, args=(kill,), name="kill", daemon=True)
            self._thread.start()

    def finish(self, watch: Callable[[], None]) -> None:
        """Wait until whoever was killed last is back; `watch` is what starts it again."""
        while self._thread is not None and self._thread.is_alive():
            watch()
            self._thread.join(_LOOK_EVERY_S)
        self.look(self._tick)

    def stop(self) -> None:
        """Wait for nobody any more."""
        self._plan.clear()
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def told(self, round_trip_ms: Sequence[float]) -> list[dict[str, Any]]:
        """For summary.json: each kill with the longest tick of those between signal and return."""
        return [
            asdict(each) | {"longest_tick_s": max(round_trip_ms[each.tick : each.back_tick + 1], default=0.0) / 1000}
            for each in self.killed
        ]

    def _carry_out(self, kill: Kill) -> None:
        try:
            if not self._over.wait(kill.moment * self._tick_s):
                self._kill(kill.victim)
        except Exception as problem:  # noqa: BLE001 - raised again in the thread that runs the loop
            self._failure = problem

    def _kill(self, victim: str) -> None:
        began, tick = time.monotonic(), self._tick
        pid = self._system.kill(victim)
        while not self._system.is_back(victim, pid):
            if self._over.wait(_LOOK_EVERY_S):
                return
            if time.monotonic() - began > BACK_WITHIN_S:
                raise EnvironmentFailed(f"{victim} was killed and not back within {BACK_WITHIN_S:.0f} s")
        self.killed.append(Killed(victim, pid, tick, self._tick, round(time.monotonic() - began, 3)))
