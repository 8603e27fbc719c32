"""What the gateway bears: its limits, and the token buckets that hold clients to them. No I/O, no clock of its own.

A bucket holds up to `burst` tokens and gains `per_second`. An event costs one token, and a request at least one. A
request is let in while the bucket is above zero, and then pays for all its events: a large batch leaves a debt, which
the next requests wait out. So a refused request costs no more than its headers, and a batch may be larger than what is
left.
"""

import math
from collections import OrderedDict
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

KNOWN_CLIENTS: Final = 4_096
"""Buckets kept, of the clients seen last; one that is forgotten starts full, the whole limit holds all the same."""


class GatewayConfig(BaseModel):
    """The gateway's own configuration file (CALMVERSE_CONFIG_FILE, JSON)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body_bytes: int = Field(default=4 * 1024**2, ge=1, description="Longest body")
    batch_events: int = Field(default=5_000, ge=1, description="Most events in one batch")
    body_seconds: float = Field(default=10.0, gt=0, description="How long a body may take to arrive")
    answer_seconds: float = Field(default=30.0, gt=0, description="How long a request waits for Kafka")
    held_bytes: int = Field(
        default=32 * 1024**2, ge=1, description="Bodies of all requests that are not answered yet, together"
    )
    waiting_requests: int = Field(default=1_024, ge=1, description="Requests that may wait for Kafka")
    client_events_per_s: float = Field(default=5_000, gt=0, description="Rate of one client (an address)")
    client_burst: float = Field(default=10_000, ge=1, description="Events that one client may send at once")
    events_per_s: float = Field(default=10_000, gt=0, description="Rate of all clients together")
    burst: float = Field(default=20_000, ge=1, description="Events that all clients together may send at once")
    remembered_events: int = Field(
        default=1_000_000, ge=1, description="At least so many of the last events are recognised when sent again"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.held_bytes < self.body_bytes:
            raise ValueError(f"held_bytes is {self.held_bytes}: give at least body_bytes, {self.body_bytes}")
        return self


class TokenBucket:
    """Tokens of one client, or of all; seconds come from the caller and never go back."""

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        self._per_second, self._burst = per_second, burst
        self._tokens, self._at = burst, now

    def wait(self, now: float) -> float:
        """Seconds until a request is let in; 0 for at once."""
        self._refill(now)
        return 0.0 if self._tokens > 0 else (1 - self._tokens) / self._per_second

    def take(self, events: int, now: float) -> None:
        """Pay for so many events, into debt if need be."""
        self._refill(now)
        self._tokens -= events

    def _refill(self, now: float) -> None:
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._per_second)
        self._at = max(self._at, now)


class RateLimiter:
    """One bucket for all clients and one for each of those seen last. For one thread."""

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self._all: TokenBucket | None = None
        self._clients: OrderedDict[str, TokenBucket] = OrderedDict()

    def enter(self, client: str, now: float) -> int:
        """Let a request in and take its first token: 0; or the whole seconds after which to come again."""
        whole, own = self._buckets(client, now)
        wait = max(whole.wait(now), own.wait(now))
        if wait > 0:
            return math.ceil(wait)
        self.charge(client, 1, now)
        return 0

    def charge(self, client: str, events: int, now: float) -> None:
        """Take the tokens of further events of a request that was let in."""
        for bucket in self._buckets(client, now):
            bucket.take(events, now)

    def _buckets(self, client: str, now: float) -> tuple[TokenBucket, TokenBucket]:
        config = self._config
        self._all = self._all or TokenBucket(config.events_per_s, config.burst, now)
        own = self._clients.setdefault(client, TokenBucket(config.client_events_per_s, config.client_burst, now))
        self._clients.move_to_end(client)
        if len(self._clients) > KNOWN_CLIENTS:
            self._clients.popitem(last=False)
        return self._all, own
