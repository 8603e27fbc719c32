"""Logs as JSON lines on stderr: one object a record, so that a machine reads them and a person can grep them."""

import logging
import sys
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import orjson

from infra.telemetry.propagation import current_traceparent

# Libraries whose INFO lines say nothing that our own lines and metrics do not.
_QUIET: Final = ("uvicorn", "kafka", "httpx", "httpcore", "opentelemetry", "urllib3")


class JsonLines(logging.Formatter):
    """Formats a record as {time, level, service, logger, message[, error][, traceparent]} on one line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON without line feeds."""
        entry: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        traceparent = current_traceparent()
        if traceparent is not None:
            entry["traceparent"] = traceparent
        return orjson.dumps(entry, default=str).decode()


def configure(service: str, level: str, stream: TextIO | None = None) -> logging.Logger:
    """Send all logging of this process to `stream` (stderr) as JSON lines; return the service's logger."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    return logging.getLogger(f"calmverse.{service}")
