"""Who is killed when, and what counts as being back: on real processes that are started again."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from infra.contracts.errors import BadInput, EnvironmentFailed
from services.experiments.kills import Killer, plan_kills, require_room
from tests.support.hosted import eventually

VICTIMS = ("monitor", "archiver", "broker node")


class Sleepers:
    """Processes that do nothing, started again by `revive`, as services are by the run."""

    def __init__(self) -> None:
        self.running = {name: self._start() for name in VICTIMS}

    def victims(self) -> tuple[str, ...]:
        return VICTIMS

    def kill(self, victim: str) -> int:
        self.running[victim].kill()
        return self.running[victim].pid

    def is_back(self, victim: str, killed: int) -> bool:
        return self.running[victim].pid != killed

    def revive(self) -> None:
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                self.running[name] = self._start()

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


@pytest.fixture
def sleepers() -> Iterator[Sleepers]:
    found = Sleepers()
    yield found
    found.stop()


def test_kills_are_spread_over_the_run_and_victims_take_turns() -> None:
    plan = plan_kills(20, 1_440, 7, VICTIMS)
    assert [kill.victim for kill in plan] == [VICTIMS[turn % 3] for turn in range(20)]
    stretches = [int((kill.tick / 1_440 - 0.02) / 0.93 * 20) for kill in plan]
    assert all(abs(stretch - turn) <= 1 for turn, stretch in enumerate(stretches))
    assert plan[-1].tick < 0.95 * 1_440
    assert len({kill.moment for kill in plan}) == 20


def test_the_seed_says_when() -> None:
    assert plan_kills(5, 300, 1, VICTIMS) == plan_kills(5, 300, 1, VICTIMS)
    assert plan_kills(5, 300, 1, VICTIMS) != plan_kills(5, 300, 2, VICTIMS)


def test_a_run_too_short_for_its_kills_is_refused() -> None:
    require_room(10, 40)
    with pytest.raises(BadInput, match="--kills 11: a run of 40 ticks has room for at most 10"):
        require_room(11, 40)


def live(killer: Killer, sleepers: Sleepers, ticks: int) -> None:
    """A run of so many ticks, each as long as a moment."""
    for tick in range(ticks):
        sleepers.revive()
        killer.look(tick)
        threading.Event().wait(0.01)
    killer.finish(sleepers.revive)


def test_each_victim_is_killed_and_its_way_back_is_timed(sleepers: Sleepers) -> None:
    before = {name: process.pid for name, process in sleepers.running.items()}
    killer = Killer(sleepers, plan_kills(3, 60, 3, VICTIMS))
    live(killer, sleepers, 60)
    assert [killed.victim for killed in killer.killed] == list(VICTIMS)
    assert {killed.victim: killed.pid for killed in killer.killed} == before
    assert all(killed.tick <= killed.back_tick and killed.back_s > 0 for killed in killer.killed)
    assert killer.told([1_000.0] * 60)[0]["longest_tick_s"] == 1.0


def test_nobody_is_killed_while_another_is_still_away(sleepers: Sleepers) -> None:
    killer = Killer(sleepers, plan_kills(2, 8, 3, VICTIMS))
    for tick in range(8):
        killer.look(tick)
    eventually(lambda: sleepers.running["monitor"].poll() is not None, "the first kill")
    for tick in range(8, 20):
        killer.look(tick)
    assert sleepers.running["archiver"].poll() is None
    live(killer, sleepers, 40)
    assert len(killer.killed) == 2


def test_who_does_not_come_back_ends_the_run(sleepers: Sleepers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.experiments.kills.BACK_WITHIN_S", 0.1)
    killer = Killer(sleepers, plan_kills(1, 4, 3, VICTIMS))
    with pytest.raises(EnvironmentFailed, match="monitor was killed and not back"):
        live_without_reviving(killer)


def live_without_reviving(killer: Killer) -> None:
    """A run in which nothing is started again, until it ends or a minute is over."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        killer.look(4)
