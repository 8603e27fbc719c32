"""deadletters list, show and replay on every broker: what was put aside is found, and sent again once."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from infra import cli
from infra.bus.broker import Broker
from infra.bus.deadletters import DeadLetter, DeadLetters, read_letters
from infra.bus.lanes import Lane, LaneHooks
from infra.bus.messages import Raw, Received
from infra.bus.producer import FrameProducer, TickMark
from infra.bus.snapshots import SnapshotStore
from infra.contracts.errors import BadInput, EnvironmentFailed
from infra.contracts.events import EVENT
from infra.contracts.frames import Frame, encode
from infra.contracts.topics import PARTITIONS, Topics
from infra.deadletters.cases import find_cases
from infra.deadletters.replay import plan, replay
from infra.tail import Target
from tests.support.apache import KAFKA_LIBRARY
from tests.support.batches import random_batch
from tests.support.buses import Numbering, need_transactions, numbering_config, numbers_of, read_all, released

pytestmark = KAFKA_LIBRARY

ROWS = 4
on_one_broker = pytest.mark.parametrize("broker", ["embedded"], indirect=True)
"""For rules in which the broker has no part."""


@pytest.fixture
def target(broker: Broker, topics: Topics) -> Target:
    committed_only = broker.capabilities.transactions
    return Target(bootstrap=broker.bootstrap, namespace=topics.namespace, committed_only=committed_only)


def record(frame_id: str, tick: int = 3) -> Raw:
    ((headers, value),) = encode(
        Frame(stream="events", tick=tick, source="gateway", batch=random_batch(EVENT, ROWS), frame_id=frame_id)
    )
    return Raw(b"key of " + frame_id.encode(), value, headers)


def bury(target: Target, topics: Topics, raws: list[Raw], error: str = "not today", reader: str = "one") -> None:
    """Put records aside that stand in partition 2 of the events, from offset 10 on."""
    with FrameProducer(target.bootstrap, namespace=topics.namespace, client_id=reader) as producer:
        for offset, raw in enumerate(raws, start=10):
            letter = DeadLetter(topic=topics.events, partition=2, offset=offset, error=f"{error} {offset}", raw=raw)
            DeadLetters(producer).write(letter)
        producer.flush()


def command(target: Target, *arguments: str) -> dict[str, Any]:
    """JSON that `calmverse deadletters ARGUMENTS` prints last."""
    app = typer.Typer(pretty_exceptions_enable=False)
    body = cli.COMMANDS["deadletters"]
    assert isinstance(body, typer.Typer)
    app.add_typer(body, name="deadletters")
    where = ["--bootstrap", target.bootstrap, "--namespace", target.namespace]
    result = CliRunner().invoke(app, ["deadletters", *arguments, *where])
    if result.exception is not None:
        raise result.exception
    document: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return document


def test_a_record_that_two_readers_put_aside_counts_once_and_like_errors_are_one_group(
    target: Target, topics: Topics
) -> None:
    for reader in ("archiver", "monitor"):
        bury(target, topics, [record("a"), record("b")], reader=reader)
    listed = command(target, "list", "--each", "--json")
    assert listed["dead_letters"] == 2
    [group] = listed["groups"]
    assert (group["topic"], group["reason"], group["count"]) == (topics.events, "not today N", 2)
    assert group["readers"] == ["archiver", "monitor"]
    assert [letter["id"] for letter in listed["letters"]] == ["events/2/0", "events/2/1"]
    assert {letter["letters"] for letter in listed["letters"]} == {2}
    assert command(target, "list", "--stream", "scores", "--json")["dead_letters"] == 0
    assert command(target, "list", "--reason", "today 11", "--json")["dead_letters"] == 1


@on_one_broker
def test_one_is_shown_with_headers_error_and_rows_but_without_what_is_sensitive(
    target: Target, topics: Topics, tmp_path: Path
) -> None:
    readable, torn = record("a"), record("b")
    bury(target, topics, [readable, Raw(None, torn.value[:40], torn.headers)])
    first = command(target, "show", "events/2/0")
    assert (first["topic"], first["partition"], first["offset"]) == (topics.events, 2, 10)
    assert (first["error"], first["key"], first["state"]) == ("not today 10", "key of a", "waiting")
    assert {"name": "ce_id", "value": "a"} in first["headers"]
    assert (first["frame"]["tick"], first["frame"]["row_count"], len(first["frame"]["rows"])) == (3, ROWS, ROWS)
    assert {row.get("sensitive", "withheld") for row in first["frame"]["rows"]} == {"withheld"}
    second = command(target, "show", "events/2/1", "--value", str(tmp_path / "value"))
    assert second["frame"] is None
    assert second["unreadable"]
    assert (tmp_path / "value").read_bytes() == torn.value[:40]


@on_one_broker
def test_a_replay_sends_key_value_and_headers_as_they_were_and_a_second_one_sends_nothing(
    target: Target, topics: Topics
) -> None:
    raws = [record("a"), record("b")]
    bury(target, topics, raws)
    assert command(target, "replay", "--all", "--dry-run", "--json")["sent"] == 2
    assert read_all(target.bootstrap, topics.events) == []
    assert command(target, "replay", "--all", "--json")["sent"] == 2
    again = command(target, "replay", "--all", "--json")
    assert (again["sent"], again["not_sent"]) == (0, {"replayed before": ["events/2/0", "events/2/1"]})
    found = read_all(target.bootstrap, topics.events)
    assert [received.where for received in found] == [(topics.events, 2)] * 2
    for number, (received, raw) in enumerate(zip(found, raws, strict=True)):
        added = [("ce_replayof", f"events/2/{number}".encode())]
        assert received.raw == Raw(raw.key, raw.value, [*raw.headers, *added])
        assert isinstance(received.item, Frame)
    assert command(target, "list", "--json")["groups"][0]["replayed"] == 2
    assert len(read_letters(target.bootstrap, topics.deadletter(topics.events))) == 2


@on_one_broker
def test_what_never_was_a_record_or_is_still_unreadable_is_not_sent(target: Target, topics: Topics) -> None:
    torn = record("torn")
    bury(target, topics, [record("a"), Raw(None, torn.value[:40], torn.headers)])
    with FrameProducer(target.bootstrap, namespace=topics.namespace, client_id="file") as producer:
        line = DeadLetter(topic=topics.events, partition=0, offset=-1, error="no time", raw=Raw(None, b"a line"))
        DeadLetters(producer).write(line)
        producer.flush()
    result = command(target, "replay", "--all", "--json")
    assert [letter["id"] for letter in result["letters"]] == ["events/2/0"]
    assert result["not_sent"] == {"never was a record": ["events/0/0"], "still unreadable": ["events/2/1"]}
    assert command(target, "replay", "events/2/1", "--unreadable", "--json")["sent"] == 1


@on_one_broker
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_replay_that_is_cut_off_is_finished_by_the_next_and_sends_nothing_twice(
    target: Target, topics: Topics, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    bury(target, topics, [record(str(number)) for number in range(5)])
    whole, calls = FrameProducer.flush, 0

    def flush(producer: FrameProducer, timeout_s: float = 10.0) -> None:
        nonlocal calls
        calls += 1
        whole(producer, timeout_s)
        if calls == cut:
            raise EnvironmentFailed("cut off")

    with monkeypatch.context() as patched:
        patched.setattr(FrameProducer, "flush", flush)
        with pytest.raises(EnvironmentFailed, match="cut off"):
            replay(target, plan(target, find_cases(target)))
    replay(target, plan(target, find_cases(target)))
    assert {case.state for case in find_cases(target)} == {"replayed"}
    frames = [received.item for received in read_all(target.bootstrap, topics.events)]
    assert [frame.frame_id for frame in frames if isinstance(frame, Frame)] == ["0", "1", "2", "3", "4"]


def test_a_letter_of_work_that_was_given_up_is_not_there(broker: Broker, target: Target, topics: Topics) -> None:
    need_transactions(broker)
    with FrameProducer(
        target.bootstrap, namespace=topics.namespace, client_id="lane", transactional_id=topics.namespace
    ) as producer:
        letters = DeadLetters(producer)
        producer.kafka.init_transactions()
        for offset, end in ((4, producer.kafka.abort_transaction), (5, producer.kafka.commit_transaction)):
            producer.kafka.begin_transaction()
            letters.write(
                DeadLetter(topic=topics.events, partition=2, offset=offset, error="not today", raw=record("a"))
            )
            producer.flush()
            end()
    assert [letter["offset"] for letter in command(target, "list", "--each", "--json")["letters"]] == [5]


def test_a_lane_that_was_mended_works_on_what_is_replayed(
    broker: Broker, target: Target, topics: Topics, tmp_path: Path
) -> None:
    def end_tick(producer: FrameProducer, tick: int) -> None:
        for partition in range(PARTITIONS):
            producer.end_tick(topics.events, partition, TickMark(tick, "population"))
        producer.flush()

    def refuse(_received: Received) -> str | None:
        return "a bug of ours"

    config = numbering_config(topics, target.bootstrap, broker.capabilities)
    with FrameProducer(target.bootstrap, namespace=topics.namespace, client_id="test") as producer:
        producer.send_raw(topics.events, 2, record("from outside", tick=0))
        end_tick(producer, 0)
        with Lane(config, Numbering(topics), SnapshotStore(tmp_path), LaneHooks(screen=refuse)) as broken:
            while broken.tick != 0:
                broken.step(0.2)
            broken.save()
        assert command(target, "replay", "--all", "--json")["sent"] == 1
        end_tick(producer, 1)
        with Lane(config, Numbering(topics), SnapshotStore(tmp_path)) as mended:
            while mended.tick != 1:
                mended.step(0.2)
    found = read_all(target.bootstrap, topics.scores, committed_only=target.committed_only)
    scores = released(found, topics.scores)
    assert np.array_equal(numbers_of(scores), range(ROWS))


@on_one_broker
def test_what_is_not_there_is_one_clear_line(target: Target) -> None:
    with pytest.raises(BadInput, match="no dead letter 'events/2/7'"):
        command(target, "show", "events/2/7")
    with pytest.raises(BadInput, match="unknown stream 'event'"):
        command(target, "list", "--stream", "event")
    with pytest.raises(EnvironmentFailed, match=r"no topic calm\.nowhere\.deadletter\.events"):
        find_cases(Target(bootstrap=target.bootstrap, namespace="nowhere"))
