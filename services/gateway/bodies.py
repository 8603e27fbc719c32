"""Reading the bodies of requests: never more than the limit, whatever the headers say, and never for ever."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from services.gateway.limits import GatewayConfig
from services.gateway.refusals import Refused, busy, too_large

LINGER_SECONDS: Final = 2.0
LINGER_BYTES: Final = 32 * 1024**2


class BodyReader:
    """Reads bodies within the limits, and knows how much all unanswered requests hold together. For one event loop."""

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self._held = 0

    @contextlib.contextmanager
    def holding(self) -> Iterator["HeldBody"]:
        """A place for the body of one request; what it holds counts until the block is left."""
        body = HeldBody()
        try:
            yield body
        finally:
            self._held -= len(body.content)

    async def read(self, request: Request, body: "HeldBody") -> None:
        """Read the body of `request`; raises Refused (400, 408, 413, 415, 503) as soon as it is clear."""
        self._check_headers(request)
        try:
            async with asyncio.timeout(self._config.body_seconds):
                async for chunk in request.stream():
                    self._take(body, chunk)
        except TimeoutError:
            seconds = self._config.body_seconds
            raise Refused(408, f"the body did not arrive within {seconds:g} s: send it again", unread=True) from None
        except ClientDisconnect:
            raise Refused(400, "the connection ended before the body did", unread=True) from None

    def _check_headers(self, request: Request) -> None:
        coding = request.headers.get("content-encoding", "identity")
        if coding.lower() != "identity":
            raise Refused(415, f"content encoding {coding[:40]!r}: send the body as it is", unread=True)
        told = told_length(request)
        if told is not None and told > self._config.body_bytes:
            raise too_large(self._config.body_bytes)

    def _take(self, body: "HeldBody", chunk: bytes) -> None:
        if len(body.content) + len(chunk) > self._config.body_bytes:
            raise too_large(self._config.body_bytes)
        if self._held + len(chunk) > self._config.held_bytes:
            raise busy("the gateway holds as many bodies as it can: send the events again", unread=True)
        body.content += chunk
        self._held += len(chunk)


def told_length(request: Request) -> int | None:
    """Return what the header Content-Length says; None without one (a chunked body) or for an unusable one."""
    told = request.headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 20 else None


class HeldBody:
    """The body of one request, as far as it was read."""

    def __init__(self) -> None:
        self.content = bytearray()


class EarlyAnswer(Response):
    """An answer given before the body was read to its end; with `close`, the last one of its connection.

    A socket that is closed while bytes arrive resets the connection, and the client may then lose the answer. So what
    still comes is read and thrown away for a while: LINGER_BYTES, LINGER_SECONDS at most.
    """

    def __init__(self, answer: JSONResponse, *, close: bool) -> None:
        super().__init__(answer.body, answer.status_code, dict(answer.headers), answer.media_type)
        if close:
            self.headers["Connection"] = "close"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, then let the client finish."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        del scope
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                await _throw_away(receive)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _throw_away(receive: Receive) -> None:
    thrown, more = 0, True
    while more and thrown < LINGER_BYTES:
        message: Message = await receive()
        thrown += len(message.get("body", b""))
        more = bool(message.get("more_body", False))
