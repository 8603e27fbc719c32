"""Logs are JSON lines; a service's own configuration is checked."""

import io
import logging
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from fastapi import HTTPException
from opentelemetry.sdk.trace import TracerProvider
from pydantic import BaseModel, ConfigDict, Field

from infra.contracts.errors import BadInput
from infra.hosting import logs
from infra.hosting.auth import token_guard
from infra.hosting.config import read_config


class Own(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rows: int = Field(default=5, ge=1)


@pytest.fixture(autouse=True)
def kept_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_a_record_is_one_line_of_json_also_with_a_traceback_and_line_feeds() -> None:
    stream = io.StringIO()
    log = logs.configure("monitor", "INFO", stream)
    log.error("it broke:\n%s", "badly", exc_info=ValueError("two\nlines"))
    (line,) = stream.getvalue().splitlines()
    entry = orjson.loads(line)
    assert (entry["level"], entry["service"], entry["logger"]) == ("error", "monitor", "calmverse.monitor")
    assert entry["message"] == "it broke:\nbadly"
    assert "ValueError: two\nlines" in entry["error"]


def test_a_record_inside_a_span_names_it() -> None:
    stream = io.StringIO()
    log = logs.configure("monitor", "INFO", stream)
    with TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("work") as span:
        log.info("here")
    assert f"{span.get_span_context().span_id:016x}" in orjson.loads(stream.getvalue())["traceparent"]


def test_libraries_say_warnings_only_and_the_level_holds() -> None:
    stream = io.StringIO()
    logs.configure("monitor", "WARNING", stream).info("quiet")
    logs.configure("monitor", "INFO", stream)
    logging.getLogger("uvicorn.error").info("quiet too")
    assert stream.getvalue() == ""


def test_no_file_gives_the_defaults_and_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text('{"rows": 7}')
    assert read_config(None, Own).rows == 5
    assert read_config(path, Own).rows == 7


@pytest.mark.parametrize(
    ("content", "says"), [("{", "JSON"), ('{"rows": 0}', "rows: "), ('{"row": 1}', "row: "), (None, "cannot read")]
)
def test_a_configuration_that_is_wrong_names_the_file_and_the_field(
    tmp_path: Path, content: str | None, says: str
) -> None:
    path = tmp_path / "own.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(BadInput, match=says) as caught:
        read_config(path, Own)
    assert str(path) in str(caught.value)


def test_without_a_token_everybody_passes_and_with_one_only_its_bearer() -> None:
    token_guard(None)(None)
    guard = token_guard("gehëim")
    guard("Bearer gehëim")
    guard("bearer gehëim")
    for given in (None, "", "gehëim", "Bearer", "Bearer other", "Basic gehëim"):
        with pytest.raises(HTTPException) as caught:
            guard(given)
        assert caught.value.status_code == 401
