"""What the gateway accepts: CloudEvents of our event kinds, checked against the event contract. No I/O.

A CloudEvent becomes an event like this:

| CloudEvents                   | event                                                                       |
|-------------------------------|-----------------------------------------------------------------------------|
| `type` "calmverse.<Kind>.v1"  | `kind`, and `world` where the kind belongs to one                           |
| `source`, `id`                | `event_id`: 64 bits of BLAKE2b over both; the same pair is the same event   |
| `subject`                     | `person`: the pseudonym as a decimal number                                 |
| `time` (RFC 3339)             | `occurred_at`, and `utc_offset_minutes` from its offset                     |
| `intendedat` (extension)      | `intended_at`, µs; the time of arrival where it is absent                   |
| `data`                        | the payload family of the kind, and what `_extra_fields` adds               |
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal

import numpy as np
import pyarrow as pa
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    create_model,
)

from infra.contracts.events import EVENT
from infra.contracts.fields import Field as ContractField
from infra.contracts.kinds import KIND_BY_NAME, KINDS, EventKind, Role
from infra.contracts.worlds import World

TYPE_PATTERN: Final = re.compile(r"calmverse\.(?P<kind>[A-Za-z]+)\.v(?P<version>\d+)")
ACCEPTED_KINDS: Final = tuple(kind for kind, spec in KINDS.items() if spec.role is not Role.CHECK)
"""Every kind but the checks: these are outcomes, and come from whoever measures them."""

MAX_TEXT: Final = 64
_MAX_US: Final = 253_402_300_800_000_000  # the year 10000, where RFC 3339 ends
_MOST_REASONS: Final = 5  # of one event; an answer must not grow with what was sent
_MOST_TEXT: Final = 80  # characters of what was sent that a reason quotes
_WIDTHS: Final = {"u8": 8, "u16": 16, "u32": 32}


class InvalidEvent(ValueError):
    """A CloudEvent that is well formed but not one of ours; the message says which field, and why."""


def _decimal(value: object) -> object:
    """Read a 64-bit number from decimal text: JSON numbers lose bits beyond 2^53 in many programs."""
    if isinstance(value, str):
        if not value.isascii() or not value.isdigit():
            raise ValueError("give an unsigned number in decimal digits")
        return int(value)
    return value


def _text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("give text as RFC 3339 has it")  # noqa: TRY004 - pydantic turns ValueError into a reason
    return value


U64 = Annotated[int, BeforeValidator(_decimal), Field(ge=0, lt=2**64, strict=True)]
Float32 = Annotated[float, Field(ge=-3.4e38, le=3.4e38, allow_inf_nan=False)]


class Envelope(BaseModel):
    """The context attributes of a CloudEvent 1.0, as far as we use them; extensions are let through."""

    model_config = ConfigDict(extra="allow")

    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=256)
    source: str = Field(min_length=1, max_length=1024)
    type: str = Field(min_length=1, max_length=256)
    subject: U64 = Field(description="Pseudonym of the person, decimal")
    time: Annotated[AwareDatetime, BeforeValidator(_text)] = Field(
        description="When it happened, RFC 3339 with an offset"
    )
    datacontenttype: Literal["application/json"] | None = None
    intendedat: Annotated[int, BeforeValidator(_decimal), Field(ge=0, lt=_MAX_US)] | None = Field(
        default=None, description="When it should have been sent, wall time, µs UTC"
    )
    data: dict[str, Any] = Field(description="Payload of the kind")


@dataclass(frozen=True, kw_only=True, slots=True)
class OutsideEvent:
    """One valid event, without the number that its person's sequence gives it."""

    event_id: int
    person: int
    world: int
    kind: int
    in_reply_to: int
    occurred_at: int  # µs UTC
    utc_offset_minutes: int
    intended_at: int  # µs UTC, wall
    payload: Mapping[str, Mapping[str, Any]]  # by struct of the event record


def event_id_of(source: str, identifier: str) -> int:
    """Return the event id of a CloudEvent: 64 bits of BLAKE2b over source and id, never 0 (0 means "none")."""
    text = f"{len(source)}:{source}{identifier}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") or 1


def parse_event(event: object, arrived_at: int) -> OutsideEvent:
    """Check one CloudEvent in JSON form (a dict with its attributes and `data`). Raises InvalidEvent.

    `arrived_at`, wall time in µs UTC, is its `intended_at` where it does not say one.
    """
    try:
        envelope = Envelope.model_validate(event)
        kind = _kind_of(envelope.type)
        data = data_model(kind).model_validate(envelope.data).model_dump()
    except ValidationError as error:
        raise InvalidEvent(_reasons(error)) from error
    offset = data.pop("utc_offset_minutes")
    reply = data.pop("in_reply_to")
    return OutsideEvent(
        event_id=event_id_of(envelope.source, envelope.id),
        person=envelope.subject,
        world=_world_of(kind, data.pop("world")),
        kind=kind,
        in_reply_to=event_id_of(envelope.source, reply) if reply else 0,
        occurred_at=_occurred_at(envelope.time),
        utc_offset_minutes=_offset_of(envelope.time) if offset is None else offset,
        intended_at=arrived_at if envelope.intendedat is None else envelope.intendedat,
        payload=_payload(kind, data),
    )


@cache
def data_model(kind: EventKind) -> type[BaseModel]:
    """Return the pydantic model of the `data` of one kind, made from its payload family in the event contract."""
    spec = KINDS[kind]
    fields: dict[str, Any] = {}
    for struct in EVENT.structs():
        if struct.name == spec.family:
            fields = {field.name: (_type_of(field), Field(description=field.meaning)) for field in struct.fields}
    return create_model(f"{spec.name}Data", __config__=ConfigDict(extra="forbid"), **fields, **_extra_fields())


def _extra_fields() -> dict[str, Any]:
    """What `data` may hold beside the payload family."""
    return {
        "in_reply_to": (
            str | None,
            Field(default=None, max_length=256, description="id of the exposure answered, of the same source"),
        ),
        "utc_offset_minutes": (
            int | None,
            Field(default=None, ge=-840, le=840, description="Local time less UTC; default: the offset of `time`"),
        ),
        "world": (
            str | None,
            Field(default=None, description="World the person was in, for kinds that happen in every world"),
        ),
        "text": (str | None, Field(default=None, max_length=10_000, description="Free text (sensitive)")),
        "symptoms": (
            list[Float32] | None,
            Field(default=None, max_length=MAX_TEXT, description="Symptom item scores (sensitive)"),
        ),
    }


def _type_of(field: ContractField) -> object:
    if field.type == "u64":
        return U64
    if field.type in _WIDTHS:
        return Annotated[int, Field(ge=0, lt=2 ** _WIDTHS[field.type], strict=True)]
    if field.type == "f32":
        return Float32
    raise TypeError(f"the gateway has no JSON form for {field.name} of type {field.type}")


def _kind_of(type_name: str) -> EventKind:
    found = TYPE_PATTERN.fullmatch(type_name)
    kind = KIND_BY_NAME.get(found["kind"]) if found else None
    if found is None or kind is None:
        raise InvalidEvent(
            f"type: {type_name[:_MOST_TEXT]!r} is unknown; give calmverse.<Kind>.v1, such as calmverse.CommentPosted.v1"
        )
    if int(found["version"]) != EVENT.version:
        raise InvalidEvent(
            f"type: version {found['version'][:_MOST_TEXT]} is unknown; this gateway takes v{EVENT.version}"
        )
    if kind not in ACCEPTED_KINDS:
        raise InvalidEvent(f"type: {found['kind']} is a check, which is an outcome and no event")
    return kind


def _world_of(kind: EventKind, given: str | None) -> int:
    own = KINDS[kind].world
    worlds = {world.label: world for world in World}
    if given is None:
        return int(own or World.NONE)
    if given not in worlds:
        raise InvalidEvent(f"data.world: {given[:_MOST_TEXT]!r} is no world; give one of {', '.join(worlds)}")
    if own is not None and worlds[given] is not own:
        raise InvalidEvent(f"data.world: {KINDS[kind].name} happens in the world {own.label}, not {given}")
    return int(worlds[given])


def _payload(kind: EventKind, data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    text, symptoms = data.pop("text"), data.pop("symptoms")
    payload: dict[str, dict[str, Any]] = {}
    family = KINDS[kind].family
    if family is not None:
        payload[family] = data
    if text is not None or symptoms is not None:
        scores = np.asarray(symptoms or [], dtype="<f4").tobytes()
        payload["sensitive"] = {"key_id": 0, "text": (text or "").encode(), "symptoms": scores}
    return payload


def _occurred_at(time: datetime) -> int:
    """Microseconds since the epoch; an offset can carry a valid text out of the years that RFC 3339 can write."""
    us = int(time.replace(microsecond=0).timestamp()) * 1_000_000 + time.microsecond
    if not 0 <= us < _MAX_US:
        raise InvalidEvent("time: give one from 1970 to 9999, UTC")
    return us


def _offset_of(time: datetime) -> int:
    offset = time.utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)


def _reasons(error: ValidationError) -> str:
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{_place(each['loc'])}: {each['msg']}" for each in wrong[:_MOST_REASONS]]
    return "; ".join(shown) + (f"; and {len(wrong) - len(shown)} more" if len(wrong) > len(shown) else "")


def _place(names: tuple[int | str, ...]) -> str:
    return ".".join(map(str, names))[:_MOST_TEXT] or "event"


def to_batch(events: Sequence[OutsideEvent], seqs: Sequence[int]) -> pa.RecordBatch:
    """Return EVENT rows, sorted by (person, seq); `seqs[i]` is the number of event i in its person's sequence."""
    order = sorted(range(len(events)), key=lambda row: (events[row].person, seqs[row]))
    rows = [events[row] for row in order]
    values: dict[str, list[Any]] = {
        name: [getattr(row, name) for row in rows] for name in EVENT.arrow.names if name in OutsideEvent.__slots__
    }
    values["seq"] = [seqs[row] for row in order]
    for struct in EVENT.structs():
        values[struct.name] = [row.payload.get(struct.name) for row in rows]
    arrays = [pa.array(values[field.name], field.type) for field in EVENT.arrow]
    return pa.RecordBatch.from_arrays(arrays, schema=EVENT.arrow)


def event_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one accepted CloudEvent, for the OpenAPI document."""
    schema = Envelope.model_json_schema()
    kinds = {f"calmverse.{KINDS[kind].name}.v{EVENT.version}": kind for kind in ACCEPTED_KINDS}
    schema["properties"]["type"] = {"type": "string", "enum": sorted(kinds)}
    schema["properties"]["subject"] = {
        "type": "string",
        "pattern": "^[0-9]{1,20}$",
        "description": "Pseudonym, decimal",
    }
    schema["properties"]["data"] = {
        "anyOf": [TypeAdapter(data_model(kind)).json_schema() for kind in kinds.values()],
        "description": "The payload of the kind in `type`: <Kind>Data",
    }
    return schema
