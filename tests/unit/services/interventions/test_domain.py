"""Which policy holds when, and who may see whose record."""

import pytest

from services.interventions.domain import Access, PolicyChange, access, person_token, policy_at

TIMELINE = [
    PolicyChange(from_tick=-1, name="never", parameters={}),
    PolicyChange(from_tick=100, name="random", parameters={"probability": 0.1}),
    PolicyChange(from_tick=103, name="threshold", parameters={}),
]


@pytest.mark.parametrize(
    ("tick", "name"), [(0, "never"), (99, "never"), (100, "random"), (102, "random"), (103, "threshold")]
)
def test_a_change_holds_from_its_tick_until_the_next_one(tick: int, name: str) -> None:
    assert policy_at(TIMELINE, tick).name == name


def test_the_service_token_opens_every_record_and_a_persons_token_their_own() -> None:
    mine = person_token("secret", 2**64 - 1)
    assert access("secret", "secret", 5) is Access.GRANTED
    assert access("secret", mine, 2**64 - 1) is Access.GRANTED
    assert access("secret", mine, 5) is Access.OTHER_PERSON


@pytest.mark.parametrize(
    "token", [None, "", "wrong", "5.", "5.abc", "x.y", f"5.{person_token('secret', 6).partition('.')[2]}"]
)
def test_a_token_that_is_not_ours_opens_nothing(token: str | None) -> None:
    assert access("secret", token, 5) is Access.UNKNOWN


def test_tokens_of_another_secret_open_nothing() -> None:
    assert access("secret", person_token("other", 5), 5) is Access.UNKNOWN


def test_without_a_secret_records_are_open() -> None:
    assert access(None, None, 5) is Access.GRANTED
