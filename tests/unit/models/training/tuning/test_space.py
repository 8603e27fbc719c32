"""Rules of what a search tries."""

import pytest

from infra.contracts.errors import BadInput
from models.training.tuning.space import Space, Varied, read_varied


def space(*texts: str, trials: int = 64, seed: int = 1) -> Space:
    return Space(common={"epochs": "3"}, varied=tuple(map(read_varied, texts)), trials=trials, seed=seed)


def test_what_is_tried_is_a_function_of_the_seed() -> None:
    texts = ("learning_rate=0.001..0.02", "layers=1..3", "mechanism=banded,dynamic")
    drawn = space(*texts).drawn()
    assert drawn == space(*texts).drawn()
    assert drawn != space(*texts, seed=2).drawn()
    assert space(*texts, trials=8).drawn() == drawn[:8]


def test_ranges_and_choices_are_drawn_from_in_full_and_never_left() -> None:
    drawn = space("learning_rate=0.0001..0.01", "layers=1..3", "dropout=0.1..0.3", "window=8,32").drawn()
    assert {each["layers"] for each in drawn} == {"1", "2", "3"}
    assert {each["window"] for each in drawn} == {"8", "32"}
    rates = [float(each["learning_rate"]) for each in drawn]
    assert all(0.0001 <= rate <= 0.01 for rate in rates)
    # On a logarithmic scale half of them are below the geometric mean; on a plain one a tenth would be.
    assert 0.3 < sum(rate < 0.001 for rate in rates) / len(rates) < 0.7
    dropouts = [float(each["dropout"]) for each in drawn]
    assert all(0.1 <= each <= 0.3 for each in dropouts)
    assert 0.3 < sum(each < 0.2 for each in dropouts) / len(dropouts) < 0.7


def test_few_combinations_of_choices_are_each_tried_once_in_order() -> None:
    drawn = space("window=8,32", "layers=1,2", trials=4).drawn()
    assert [(each["window"], each["layers"]) for each in drawn] == [("8", "1"), ("8", "2"), ("32", "1"), ("32", "2")]
    assert len(space("window=8,32", "layers=1,2", trials=3).drawn()) == 3


def test_ends_of_a_range_of_whole_numbers_are_both_reached() -> None:
    layers = Varied("layers", low=1, high=3, whole=True)
    assert (layers.at(0.0), layers.at(0.5), layers.at(0.999)) == ("1", "2", "3")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rate", "write KEY=low..high"),
        ("learning_rat=0.1..0.2", "did you mean learning_rate"),
        ("learning_rate=0.2..0.1", "from the lower to the higher"),
        ("learning_rate=low..0.1", "must be numbers"),
        ("mechanism=1..2", "a setting that is a number"),
        ("horizon_min=5,30", "judged alike"),
        ("epochs=2,4", "train equally long"),
        ("layers=0,1", "layers"),
    ],
)
def test_what_cannot_be_tried_is_refused(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        space(text)


def test_a_setting_is_varied_once_and_not_fixed_too() -> None:
    for texts in ((), ("layers=1,2", "layers=2,3")):
        with pytest.raises(BadInput, match="each setting once"):
            space(*texts)
    with pytest.raises(BadInput, match="each setting once"):
        Space(common={"layers": "1"}, varied=(read_varied("layers=1,2"),), trials=2, seed=1)
