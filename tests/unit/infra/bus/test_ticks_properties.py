"""Whatever happens between a log and its reader, the reader releases the same."""

import json
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.bus.messages import Received, Undecodable
from infra.bus.ticks import TickBatch, TickGate
from infra.contracts.frames import Frame, TickEnd
from tests.unit.infra.bus.logs import TOPIC, broken, end, frame, log, names

Item = Frame | TickEnd | Undecodable
INPUTS = [(TOPIC, 0), (TOPIC, 1)]
TICKS = 4


@dataclass
class World:
    """Logs of two partitions, and what their primary source meant to say in each tick, by partition."""

    logs: list[list[Received]]
    meant: dict[tuple[int, int], list[str]]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    meant: dict[tuple[int, int], list[str]] = {}
    logs = []
    for partition in range(len(INPUTS)):
        ticks = [draw(ticks_of(partition, tick, meant)) for tick in range(TICKS)]
        logs.append(log(*draw(lived(ticks)), partition=partition))
    return World(logs, meant)


@st.composite
def ticks_of(draw: st.DrawFn, partition: int, tick: int, meant: dict[tuple[int, int], list[str]]) -> list[Item]:
    """The frames of one tick, some of them torn, and its end."""
    rows = draw(st.lists(st.integers(0, 3), max_size=3))
    torn = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    items: list[Item] = [
        (broken if is_torn else frame)(tick, f"{partition}/{tick}/{number}", rows=count)
        for number, (count, is_torn) in enumerate(zip(rows, torn, strict=True))
    ]
    meant[partition, tick] = [item.frame_id for item in items if isinstance(item, Frame)]
    return [*items, end(tick, len(rows), sum(rows))]


@st.composite
def lived(draw: st.DrawFn, ticks: list[list[Item]]) -> list[Item]:
    """The ticks as a writer leaves them that is killed now and then and repeats some ticks; others write in between."""
    whole = [item for tick in ticks for item in tick]
    starts = [sum(len(tick) for tick in ticks[:number]) for number in range(len(ticks))]
    written: list[Item] = []
    done = 0
    for killed_at in draw(st.lists(st.integers(0, len(whole)), max_size=3)):
        begin = draw(st.sampled_from([start for start in starts if start <= done]))
        written += whole[begin:killed_at]
        done = max(done, killed_at) if killed_at > begin else done
    begin = draw(st.sampled_from([start for start in starts if start <= done]))
    written += whole[begin:]
    return draw(with_outsiders(written))


@st.composite
def with_outsiders(draw: st.DrawFn, items: list[Item]) -> list[Item]:
    mixed = list(items)
    for name in draw(st.lists(st.sampled_from("uvwxyz"), max_size=5)):
        mixed.insert(draw(st.integers(0, len(mixed))), frame(0, name, source="gateway"))
    return mixed


def told(batches: list[TickBatch]) -> list[tuple[int, list[str]]]:
    return [
        (batch.tick, [f"{each.partition}:{name}" for each in batch.frames for name in names([each])])
        for batch in batches
    ]


def plainly(world: World) -> list[tuple[int, list[str]]]:
    gate = TickGate(INPUTS)
    for records in world.logs:
        for received in records:
            gate.offer(received)
    return told(list(gate.release()))


@settings(max_examples=60)
@given(worlds())
def test_every_frame_that_was_meant_is_released_once_in_its_tick(world: World) -> None:
    released = plainly(world)
    assert [tick for tick, _ in released] == list(range(TICKS))
    for tick, found in released:
        for partition in range(len(INPUTS)):
            mine = [name for name in found if name.startswith(f"{partition}:{partition}/")]
            assert mine == [f"{partition}:{name}" for name in world.meant[partition, tick]]


@settings(max_examples=60)
@given(worlds())
def test_an_outside_frame_is_released_at_most_once(world: World) -> None:
    found = [name for _, frames in plainly(world) for name in frames]
    keys = {
        (received.partition, received.item.tick, received.item.frame_id)
        for records in world.logs
        for received in records
        if isinstance(received.item, Frame) and received.item.source == "gateway"
    }
    outside = [name for name in found if name[2:] in set("uvwxyz")]
    assert len(outside) <= len(keys)


@settings(max_examples=60)
@given(worlds(), st.data())
def test_neither_interleaving_nor_rereading_changes_the_releases(world: World, data: st.DataObject) -> None:
    gate = TickGate(INPUTS)
    positions = [0] * len(INPUTS)
    batches: list[TickBatch] = []
    while any(position < len(records) for position, records in zip(positions, world.logs, strict=True)):
        open_inputs = [number for number, position in enumerate(positions) if position < len(world.logs[number])]
        number = data.draw(st.sampled_from(open_inputs))
        back = data.draw(st.integers(0, min(3, positions[number])))
        for received in world.logs[number][positions[number] - back : positions[number] + 1]:
            gate.offer(received)
        positions[number] += 1
        if data.draw(st.booleans()):
            batches += gate.release()
    batches += gate.release()
    assert told(batches) == plainly(world)


@settings(max_examples=60)
@given(worlds(), st.data())
def test_a_restart_from_any_state_goes_on_as_if_nothing_had_happened(world: World, data: st.DataObject) -> None:
    gate = TickGate(INPUTS)
    for records in world.logs:
        for received in records[: data.draw(st.integers(0, len(records)))]:
            gate.offer(received)
    first: list[TickBatch] = []
    wanted = data.draw(st.integers(0, TICKS))
    releases = gate.release()
    while len(first) < wanted and (batch := next(releases, None)) is not None:
        first.append(batch)
    again = TickGate(INPUTS)
    again.restore(json.loads(json.dumps(gate.state())))
    for where, offset in again.offsets().items():
        for received in world.logs[INPUTS.index(where)][offset:]:
            again.offer(received)
    assert told(first) + told(list(again.release())) == plainly(world)
