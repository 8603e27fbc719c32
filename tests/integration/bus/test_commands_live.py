"""tail and the bench against a broker."""

from itertools import islice
from pathlib import Path

import pytest

from infra.bus.admin import create_topics
from infra.bus.bench import BusBench, run_bench
from infra.bus.echo import echo
from infra.bus.embedded import EmbeddedBroker
from infra.bus.producer import FrameProducer
from infra.contracts.errors import BadInput
from infra.contracts.events import EVENT
from infra.contracts.topics import Topics
from infra.tail import Target, follow
from tests.support.batches import random_batch
from tests.support.buses import send_tick

pytestmark = pytest.mark.integration

TOPICS = Topics("tailed")


def test_tail_shows_what_there_is_and_ends_with_the_run(tmp_path: Path) -> None:
    live = tmp_path / "live.json"
    live.touch()
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        with FrameProducer(broker.bootstrap, namespace=TOPICS.namespace, client_id="test") as producer:
            send_tick(producer, TOPICS, 3, [random_batch(EVENT, 4)] * 2)
            producer.flush()
        target = Target(bootstrap=broker.bootstrap, namespace=TOPICS.namespace, live_file=live)
        rows = list(islice(follow(target, "events", from_start=True), 5))
        assert [row["tick"] for row in rows] == [3] * 5
        live.unlink()
        assert len(list(follow(target, "events", from_start=True))) == 8
        assert list(follow(target, "events")) == []
        with pytest.raises(BadInput, match="unknown stream"):
            next(follow(target, "nothing"))


def test_the_bench_measures_both_ways_and_frames_win() -> None:
    said: list[str] = []
    result = run_bench(BusBench(rows=2_000, frames=4, rounds=5, json_events=2_000), said.append)
    assert result["events_per_s"] > result["baseline_events_per_s"] > 0
    assert result["ratio"] > 1
    assert len(said) == 2 + 5


def test_a_frame_comes_back_through_a_broker_of_our_own() -> None:
    version, seconds = echo()
    assert version.startswith("tansu")
    assert seconds > 0
