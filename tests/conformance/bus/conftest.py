"""The brokers that the conformance tests run on. Another broker is one more parameter."""

import itertools
from collections.abc import Iterator

import pytest

from infra.bus.admin import create_topics
from infra.bus.broker import Broker
from infra.bus.brokers import open_broker
from infra.contracts.topics import Topics

_NUMBERS = itertools.count()


@pytest.fixture(scope="module", params=["embedded"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with open_broker(request.param) as running:
        yield running


@pytest.fixture
def topics(broker: Broker) -> Topics:
    """Topics of a namespace nobody else uses."""
    fresh = Topics(f"conformance-{next(_NUMBERS)}")
    create_topics(broker.bootstrap, fresh.all())
    return fresh
