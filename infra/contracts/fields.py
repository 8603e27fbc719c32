"""Records as data: one definition from which the Arrow schema and the JSON Schema are generated."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

_ARROW: dict[str, pa.DataType] = {
    "u8": pa.uint8(),
    "u16": pa.uint16(),
    "u32": pa.uint32(),
    "u64": pa.uint64(),
    "i16": pa.int16(),
    "i64": pa.int64(),
    "f32": pa.float32(),
    "f64": pa.float64(),
    "utf8": pa.utf8(),
    "binary": pa.binary(),
}
_INTEGER_RANGE = {
    "u8": (0, 2**8 - 1),
    "u16": (0, 2**16 - 1),
    "u32": (0, 2**32 - 1),
    "u64": (0, 2**64 - 1),
    "i16": (-(2**15), 2**15 - 1),
    "i64": (-(2**63), 2**63 - 1),
}


@dataclass(frozen=True)
class Field:
    """One value: its name, its wire type (a key of the table above), its meaning, and its unit if it has one."""

    name: str
    type: str
    meaning: str
    unit: str = ""

    def arrow(self) -> pa.Field:
        """The Arrow field: never null (absence is a null struct, or NaN where the meaning says so)."""
        return pa.field(self.name, _ARROW[self.type], nullable=False)

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the value; binary is base64 text."""
        schema: dict[str, Any] = {"description": self.meaning}
        if self.unit:
            schema["x-unit"] = self.unit
        if self.type in _INTEGER_RANGE:
            low, high = _INTEGER_RANGE[self.type]
            return schema | {"type": "integer", "minimum": low, "maximum": high}
        if self.type in {"f32", "f64"}:
            return schema | {"type": "number"}
        if self.type == "binary":
            return schema | {"type": "string", "contentEncoding": "base64"}
        return schema | {"type": "string"}


@dataclass(frozen=True)
class Struct:
    """A nullable group of values: one payload family of the event record."""

    name: str
    fields: tuple[Field, ...]
    meaning: str

    def arrow(self) -> pa.Field:
        """The Arrow field: a nullable struct of non-null children."""
        return pa.field(self.name, pa.struct([field.arrow() for field in self.fields]), nullable=True)

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema of the group: an object with every value required."""
        return {
            "description": self.meaning,
            "type": "object",
            "properties": {field.name: field.json_schema() for field in self.fields},
            "required": [field.name for field in self.fields],
            "additionalProperties": False,
        }


@dataclass(frozen=True)
class Record:
    """A record type of one stream: name, version, and its values in wire order."""

    name: str
    version: int
    fields: tuple[Field | Struct, ...]

    @property
    def type_name(self) -> str:
        """CloudEvents type of a frame of these records."""
        return f"calmverse.{self.name}.v{self.version}"

    @property
    def arrow(self) -> pa.Schema:
        """Arrow schema, in wire order."""
        return _schema_of(self)

    def structs(self) -> Iterator[Struct]:
        """The payload families, in wire order."""
        return (field for field in self.fields if isinstance(field, Struct))

    def json_schema(self) -> dict[str, Any]:
        """JSON Schema (2020-12) of one record."""
        required = [field.name for field in self.fields if isinstance(field, Field)]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.type_name,
            "type": "object",
            "properties": {field.name: field.json_schema() for field in self.fields},
            "required": required,
            "additionalProperties": False,
        }


_SCHEMAS: dict[tuple[str, int], pa.Schema] = {}


def _schema_of(record: Record) -> pa.Schema:
    key = (record.name, record.version)
    if key not in _SCHEMAS:
        _SCHEMAS[key] = pa.schema([field.arrow() for field in record.fields])
    return _SCHEMAS[key]
