"""Token buckets: nobody gets more than was agreed, and what is agreed is got."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.gateway import limits
from services.gateway.limits import GatewayConfig, RateLimiter, TokenBucket

REQUESTS = st.lists(st.tuples(st.floats(0, 2), st.integers(1, 50)), max_size=80)


@given(REQUESTS)
def test_a_client_gets_no_more_than_burst_and_rate_and_one_batch_of_debt(requests: list[tuple[float, int]]) -> None:
    limiter = RateLimiter(GatewayConfig(client_events_per_s=10, client_burst=20))
    now, taken = 0.0, 0
    for pause, events in requests:
        now += pause
        if limiter.enter("a", now) == 0:
            limiter.charge("a", events - 1, now)
            taken += events
        assert taken <= 20 + 10 * now + 50


@given(REQUESTS)
def test_who_waits_as_long_as_it_was_told_is_let_in(requests: list[tuple[float, int]]) -> None:
    limiter = RateLimiter(GatewayConfig(client_events_per_s=7, client_burst=5))
    now = 0.0
    for pause, events in requests:
        now += pause
        wait = limiter.enter("a", now)
        if wait:
            now += wait
            assert limiter.enter("a", now) == 0
        limiter.charge("a", events - 1, now)


def test_one_client_does_not_eat_what_another_may_send_but_all_share_the_whole() -> None:
    limiter = RateLimiter(GatewayConfig(client_events_per_s=1, client_burst=2, events_per_s=1, burst=5))
    admitted = [client for client in ("a", "a", "a", "b", "b", "c", "d") if limiter.enter(client, 0.0) == 0]
    assert admitted == ["a", "a", "b", "b", "c"]


def test_a_bucket_never_holds_more_than_its_burst_and_time_never_goes_back() -> None:
    bucket = TokenBucket(10, 5, now=100.0)
    bucket.take(5, 1_000.0)
    assert bucket.wait(1_000.0) > 0
    assert bucket.wait(0.0) > 0
    assert bucket.wait(1_000.2) == 0


def test_clients_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "KNOWN_CLIENTS", 3)
    limiter = RateLimiter(GatewayConfig(client_events_per_s=1, client_burst=1))
    for client in "abcab":
        limiter.enter(client, 0.0)
    assert limiter.enter("c", 0.0) > 0
    limiter.enter("d", 0.0)
    assert len(limiter._clients) == 3


@pytest.mark.parametrize("wrong", [{"burst": 0}, {"held_bytes": 10}, {"bodybytes": 5}, {"client_events_per_s": 0}])
def test_a_configuration_that_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        GatewayConfig.model_validate(wrong)
