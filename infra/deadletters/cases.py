"""What lies in the dead letter topics of a namespace: one case for each record, however many readers put it aside."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from infra.bus.deadletters import DeadLetter, Mark, read_log
from infra.bus.messages import Received
from infra.contracts.errors import BadInput, CalmverseError
from infra.contracts.frames import Frame, decode
from infra.contracts.topics import STREAMS, Topics
from infra.tail import Target, rows_of

SHOWN_ROWS: Final = 20
"""Rows of a frame that `show` prints."""
_REASON_CHARACTERS: Final = 160
_STATES: Final = ("waiting", "begun", "replayed")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A record that was put aside: its first letter, who else put it aside, and how far a replay of it has come."""

    letter: DeadLetter
    letter_ids: tuple[str, ...]
    readers: tuple[str, ...]
    mark: Mark | None = None

    @property
    def name(self) -> str:
        """Id of its first letter."""
        return self.letter.letter_id

    @property
    def state(self) -> str:
        """`waiting`, `begun` (a replay was cut off) or `replayed`."""
        return _STATES[0 if self.mark is None else 1 + self.mark.done]

    @property
    def reason(self) -> str:
        """The error with every number as N, so that like errors are alike."""
        return re.sub(r"\d+", "N", self.letter.error)[:_REASON_CHARACTERS]

    def read(self) -> Frame | str | None:
        """What this version makes of the record: a frame, None for a tick-end, or why it cannot be read."""
        try:
            item = decode(self.letter.raw.headers, self.letter.raw.value)
        except CalmverseError as problem:
            return str(problem)
        return item if isinstance(item, Frame) else None


def find_cases(target: Target, streams: Sequence[str] = STREAMS) -> list[Case]:
    """Every case in the dead letter topics of these streams, by topic, partition and offset of the record.

    Raises BadInput for an unknown stream, EnvironmentFailed when the broker is gone or has no such namespace.
    """
    topics = Topics(target.namespace)
    return [case for stream in streams for case in _cases_in(target, topics.deadletter(topics.of(stream)))]


def _cases_in(target: Target, topic: str) -> Iterable[Case]:
    log = read_log(target.bootstrap, topic, committed_only=target.committed_only)
    for copies in log.distinct():
        ids = tuple(copy.letter_id for copy in copies)
        marks = [log.marks[each] for each in ids if each in log.marks]
        yield Case(
            letter=copies[0],
            letter_ids=ids,
            readers=tuple(sorted({copy.reader for copy in copies if copy.reader})),
            mark=max(marks, key=lambda mark: mark.done, default=None),
        )


def chosen(cases: Sequence[Case], names: Sequence[str], reason: str | None) -> list[Case]:
    """Those with one of these ids (all, where none is given) whose error holds `reason`; BadInput for an unknown id."""
    known = {each for case in cases for each in case.letter_ids}
    for name in names:
        if name not in known:
            raise BadInput(f"no dead letter {name!r}: `calmverse deadletters list --each` has the ids")
    wanted = set(names)
    return [
        case
        for case in cases
        if (not wanted or wanted & set(case.letter_ids)) and (reason is None or reason in case.letter.error)
    ]


def summarise(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """How many cases there are of each topic and reason, the most frequent first."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.letter.topic, case.reason), []).append(case)
    found = [
        {
            "topic": topic,
            "reason": reason,
            "count": len(group),
            "replayed": sum(case.state == "replayed" for case in group),
            "readers": sorted({reader for case in group for reader in case.readers}),
            "first": group[0].name,
            "last": group[-1].name,
        }
        for (topic, reason), group in groups.items()
    ]
    return sorted(found, key=lambda group: (-group["count"], group["topic"], group["reason"]))


def describe(case: Case) -> dict[str, Any]:
    """One case on one line: where the record stood, who put it aside and why."""
    letter = case.letter
    return {
        "id": case.name,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "error": letter.error,
        "readers": list(case.readers),
        "letters": len(case.letter_ids),
        "state": case.state,
    }


def show(case: Case) -> dict[str, Any]:
    """Everything about a case but its value, which may hold what is sensitive: headers, size, and what can be read."""
    raw, item = case.letter.raw, case.read()
    document = describe(case) | {
        "key": None if raw.key is None else _text(raw.key),
        "headers": [{"name": name, "value": _text(value or b"")} for name, value in raw.headers],
        "value_bytes": len(raw.value),
        "unreadable": item if isinstance(item, str) else None,
        "frame": None,
    }
    if isinstance(item, Frame):
        letter = case.letter
        rows = list(rows_of(Received(letter.topic, letter.partition, letter.offset, item)))
        document["frame"] = {
            "stream": item.stream,
            "tick": item.tick,
            "source": item.source,
            "frame_id": item.frame_id,
            "row_count": len(rows),
            "rows": rows[:SHOWN_ROWS],
        }
    return document


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")
