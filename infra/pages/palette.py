"""The colours of every page: Okabe and Ito's, each with one meaning.

The eight colours of Okabe and Ito ("Color Universal Design", 2008) are told apart by people with any colour vision.
Three of them are too pale for a white page and one too dark for a black one, so each theme moves the *lightness* (never
the hue) as far as WCAG 1.4.11 asks of a graphic: contrast 3 to 1. The unmoved colour is the name a chart is drawn
with; the page's style sheet says what it looks like in each theme.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

LIGHT_PAPER = "#ffffff"
DARK_PAPER = "#14171a"


@dataclass(frozen=True)
class Colour:
    """One colour. `drawn` stands for it in chart specifications; pages replace it by the CSS variable `--<name>`."""

    name: str
    drawn: str
    light: str
    dark: str

    @property
    def css(self) -> str:
        """The CSS value that follows the theme, such as `var(--orange)`."""
        return f"var(--{self.name})"


ORANGE = Colour("orange", "#e69f00", "#c28600", "#e69f00")
SKY = Colour("sky", "#56b4e9", "#1d99e0", "#56b4e9")
GREEN = Colour("green", "#009e73", "#009e73", "#12b286")
YELLOW = Colour("yellow", "#f0e442", "#9e940d", "#f0e442")
BLUE = Colour("blue", "#0072b2", "#0072b2", "#3291cf")
VERMILLION = Colour("vermillion", "#d55e00", "#d55e00", "#e8752a")
PURPLE = Colour("purple", "#cc79a7", "#c5699c", "#cc79a7")

# Neutrals are drawn with greys that no chart would ask for, so that each can be told from the other afterwards.
INK = Colour("ink", "#010101", "#1a1d21", "#e8eaed")
MUTED = Colour("muted", "#020202", "#5b636b", "#a3abb3")
LINE = Colour("line", "#030303", "#d9dde1", "#343a40")
PAPER = Colour("paper", "#040404", LIGHT_PAPER, DARK_PAPER)
PANEL = Colour("panel", "#050505", "#f4f6f8", "#1d2125")

HUES = (ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE)
COLOURS = (*HUES, INK, MUTED, LINE, PAPER, PANEL)

# A chart shows worlds or policies or services by colour, never two of them, so the three may share hues.
WORLDS: Mapping[str, Colour] = MappingProxyType(
    {"social": PURPLE, "learning": BLUE, "work": ORANGE, "gaming": VERMILLION, "medical": GREEN, "none": MUTED}
)
POLICIES: Mapping[str, Colour] = MappingProxyType({"never": MUTED, "random": SKY, "threshold": VERMILLION})
SERVICES: Mapping[str, Colour] = MappingProxyType(
    {
        "simulation": MUTED,
        "gateway": YELLOW,
        "monitor": BLUE,
        "serve": SKY,
        "interventions": VERMILLION,
        "archiver": GREEN,
        "experiments": PURPLE,
    }
)
# The world without offers is the policy `never`, whatever it is compared with.
TWIN = POLICIES["never"]


def of_world(name: str) -> Colour:
    """The colour of a world by its lower-case name; a new world gets one from its name, the same on every page."""
    return WORLDS.get(name) or _from_name(name)


def of_policy(name: str) -> Colour:
    """The colour of a policy by its name; a new policy gets one from its name, the same on every page."""
    return POLICIES.get(name) or _from_name(name)


def of_service(name: str) -> Colour:
    """The colour of a service in traces; `calmverse-monitor` and `services.monitor` are both `monitor`."""
    short = name.removeprefix("calmverse").strip("-._ ").rsplit(".", maxsplit=1)[-1]
    return SERVICES.get(short) or _from_name(short)


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio of two `#rrggbb` colours, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _from_name(name: str) -> Colour:
    return HUES[zlib.crc32(name.encode()) % len(HUES)]


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
