"""The verdict of a run, the checks under it, and how to reproduce it."""

from infra.contracts.metrics import METRICS
from infra.pages import Check, Outcome, Reproduce, Verdict, numbers
from infra.pages.charts import covers_zero
from services.experiments.pages_facts import RunFacts

LEAST_COMPLETE = 0.99
"""Share of applied commands whose lineage must reach the events that caused them."""


def verdict(facts: RunFacts) -> Verdict:
    """One sentence: what the policy did to the primary measure, and whether the run can be believed."""
    effect, direction = _effect(facts)
    failed = [check for check in checks(facts) if check.ok is False]
    sentence = f"{effect}; {_soundness(facts, failed)}."
    if failed:
        return Verdict(Outcome.BAD, sentence, "The run is not sound")
    if facts.partial:
        return Verdict(Outcome.UNKNOWN, sentence, "A partial run")
    labels = {
        Outcome.OK: "Better than without offers",
        Outcome.BAD: "Worse than without offers",
        Outcome.UNKNOWN: "No clear effect",
    }
    if facts.number("effect", "difference") is None:
        return Verdict(Outcome.UNKNOWN, sentence, "Not measured")
    return Verdict(direction, sentence, labels[direction])


def _effect(facts: RunFacts) -> tuple[str, Outcome]:
    """What is known of the primary measure, and whether it is good."""
    name = str(facts.part("effect").get("metric", ""))
    difference, low, high = (facts.number("effect", key) for key in ("difference", "ci_low", "ci_high"))
    policy = f"The {facts.policy} policy"
    if difference is None or low is None or high is None:
        return f"What the {facts.policy} policy changed was not measured", Outcome.UNKNOWN
    metric = METRICS.get(name)
    title, unit = (metric.title.lower(), metric.unit) if metric else (name.replace("_", " "), "")
    if covers_zero(low, high):
        change = f"changed {title} by {numbers.estimate(difference, low, high)}{_in(unit)}"
        return f"{policy} {change}, which is not told from no change", Outcome.UNKNOWN
    good = metric is None or (metric.better == "higher") == (difference > 0)
    ends = sorted((abs(low), abs(high)))
    value, _, interval = numbers.estimate(abs(difference), ends[0], ends[1]).partition(" ")
    if unit.endswith("a day"):  # a mean over people, whose title says what is counted: "focus minutes"
        verb = "added" if difference > 0 else "took away"
        return f"{policy} {verb} {value} {title} a person and day {interval}", Outcome.of(good)
    verb = "raised" if difference > 0 else "lowered"
    return f"{policy} {verb} {title} by {value} {interval}{_in(unit)}", Outcome.of(good)


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""


def _soundness(facts: RunFacts, failed: list[Check]) -> str:
    if failed:
        return "but " + ", and ".join(f"{check.name.lower()}: {check.text}" for check in failed[:2])
    if facts.number("events_lost") == 0 and facts.number("events_duplicated") == 0:
        return "nothing was lost and nothing was counted twice"
    return "whether events were lost was not counted"


def checks(facts: RunFacts) -> list[Check]:
    """The health of a run; a figure that is missing is a check that could not be made."""
    emitted = facts.number("events_emitted")
    of_all = f" of {numbers.number(emitted)}" if emitted is not None else ""
    return [
        _none("Events lost", facts.number("events_lost"), of_all),
        _none("Events scored twice", facts.number("events_duplicated"), of_all),
        _none("Dead letters", facts.number("dead_letters"), " records that could not be handled"),
        _none("Spans dropped", facts.number("trace", "dropped"), _of_spans(facts)),
        _complete(facts),
        worlds_present(facts),
        *_restarts(facts),
        finished(facts),
    ]


def _none(name: str, value: float | None, rest: str) -> Check:
    """A check that a count is zero."""
    if value is None:
        return Check(name, None, "not counted")
    return Check(name, value == 0, f"{numbers.number(value)}{rest}")


def _of_spans(facts: RunFacts) -> str:
    written = facts.number("trace", "spans")
    return f" of {numbers.number(written)}" if written is not None else ""


def _complete(facts: RunFacts) -> Check:
    fraction = facts.number("trace", "complete_fraction")
    name = "Lineage complete"
    if fraction is None:
        return Check(name, None, "no command was applied, so there is no way to trace back")
    text = f"{numbers.share(fraction)} of the applied commands lead back to the events that caused them"
    return Check(name, fraction >= LEAST_COMPLETE, f"{text}; at least {LEAST_COMPLETE:.0%} must")


def worlds_present(facts: RunFacts) -> Check:
    """Whether something happened in every world."""
    worlds = facts.part("worlds")
    if not worlds:
        return Check("Every world present", None, "events by world were not counted")
    empty = [world for world, events in worlds.items() if not events]
    text = f"no event in {', '.join(empty)}" if empty else f"events in all of {', '.join(worlds)}"
    return Check("Every world present", not empty, text)


def _restarts(facts: RunFacts) -> list[Check]:
    """Services that died and were started again: no failure, since nothing may be lost by it, but worth knowing."""
    if "restarts" not in facts.summary:
        return []
    restarts = facts.part("restarts")
    text = ", ".join(f"{name} {numbers.count(times, 'time')}" for name, times in restarts.items())
    return [Check("Services restarted", None if restarts else True, text or "none")]


def finished(facts: RunFacts) -> Check:
    """Whether all ticks were done that were planned."""
    done, planned = facts.number("ticks"), facts.number("ticks_planned")
    if done is None:
        return Check("Finished", None, "ticks were not counted")
    if not facts.partial:
        return Check("Finished", True, f"all {numbers.number(done)} ticks")
    of_all = f" of {numbers.number(planned)}" if planned else ""
    return Check("Finished", None, f"stopped after {numbers.number(done)}{of_all} ticks")


def notices(facts: RunFacts) -> tuple[str, ...]:
    """What has to be known before the page is believed."""
    found = []
    if facts.partial:
        stopped = f"This run is partial: {finished(facts).text}."
        found.append(f"{stopped} Every figure is over what was finished, and is not to be compared with a whole run.")
    found += [f"The model is {note}." for note in facts.part("model").get("notes") or () if "untrained" in str(note)]
    return tuple(found)


def reproduce(facts: RunFacts) -> Reproduce:
    """The command, the seed, the versions, and the digest that the same seed must give again."""
    seed = facts.number("seed")
    broker = facts.part("broker")
    known = {
        "run": facts.summary.get("run_id"),
        "digest": facts.summary.get("digest"),
        "policy": facts.summary.get("policy"),
        "model": facts.part("model").get("version"),
        "broker": f"{broker.get('kind', '')} {broker.get('version', '')}".strip(),
    }
    return Reproduce(
        command=str(facts.part("reproduce").get("command") or _command(facts)),
        seed=int(seed) if seed is not None else None,
        versions={str(name): str(version) for name, version in _versions(facts).items()},
        facts={name: str(value) for name, value in known.items() if value},
    )


def _versions(facts: RunFacts) -> dict[str, object]:
    versions = facts.part("versions") or facts.environment.get("versions") or {}
    machine = {name: facts.environment[name] for name in ("python", "cpu", "cores") if facts.environment.get(name)}
    return {**versions, **machine}


def _command(facts: RunFacts) -> str:
    return f"calmverse run {facts.summary.get('scenario', 'SCENARIO')} --seed {facts.summary.get('seed', 'SEED')}"
