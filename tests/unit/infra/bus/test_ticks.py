"""The gate releases a tick when it is complete everywhere, and each thing once."""

import json

import pytest

from infra.bus.messages import Received
from infra.bus.ticks import OUTSIDE_KEYS, TickBatch, TickGate
from infra.contracts.frames import Frame, Lineage, TickEnd
from tests.unit.infra.bus.logs import TOPIC, broken, end, frame, log, names

A, B = (TOPIC, 0), (TOPIC, 1)


def fed(gate: TickGate, *logs: list[Received]) -> list[TickBatch]:
    for records in logs:
        for received in records:
            gate.offer(received)
    return list(gate.release())


def test_a_tick_is_released_when_every_input_has_its_end() -> None:
    gate = TickGate([A, B])
    assert fed(gate, log(frame(5, "a"), end(5, 1, 1))) == []
    assert gate.waiting_for() == [B]
    (batch,) = fed(gate, log(end(5, 0, 0), partition=1))
    assert (batch.tick, names(batch.frames), gate.tick) == (5, ["a"], 5)


def test_ticks_follow_each_other_and_offsets_point_behind_each() -> None:
    records = log(frame(5, "a"), end(5, 1, 1), frame(6, "b"), frame(6, "c", rows=2), end(6, 2, 3))
    batches = fed(TickGate([A]), records)
    assert [(batch.tick, names(batch.frames), batch.offsets) for batch in batches] == [
        (5, ["a"], {A: 2}),
        (6, ["b", "c"], {A: 5}),
    ]


def test_frames_come_in_the_order_of_inputs_then_offsets() -> None:
    gate = TickGate([B, A])
    (batch,) = fed(
        gate, log(frame(1, "a1"), frame(1, "a2"), end(1, 2, 2)), log(frame(1, "b1"), end(1, 1, 1), partition=1)
    )
    assert names(batch.frames) == ["b1", "a1", "a2"]


def test_lineage_names_every_record_of_the_tick_by_input() -> None:
    gate = TickGate([A, B])
    (batch,) = fed(gate, log(frame(1, "a"), end(1, 1, 1)), log(end(1, 0, 0), partition=1))
    assert batch.lineage() == (Lineage(TOPIC, 0, 0, 1), Lineage(TOPIC, 1, 0, 0))
    assert batch.lineage(partition=1) == (Lineage(TOPIC, 1, 0, 0),)


def test_a_record_read_again_is_dropped() -> None:
    records = log(frame(1, "a"), end(1, 1, 1))
    gate = TickGate([A])
    assert len(fed(gate, records, records)) == 1
    assert gate.dropped == {"reread": 2}


def test_what_a_restarted_writer_repeats_is_dropped_also_in_the_middle_of_a_tick() -> None:
    first_life: list[Frame | TickEnd] = [frame(1, "a"), end(1, 1, 1), frame(2, "b")]
    second_life: list[Frame | TickEnd] = [frame(1, "a"), end(1, 1, 1), frame(2, "b"), frame(2, "c"), end(2, 2, 2)]
    gate = TickGate([A])
    batches = fed(gate, log(*first_life, *second_life))
    assert [names(batch.frames) for batch in batches] == [["a"], ["b", "c"]]
    assert gate.dropped == {"repeated": 3}


def test_a_tick_end_whose_counts_are_not_met_holds_the_tick_back_and_says_so() -> None:
    gate = TickGate([A])
    assert fed(gate, log(frame(1, "a"), end(1, 2, 5))) == []
    assert gate.problems() == [f"{TOPIC}[0]: tick 1 ended, but 1 of its frames (4 rows) are missing"]


def test_rows_are_counted_too() -> None:
    gate = TickGate([A])
    assert fed(gate, log(frame(1, "a", rows=2), end(1, 1, 3))) == []
    assert "0 of its frames (1 rows)" in gate.problems()[0]


def test_frames_that_come_after_their_tick_end_complete_it() -> None:
    (batch,) = fed(TickGate([A]), log(end(1, 1, 1), frame(1, "a")))
    assert names(batch.frames) == ["a"]


def test_a_missing_tick_end_is_reported_and_nothing_after_it_is_released() -> None:
    gate = TickGate([A])
    assert [batch.tick for batch in fed(gate, log(end(1, 0, 0), frame(3, "c"), end(3, 1, 1)))] == [1]
    assert gate.problems() == [f"{TOPIC}[0]: tick-end 2 is missing, 3 is here"]


def test_a_late_tick_end_releases_what_waited_for_it() -> None:
    gate = TickGate([A])
    batches = fed(gate, log(end(1, 0, 0), frame(3, "c"), end(3, 1, 1), end(2, 0, 0)))
    assert [batch.tick for batch in batches] == [1, 2, 3]
    assert gate.problems() == []


def test_inputs_that_begin_at_different_ticks_are_reported() -> None:
    gate = TickGate([A, B])
    assert fed(gate, log(end(1, 0, 0)), log(end(2, 0, 0), partition=1)) == []
    assert gate.problems() == [f"inputs begin at different ticks: {TOPIC}[0] at 1, {TOPIC}[1] at 2"]


def test_a_first_tick_given_is_waited_for() -> None:
    gate = TickGate([A], first_tick=1)
    assert fed(gate, log(end(2, 0, 0))) == []
    assert gate.problems() == [f"{TOPIC}[0]: tick-end 1 is missing, 2 is here"]


def test_frames_of_an_outside_source_go_out_uncounted_with_the_next_tick() -> None:
    records = log(
        frame(900, "x", source="gateway"),
        frame(1, "a"),
        end(1, 1, 1),
        frame(2, "y", source="gateway"),
        end(2, 0, 0),
    )
    assert [names(batch.frames) for batch in fed(TickGate([A]), records)] == [["x", "a"], ["y"]]


def test_an_outside_frame_sent_twice_goes_out_once() -> None:
    repeated = frame(1, "x", source="gateway")
    gate = TickGate([A])
    batches = fed(gate, log(repeated, repeated, end(1, 0, 0), repeated, end(2, 0, 0)))
    assert [names(batch.frames) for batch in batches] == [["x"], []]
    assert gate.dropped == {"repeated": 2}


def test_an_outside_frame_that_could_not_be_read_goes_out_when_it_is_sent_again() -> None:
    good = frame(1, "x", source="gateway")
    records = log(broken(1, "x", source="gateway"), end(1, 0, 0), good, good, end(2, 0, 0))
    gate = TickGate([A])
    assert [names(batch.frames) for batch in fed(gate, records[:2])] == [[]]
    assert [names(batch.frames) for batch in fed(gate, records[2:])] == [["x"]]
    assert gate.dropped == {"repeated": 1}


def test_the_memory_of_outside_frames_is_bounded() -> None:
    many = [frame(0, f"x{number}", source="gateway") for number in range(OUTSIDE_KEYS + 10)]
    gate = TickGate([A])
    fed(gate, log(*many, end(1, 0, 0)))
    assert len(gate.state()["inputs"][0]["outside"]) == OUTSIDE_KEYS


def test_tick_ends_of_a_second_source_end_nothing() -> None:
    gate = TickGate([A])
    assert [batch.tick for batch in fed(gate, log(end(1, 0, 0), end(2, 0, 0, source="other")))] == [1]
    assert gate.dropped == {"foreign_ends": 1}


def test_a_frame_that_cannot_be_read_is_counted_and_not_released() -> None:
    (batch,) = fed(TickGate([A]), log(frame(1, "a"), broken(1, "b", rows=3), end(1, 2, 4)))
    assert names(batch.frames) == ["a"]


def test_a_record_that_says_nothing_of_itself_stops_nothing() -> None:
    gate = TickGate([A])
    nothing = broken(1, "b")
    garbage = type(nothing)("not a frame")
    (batch,) = fed(gate, log(garbage, frame(1, "a"), end(1, 1, 1)))
    assert (names(batch.frames), gate.dropped) == (["a"], {"undecodable": 1})


def test_the_state_holds_what_a_restart_needs_and_survives_json() -> None:
    records = log(frame(1, "a"), frame(1, "x", source="gateway"), end(1, 1, 1), frame(2, "b"), end(2, 1, 1))
    gate = TickGate([A])
    fed(gate, records[:4])
    again = TickGate([A])
    again.restore(json.loads(json.dumps(gate.state())))
    assert again.offsets() == {A: 3}
    assert [names(batch.frames) for batch in fed(again, records[3:])] == [["b"]]
    assert fed(again, log(*(each.item for each in records[:2]), topic=TOPIC)) == []


def test_the_state_of_other_inputs_is_refused() -> None:
    state = TickGate([A]).state()
    with pytest.raises(ValueError, match="the saved state is of"):
        TickGate([A, B]).restore(state)


def test_a_gate_without_inputs_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one input"):
        TickGate([])
