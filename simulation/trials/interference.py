"""Half of a circle is treated: what reaches the other half, in truth and as a trial would estimate it.

The truth needs two worlds with the same random numbers: one in which nobody is treated, one in which half of every
circle is. Nobody outside of a simulation has both. What a study could do is in a third world: half of the circles,
drawn at random, have half of their members treated, and untreated members of these are compared with members of the
others (two-stage randomisation: Hudgens & Halloran 2008). The estimate is worth something if its interval covers the
truth.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from infra.contracts.errors import EnvironmentFailed
from infra.contracts.metrics import METRICS
from infra.contracts.records import INTERFERENCE
from infra.runs import RunDir
from simulation.core.model import Metaverse
from simulation.scenarios.model import Scenario
from simulation.trials.intervals import Difference, clustered, welch
from simulation.trials.offering import Mask, Offers, half_of_each, live_through

MEASURED: Final = ("stress", "mood", "focus_minutes", "lapse_rate")
PRIMARY: Final = "stress"
TABLE: Final = "interference.parquet"
Measures = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Interference:
    """Three worlds with the same people; every array has shape (people,).

    `treated`: the half of each circle that is treated where its circle is; `chosen`: whether it is, in the trial.
    """

    scenario: Scenario
    seed: int
    person: NDArray[np.uint64]
    circle: NDArray[np.int64]
    treated: Mask
    chosen: Mask
    offers: NDArray[np.int64]
    without: Measures
    treated_everywhere: Measures
    trial: Measures

    def difference(self, name: str) -> NDArray[np.float64]:
        """What treating half of every circle does to each person, in truth."""
        found: NDArray[np.float64] = self.treated_everywhere[name] - self.without[name]
        return found


def live_interference(scenario: Scenario, seed: int, offers: Offers) -> Interference:
    """Live the three worlds one after the other."""
    twin = live_through(scenario, seed, np.zeros(scenario.people, np.bool_), offers)
    circle = twin.people["circle"].astype(np.int64)
    treated = half_of_each(circle, seed)
    labels, place = np.unique(circle, return_inverse=True)
    chosen = half_of_each(np.zeros(len(labels), np.int64), seed)[place]
    everywhere = live_through(scenario, seed, treated, offers)
    return Interference(
        scenario=scenario,
        seed=seed,
        person=twin.persons,
        circle=circle,
        treated=treated,
        chosen=chosen,
        offers=everywhere.people["offers"].astype(np.int64),
        without=_measured(twin),
        treated_everywhere=_measured(everywhere),
        trial=_measured(live_through(scenario, seed, treated & chosen, offers)),
    )


def _measured(model: Metaverse) -> Measures:
    measured = model.measure()
    return {name: measured[name] for name in MEASURED}


def findings(worlds: Interference) -> dict[str, Any]:
    """The truth of each half and the trial's estimate for the untreated one, with 95% intervals by circle.

    `moved`: the interval of the untreated half's true stress excludes 0. `covers`: by measure, whether the interval of
    the estimate and that of the truth (of these people, who stand for others) overlap.
    """
    untreated = _truth(worlds, ~worlds.treated)
    estimate = {name: _estimate(worlds, name) for name in MEASURED}
    primary = untreated[PRIMARY]
    return {
        "scenario": worlds.scenario.name,
        "seed": worlds.seed,
        "people": len(worlds.person),
        "circles": len(np.unique(worlds.circle)),
        "offers": int(worlds.offers.sum()),
        "treated_half": _as_json(_truth(worlds, worlds.treated)),
        "untreated_half": _as_json(untreated),
        "estimated_untreated_half": _as_json(estimate),
        "moved": not primary.covers_zero,
        "covers": {name: _overlap(estimate[name], untreated[name]) for name in MEASURED},
    }


def _truth(worlds: Interference, arm: Mask) -> dict[str, Difference]:
    return {name: clustered(worlds.difference(name)[arm], worlds.circle[arm]) for name in MEASURED}


def _estimate(worlds: Interference, name: str) -> Difference:
    """Mean of untreated members of chosen circles less that of the same half of the others; circles are independent."""
    known = ~worlds.treated & np.isfinite(worlds.trial[name])
    arms = [_circle_means(worlds, name, known & here) for here in (worlds.chosen, ~worlds.chosen)]
    return welch(*arms)


def _circle_means(worlds: Interference, name: str, arm: Mask) -> NDArray[np.float64]:
    _, place = np.unique(worlds.circle[arm], return_inverse=True)
    means: NDArray[np.float64] = np.bincount(place, worlds.trial[name][arm]) / np.bincount(place)
    return means


def _overlap(one: Difference, other: Difference) -> bool:
    return one.ci_low <= other.ci_high and other.ci_low <= one.ci_high


def _as_json(found: dict[str, Difference]) -> dict[str, dict[str, Any]]:
    return {name: asdict(difference) | {"unit": METRICS[name].unit} for name, difference in found.items()}


def truth_table(worlds: Interference) -> pa.Table:
    """A row a person of the INTERFERENCE record: their measures in the world without and in the one with treatment."""
    columns: dict[str, NDArray[Any]] = {
        "person": worlds.person,
        "circle": worlds.circle.astype(np.uint32),
        "treated": worlds.treated.astype(np.uint8),
        "offers": worlds.offers.astype(np.uint32),
    }
    for name in MEASURED:
        columns[f"{name}_without"] = worlds.without[name]
        columns[f"{name}_with"] = worlds.treated_everywhere[name]
    arrays = [pa.array(columns[name]) for name in INTERFERENCE.arrow.names]
    return pa.Table.from_arrays(arrays, schema=INTERFERENCE.arrow)


def write(worlds: Interference, found: dict[str, Any], path: Path) -> RunDir:
    """`spillover.json`, and the truth as `truth/interference.parquet`, into a folder.

    Raises:
        EnvironmentFailed: the folder cannot be written.
    """
    folder = RunDir(path)
    try:
        folder.truth.mkdir(parents=True, exist_ok=True)
        pq.write_table(truth_table(worlds), folder.truth / TABLE, compression="zstd")
        folder.write_json("spillover.json", found)
    except OSError as problem:
        raise EnvironmentFailed(f"cannot write {path}: {problem.strerror}; choose another with --out") from problem
    return folder
