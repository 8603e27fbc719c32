"""What exactly-once costs is measured with frames that all come through, once and in order."""

import pytest

from infra.bus.admin import create_topics
from infra.bus.apache.cluster import ApacheBroker
from infra.bus.eos.bench import EosBench, compare, fill, measure
from infra.contracts.errors import EnvironmentFailed
from infra.contracts.topics import Topics
from tests.support.apache import KAFKA_LIBRARY

pytestmark = KAFKA_LIBRARY


def test_both_ways_are_measured_with_the_same_frames_and_the_cost_is_their_ratio(apache_cluster: ApacheBroker) -> None:
    found = compare(apache_cluster.bootstrap, EosBench(rows=20, ticks=30, rounds=1))
    assert found["frames_per_s"] > 0
    ratio = found["events_per_s"] / found["at_least_once_events_per_s"]
    assert found["cost"] == pytest.approx(1 - ratio, abs=0.02)


def test_a_frame_that_is_not_as_it_was_sent_ends_the_measurement(apache_cluster: ApacheBroker) -> None:
    bootstrap, sent = apache_cluster.bootstrap, EosBench(rows=20, ticks=2)
    create_topics(bootstrap, [Topics("eos-other").events])
    fill(bootstrap, "eos-other", sent)
    with pytest.raises(EnvironmentFailed, match="is lost, doubled or astray"):
        measure(bootstrap, "eos-other", EosBench(rows=19, ticks=2), transactions=True)
