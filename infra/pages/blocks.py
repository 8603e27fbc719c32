"""What a page is made of, as frozen values: a builder states what is to be said, the template how it looks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from infra.pages import numbers
from infra.pages.palette import Colour


class Outcome(StrEnum):
    """How a verdict or a check came out."""

    OK = "ok"
    BAD = "bad"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, ok: bool | None) -> "Outcome":
        """True is OK, False is BAD, None (not measured) is UNKNOWN."""
        if ok is None:
            return cls.UNKNOWN
        return cls.OK if ok else cls.BAD


@dataclass(frozen=True)
class Verdict:
    """The one sentence a reader takes away, and whether it is good news. `label` overrides the word beside the mark."""

    outcome: Outcome
    sentence: str
    label: str = ""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, in the column's unit; missing ends are shown as such."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Mark:
    """A cell that says how something came out, in a word, with a mark that does not rest on colour alone."""

    outcome: Outcome
    text: str


@dataclass(frozen=True)
class Swatch:
    """A cell that names a world or a policy beside its colour."""

    text: str
    colour: Colour


Cell = str | int | float | None | Estimate | Mark | Swatch
CellKind = Literal["text", "number", "mark", "swatch"]


@dataclass(frozen=True)
class Column:
    """A table column. Numbers are right-aligned by default; `decimals` None chooses three significant digits."""

    label: str
    unit: str = ""
    align: Literal["left", "right"] = "right"
    decimals: int | None = None

    def text(self, cell: Cell) -> str:
        """What a reader sees of a cell in this column."""
        if cell is None:
            return numbers.MISSING
        if isinstance(cell, Mark | Swatch):
            return cell.text
        if isinstance(cell, Estimate):
            return numbers.estimate(cell.value, cell.low, cell.high, self.decimals)
        if isinstance(cell, str):
            return cell
        return numbers.number(cell, None if isinstance(cell, int) else self.decimals)


@dataclass(frozen=True)
class Table:
    """Rows of cells under columns with units. The first column names its row.

    Raises:
        ValueError: a row has another length than the columns.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str

    def __post_init__(self) -> None:
        for index, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"table {self.caption!r}: row {index} has {len(row)} cells, there are {len(self.columns)} columns"
                )


@dataclass(frozen=True)
class Picture:
    """One drawing, as SVG, for wide and for narrow windows, with the title that stands above it."""

    wide: str
    narrow: str
    title: str = ""
    colour: Colour | None = None


@dataclass(frozen=True)
class Chart:
    """One or several pictures (small multiples) under one caption that states what is seen, computed from the data.

    `alt` describes the picture for who cannot see it; `data` is shown on demand, so that no number hides in a picture.
    `columns` is how many small multiples stand side by side in a wide window.
    """

    pictures: tuple[Picture, ...]
    caption: str
    alt: str
    data: Table | None = None
    columns: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Figure:
    """One number worth standing alone: `value` is formatted by the caller and carries its interval in `note`."""

    label: str
    value: str
    unit: str = ""
    note: str = ""


@dataclass(frozen=True)
class Figures:
    """A row of single numbers: where a number does, no chart."""

    items: tuple[Figure, ...]


Block = Table | Chart | Paragraph | Figures


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    title: str
    body: tuple[Block, ...]


@dataclass(frozen=True)
class Check:
    """One health check: `ok` None says it could not be looked at."""

    name: str
    ok: bool | None
    text: str

    @property
    def outcome(self) -> Outcome:
        """The check as the template shows it."""
        return Outcome.of(self.ok)


@dataclass(frozen=True)
class Reproduce:
    """How to get the same page again: the command, the seed, what it ran on, and other facts such as the digest."""

    command: str
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """One page, in the order a reader needs: verdict, its table, pictures, health checks, how to reproduce it.

    `notices` stand under the verdict: what a reader has to know before believing it, such as that the run is partial.
    """

    title: str
    verdict: Verdict
    reproduce: Reproduce
    table: Table | None = None
    sections: tuple[Section, ...] = ()
    health: tuple[Check, ...] = ()
    subtitle: str = ""
    notices: tuple[str, ...] = ()
