"""Scenarios on top of scenarios: what is merged, and the one-line error for what cannot be."""

from pathlib import Path

import pytest

from infra.contracts.errors import BadInput
from simulation.scenarios import load


def write(folder: Path, **texts: str) -> Path:
    """Files of these names and texts; the folder."""
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def refusal(path: Path) -> str:
    """The one-line message for a file, with its folder left out."""
    with pytest.raises(BadInput) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{path.parent}/", "")


def test_a_scenario_changes_what_it_extends_and_keeps_the_rest(tmp_path: Path) -> None:
    write(tmp_path, mine="extends: demo\nname: mine\npeople: 300\nworlds: {work: 3}\n")
    mine, demo = load(tmp_path / "mine.yaml"), load("demo")
    assert (mine.name, mine.people, mine.worlds["work"]) == ("mine", 300, 3.0)
    assert (mine.worlds["medical"], mine.utc_offsets, mine.policy) == (0.6, demo.utc_offsets, demo.policy)


def test_lists_are_replaced_not_merged(tmp_path: Path) -> None:
    write(tmp_path, mine="extends: exam-week\nphases: []\nutc_offsets: [60]\n")
    mine = load(tmp_path / "mine.yaml")
    assert mine.phases == ()
    assert mine.utc_offsets == (60,)


def test_a_path_is_looked_up_beside_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", base="name: base\npeople: 7\n", mine="extends: base.yaml\nname: mine\n")
    assert load(tmp_path / "deep" / "mine.yaml").people == 7


def test_overrides_come_last(tmp_path: Path) -> None:
    write(tmp_path, mine="extends: demo\npeople: 300\n")
    assert load(tmp_path / "mine.yaml", {"people": "11"}).people == 11


def test_a_bare_null_names_the_preset_without_effects(tmp_path: Path) -> None:
    write(tmp_path, mine="extends: null\nname: mine\n")
    assert load(tmp_path / "mine.yaml").effects.preset == "null"


def test_an_error_in_the_base_names_the_file_and_line_of_the_base(tmp_path: Path) -> None:
    write(tmp_path, base="name: base\npeople: 5\ndays: -1\n", mine="extends: base.yaml\nname: mine\n")
    assert refusal(tmp_path / "mine.yaml").startswith("base.yaml:3: days: ")


def test_an_error_in_a_change_names_the_line_of_the_change(tmp_path: Path) -> None:
    write(tmp_path, base="name: base\npeople: 5\nworlds:\n  work: 1\n", mine="extends: base.yaml\npeople: many\n")
    assert refusal(tmp_path / "mine.yaml").startswith("mine.yaml:2: people: ")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"a": "extends: a.yaml\n"}, "a.yaml:1: extends: a circle (a.yaml -> a.yaml)"),
        (
            {"a": "name: a\nextends: b.yaml\n", "b": "name: b\n\nextends: a.yaml\n"},
            "b.yaml:3: extends: a circle (a.yaml -> b.yaml -> a.yaml)",
        ),
        ({"a": "name: a\nextends: nowhere\n"}, "a.yaml:2: extends: no scenario 'nowhere': give the path"),
        ({"a": "extends: [demo]\n"}, "a.yaml:1: extends: give the name or the path of one scenario"),
        ({"a": f"extends: {'x' * 5000}\n"}, "a.yaml:1: extends: no scenario"),
    ],
)
def test_what_cannot_be_extended_is_refused_with_its_line(tmp_path: Path, texts: dict[str, str], message: str) -> None:
    write(tmp_path, **texts)
    assert refusal(tmp_path / "a.yaml").startswith(message)


def test_a_chain_that_never_ends_is_refused(tmp_path: Path) -> None:
    chain = {f"s{number}": f"extends: s{number + 1}.yaml\n" for number in range(30)}
    write(tmp_path, **chain)
    assert "scenarios deep" in refusal(tmp_path / "s0.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nx: " + "y" * 1_100_000 + "\n", "a.yaml:1: the file is over 1 MB"),
        ("name: a\nutc_offsets: [" + "0, " * 20_000 + "0]\n", "a.yaml:2: "),
        ("name: a\nx: " + "[" * 3_000 + "]" * 3_000 + "\n", "a.yaml:1: nested too deeply"),
        ("name: &a [*a]\n", "a.yaml:1: nested without end"),
        (
            "a: &a [x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdef", "bcdefg", strict=True)),
            "a.yaml:",
        ),
    ],
)
def test_files_that_are_too_long_or_never_end_are_refused(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, a=text)
    assert refusal(tmp_path / "a.yaml").startswith(message)
