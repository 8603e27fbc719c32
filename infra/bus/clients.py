"""What every Kafka client of ours has in common: bounded waits, quiet logs, one clear error."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.bus import security
from infra.bus.kafka_library import KafkaError, KafkaTimeoutError, SaslAuthenticationFailedError
from infra.bus.liveness import addresses, answers
from infra.contracts.errors import EnvironmentFailed

REQUEST_TIMEOUT_MS = 8_000
"""How long one request may take: a dead or frozen broker is noticed within about ten seconds."""

DELIVERY_TIMEOUT_MS = 10_000
"""How long a record may take from `send` to its acknowledgement, retries included."""

MAX_RECORD_BYTES = 4 * 1024 * 1024
"""Frames stay below 1 MB; what this adds is room for one row that cannot be split."""

_logger = logging.getLogger("kafka")


def common_settings(bootstrap: str, client_id: str) -> dict[str, Any]:
    """Settings that the producer, the consumer and the admin client share; raises BadInput for a bad address.

    The library logs every reconnect; those lines go to `logging` as warnings at least, and never to a last-resort
    handler on stderr: what matters reaches the caller as an error.
    """
    addresses(bootstrap)
    if _logger.level == logging.NOTSET:
        _logger.setLevel(logging.WARNING)
        _logger.addHandler(logging.NullHandler())
    return {
        "bootstrap_servers": bootstrap.split(","),
        "client_id": client_id,
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "reconnect_backoff_max_ms": 1_000,
        **security.of(bootstrap).client_settings(),
    }


def broker_failed(bootstrap: str, doing: str, problem: object) -> EnvironmentFailed:
    """The one error for a broker that does not do what it was asked."""
    detail = f"{type(problem).__name__}: {problem}" if isinstance(problem, BaseException) else str(problem)
    return EnvironmentFailed(
        f"the Kafka broker at {bootstrap} failed while {doing} ({detail}). "
        "Check that it is running and reachable (`calmverse doctor`), then start again"
    )


def access_refused(bootstrap: str) -> EnvironmentFailed:
    """The one error for a broker that does not believe who we are."""
    used = security.of(bootstrap)
    return EnvironmentFailed(
        f"the Kafka broker at {bootstrap} refused user {used.user} ({used.mechanism}): check user, password and "
        "mechanism in the security file"
    )


@contextmanager
def broker_errors(bootstrap: str, doing: str) -> Iterator[None]:
    """Turn the client library's errors into EnvironmentFailed."""
    try:
        yield
    except SaslAuthenticationFailedError as problem:
        raise access_refused(bootstrap) from problem
    except KafkaError as problem:
        if _is_refusal(bootstrap, problem):
            raise access_refused(bootstrap) from problem
        raise broker_failed(bootstrap, doing, problem) from problem


def _is_refusal(bootstrap: str, problem: KafkaError) -> bool:
    """Whether somebody with a name could not begin at a broker that answers.

    The library takes a refused password for a lost connection, and tries again until its time is over.
    """
    begun = not (isinstance(problem, KafkaTimeoutError) and "bootstrap" in str(problem))
    return not begun and security.of(bootstrap).mechanism is not None and answers(bootstrap)
