"""Colours keep their meaning and can be seen."""

import itertools

import pytest

from infra.contracts.worlds import World
from infra.pages import palette
from infra.pages.palette import DARK_PAPER, LIGHT_PAPER, Colour, contrast


@pytest.mark.parametrize("colour", palette.HUES, ids=lambda colour: colour.name)
def test_every_hue_has_the_contrast_of_a_graphic_in_both_themes(colour: Colour) -> None:
    assert contrast(colour.light, LIGHT_PAPER) >= 3
    assert contrast(colour.dark, DARK_PAPER) >= 3


@pytest.mark.parametrize("colour", [palette.INK, palette.MUTED], ids=lambda colour: colour.name)
@pytest.mark.parametrize("ground", [palette.PAPER, palette.PANEL], ids=lambda colour: colour.name)
def test_text_has_the_contrast_of_text_in_both_themes(colour: Colour, ground: Colour) -> None:
    assert contrast(colour.light, ground.light) >= 4.5
    assert contrast(colour.dark, ground.dark) >= 4.5


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_every_world_has_a_colour_of_its_own() -> None:
    colours = [palette.of_world(world.label) for world in World]
    assert all(one is not other for one, other in itertools.combinations(colours, 2))


def test_every_policy_that_ships_has_a_colour_of_its_own() -> None:
    colours = [palette.of_policy(name) for name in ("never", "random", "threshold")]
    assert len(set(colours)) == 3


def test_a_new_name_gets_the_same_colour_each_time() -> None:
    assert palette.of_policy("bandit") is palette.of_policy("bandit")
    assert palette.of_policy("bandit") in palette.HUES


@pytest.mark.parametrize("name", ["monitor", "calmverse-monitor", "services.monitor"])
def test_a_service_keeps_its_colour_however_it_is_called(name: str) -> None:
    assert palette.of_service(name) is palette.SERVICES["monitor"]


def test_a_chart_can_tell_all_colours_apart() -> None:
    drawn = [colour.drawn for colour in palette.COLOURS]
    assert len(set(drawn)) == len(drawn)
    assert all(text == text.lower() for text in drawn)
