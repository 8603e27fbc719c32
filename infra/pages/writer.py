"""From a `Page` to one HTML file that opens anywhere, without a network and without scripts."""

import os
import re
from functools import cache
from itertools import count
from pathlib import Path

import jinja2
from markupsafe import Markup

from infra.pages.blocks import Block, Cell, Chart, Estimate, Figures, Mark, Outcome, Page, Paragraph, Swatch, Table
from infra.pages.palette import COLOURS

_HERE = Path(__file__).parent
_MARKS = {Outcome.OK: "✓", Outcome.BAD: "✕", Outcome.UNKNOWN: "?"}
_LABELS = {Outcome.OK: "Passed", Outcome.BAD: "Failed", Outcome.UNKNOWN: "Undecided"}


def write_page(page: Page, path: Path) -> Path:
    """Write `page` to `path` and return it. A reader never sees half a page: the file is renamed into place.

    Raises:
        OSError: the folder does not exist or cannot be written.
    """
    waiting = path.with_name(path.name + ".part")
    waiting.write_text(render_page(page), encoding="utf-8")
    waiting.replace(path)
    return path


def render_page(page: Page) -> str:
    """The page as one HTML document: styles and pictures inside, no address of anything outside."""
    pictures = count()
    template = _environment().get_template("page.html")
    return template.render(
        page=page,
        style=Markup(style_sheet()),  # noqa: S704 our own style sheet, read from beside this file
        marks=_MARKS,
        labels=_LABELS,
        svg=lambda text: _embed(text, next(pictures)),
        cell_kind=_cell_kind,
        block_kind=_block_kind,
        anchor=_anchor,
        stacks=_stacks,
    )


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def style_sheet() -> str:
    """The colours of both themes as CSS variables, and the rules of every page."""
    light = "".join(f"--{c.name}:{c.light};" for c in COLOURS)
    dark = "".join(f"--{c.name}:{c.dark};" for c in COLOURS)
    rules = (_HERE / "page.css").read_text(encoding="utf-8")
    variables = (
        f":root{{color-scheme:light dark;{light}}}{os.linesep}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}{os.linesep}"
    )
    return variables + rules


def _embed(svg: str, ordinal: int) -> Markup:
    """Give every id in a picture a prefix of its own: two pictures on a page must not clip each other."""
    prefix = f"p{ordinal}-"
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)
    return Markup(svg)  # noqa: S704 drawn by charts/, which escapes the text it is given


def _cell_kind(cell: Cell) -> str:
    if isinstance(cell, Mark):
        return "mark"
    if isinstance(cell, Swatch):
        return "swatch"
    return "number" if isinstance(cell, int | float | Estimate) else "text"


def _block_kind(block: Block) -> str:
    kinds: dict[type, str] = {Table: "table", Chart: "chart", Paragraph: "paragraph", Figures: "figures"}
    return kinds[type(block)]


def _stacks(table: Table) -> bool:
    """Whether a narrow window shows each row as a card: a wide table of few rows would hide its last columns."""
    return len(table.columns) > 2 and len(table.rows) <= 32


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "section"
