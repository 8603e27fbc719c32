"""What only a browser can tell: nothing sticks out, text can be read, nothing is fetched, the keyboard gets around."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright

from infra.pages import write_page
from tests.unit.infra.pages.example_page import example_page

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium: apt-get install chromium"),
]
SMALLEST_TEXT = """() => Math.min(...[...document.querySelectorAll('svg text')]
    .filter(t => t.getClientRects().length)
    .map(t => parseFloat(getComputedStyle(t).fontSize) * t.ownerSVGElement.getBoundingClientRect().width
         / t.ownerSVGElement.viewBox.baseVal.width))"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_page(example_page(), tmp_path_factory.mktemp("page") / "report.html").as_uri()


@pytest.fixture(params=[(1280, "light"), (390, "dark"), (810, "light")], ids=str, scope="module")
def tab(request: pytest.FixtureRequest, url: str) -> Iterator[Tab]:
    width, scheme = request.param
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        fetched: list[str] = []
        tab.on("request", lambda made: fetched.append(made.url))
        tab.on("console", lambda message: fetched.append(message.text))
        tab.goto(url)
        assert [each for each in fetched if not each.startswith(("file:", "data:"))] == []
        yield tab
        browser.close()


def test_nothing_sticks_out_of_the_window(tab: Tab) -> None:
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_text_in_pictures_is_no_smaller_than_ten_pixels(tab: Tab) -> None:
    assert tab.evaluate(SMALLEST_TEXT) >= 10


def test_no_label_of_a_picture_is_cut_off_at_the_edge_of_the_window(tab: Tab) -> None:
    outside = """() => [...document.querySelectorAll('svg text')].filter(t => t.getClientRects().length)
        .map(t => [t.textContent, t.getBoundingClientRect()])
        .filter(([_, r]) => r.left < -1 || r.right > window.innerWidth + 1).map(([text]) => text)"""
    assert tab.evaluate(outside) == []


def test_the_theme_follows_the_reader(tab: Tab) -> None:
    dark = tab.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    ground = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")


def test_the_first_stop_of_the_keyboard_skips_to_the_sections(tab: Tab) -> None:
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.getAttribute('href')") == "#main"
