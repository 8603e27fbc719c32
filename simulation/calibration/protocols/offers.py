"""Randomised offers: 1,000 people over a week, at random moments of their sessions (rows 10, 11 and 14)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.contracts.kinds import EventKind
from simulation.calibration.lab import Lab, lasting
from simulation.calibration.protocols.given import states
from simulation.calibration.study import Design, Notes, Study

PEOPLE, DAYS = 1000, 6
POINTS = 1.0 / 120.0
"""Decision points a minute of a session."""
AFTER = 5
"""Minutes after a decision point over which lapses are looked at."""
NOBODY = -100.0
"""Log-odds at which nobody takes anything up: a notification alone."""
_SEED = 4_021
OFFERED, WILLING = 0, 11
"""Columns of what is noted at a decision point: whether it was an offer, and the true probability of taking it up."""


@dataclass(frozen=True)
class Offers:
    """Decision points: `person`, `offered`, and what could be seen of the person; `taken` where offered."""

    people: int
    points: Notes


@lasting(DAYS)
def offers(lab: Lab) -> Offers:
    """Half of the decision points are offers; who takes one up is noted."""
    return _carry_out(lab, {}, lab.people(PEOPLE), share=0.5)


@lasting(2 * DAYS)
def notifications(lab: Lab) -> tuple[Offers, Offers]:
    """The same moments of the same people with and without a notification that nobody takes up."""
    people = lab.people(PEOPLE // 2)
    shown, silent = (_carry_out(lab, {"accept_base": NOBODY}, people, share=share) for share in (1.0, 0.0))
    return shown, silent


def _carry_out(lab: Lab, changes: dict[str, float], people: int, *, share: float) -> Offers:
    study = Study(lab.scenario, Design(people=people, days=DAYS, changes=changes))
    notes, generator = Notes(), np.random.default_rng(_SEED)
    waiting: list[tuple[int, NDArray[np.int64], NDArray[np.float64]]] = []
    taken = np.zeros(people, np.int64)

    def look(study: Study) -> None:
        _follow(study, waiting, taken, notes)
        # The same draws whatever happened before: both arms of `notifications` meet the same moments.
        at_point, to_offer = generator.random(people) < POINTS, generator.random(people) < share
        if study.minute < 12 * 60:
            return
        chosen = np.flatnonzero(study.reachable() & at_point)
        offered = to_offer[chosen]
        study.offer(chosen[offered])
        taken[chosen] = 0
        waiting.append((study.minute, chosen, _seen(study, chosen, offered)))

    study.run(study.scenario.ticks, look, lab.progress)
    return Offers(people, notes)


def _seen(study: Study, chosen: NDArray[np.int64], offered: NDArray[np.bool_]) -> NDArray[np.float64]:
    """What a policy may know at a decision point, and the true probability of taking an offer up."""
    people = study.people[chosen]
    _, _, willing = states(study, chosen)
    columns = [
        offered,
        people["doing"] > 0,
        people["due_at"] >= 0,
        people["load"],
        people["momentum"],
        np.minimum(study.tick - people["stay_since"], 60) / 60.0,
        np.cos(2.0 * np.pi * study.clock / 1440.0) * np.ones(len(chosen)),
        *(people["world"] == world for world in (1, 2, 3, 4)),
        willing,
    ]
    return np.stack([column.astype(np.float64) for column in columns], axis=1)


def _follow(
    study: Study,
    waiting: list[tuple[int, NDArray[np.int64], NDArray[np.float64]]],
    taken: NDArray[np.int64],
    notes: Notes,
) -> None:
    accepted = study.events_of((int(EventKind.OFFER_ACCEPTED),))
    taken[accepted["number"]] = 1
    while waiting and waiting[0][0] + AFTER <= study.minute:
        minute, chosen, seen = waiting.pop(0)
        here = study.people["world"][chosen] > 0
        if here.any():
            _, lapse, _ = states(study, chosen[here])
            notes.add(
                person=chosen[here],
                minute=np.full(int(here.sum()), minute),
                seen=seen[here],
                taken=taken[chosen[here]],
                lapse=lapse,
            )
