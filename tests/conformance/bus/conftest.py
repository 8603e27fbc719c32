"""The brokers that the conformance tests run on. Another broker is one more parameter."""

import itertools
from collections.abc import Iterator

import pytest

from infra.bus.admin import create_topics
from infra.bus.apache.cluster import ApacheBroker
from infra.bus.broker import Broker
from infra.bus.brokers import BrokerOptions, open_broker
from infra.bus.external import ExternalBroker
from infra.contracts.topics import Topics
from tests.support.apache import Secured

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def embedded() -> Iterator[Broker]:
    with open_broker(BrokerOptions()) as running:
        yield running


@pytest.fixture(params=["embedded", "apache", "external"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """In memory; three nodes of Apache Kafka; and Apache Kafka as somebody else's, behind TLS and SASL/SCRAM."""
    if request.param == "embedded":
        embedded: Broker = request.getfixturevalue("embedded")
        return embedded
    if request.param == "apache":
        apache: ApacheBroker = request.getfixturevalue("apache_cluster")
        return apache
    secured: Secured = request.getfixturevalue("secured_cluster")
    external = ExternalBroker(secured.broker.bootstrap, secured.security())
    external.start()
    return external


@pytest.fixture
def topics(broker: Broker) -> Topics:
    """Topics of a namespace nobody else uses."""
    fresh = Topics(f"conformance-{next(_NUMBERS)}")
    create_topics(broker.bootstrap, fresh.all())
    return fresh
