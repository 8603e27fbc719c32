"""What a service hands to the host: its routes, its loop, and how it feels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Event

from fastapi import APIRouter

Loop = Callable[[Event], None]
"""The body of the worker thread: returns soon after the event is set, raises when it cannot go on."""


def _always() -> bool:
    return True


def _nothing() -> None:
    return None


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service, put together by its composition root (`build` in its main.py)."""

    loop: Loop | None = None  # runs in a thread of its own; None for a service that only answers
    routers: Sequence[APIRouter] = ()
    ready: Callable[[], bool] = _always  # /readyz: able to take work now
    health: Callable[[], Mapping[str, object]] = dict  # added to /healthz
    close: Callable[[], None] = _nothing  # called once, after the loop has ended
    description: str = ""
