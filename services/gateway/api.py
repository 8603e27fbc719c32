"""HTTP of the gateway: POST /events."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final

from fastapi import APIRouter, Depends, Request, status
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from infra.contracts.errors import EnvironmentFailed
from infra.contracts.time import wall_us
from infra.hosting.auth import token_guard
from infra.telemetry import names
from infra.telemetry.propagation import TRACEPARENT
from infra.telemetry.setup import Telemetry
from services.gateway.cloudevents import (
    BATCHED,
    BINARY,
    MAX_BODY_BYTES,
    STRUCTURED,
    Envelopes,
    UnreadableBody,
    read_request,
    too_large,
)
from services.gateway.domain import InvalidEvent, OutsideEvent, event_schema, parse_event
from services.gateway.outbox import Receipt

Submit = Callable[[Sequence[OutsideEvent], str | None], "Future[Receipt]"]
"""`Intake.submit`: events and the caller's traceparent in, the receipt later."""

WAIT_SECONDS: Final = 30.0  # bound of one request
RETRY_AFTER: Final = {"Retry-After": "5"}


class Rejected(BaseModel):
    """One event that was not accepted."""

    index: int = Field(description="Place in the batch, from 0")
    id: str | None = Field(description="CloudEvents id, where it has one")
    reason: str


class Answer(BaseModel):
    """What became of the events of one request."""

    accepted: int = Field(description="New, and in Kafka")
    repeated: int = Field(description="Known by source and id: acknowledged, not sent again")
    rejected: list[Rejected] = []


def create_router(submit: Submit, telemetry: Telemetry, token: str | None) -> APIRouter:
    """Return the routes of the gateway."""
    router = APIRouter(tags=["gateway"])

    @router.post(
        "/events",
        status_code=status.HTTP_202_ACCEPTED,
        response_model=Answer,
        responses=_RESPONSES,
        openapi_extra={"requestBody": _request_body()},
        dependencies=[Depends(token_guard(token))],
    )
    async def events(request: Request) -> JSONResponse:
        """Take CloudEvents of our event kinds; answered once Kafka has them.

        Idempotent on (source, id): after any 5xx or a lost answer, send the same events again. A batch is taken event
        by event: the good ones are accepted, the bad ones listed with their index and reason (207).
        """
        try:
            body = await _read(request)
            envelopes = read_request(request.headers.get("content-type", ""), request.headers, body)
        except UnreadableBody as refusal:
            return JSONResponse({"detail": str(refusal)}, refusal.status)
        good, rejected = await run_in_threadpool(_check, envelopes)
        try:
            receipt = await _deliver(submit, good, request.headers.get(TRACEPARENT))
        except EnvironmentFailed as error:
            return JSONResponse({"detail": str(error)}, status.HTTP_503_SERVICE_UNAVAILABLE, RETRY_AFTER)
        _count(telemetry, receipt, len(rejected))
        answer = Answer(accepted=receipt.accepted, repeated=receipt.repeated, rejected=rejected)
        return JSONResponse(answer.model_dump(), _status(bool(good) or not rejected, rejected))

    return router


async def _read(request: Request) -> bytes:
    """Return the body; UnreadableBody as soon as it is too long, whatever its length header says."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise too_large()
    return bytes(body)


def _check(envelopes: Envelopes) -> tuple[list[OutsideEvent], list[Rejected]]:
    arrived_at = wall_us()
    good: list[OutsideEvent] = []
    rejected: list[Rejected] = []
    for index, envelope in enumerate(envelopes.events):
        try:
            good.append(parse_event(envelope, arrived_at))
        except InvalidEvent as error:
            given = envelope.get("id") if isinstance(envelope, dict) else None
            rejected.append(Rejected(index=index, id=given if isinstance(given, str) else None, reason=str(error)))
    return good, rejected


async def _deliver(submit: Submit, events: list[OutsideEvent], traceparent: str | None) -> Receipt:
    if not events:
        return Receipt(accepted=0, repeated=0)
    receipt = asyncio.wrap_future(submit(events, traceparent))
    try:
        return await asyncio.wait_for(receipt, WAIT_SECONDS)
    except TimeoutError:
        raise EnvironmentFailed(f"Kafka did not answer within {WAIT_SECONDS:.0f} s: send the events again") from None


def _status(some_good: bool, rejected: list[Rejected]) -> int:
    if not rejected:
        return status.HTTP_202_ACCEPTED
    return status.HTTP_207_MULTI_STATUS if some_good else status.HTTP_422_UNPROCESSABLE_CONTENT


def _count(telemetry: Telemetry, receipt: Receipt, rejected: int) -> None:
    telemetry.measures.add(names.METRIC_EVENTS_ACCEPTED, receipt.accepted)
    telemetry.measures.add(names.METRIC_EVENTS_REPEATED, receipt.repeated)
    telemetry.measures.add(names.METRIC_EVENTS_REJECTED, rejected)


def _request_body() -> dict[str, Any]:
    event = event_schema()
    return {
        "required": True,
        "content": {
            STRUCTURED: {"schema": event},
            BATCHED: {"schema": {"type": "array", "items": event}},
            BINARY: {"schema": event["properties"]["data"]},
        },
    }


_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    207: {"model": Answer, "description": "A batch of which some events were rejected; the others are in Kafka"},
    400: {"description": "The body is not JSON, or not of the right shape"},
    401: {"description": "The token is missing or wrong"},
    413: {"description": "The body or the batch is too large"},
    415: {"description": "No content type of CloudEvents"},
    422: {"model": Answer, "description": "No event of the request is valid"},
    503: {"description": "Kafka does not answer, or too much is waiting: send again after Retry-After"},
}
