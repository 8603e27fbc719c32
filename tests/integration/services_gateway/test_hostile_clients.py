"""Whatever a client sends to the real process, the answer is the documented one, and never a server's error."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import psutil
import pytest

from infra.bus.admin import create_topics
from infra.bus.embedded import EmbeddedBroker
from infra.hosting.problems import PROBLEM_JSON
from tests.support.hosted import HostedService
from tests.support.outside import BATCHED, STRUCTURED, TOPICS, gateway_on, ids_of, stored_ids
from tests.unit.services.gateway.builders import cloud_event

pytestmark = pytest.mark.integration

MEBIBYTE = 1024**2
TEN_MEGABYTES = b" " * 10 * MEBIBYTE


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker() as broker:
        create_topics(broker.bootstrap, TOPICS.all())
        yield broker


@pytest.fixture(scope="module")
def gateway(broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostedService]:
    with gateway_on(broker.bootstrap, tmp_path_factory.mktemp("gateway"), body_seconds=1) as service:
        yield service.wait_ready()


@pytest.fixture(autouse=True)
def unharmed(gateway: HostedService) -> Iterator[None]:
    """After each test the process lives, takes events, and has logged no error."""
    pid = gateway.process.pid
    yield
    assert gateway.process.pid == pid
    assert post(gateway, cloud_event("a good one")).status_code == 202
    errors = [line for line in gateway.log.splitlines() if '"level":"error"' in line]
    assert errors == []


def post(gateway: HostedService, body: object, content_type: str = STRUCTURED) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return gateway.client.post(gateway.url("/events"), content=content, headers={"Content-Type": content_type})


def require_problem(reply: httpx.Response, status: int, words: str) -> dict[str, Any]:
    assert (reply.status_code, reply.headers["Content-Type"]) == (status, PROBLEM_JSON), reply.text
    document: dict[str, Any] = reply.json()
    assert document["status"] == status
    assert words in document["detail"]
    return document


def talk(gateway: HostedService, data: bytes) -> bytes:
    """What comes back on one connection, to its end, for bytes sent as they are."""
    address = httpx.URL(gateway.url("/"))
    received = b""
    with socket.create_connection((address.host, address.port or 0), timeout=20) as connection:
        connection.sendall(data)
        with suppress(ConnectionResetError):
            while more := connection.recv(65_536):
                received += more
    return received


def head(*lines: str) -> bytes:
    fixed = ("POST /events HTTP/1.1", "Host: test", f"Content-Type: {STRUCTURED}", "Connection: close")
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b'{"specversion": "1.0",', STRUCTURED, 400, "not JSON"),
        (b"\xff\xfe", STRUCTURED, 400, "not JSON"),
        (b"[" * 100_000, BATCHED, 400, "not JSON"),
        (cloud_event(kind="TeaDrunk"), STRUCTURED, 422, "unknown"),
        (cloud_event(type="calmverse.CommentPosted.v2"), STRUCTURED, 422, "version 2"),
        (cloud_event(specversion="0.3"), STRUCTURED, 422, "specversion"),
        (cloud_event(time="0001-01-01T00:00:00+14:00"), STRUCTURED, 422, "time"),
        (cloud_event(subject="9" * 5_000), STRUCTURED, 422, "subject"),
        (cloud_event(data={str(number): number for number in range(50_000)}), STRUCTURED, 422, "more"),
        (TEN_MEGABYTES, STRUCTURED, 413, "bytes"),
        ([1] * 5_001, BATCHED, 413, "5001 events"),
        (b"a,b", "text/csv", 415, "text/csv"),
    ],
)
def test_each_mistake_has_its_answer(
    gateway: HostedService, body: object, content_type: str, status: int, words: str
) -> None:
    require_problem(post(gateway, body, content_type), status, words)


def test_a_batch_with_one_bad_event_is_taken_but_for_it(gateway: HostedService, broker: EmbeddedBroker) -> None:
    reply = post(gateway, [cloud_event("left"), cloud_event("bad", kind="TeaDrunk"), cloud_event("right")], BATCHED)
    assert reply.status_code == 207
    assert reply.json()["outcomes"] == ["accepted", "rejected", "accepted"]
    [rejected] = reply.json()["rejected"]
    assert (rejected["index"], rejected["id"]) == (1, "bad")
    stored = stored_ids(broker.bootstrap)
    assert [stored[number] for number in ids_of(["left", "right"])] == [1, 1]
    assert not ids_of(["bad"]) & stored.keys()


def test_ten_megabytes_in_chunks_are_413(gateway: HostedService) -> None:
    reply = gateway.client.post(
        gateway.url("/events"), content=iter([TEN_MEGABYTES[:65_536]] * 160), headers={"Content-Type": STRUCTURED}
    )
    require_problem(reply, 413, "bytes")


def test_a_body_without_an_end_is_cut_off_and_not_kept(gateway: HostedService) -> None:
    process = psutil.Process(gateway.process.pid)
    before = process.memory_info().rss
    address = httpx.URL(gateway.url("/"))
    chunk, sent = b"10000\r\n" + b" " * 65_536 + b"\r\n", 0
    with socket.create_connection((address.host, address.port or 0), timeout=20) as connection:
        connection.sendall(head("Transfer-Encoding: chunked"))
        with suppress(OSError):  # reset or broken pipe, as the system has it
            while sent < 500 * MEBIBYTE:
                connection.sendall(chunk)
                sent += 65_536
    assert sent < 100 * MEBIBYTE
    assert process.memory_info().rss - before < 64 * MEBIBYTE


def test_a_length_that_is_too_short_is_what_counts(gateway: HostedService) -> None:
    reply = talk(gateway, head("Content-Length: 5") + b'{"a":' + b'"b"}' * 100)
    assert reply.startswith(b"HTTP/1.1 400 ")
    assert b" 500 " not in reply


def test_a_length_that_is_too_long_is_408_after_a_while(gateway: HostedService) -> None:
    assert talk(gateway, head("Content-Length: 500") + b"{}").startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize("length", ["-5", "99999999999999999999999", "x", "5, 6"])
def test_a_length_that_is_none_is_the_clients_fault(gateway: HostedService, length: str) -> None:
    assert talk(gateway, head(f"Content-Length: {length}") + b"{}")[:11] in (b"HTTP/1.1 40", b"HTTP/1.1 41")


def test_both_lengths_at_once_are_refused(gateway: HostedService) -> None:
    reply = talk(gateway, head("Content-Length: 5", "Transfer-Encoding: chunked") + b"0\r\n\r\n")
    assert reply.startswith(b"HTTP/1.1 400 ")


def test_a_client_that_asks_before_it_sends_learns_without_sending(gateway: HostedService) -> None:
    reply = talk(gateway, head("Content-Length: 10000000", "Expect: 100-continue"))
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in reply


def test_a_client_that_hangs_up_in_the_middle_harms_nobody(gateway: HostedService) -> None:
    address = httpx.URL(gateway.url("/"))
    for _ in range(5):
        with socket.create_connection((address.host, address.port or 0), timeout=20) as connection:
            connection.sendall(head("Content-Length: 500") + b"{")
    assert post(gateway, cloud_event("after them")).status_code == 202


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_and_paths_are_problems_too(gateway: HostedService, method: str) -> None:
    require_problem(gateway.client.request(method, gateway.url("/events")), 405, "Not Allowed")
    require_problem(gateway.client.request(method, gateway.url("/event")), 404, "Not Found")


def test_a_request_that_is_open_when_the_gateway_is_told_to_stop_gets_an_answer(
    broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with gateway_on(broker.bootstrap, tmp_path_factory.mktemp("stopped"), body_seconds=30) as own:
        own.wait_ready()
        address = httpx.URL(own.url("/"))
        with socket.create_connection((address.host, address.port or 0), timeout=20) as connection:
            connection.sendall(head("Content-Length: 500", "Expect: 100-continue"))
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")  # it reads our body now
            own.process.send_signal(signal.SIGTERM)
            reply = connection.recv(65_536)
        assert reply.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after" in reply.lower()
        assert own.process.wait(20) == 0
