"""What an oracle is made from: what was seen of a sample of people, and what their circles did to them.

The rows come from a run's lake, or from a population simulated in process. The influence of the circle is not in the
lake; it is recorded by living the population again from its scenario and seed, with the offers that the lake says were
shown (random numbers are counter-based, so this is exact, whatever decided on the offers and however late).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from infra.contracts.draws import uniform
from infra.contracts.errors import BadInput
from infra.contracts.identity import Pseudonyms
from infra.contracts.time import TICK_US
from simulation.core import purposes
from simulation.core.compiled import compiled
from simulation.core.life import circle_mood
from simulation.core.model import Metaverse, pseudonym_key
from simulation.core.moment import Common
from simulation.core.rows import Rows
from simulation.oracle.config import OracleConfig
from simulation.oracle.lake import Offers, offers_of, read_lake
from simulation.oracle.timeline import Timeline, timelines, windows
from simulation.scenarios.model import Scenario

Progress = Callable[[int], None]
OnTick = Callable[[Metaverse], None]


@dataclass(frozen=True)
class Recording:
    """A sample of people: `lines` by pseudonym, `around` float64 [ticks, 2] of each, and the truth behind.

    `truth` maps the id of an exposure or check to its true probability; nothing that predicts looks at it. `offers` are
    those that were shown to anybody.
    """

    scenario: Scenario
    span: range
    lines: tuple[Timeline, ...]
    around: Mapping[int, NDArray[np.float64]]
    truth: Mapping[int, float] = field(repr=False)
    offers: Offers = field(repr=False)


def sample(scenario: Scenario, config: OracleConfig) -> NDArray[np.int64]:
    """Internal numbers of the people who are looked at: the smallest draws, so that more people contain fewer."""
    numbers = np.arange(scenario.people, dtype=np.int64)
    if config.split is not None:
        persons = Pseudonyms(pseudonym_key(scenario.seed)).encode(numbers.astype(np.uint64))
        numbers = numbers[config.split.unseen(persons)]
    draws = uniform(config.seed, purposes.ORACLE, numbers, 0, 0)
    chosen: NDArray[np.int64] = np.sort(numbers[np.argsort(draws, kind="stable")[: config.people]])
    return chosen


def relive(scenario: Scenario, offers: Offers, span: range, on_tick: OnTick, after: OnTick | None = None) -> Metaverse:
    """Live a population again; `on_tick` is called before, `after` after each step."""
    model = Metaverse(scenario)
    for tick in span:
        offers.put(model.people, tick)
        on_tick(model)
        model.step()
        if after is not None:
            after(model)
    return model


@compiled
def influences(people: Rows, chosen: NDArray[np.int64], common: Common, found: NDArray[np.float64]) -> None:
    """What `life.live` takes from the circle in the coming tick: `found` gets (mood, stress) of each of `chosen`."""
    for row in range(chosen.shape[0]):
        mood, stress = circle_mood(people[chosen[row]], common)
        found[row, 0], found[row, 1] = mood, stress


def record_scenario(scenario: Scenario, config: OracleConfig, progress: Progress) -> Recording:
    """Simulate a population that is left alone, warm-up and run, and record a sample of it."""
    chosen, span = sample(scenario, config), _whole(scenario)
    around, rows = np.zeros((len(span), len(chosen), 2)), _Rows()

    def before(model: Metaverse) -> None:
        influences(model.people, chosen, model.common, around[model.tick - span.start])
        progress(1)

    def after(model: Metaverse) -> None:
        rows.add(model, persons)

    pseudonyms = Pseudonyms(pseudonym_key(scenario.seed))
    persons = pa.array(pseudonyms.encode(chosen.astype(np.uint64)))
    relive(scenario, Offers.none(), span, before, after)
    events, outcomes, truth = rows.tables()
    lines = tuple(timelines(events, outcomes, rows.end_us))
    by_person = {int(person): around[:, place] for place, person in enumerate(persons.to_pylist())}
    return Recording(scenario, span, lines, by_person, _probabilities(truth), Offers.none())


class _Rows:
    """Collects the rows of the sampled people."""

    def __init__(self) -> None:
        self._parts: tuple[list[pa.RecordBatch], ...] = ([], [], [])
        self.end_us = 0

    def add(self, model: Metaverse, persons: pa.Array) -> None:
        output = model.drain()
        if output.events.num_rows:
            self.end_us = max(self.end_us, int(pc.max(output.events.column("occurred_at")).as_py()))
        batches = (output.events, output.outcomes, output.truth)
        for part, batch in zip(self._parts, batches, strict=True):
            part.append(batch.filter(pc.is_in(batch.column("person"), persons)))

    def tables(self) -> tuple[pa.Table, ...]:
        return tuple(pa.Table.from_batches(part) for part in self._parts)


def _whole(scenario: Scenario) -> range:
    return range(scenario.first_tick, scenario.run_first_tick + scenario.ticks)


def record_run(run: Path, scenario: Scenario, config: OracleConfig, progress: Progress) -> Recording:
    """What the lake of a run has seen of a sample of its people.

    Raises BadInput where there is no lake or no truth, or where another version of the simulation wrote them.
    """
    chosen, pseudonyms = sample(scenario, config), Pseudonyms(pseudonym_key(scenario.seed))
    persons = pa.array(pseudonyms.encode(chosen.astype(np.uint64)))
    seen = read_lake(run, persons)
    span = range(scenario.first_tick, seen.end_us // TICK_US + 1)
    around = np.zeros((len(span), len(chosen), 2))

    def before(model: Metaverse) -> None:
        influences(model.people, chosen, model.common, around[model.tick - span.start])
        progress(1)

    offers = offers_of(seen.shown, pseudonyms)
    model = relive(scenario, offers, span, before)
    _same_people(model, chosen, persons, seen.events, run)
    lines = tuple(timelines(seen.events, seen.outcomes, seen.end_us))
    by_person = {int(person): around[:, place] for place, person in enumerate(persons.to_pylist())}
    return Recording(scenario, span, lines, by_person, _probabilities(seen.truth), offers)


def _same_people(model: Metaverse, chosen: NDArray[np.int64], persons: pa.Array, events: pa.Table, run: Path) -> None:
    """Raise BadInput where the lake does not hold just the events that the scenario gives."""
    counted = events.group_by("person").aggregate([("seq", "max")]).to_pydict()
    last = dict(zip(counted["person"], counted["seq_max"], strict=True))
    for person, number in zip(persons.to_pylist(), chosen, strict=True):
        if last.get(person, -1) + 1 != int(model.people["seq"][number]):
            raise BadInput(
                f"the lake of {run} is not what its scenario.yaml gives with this version of the simulation: "
                "make the run again, or use the version that wrote it"
            )


def _probabilities(truth: pa.Table) -> dict[int, float]:
    refs, values = truth["ref"].to_numpy(), truth["probability"].to_numpy()
    held = refs != 0
    return dict(zip(refs[held].tolist(), values[held].tolist(), strict=True))


def true_of_windows(line: Timeline, truth: Mapping[int, float]) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Per head, float64 [rows]: the probability that the simulation drew the labels with; NaN where it is not known."""
    rows = line.rows
    own = np.array([truth.get(int(value), np.nan) for value in rows["event_id"].view(np.uint64)])
    yield "interaction", np.where(line.is_check, np.nan, own)
    at = rows["tick"].astype(np.int64) * TICK_US + rows["clock"]
    first, last, checks = windows(rows, at)
    running = np.concatenate([[0.0], np.cumsum(np.log1p(-own[checks]))])
    yield "lapse", np.where(last > first, -np.expm1(running[last] - running[first]), np.nan)
