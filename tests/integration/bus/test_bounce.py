"""Numbered frames pass through while nodes and clients are killed: nothing is lost, doubled or out of order."""

from infra.bus.apache.cluster import ApacheBroker
from tests.support.apache import KAFKA_LIBRARY
from tests.support.bounce import Bounces, bounce, verify

pytestmark = KAFKA_LIBRARY


def test_what_comes_out_is_what_went_in_whoever_is_killed(apache_cluster: ApacheBroker) -> None:
    plan = Bounces(frames=6_000, pairs=2, ticks_in_transaction=15)
    outcome = bounce(apache_cluster, plan)
    verify(plan, outcome)
    assert outcome.client_starts >= 2 * 2
