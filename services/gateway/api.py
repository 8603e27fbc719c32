"""HTTP of the gateway: POST /events."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Final, Literal, Protocol

from fastapi import APIRouter, Depends, Request, Response, status
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from infra.contracts.errors import EnvironmentFailed
from infra.contracts.time import wall_us
from infra.hosting.auth import token_guard
from infra.hosting.problems import problem
from infra.telemetry import names
from infra.telemetry.propagation import TRACEPARENT
from infra.telemetry.setup import Telemetry
from services.gateway import openapi
from services.gateway.bodies import BodyReader, EarlyAnswer, HeldBody, told_length
from services.gateway.cloudevents import read_request
from services.gateway.domain import InvalidEvent, OutsideEvent, parse_event
from services.gateway.limits import GatewayConfig, RateLimiter
from services.gateway.outbox import Receipt
from services.gateway.refusals import Refused, busy, too_fast

LOOK_SECONDS: Final = 0.25
"""How often a waiting request looks whether the gateway is stopping."""

Outcome = Literal["accepted", "repeated", "rejected"]


class Rejected(BaseModel):
    """One event that was not accepted."""

    index: int = Field(description="Place in the batch, from 0")
    id: str | None = Field(description="CloudEvents id, where it has one")
    reason: str


class Answer(BaseModel):
    """What became of the events of one request."""

    accepted: int = Field(description="How many were new; they are in Kafka")
    repeated: int = Field(description="How many were known by source and id: in Kafka before, and not sent again")
    outcomes: list[Outcome] = Field(description="What became of each event, in the order of the request")
    rejected: list[Rejected] = []


class Taker(Protocol):
    """What the routes need of `Intake`."""

    @property
    def stopping(self) -> bool:
        """True once waiting is in vain."""
        ...

    def submit(self, events: Sequence[OutsideEvent], traceparent: str | None) -> "Future[Receipt]":
        """Hand events and the caller's traceparent in; the receipt comes later. Raises Overloaded."""
        ...


def create_router(intake: Taker, config: GatewayConfig, telemetry: Telemetry, token: str | None) -> APIRouter:
    """Return the routes of the gateway."""
    router = APIRouter(tags=["gateway"])
    desk = Desk(intake, config, telemetry)

    @router.post(
        "/events",
        status_code=status.HTTP_202_ACCEPTED,
        response_model=Answer,
        responses=openapi.responses(Answer, config),
        openapi_extra={"requestBody": openapi.request_body(config)},
        dependencies=[Depends(token_guard(token))],
    )
    async def events(request: Request) -> Response:
        """Take CloudEvents of our event kinds; answered once Kafka has them, on all replicas in sync.

        Idempotent on (source, id): after a 429, a 5xx or a lost answer, send the same events again. A batch is taken
        event by event: the good ones are accepted, the bad ones listed with their index and reason (207).
        """
        return await desk.serve(request)

    return router


class Desk:
    """Where requests are taken: limits first, then the events, then the wait for Kafka."""

    def __init__(self, intake: Taker, config: GatewayConfig, telemetry: Telemetry) -> None:
        self._intake, self._config, self._telemetry = intake, config, telemetry
        self._limiter = RateLimiter(config)
        self._bodies = BodyReader(config)

    async def serve(self, request: Request) -> Response:
        """Answer one request, also one that the server gives up on because it is stopping."""
        with self._bodies.holding() as body:
            try:
                return await self._take(request, body)
            except Refused as refused:
                return self._refuse(request, refused)
            except asyncio.CancelledError:
                if not self._intake.stopping:
                    raise
                return self._refuse(request, busy("the gateway is stopping: send the events again"))

    async def _take(self, request: Request, body: HeldBody) -> Response:
        client = request.client.host if request.client else ""
        wait = self._limiter.enter(client, time.monotonic())
        if wait:
            raise too_fast(wait)
        await self._bodies.read(request, body)
        envelopes = read_request(request.headers, body.content, self._config.batch_events)
        self._limiter.charge(client, max(0, len(envelopes.events) - 1), time.monotonic())
        good, rejected = await run_in_threadpool(_check, envelopes.events)
        receipt = await self._deliver(good, request.headers.get(TRACEPARENT))
        self._count(receipt, len(rejected))
        return _answer(len(envelopes.events), receipt, rejected)

    async def _deliver(self, events: list[OutsideEvent], traceparent: str | None) -> Receipt:
        if not events:
            return Receipt(())
        try:
            receipt = asyncio.wrap_future(self._intake.submit(events, traceparent))
            await self._wait(receipt)
            return receipt.result()
        except EnvironmentFailed as error:
            raise busy(str(error)) from error

    async def _wait(self, receipt: "asyncio.Future[Receipt]") -> None:
        deadline = time.monotonic() + self._config.answer_seconds
        while not receipt.done():
            left = deadline - time.monotonic()
            if left <= 0 or self._intake.stopping:
                receipt.cancel()
                why = "the gateway is stopping" if left > 0 else f"Kafka took over {self._config.answer_seconds:g} s"
                raise busy(f"{why}: send the events again")
            await asyncio.wait([receipt], timeout=min(left, LOOK_SECONDS))

    def _refuse(self, request: Request, refused: Refused) -> Response:
        headers = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
        self._telemetry.measures.add(names.METRIC_REQUESTS_REFUSED, 1, {"status": refused.status})
        answer = problem(refused.status, str(refused), headers=headers)
        if not refused.unread:
            return answer
        told = told_length(request)
        short = told is not None and told <= self._config.body_bytes
        return EarlyAnswer(answer, close=refused.status == status.HTTP_408_REQUEST_TIMEOUT or not short)

    def _count(self, receipt: Receipt, rejected: int) -> None:
        measures = self._telemetry.measures
        measures.add(names.METRIC_EVENTS_ACCEPTED, receipt.accepted)
        measures.add(names.METRIC_EVENTS_REPEATED, receipt.repeated)
        measures.add(names.METRIC_EVENTS_REJECTED, rejected)


def _check(envelopes: list[object]) -> tuple[list[OutsideEvent], list[Rejected]]:
    arrived_at = wall_us()
    good: list[OutsideEvent] = []
    rejected: list[Rejected] = []
    for index, envelope in enumerate(envelopes):
        try:
            good.append(parse_event(envelope, arrived_at))
        except InvalidEvent as error:
            rejected.append(Rejected(index=index, id=_id_of(envelope), reason=str(error)))
    return good, rejected


def _id_of(envelope: object) -> str | None:
    given = envelope.get("id") if isinstance(envelope, dict) else None
    return given[:256] if isinstance(given, str) else None


def _answer(events: int, receipt: Receipt, rejected: list[Rejected]) -> JSONResponse:
    outcomes: list[Outcome] = ["rejected"] * events
    bad = {each.index for each in rejected}
    good = (index for index in range(events) if index not in bad)
    for index, fresh in zip(good, receipt.fresh, strict=True):
        outcomes[index] = "accepted" if fresh else "repeated"
    answer = Answer(accepted=receipt.accepted, repeated=receipt.repeated, outcomes=outcomes, rejected=rejected)
    if rejected and len(rejected) == events:
        return problem(
            status.HTTP_422_UNPROCESSABLE_CONTENT,
            rejected[0].reason if events == 1 else f"none of the {events} events is valid: `rejected` says why",
            **answer.model_dump(),
        )
    return JSONResponse(answer.model_dump(), status.HTTP_207_MULTI_STATUS if rejected else status.HTTP_202_ACCEPTED)
