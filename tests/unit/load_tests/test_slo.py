"""Rules of service level objectives."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.errors import BadInput
from load_tests.slo import ALWAYS, Checked, check, parse, parse_all


@pytest.mark.parametrize(
    ("text", "metric", "limit"),
    [
        ("p99=250ms", "p99", 250.0),
        ("p99=0.25s", "p99", 250.0),
        ("p99=250", "p99", 250.0),
        ("p50=900us", "p50", 0.9),
        ("p50=900µs", "p50", 0.9),
        ("max=1min", "max", 60_000.0),
        ("p99.9=1e3ms", "p99.9", 1000.0),
        (" decisions.p95 = 1 s ", "decisions.p95", 1000.0),
        ("lag=2000events", "lag", 2000.0),
        ("lost=0", "lost", 0.0),
        ("duplicated=1event", "duplicated", 1.0),
    ],
)
def test_a_limit_is_read_with_its_unit(text: str, metric: str, limit: float) -> None:
    assert parse(text).metric == metric
    assert parse(text).limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("p99", "is not METRIC=LIMIT"),
        ("p99=", "is not METRIC=LIMIT"),
        ("p99=-5ms", "is not METRIC=LIMIT"),
        ("p99<250ms", "is not METRIC=LIMIT"),
        ("p99=1.2.3ms", "'1.2.3' is not a number"),
        ("p99=250parsec", "unit 'parsec' is unknown"),
        ("p99=5events", "unit 'events' is unknown"),
        ("p999=5ms", "metric 'p999' is unknown: did you mean p99"),
        ("lost=0ms", "lost is counted in events"),
        ("decisions.lag=5", "metric 'decisions.lag' is unknown"),
        ("throughput=5", "choose one of p50"),
    ],
)
def test_what_is_wrong_with_a_limit_is_said(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse(text)


@given(st.text(max_size=20))
def test_any_text_is_a_limit_or_bad_input(text: str) -> None:
    with contextlib.suppress(BadInput):
        assert parse(text).limit >= 0


def test_without_limits_nothing_may_be_lost_or_scored_twice() -> None:
    assert parse_all([]) == ALWAYS
    assert [slo.metric for slo in ALWAYS] == ["lost", "duplicated"]


def test_a_limit_of_its_own_replaces_the_one_that_always_holds() -> None:
    assert [(slo.metric, slo.limit) for slo in parse_all(["lost=3", "p99=1s"])] == [
        ("lost", 3.0),
        ("p99", 1000.0),
        ("duplicated", 0.0),
    ]


def test_one_metric_has_one_limit() -> None:
    with pytest.raises(BadInput, match="--slo p99 is given twice"):
        parse_all(["p99=1s", "p99=2s"])


def test_a_value_at_its_limit_holds_and_one_above_does_not() -> None:
    values = {"p99": 250.0, "lag": 10.5}
    held, missed = check([parse("p99=250ms"), parse("lag=10events")], values.__getitem__)
    assert (held.ok, missed.ok) == (True, False)
    assert str(missed) == "lag 10.5 events, limit 10 events"
    assert missed.document() == {"name": "lag", "limit": 10.0, "unit": "events", "value": 10.5, "ok": False}


def test_what_was_not_measured_neither_holds_nor_fails() -> None:
    checked = Checked(slo=parse("p99=250ms"), value=None)
    assert checked.ok is None
    assert "nothing measured" in str(checked)
