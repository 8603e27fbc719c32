"""HTTP of the gateway: each answer has its status, and a batch is taken event by event."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.contracts.errors import EnvironmentFailed
from infra.hosting.app import create_app
from infra.hosting.service import Service
from infra.telemetry.setup import Telemetry
from services.gateway.api import create_router
from services.gateway.cloudevents import BATCHED, BINARY, STRUCTURED
from services.gateway.domain import OutsideEvent
from services.gateway.handlers import Overloaded
from services.gateway.outbox import Receipt
from tests.unit.services.gateway.builders import cloud_event

TOKEN = "secret"  # noqa: S105 - a made-up one


class Counting:
    """An intake that acknowledges at once, and notes what it was given."""

    def __init__(self) -> None:
        self.events: list[OutsideEvent] = []
        self.error: Exception | None = None

    def submit(self, events: Sequence[OutsideEvent], traceparent: str | None = None) -> "Future[Receipt]":
        del traceparent
        if isinstance(self.error, Overloaded):
            raise self.error
        receipt: Future[Receipt] = Future()
        if self.error:
            receipt.set_exception(self.error)
        else:
            self.events += events
            receipt.set_result(Receipt(accepted=len(events), repeated=0))
        return receipt


@pytest.fixture
def intake() -> Counting:
    return Counting()


@pytest.fixture
def telemetry(tmp_path: Path) -> Iterator[Telemetry]:
    with Telemetry("gateway", tmp_path) as telemetry:
        yield telemetry


def post(
    intake: Counting,
    telemetry: Telemetry,
    body: object,
    content_type: str = STRUCTURED,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    router = create_router(intake.submit, telemetry, TOKEN)
    app = create_app(Service(routers=[router]), telemetry, alive=lambda: True)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": content_type, "Authorization": f"Bearer {TOKEN}"} | (headers or {})

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return await client.post("/events", content=content, headers=sent)

    return asyncio.run(call())


def test_one_good_event_is_202(intake: Counting, telemetry: Telemetry) -> None:
    reply = post(intake, telemetry, cloud_event())
    assert (reply.status_code, reply.json()) == (202, {"accepted": 1, "repeated": 0, "rejected": []})
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
    assert reply.status_code == 422
    assert reply.json()["rejected"][0]["reason"]
    assert intake.events == []


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{", STRUCTURED, 400),
        (b"{}", BATCHED, 400),
        (b" " * (4 * 1024 * 1024 + 1), STRUCTURED, 413),
        (b"{}", "text/csv", 415),
        (b"{}", BINARY, 415),
    ],
)
def test_what_holds_no_cloud_events_is_refused(
    intake: Counting, telemetry: Telemetry, body: bytes, content_type: str, status: int
) -> None:
    reply = post(intake, telemetry, body, content_type)
    assert reply.status_code == status
    assert reply.json()["detail"]


@pytest.mark.parametrize("error", [EnvironmentFailed("Kafka is gone"), Overloaded("too much")])
def test_when_kafka_does_not_answer_it_is_503_with_retry_after(
    intake: Counting, telemetry: Telemetry, error: Exception
) -> None:
    intake.error = error
    reply = post(intake, telemetry, cloud_event())
    assert reply.status_code == 503
    assert int(reply.headers["Retry-After"]) > 0
    assert reply.json()["detail"] == str(error)


@pytest.mark.parametrize("given", ["", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_without_the_token_it_is_401(intake: Counting, telemetry: Telemetry, given: str) -> None:
    reply = post(intake, telemetry, cloud_event(), headers={"Authorization": given})
    assert reply.status_code == 401
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    assert intake.events == []


def test_openapi_describes_the_three_content_types(intake: Counting, telemetry: Telemetry) -> None:
    router = create_router(intake.submit, telemetry, None)
    document = create_app(Service(routers=[router]), telemetry, alive=lambda: True).openapi()
    content = document["paths"]["/events"]["post"]["requestBody"]["content"]
    assert set(content) == {STRUCTURED, BATCHED, BINARY}
    assert {"/healthz", "/readyz", "/metrics"} <= set(document["paths"])
