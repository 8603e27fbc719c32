"""What the OpenAPI document says of POST /events: the bodies it takes, and what each answer means."""

from typing import Any

from pydantic import BaseModel

from infra.hosting.problems import describe
from services.gateway.cloudevents import BATCHED, BINARY, STRUCTURED
from services.gateway.domain import event_schema
from services.gateway.limits import GatewayConfig

_RETRY = {"Retry-After": "Whole seconds after which to send the same events again"}


def request_body(config: GatewayConfig) -> dict[str, Any]:
    """Return the three ways in which CloudEvents come."""
    event = event_schema()
    return {
        "required": True,
        "description": f"At most {config.body_bytes} bytes",
        "content": {
            STRUCTURED: {"schema": event},
            BATCHED: {"schema": {"type": "array", "items": event, "maxItems": config.batch_events}},
            BINARY: {"schema": event["properties"]["data"]},
        },
    }


def responses(answer: type[BaseModel], config: GatewayConfig) -> dict[int | str, dict[str, Any]]:
    """Return every answer with its meaning; `answer` is the body of those in which events were taken."""
    rates = (
        f"{config.client_events_per_s:g} events/s of one client (at most {config.client_burst:g} at once), "
        f"{config.events_per_s:g} of all ({config.burst:g})"
    )
    return {
        202: {"model": answer, "description": "Every event is in Kafka, or was before"},
        207: {"model": answer, "description": "A batch of which some events were rejected; the others are in Kafka"},
        400: describe("The body is not JSON, or not of the right shape; nothing was taken"),
        401: describe("The token is missing or wrong"),
        408: describe(f"The body did not arrive within {config.body_seconds:g} s; nothing was taken"),
        413: describe(f"Over {config.body_bytes} bytes, or over {config.batch_events} events; nothing was taken"),
        415: describe("No content type of CloudEvents, or an encoded body; nothing was taken"),
        422: describe("No event of the request is valid: `rejected` says why, event by event, as in 207"),
        429: describe(f"Faster than the limits: {rates}; nothing was taken", _RETRY),
        503: describe("Kafka does not answer, or too much is waiting; the events may still go out", _RETRY),
    }
