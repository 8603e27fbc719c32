"""Why a whole request is not taken, and with which status: the gateway's refusals. No I/O."""

from typing import Final

RETRY_SECONDS: Final = 5
"""After which a client comes again when the trouble is not its own."""


class Refused(ValueError):
    """A request of which nothing was taken; `status` is its HTTP answer, `retry_after` whole seconds.

    `unread` says that the body was not read to its end.
    """

    def __init__(self, status: int, reason: str, *, retry_after: int | None = None, unread: bool = False) -> None:
        super().__init__(reason)
        self.status, self.retry_after, self.unread = status, retry_after, unread


def too_large(limit: int) -> Refused:
    """Refuse a body that is too long."""
    return Refused(413, f"the body is over {limit} bytes: send it in parts", unread=True)


def too_fast(seconds: int) -> Refused:
    """Refuse a client, or anybody, that sends faster than agreed."""
    return Refused(429, f"too many events: come again in {seconds} s", retry_after=seconds, unread=True)


def busy(reason: str, *, unread: bool = False) -> Refused:
    """Refuse for a reason that is ours."""
    return Refused(503, reason, retry_after=RETRY_SECONDS, unread=unread)
