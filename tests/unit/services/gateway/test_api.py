"""HTTP of the gateway: each answer has its status, and a batch is taken event by event."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.contracts.errors import EnvironmentFailed
from infra.hosting.app import create_app
from infra.hosting.problems import PROBLEM_JSON
from infra.hosting.service import Service
from infra.telemetry.setup import Telemetry
from services.gateway import bodies
from services.gateway.api import create_router
from services.gateway.cloudevents import BATCHED, BINARY, STRUCTURED
from services.gateway.domain import OutsideEvent
from services.gateway.handlers import Overloaded
from services.gateway.limits import GatewayConfig
from services.gateway.outbox import Receipt
from tests.unit.services.gateway.builders import cloud_event

CONTENT_TYPES = (STRUCTURED, BATCHED, BINARY, "", "application/json; charset=\\", "text/plain")
TOKEN = "secret"  # noqa: S105 - a made-up one


class Counting:
    """An intake that acknowledges at once, and notes what it was given."""

    def __init__(self) -> None:
        self.events: list[OutsideEvent] = []
        self.error: Exception | None = None
        self.stopping = False
        self.hanging = False

    def submit(self, events: Sequence[OutsideEvent], traceparent: str | None) -> "Future[Receipt]":
        del traceparent
        if isinstance(self.error, Overloaded):
            raise self.error
        receipt: Future[Receipt] = Future()
        if self.hanging:
            return receipt
        if self.error:
            receipt.set_exception(self.error)
        else:
            self.events += events
            receipt.set_result(Receipt((True,) * len(events)))
        return receipt


@pytest.fixture
def intake() -> Counting:
    return Counting()


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[Telemetry]:
    with Telemetry("gateway", tmp_path) as telemetry:
        yield telemetry


@pytest.fixture(scope="module")
def shared_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """One application for all examples of a property: making one takes long."""
    with Telemetry("gateway", tmp_path_factory.mktemp("gateway")) as telemetry:
        yield app_of(Counting(), telemetry)


def post(
    intake: Counting,
    telemetry: Telemetry,
    body: object,
    content_type: str = STRUCTURED,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return post_all(app_of(intake, telemetry), [content], {"Content-Type": content_type} | (headers or {}))[0]


def app_of(intake: Counting, telemetry: Telemetry, config: GatewayConfig | None = None) -> FastAPI:
    router = create_router(intake, config or GatewayConfig(), telemetry, TOKEN)
    return create_app(Service(routers=[router]), telemetry, alive=lambda: True)


def post_all(
    app: FastAPI, bodies: Sequence[bytes | AsyncIterator[bytes]], headers: dict[str, str], client_ip: str = "127.0.0.1"
) -> list[httpx.Response]:
    """Send bodies one after the other."""
    sent = {"Authorization": f"Bearer {TOKEN}"} | headers

    async def call() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, client=(client_ip, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return [await client.post("/events", content=body, headers=sent) for body in bodies]

    return asyncio.run(call())


def require_problem(reply: httpx.Response, status: int) -> dict[str, Any]:
    """The problem details of an answer, checked for what RFC 9457 asks."""
    assert reply.status_code == status, reply.text
    assert reply.headers["Content-Type"] == PROBLEM_JSON
    document: dict[str, Any] = reply.json()
    assert (document["status"], document["type"]) == (status, "about:blank")
    assert document["title"]
    assert document["detail"]
    return document


def test_one_good_event_is_202(intake: Counting, telemetry: Telemetry) -> None:
    reply = post(intake, telemetry, cloud_event())
    answer = {"accepted": 1, "repeated": 0, "outcomes": ["accepted"], "rejected": []}
    assert (reply.status_code, reply.json()) == (202, answer)
    assert len(intake.events) == 1


def test_a_binary_event_is_the_same_event(intake: Counting, telemetry: Telemetry) -> None:
    event = cloud_event()
    headers = {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}
    post(intake, telemetry, event)
    assert post(intake, telemetry, event["data"], BINARY, headers).status_code == 202
    first, second = intake.events
    assert first.event_id == second.event_id
    assert first.payload == second.payload


def test_a_batch_with_bad_members_is_207_and_the_good_ones_are_taken(intake: Counting, telemetry: Telemetry) -> None:
    batch = [cloud_event("1"), cloud_event("2", subject="nobody"), 7, cloud_event("3")]
    reply = post(intake, telemetry, batch, BATCHED)
    assert reply.status_code == 207
    answer: dict[str, Any] = reply.json()
    assert answer["accepted"] == 2
    assert answer["outcomes"] == ["accepted", "rejected", "rejected", "accepted"]
    assert [(each["index"], each["id"]) for each in answer["rejected"]] == [(1, "2"), (2, None)]
    assert "subject" in answer["rejected"][0]["reason"]
    assert len(intake.events) == 2


def test_an_empty_batch_is_202(intake: Counting, telemetry: Telemetry) -> None:
    assert post(intake, telemetry, [], BATCHED).status_code == 202


@pytest.mark.parametrize(("body", "content_type"), [(cloud_event(id=""), STRUCTURED), ([{}, 3], BATCHED)])
def test_no_valid_event_is_422_with_the_reasons(
    intake: Counting, telemetry: Telemetry, body: object, content_type: str
) -> None:
    reply = post(intake, telemetry, body, content_type)
    assert require_problem(reply, 422)["rejected"][0]["reason"]
    assert intake.events == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", STRUCTURED, 400),
        (b"{}", BATCHED, 400),
        (b" " * (4 * 1024 * 1024 + 1), STRUCTURED, 413),
        (b"[" * 2_000, BATCHED, 400),
        (b"[" + b",".join([b"1"] * 5_001) + b"]", BATCHED, 413),
        (b"{}", "text/csv", 415),
        (b"{}", BINARY, 415),
    ],
)
def test_what_holds_no_cloud_events_is_refused(
    intake: Counting, telemetry: Telemetry, body: bytes, content_type: str, status: int
) -> None:
    reply = post(intake, telemetry, body, content_type)
    require_problem(reply, status)


@pytest.mark.parametrize("error", [EnvironmentFailed("Kafka is gone"), Overloaded("too much")])
def test_when_kafka_does_not_answer_it_is_503_with_retry_after(
    intake: Counting, telemetry: Telemetry, error: Exception
) -> None:
    intake.error = error
    reply = post(intake, telemetry, cloud_event())
    assert require_problem(reply, 503)["detail"] == str(error)
    assert int(reply.headers["Retry-After"]) > 0


@pytest.mark.parametrize("given", ["", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_without_the_token_it_is_401(intake: Counting, telemetry: Telemetry, given: str) -> None:
    reply = post(intake, telemetry, cloud_event(), headers={"Authorization": given})
    require_problem(reply, 401)
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert intake.events == []


def test_a_body_that_is_longer_than_allowed_is_refused_before_its_end(intake: Counting, telemetry: Telemetry) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < bodies.LINGER_BYTES * 2:
            sent += 65_536
            yield b" " * 65_536

    (reply,) = post_all(app_of(intake, telemetry), [endless()], {"Content-Type": STRUCTURED})
    require_problem(reply, 413)
    assert reply.headers["Connection"] == "close"
    assert sent < bodies.LINGER_BYTES * 2  # the rest was not even asked for


def test_a_length_over_the_limit_is_refused_before_anything_is_read(intake: Counting, telemetry: Telemetry) -> None:
    headers = {"Content-Type": STRUCTURED, "Content-Length": str(10 * 1024**2)}
    (reply,) = post_all(app_of(intake, telemetry), [b"{}"], headers)
    require_problem(reply, 413)


def test_a_body_that_does_not_arrive_in_time_is_408(intake: Counting, telemetry: Telemetry) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    app = app_of(intake, telemetry, GatewayConfig(body_seconds=0.01))
    (reply,) = post_all(app, [stalled()], {"Content-Type": STRUCTURED})
    require_problem(reply, 408)


def test_an_encoded_body_is_415(intake: Counting, telemetry: Telemetry) -> None:
    require_problem(post(intake, telemetry, cloud_event(), headers={"Content-Encoding": "gzip"}), 415)


def test_bodies_of_requests_in_hand_are_bounded_together(intake: Counting, telemetry: Telemetry) -> None:
    intake.hanging = True
    body = json.dumps(cloud_event()).encode()
    config = GatewayConfig(body_bytes=len(body), held_bytes=2 * len(body), answer_seconds=0.5)
    app = app_of(intake, telemetry, config)
    headers = {"Content-Type": STRUCTURED, "Authorization": f"Bearer {TOKEN}"}

    async def three() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await asyncio.gather(*(client.post("/events", content=body, headers=headers) for _ in range(3)))

    details = sorted(require_problem(reply, 503)["detail"] for reply in asyncio.run(three()))
    assert [detail[:12] for detail in details] == ["Kafka took o", "Kafka took o", "the gateway "]
    intake.hanging = False
    assert post_all(app, [body], headers)[0].status_code == 202  # what was held is let go


def test_faster_than_agreed_is_429_until_the_bucket_has_filled_again(intake: Counting, telemetry: Telemetry) -> None:
    app = app_of(intake, telemetry, GatewayConfig(client_events_per_s=0.1, client_burst=2))
    batch = json.dumps([cloud_event(str(number)) for number in range(4)]).encode()
    headers = {"Content-Type": BATCHED}
    first, second = post_all(app, [batch, batch], headers)
    assert first.status_code == 202
    require_problem(second, 429)
    assert int(second.headers["Retry-After"]) in range(25, 31)  # 2 - 4 tokens, and one to begin with, at 0.1 a second
    assert post_all(app, [batch], headers, client_ip="10.0.0.9")[0].status_code == 202


def test_a_request_that_waits_when_the_gateway_stops_is_503(intake: Counting, telemetry: Telemetry) -> None:
    intake.hanging = intake.stopping = True
    assert "stopping" in require_problem(post(intake, telemetry, cloud_event()), 503)["detail"]


def test_a_known_event_is_told_apart_in_the_answer(telemetry: Telemetry) -> None:
    class Knowing(Counting):
        def submit(self, events: Sequence[OutsideEvent], traceparent: str | None) -> "Future[Receipt]":
            del traceparent
            receipt: Future[Receipt] = Future()
            receipt.set_result(Receipt(tuple(number % 2 == 0 for number in range(len(events)))))
            return receipt

    reply = post(Knowing(), telemetry, [cloud_event("1"), 7, cloud_event("2"), cloud_event("3")], BATCHED)
    assert reply.json()["outcomes"] == ["accepted", "rejected", "repeated", "accepted"]
    assert (reply.json()["accepted"], reply.json()["repeated"]) == (2, 1)


def test_an_answer_does_not_grow_with_what_was_wrong(intake: Counting, telemetry: Telemetry) -> None:
    long = "x" * 100_000
    data = cloud_event()["data"] | {f"{long}{number}": 1 for number in range(20)}
    for event in (cloud_event(data=data), cloud_event(long), cloud_event(data=cloud_event()["data"] | {"world": long})):
        assert len(post(intake, telemetry, event).content) < 3_000


@given(
    bodies_sent=st.lists(st.binary(max_size=200), min_size=1, max_size=5), content_type=st.sampled_from(CONTENT_TYPES)
)
@settings(max_examples=60)
def test_no_bytes_are_a_servers_trouble(shared_app: FastAPI, bodies_sent: list[bytes], content_type: str) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "%ff", "ce-time": "0001-01-01T00:00:00+14:00"}
    for reply in post_all(shared_app, bodies_sent, headers | {"Content-Type": content_type}):
        assert reply.status_code in (202, 400, 413, 415, 422)


def test_openapi_describes_the_three_content_types(intake: Counting, telemetry: Telemetry) -> None:
    document = app_of(intake, telemetry).openapi()
    post_events = document["paths"]["/events"]["post"]
    assert set(post_events["requestBody"]["content"]) == {STRUCTURED, BATCHED, BINARY}
    assert {"/healthz", "/readyz", "/metrics"} <= set(document["paths"])


def test_openapi_describes_every_answer(intake: Counting, telemetry: Telemetry) -> None:
    described = app_of(intake, telemetry).openapi()["paths"]["/events"]["post"]["responses"]
    assert set(described) == {"202", "207", "400", "401", "408", "413", "415", "422", "429", "503"}
    for status, response in described.items():
        content = PROBLEM_JSON if status >= "400" else "application/json"
        assert list(response["content"]) == [content]
        assert ("Retry-After" in response.get("headers", {})) == (status in ("429", "503"))
