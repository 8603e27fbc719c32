"""CloudEvents as clients send them."""

from typing import Any


def cloud_event(identifier: str = "1", kind: str = "CommentPosted", **changes: object) -> dict[str, Any]:
    """A valid event in JSON form; `changes` replace attributes, None removes one."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": identifier,
        "source": "https://app.example/web",
        "type": f"calmverse.{kind}.v1",
        "subject": "18446744073709551615",
        "time": "2026-01-05T09:00:00.25+01:00",
        "data": {"item": 7, "peer": "12", "sentiment": 0.5, "importance": 0.25, "duration_s": 30},
    } | changes
    return {name: value for name, value in event.items() if value is not None}
