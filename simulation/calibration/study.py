"""A population under study: what protocols do to people, and what they note down."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.cognition.parameters import Parameters
from simulation.core.model import Metaverse
from simulation.core.rows import Rows
from simulation.scenarios.model import TICKS_A_DAY, Scenario

MONDAY = datetime.fromisoformat("2026-03-02T00:00:00+00:00")
Places = NDArray[np.int64]
_ENGAGED = (
    EventKind.VIDEO_CALL_JOINED,
    EventKind.MEETING_JOINED,
    EventKind.THERAPY_ATTENDED,
    EventKind.QUEST_STARTED,
)


class StudyScenario(Scenario):
    """A scenario with what a protocol changes about the parameters, such as who is enrolled."""

    changes: dict[str, float] = {}  # noqa: RUF012  pydantic copies defaults

    def parameters(self) -> Parameters:
        """The scenario's constants, changed."""
        return replace(super().parameters(), **self.changes)


@dataclass(frozen=True, kw_only=True)
class Design:
    """Who is studied for how long: from Monday 0:00, in one time zone, so that a day is a day for everybody."""

    people: int
    days: int
    changes: dict[str, float] = field(default_factory=dict)

    @property
    def ticks(self) -> int:
        """Minutes of the study."""
        return self.days * TICKS_A_DAY


class Study(Metaverse):
    """A population whose minutes a protocol looks at; people are known by their place, which is their number."""

    def __init__(self, base: Scenario, design: Design) -> None:
        values = base.model_dump() | {
            "people": design.people,
            "days": float(design.days),
            "warmup_days": 0.0,
            "start": MONDAY,
            "utc_offsets": (0,),
            "changes": design.changes,
        }
        super().__init__(StudyScenario.model_validate(values))
        self.minute = 0
        self.days = design.days

    def run(self, ticks: int, look: Callable[["Study"], None], progress: Callable[[int], None]) -> None:
        """Simulate `ticks` minutes; `look` is called after each."""
        for _ in range(ticks):
            self.step()
            look(self)
            self.minute += 1
            if self.minute % 720 == 0:
                progress(720)

    @property
    def day(self) -> int:
        """Day of the study, from 0."""
        return self.minute // TICKS_A_DAY

    @property
    def clock(self) -> int:
        """Local minute of the day."""
        return self.minute % TICKS_A_DAY

    def written(self) -> tuple[Rows, Rows]:
        """Rows of events and checks of the last minute; they are overwritten by the next."""
        return self._sink.events[: self._sink.used[0]], self._sink.checks[: self._sink.used[1]]

    def events_of(self, kinds: tuple[int, ...]) -> Rows:
        """Copies of the last minute's rows of these kinds."""
        events, _ = self.written()
        chosen: Rows = events[np.isin(events["kind"], kinds)]
        return chosen

    def offer(self, places: Places, practice: int = 2, minutes: int = 10) -> None:
        """Offer a practice to these people; it is shown in the next minute."""
        self.people["offer"][places] = practice
        self.people["offer_minutes"][places] = minutes
        self.people["command"][places] = self.tick

    def reachable(self) -> NDArray[np.bool_]:
        """Who could be shown an offer: in a session, no practice and no other offer running."""
        people = self.people
        reached: NDArray[np.bool_] = (people["world"] > 0) & (people["practice"] == 0) & (people["offer"] == 0)
        return reached

    def available(self) -> NDArray[np.bool_]:
        """Who is available: reachable, and not in a call, meeting, therapy session or quest, or about to answer."""
        engaged = np.isin(self.people["doing"], _ENGAGED) | (self.people["due_at"] >= 0)
        return self.reachable() & ~engaged


class Notes:
    """Rows of equally long columns, noted minute by minute."""

    def __init__(self) -> None:
        self._parts: dict[str, list[NDArray[Any]]] = {}

    def add(self, **columns: NDArray[Any]) -> None:
        """Note some rows."""
        for name, values in columns.items():
            self._parts.setdefault(name, []).append(np.array(values))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return np.concatenate(self._parts[name])
