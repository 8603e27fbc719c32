"""A page says what it says in one order, stands alone, and cannot be broken by what is written on it."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from infra.pages import (
    Chart,
    Check,
    Column,
    Estimate,
    Outcome,
    Page,
    Paragraph,
    Picture,
    Reproduce,
    Section,
    Table,
    Verdict,
    render_page,
    write_page,
)
from tests.unit.infra.pages.example_page import example_page

NASTY = '<script>alert("1")</script> & </style>'


@pytest.fixture(scope="module")
def html() -> str:
    return render_page(example_page())


class _Tags(HTMLParser):
    """Collects tags, ids and what is never closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def tags(html: str) -> _Tags:
    parser = _Tags()
    parser.feed(html)
    return parser


def test_the_verdict_stands_first_then_its_table_then_pictures_then_health_then_how_to_reproduce(html: str) -> None:
    page = example_page()
    assert page.table is not None
    marks = [page.verdict.sentence, page.table.caption, "<svg", 'id="health"', 'id="reproduce"']
    body = html[html.index("<body>") :]
    places = [body.index(mark) for mark in marks]
    assert places == sorted(places)


def test_a_page_names_no_address_outside_itself(html: str, tags: _Tags) -> None:
    assert "http:" not in html
    assert "https:" not in html
    assert "@import" not in html
    links = [value for _, name, value in tags.attributes if name in ("src", "href", "xlink:href", "action")]
    assert links
    assert all(link.startswith(("#", "data:")) for link in links)


def test_a_page_runs_no_script(html: str) -> None:
    assert "<script" not in html
    assert "default-src 'none'" in html


def test_every_tag_is_closed_and_every_id_is_there_once(tags: _Tags) -> None:
    assert tags.open == []
    assert len(set(tags.ids)) == len(tags.ids)


def test_every_link_within_a_page_has_its_target(html: str, tags: _Tags) -> None:
    targets = {value[1:] for _, name, value in tags.attributes if name == "href" and value.startswith("#")}
    referred = set(re.findall(r"url\(#([^)]+)\)", html)) | {
        value for _, name, value in tags.attributes if name == "aria-labelledby"
    }
    assert targets | referred <= set(tags.ids)


def test_what_is_written_on_a_page_stays_text() -> None:
    page = Page(
        title=NASTY,
        subtitle=NASTY,
        verdict=Verdict(Outcome.BAD, NASTY, NASTY),
        notices=(NASTY,),
        table=Table((Column(NASTY, NASTY),), ((NASTY,),), NASTY),
        sections=(Section(NASTY, (Paragraph(NASTY),)),),
        health=(Check(NASTY, False, NASTY),),
        reproduce=Reproduce(NASTY, 1, {NASTY: NASTY}, {NASTY: NASTY}),
    )
    html = render_page(page)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 14


def test_the_smallest_page_is_a_page() -> None:
    html = render_page(Page("t", Verdict(Outcome.UNKNOWN, "Nothing is known."), Reproduce("calmverse run demo")))
    assert "Nothing is known." in html
    assert "Undecided" in html
    assert 'id="health"' not in html


def test_an_outcome_is_told_by_a_word_and_a_mark_not_by_colour_alone(html: str) -> None:
    for word, mark in (("Passed", "✓"), ("Failed", "✕"), ("Undecided", "?")):
        assert f'aria-label="{word}">{mark}</span>' in html


def test_a_table_wider_than_a_phone_becomes_cards_and_keeps_its_roles(html: str) -> None:
    assert '<table role="table" class="stacks">' in html
    assert 'data-label="Difference"' in html


@pytest.mark.parametrize(("columns", "cards"), [(2, False), (3, True)])
def test_cards_begin_where_a_third_column_would_be_cut_off(columns: int, cards: bool) -> None:
    table = Table(tuple(Column(str(number)) for number in range(columns)), (("x",) * columns,), "caption")
    html = render_page(Page("t", Verdict(Outcome.OK, "v"), Reproduce("c"), table=table))
    assert ('class="stacks"' in html) is cards


def test_numbers_in_cells_carry_their_interval_and_unit(html: str) -> None:
    assert "3.1 [1.2, 5.0]" in html
    assert '<span class="unit">log loss</span>' in html


def test_a_row_of_another_length_than_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="row 0 has 2 cells, there are 1 columns"):
        Table((Column("a"),), (("x", Estimate(1, 0, 2)),), "caption")


def test_a_reader_never_sees_half_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def full_disk(*_: object, **__: object) -> int:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_page(example_page(), path)
    assert path.read_text() == "old"


def test_a_page_is_written_in_utf8_under_its_name_alone(tmp_path: Path) -> None:
    path = write_page(example_page(), tmp_path / "report.html")
    assert "−0.52 [−0.81, −0.23]" in path.read_text(encoding="utf-8")
    assert list(tmp_path.iterdir()) == [path]


def test_both_themes_are_in_the_page_and_print_is_light(html: str) -> None:
    assert "@media screen and (prefers-color-scheme:dark)" in html
    assert "@media print" in html


def test_pictures_that_use_one_id_do_not_clip_each_other() -> None:
    svg = '<svg><clipPath id="clip1"></clipPath><g clip-path="url(#clip1)"></g></svg>'
    chart = Chart((Picture(svg, svg), Picture(svg, svg)), "caption", "alt")
    page = Page("t", Verdict(Outcome.OK, "s"), Reproduce("c"), sections=(Section("S", (chart,)),))
    html = render_page(page)
    ids, used = re.findall(r'id="([^"]*clip1)"', html), re.findall(r"url\(#([^)]+)\)", html)
    assert len(set(ids)) == 4
    assert ids == used
