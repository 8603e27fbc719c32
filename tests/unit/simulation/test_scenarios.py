"""Scenario files: what is accepted, and the one-line error for what is not."""

import json
from pathlib import Path

import pytest

import simulation.scenarios
from infra.contracts.errors import BadInput
from simulation.scenarios import Scenario, load, preset_names

SCHEMA = Path(simulation.scenarios.__file__).parent / "schema.json"
GOOD = "name: mine\npeople: 100\n"


def refusal(tmp_path: Path, text: str, overrides: dict[str, str] | None = None) -> str:
    """The message for a scenario file, with the folder left out."""
    path = tmp_path / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load(path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{tmp_path}/", "")


@pytest.mark.parametrize("name", preset_names())
def test_every_built_in_scenario_loads_under_its_name(name: str) -> None:
    assert load(name).name == name


def test_the_built_in_scenarios_are_these() -> None:
    assert set(preset_names()) >= {"demo", "null", "strong", "tiny"}


def test_the_demo_is_five_thousand_people_and_a_day_after_a_day_of_warm_up() -> None:
    demo = load("demo")
    assert (demo.people, demo.ticks, demo.warmup_ticks) == (5000, 1440, 1440)
    assert demo.run_first_tick == demo.first_tick + 1440
    assert demo.policy["name"] == "threshold"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "peple: 3\n", "s.yaml:3: peple: there is no such key, remove it or correct its name"),
        ("name: mine\npeople: many\n", "s.yaml:2: people: "),
        ("name: mine\npeople: 1000000000000\n", "s.yaml:2: people: "),
        (GOOD + "worlds:\n  social: 0\n", "s.yaml:3: worlds: impossible mix"),
        (GOOD + "worlds:\n  moon: 1\n", "s.yaml:3: worlds: there is no world 'moon'"),
        (GOOD + "worlds: {work: -1}\n", "s.yaml:3: worlds: work is -1"),
        (GOOD + "checks:\n  memory_per_hour: 1\n  attention_per_hour: -4\n", "s.yaml:5: checks.attention_per_hour: "),
        (GOOD + "effects: {preset: 'null', practice: 3}\n", "s.yaml:3: effects: the null preset has no effects"),
        (GOOD + "effects: {preset: huge}\n", "s.yaml:3: effects.preset: "),
        (GOOD + "days: 0\n", "s.yaml:3: days: "),
        (GOOD + "days: .nan\n", "s.yaml:3: days: "),
        (GOOD + "utc_offsets: [0, 9000]\n", "s.yaml:3: utc_offsets: each must be between"),
        (GOOD + "start: yesterday\n", "s.yaml:3: start: "),
        (GOOD + "people: 5\n", "s.yaml:3: people: given twice"),
        ("name: mine\n", "s.yaml:1: people: is missing, add it"),
        ("name: [\n", "s.yaml:2: not valid YAML"),
        ("- 1\n", "s.yaml:1: a scenario is a mapping"),
        ("", "s.yaml:1: a scenario is a mapping"),
        ("name: !!python/object:os.system {}\n", "s.yaml:1: not a plain value"),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    assert refusal(tmp_path, text).startswith(message)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("people", "abc", "--set people=abc: "),
        ("effects.preset", "big", "--set effects.preset=big: "),
        ("worlds.moon", "1", "--set worlds.moon=1: there is no world"),
        ("people.more", "1", "--set people.more=1: people is a single value"),
        ("nothing", "1", "--set nothing=1: there is no such key"),
        ("a..b", "1", "--set a..b=1: the key is not complete"),
    ],
)
def test_a_bad_override_is_named(tmp_path: Path, key: str, value: str, message: str) -> None:
    assert refusal(tmp_path, GOOD, {key: value}).startswith(message)


def test_an_override_reaches_into_the_scenario() -> None:
    scenario = load("demo", {"effects.preset": "null", "people": "20", "policy.name": "never"})
    assert scenario.effects.preset == "null"
    assert scenario.people == 20
    assert scenario.policy["name"] == "never"


def test_a_scenario_that_does_not_exist_names_those_that_do() -> None:
    with pytest.raises(BadInput, match="no scenario 'dmeo': give the path of a YAML file, or one of clinic, demo, "):
        load("dmeo")


def test_worlds_that_are_left_out_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(GOOD + "worlds: {work: 2}\n", encoding="utf-8")
    assert load(path).worlds == {"social": 0.0, "learning": 0.0, "work": 2.0, "gaming": 0.0, "medical": 0.0}


def test_the_published_schema_is_that_of_the_code() -> None:
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == Scenario.model_json_schema()
