"""Numbered frames pass through while nodes and clients are killed: nothing is lost, doubled or out of order."""

from collections.abc import Iterator

import pytest

from infra.bus.apache.cluster import ApacheBroker
from tests.support.apache import collect_sockets
from tests.support.bounce import Bounces, bounce, verify

pytestmark = [
    pytest.mark.integration,
    # The Kafka library drops the reference to a socket whose connection was cut without closing it.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def collected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Sockets that the Kafka library left open are found here, where their warning is expected, and not later."""
    yield
    collect_sockets(caplog)


def test_what_comes_out_is_what_went_in_whoever_is_killed(apache_cluster: ApacheBroker) -> None:
    plan = Bounces(frames=6_000, pairs=2, ticks_in_transaction=15)
    outcome = bounce(apache_cluster, plan)
    verify(plan, outcome)
    assert outcome.client_starts >= 2 * 2
