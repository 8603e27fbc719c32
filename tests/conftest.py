"""What holds for every test: no developer's own settings and no earlier test decide its result."""

import atexit
import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from infra.bus.apache.cluster import ApacheBroker
from tests.support.apache import Secured, collect_sockets, secured_node, three_nodes

# Examples are a function of the test alone, and a slow machine is not a failure.
settings.register_profile("calmverse", deadline=None, derandomize=True)
settings.load_profile("calmverse")


def pytest_collection_finish() -> None:
    """Keep the garbage collector to what tests make: it is asked after many, and modules are millions of objects."""
    gc.collect()
    gc.freeze()


_ENDS_WITH: list[int] = []


def pytest_sessionfinish(exitstatus: int) -> None:
    """What this process ends with, should it have to leave at once."""
    _ENDS_WITH.append(int(exitstatus))


@atexit.register
def _leave_before_native_threads_meet_destructors() -> None:
    """Ray's and Serve's native threads outlive their shutdown, and the destructors of a process do not wait for them.

    A whole run that had passed ended in a segmentation fault so. An error while pytest cleaned up still counts.
    """
    if "ray" in sys.modules and _ENDS_WITH:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(_ENDS_WITH[-1] or int(getattr(sys, "last_value", None) is not None))


def pytest_unconfigure() -> None:
    """Libraries tell of what is left at the end: let them have it back."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CALMVERSE_", "OTEL_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module", autouse=True)
def garbage_collected_where_its_warnings_are_expected(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a library leaves to the garbage collector is found in the module that allows for it, not in a later one."""
    yield
    if request.node.get_closest_marker("filterwarnings"):
        gc.collect()


@pytest.fixture
def library_lets_go(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Sockets that the Kafka library left open are found here, where their warning is expected, and not later."""
    yield
    collect_sockets(caplog)


@pytest.fixture(scope="session")
def apache_cluster() -> Iterator[ApacheBroker]:
    """Three nodes of Apache Kafka, started when a test first wants them. Whoever kills a node starts it again."""
    with three_nodes() as broker:
        yield broker


@pytest.fixture(scope="session")
def secured_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """One node of Apache Kafka behind TLS, SASL/SCRAM and an authorizer."""
    with secured_node(tmp_path_factory.mktemp("certificates")) as secured:
        yield secured
