"""Merging partitions tick by tick. Pure: no Kafka, no clock; equal logs give equal releases, however they arrive."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

from infra.bus.messages import Received, TopicPartition, Undecodable
from infra.contracts.frames import Frame, Lineage, TickEnd

FrameKey = tuple[str, int, str]
"""Source, tick and frame id: a frame met again under the same key is a repeat."""

OUTSIDE_KEYS = 4_096
"""How many frames of outside sources an input remembers, to recognise a repeat."""


class InputState(TypedDict):
    """Where an input of a gate stands, as JSON has it."""

    topic: str
    partition: int
    offset: int
    primary: str | None
    outside: list[list[str | int]]


class GateState(TypedDict):
    """Where a gate stands, as JSON has it; `tick` is the last one released."""

    tick: int | None
    inputs: list[InputState]


@dataclass(frozen=True, kw_only=True)
class TickBatch:
    """Everything of one tick.

    `frames` are sorted by input, then offset. `ends` has the tick-end of each input. `offsets` say where to read on
    for the next tick: with the gate's `state` they make a restart exact.
    """

    tick: int
    frames: list[Received]
    ends: dict[TopicPartition, Received]
    offsets: dict[TopicPartition, int]

    def of(self, stream: str) -> list[Frame]:
        """The frames of one stream, sorted by partition, then offset."""
        items = (received.item for received in self.frames)
        return [item for item in items if isinstance(item, Frame) and item.stream == stream]

    def lineage(self, partition: int | None = None) -> tuple[Lineage, ...]:
        """Which records the tick was made of, its tick-ends included: of all inputs, or of those with one number."""
        spans: dict[TopicPartition, list[int]] = {}
        for received in (*self.frames, *self.ends.values()):
            if partition is None or received.partition == partition:
                spans.setdefault(received.where, []).append(received.offset)
        return tuple(Lineage(*where, min(offsets), max(offsets)) for where, offsets in sorted(spans.items()))


@dataclass(frozen=True)
class _Segment:
    """A closed tick of one input, waiting for the other inputs."""

    tick: int
    frames: list[Received]
    end: Received


@dataclass
class _Input:
    """One partition: what of it is held back, and why."""

    where: TopicPartition
    position: int = 0
    primary: str | None = None
    closed: int | None = None
    held: dict[FrameKey, Received] = field(default_factory=dict)
    ends: dict[int, Received] = field(default_factory=dict)
    segments: deque[_Segment] = field(default_factory=deque)
    outside_waiting: set[FrameKey] = field(default_factory=set)
    outside_released: dict[FrameKey, None] = field(default_factory=dict)

    def resume_offset(self) -> int:
        """The first record that would be needed again after a restart."""
        waiting = [*self.held.values(), *self.ends.values()]
        for segment in self.segments:
            waiting += [*segment.frames, segment.end]
        return min((received.offset for received in waiting), default=self.position)

    def take_frame(self, received: Received) -> str | None:
        """Hold a frame (or what was meant to be one) back; the reason why not, if it is dropped."""
        key = _key(received)
        if key is None:
            return "undecodable"
        source, tick, _ = key
        if key in self.held or key in self.outside_waiting or key in self.outside_released:
            return "repeated"
        if source == self.primary and self.closed is not None and tick <= self.closed:
            return "repeated"
        self.held[key] = received
        return None

    def take_end(self, received: Received, end: TickEnd) -> str | None:
        """Hold a tick-end back; the reason why not, if it is dropped."""
        self.primary = self.primary or end.source
        if end.source != self.primary:
            return "foreign_ends"
        if end.tick in self.ends or (self.closed is not None and end.tick <= self.closed):
            return "repeated"
        self.ends[end.tick] = received
        return None

    def close_complete(self) -> int:
        """Close every next tick whose end is here and whose counts are met; how many stray frames were dropped."""
        strays = 0
        while self.ends:
            tick = min(self.ends) if self.closed is None else self.closed + 1
            end = self.ends.get(tick)
            if end is None or self._missing(end) != (0, 0):
                break
            del self.ends[tick]
            strays += self._close(tick, end)
        return strays

    def problem(self) -> str | None:
        """Why the next tick does not close although there is a tick-end; None when all is well."""
        if not self.ends:
            return None
        topic, partition = self.where
        waiting = min(self.ends)
        if self.closed is not None and waiting > self.closed + 1:
            return f"{topic}[{partition}]: tick-end {self.closed + 1} is missing, {waiting} is here"
        frames, rows = self._missing(self.ends[waiting])
        return f"{topic}[{partition}]: tick {waiting} ended, but {frames} of its frames ({rows} rows) are missing"

    def _close(self, tick: int, end: Received) -> int:
        frames, strays = [], 0
        for key, received in list(self.held.items()):
            source, frame_tick, _ = key
            if source == self.primary and frame_tick > tick:
                continue
            del self.held[key]
            if source == self.primary and frame_tick < tick:
                strays += 1
                continue
            if source != self.primary:
                self.outside_waiting.add(key)
            frames.append(received)
        self.segments.append(_Segment(tick, frames, end))
        self.closed = tick
        return strays

    def _missing(self, end: Received) -> tuple[int, int]:
        """Frames and rows that a tick-end counts and that are not here (negative: too many)."""
        assert isinstance(end.item, TickEnd)  # noqa: S101 - only tick-ends are put into `ends`
        mine = [
            _rows(received)
            for (source, tick, _), received in self.held.items()
            if source == self.primary and tick == end.item.tick
        ]
        return end.item.frames - len(mine), end.item.rows - sum(mine)

    def release(self) -> _Segment:
        """Hand out the oldest closed tick."""
        segment = self.segments.popleft()
        for received in segment.frames:
            key = _key(received)
            if key is not None and key in self.outside_waiting:
                self.outside_waiting.discard(key)
                if isinstance(received.item, Frame):  # what could not be read was not used: it may be sent again
                    self.outside_released[key] = None
        while len(self.outside_released) > OUTSIDE_KEYS:
            del self.outside_released[next(iter(self.outside_released))]
        return segment


class TickGate:
    """Holds records back until every input has its tick complete, then releases the tick.

    - A tick of an input is complete when its tick-end is here and the frames and rows that it counts are. The source of
      the first tick-end is the input's primary source; its ticks follow each other without a gap.
    - Frames of other (outside) sources are not counted. They go out with the first tick that is not yet closed where
      they stand in the log.
    - A record read again (its offset was passed), a frame whose source, tick and id were met, and a tick that is closed
      are dropped: that is what a restarted or a zombie writer leaves behind.
    - A record that cannot be read as the frame it was meant to be is counted and not released: the stream goes on.
    - A tick-end that is early, missing or does not add up holds its input back. `problems` says so.

    The first tick is `first_tick`, or that of the first tick-end of each input.
    """

    def __init__(self, inputs: Sequence[TopicPartition], *, first_tick: int | None = None) -> None:
        closed = None if first_tick is None else first_tick - 1
        self._inputs = {where: _Input(where, closed=closed) for where in inputs}
        if not self._inputs:
            raise ValueError("a gate needs at least one input")
        self._released: int | None = closed
        self.dropped: Counter[str] = Counter()
        """What was dropped, by reason: repeated, reread, foreign_ends, strays, undecodable."""

    @property
    def tick(self) -> int | None:
        """The last tick released; None before the first."""
        return self._released

    def offer(self, received: Received) -> None:
        """Take one record of one of the inputs, in offset order within an input; raises KeyError for another's."""
        entry = self._inputs[received.where]
        if received.offset < entry.position:
            self.dropped["reread"] += 1
            return
        entry.position = received.offset + 1
        if isinstance(received.item, TickEnd):
            reason = entry.take_end(received, received.item)
        else:
            reason = entry.take_frame(received)
        if reason is not None:
            self.dropped[reason] += 1
        strays = entry.close_complete()
        if strays:
            self.dropped["strays"] += strays

    def release(self) -> Iterator[TickBatch]:
        """Every tick that is complete on all inputs, oldest first. Offsets hold for the moment of release."""
        while all(entry.segments for entry in self._inputs.values()):
            firsts = {entry.segments[0].tick for entry in self._inputs.values()}
            if len(firsts) > 1:
                return
            yield self._release()

    def problems(self) -> list[str]:
        """What holds ticks back although tick-ends are here; empty while the gate merely waits."""
        found = [text for entry in self._inputs.values() if (text := entry.problem())]
        firsts = {entry.segments[0].tick: where for where, entry in self._inputs.items() if entry.segments}
        if len(firsts) > 1:
            found.append(
                "inputs begin at different ticks: "
                + ", ".join(f"{topic}[{partition}] at {tick}" for tick, (topic, partition) in sorted(firsts.items()))
            )
        return found

    def waiting_for(self) -> list[TopicPartition]:
        """The inputs that have no complete tick yet."""
        return [where for where, entry in self._inputs.items() if not entry.segments]

    def offsets(self) -> dict[TopicPartition, int]:
        """Where to read each input on after a restart from `state`."""
        return {where: entry.resume_offset() for where, entry in self._inputs.items()}

    def state(self) -> GateState:
        """What a restart needs, for JSON; valid when nothing that was released is still being worked on."""
        return {"tick": self._released, "inputs": [_state_of(entry) for entry in self._inputs.values()]}

    def restore(self, state: GateState) -> None:
        """Start again where `state` stood; raises ValueError when it is that of other inputs."""
        saved = {(entry["topic"], entry["partition"]): entry for entry in state["inputs"]}
        if saved.keys() != self._inputs.keys():
            raise ValueError(f"the gate reads {sorted(self._inputs)}, the saved state is of {sorted(saved)}")
        self._released = state["tick"]
        self._inputs = {where: _restored(where, saved[where], self._released) for where in self._inputs}

    def start_at(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Set where the inputs begin, before the first record."""
        for where, offset in offsets.items():
            self._inputs[where].position = offset

    def _release(self) -> TickBatch:
        segments = {where: entry.release() for where, entry in self._inputs.items()}
        tick = next(iter(segments.values())).tick
        self._released = tick
        return TickBatch(
            tick=tick,
            frames=_in_order(segments.values()),
            ends={where: segment.end for where, segment in segments.items()},
            offsets=self.offsets(),
        )


def _key(received: Received) -> FrameKey | None:
    """What identifies a frame; None for a record that says nothing of itself."""
    item = received.item
    if isinstance(item, TickEnd) or item.tick is None:
        return None
    return item.source, item.tick, item.frame_id


def _rows(received: Received) -> int:
    if isinstance(received.item, Undecodable):
        return received.item.rows
    return received.item.batch.num_rows if isinstance(received.item, Frame) else 0


def _in_order(segments: Iterable[_Segment]) -> list[Received]:
    return [
        received
        for segment in segments
        for received in sorted(segment.frames, key=lambda frame: frame.offset)
        if isinstance(received.item, Frame)
    ]


def _state_of(entry: _Input) -> InputState:
    topic, partition = entry.where
    return {
        "topic": topic,
        "partition": partition,
        "offset": entry.resume_offset(),
        "primary": entry.primary,
        "outside": [list(key) for key in entry.outside_released],
    }


def _restored(where: TopicPartition, state: InputState, closed: int | None) -> _Input:
    keys = ((str(source), int(tick), str(frame_id)) for source, tick, frame_id in state["outside"])
    return _Input(
        where,
        position=state["offset"],
        primary=state["primary"],
        closed=closed,
        outside_released=dict.fromkeys(keys),
    )
