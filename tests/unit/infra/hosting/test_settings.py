"""The environment is read in one place, completely, and handed on without loss."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.contracts.errors import BadInput
from infra.settings import Settings, child_environment

FROZEN_VARIABLES = [
    "CALMVERSE_API_TOKEN",
    "CALMVERSE_BOOTSTRAP",
    "CALMVERSE_CLOCK_ANCHOR_US",
    "CALMVERSE_CONFIG_FILE",
    "CALMVERSE_FETCH_MAX_WAIT_MS",
    "CALMVERSE_HOST",
    "CALMVERSE_KAFKA_PASSWORD",
    "CALMVERSE_KAFKA_SECURITY",
    "CALMVERSE_LAKE_DIR",
    "CALMVERSE_LOG_LEVEL",
    "CALMVERSE_NAMESPACE",
    "CALMVERSE_OTLP_ENDPOINT",
    "CALMVERSE_PARENT_PID",
    "CALMVERSE_PATIENCE_S",
    "CALMVERSE_PORT",
    "CALMVERSE_PSEUDONYM_KEY",
    "CALMVERSE_RAY_ADDRESS",
    "CALMVERSE_RUN_DIR",
    "CALMVERSE_SNAPSHOT_DIR",
    "CALMVERSE_SPANS_DIR",
    "CALMVERSE_TRANSACTIONS",
    "CALMVERSE_TRUTH_DIR",
]
WORDS = st.text("abcäöü/:-", min_size=1)
SETTINGS = st.builds(
    Settings,
    bootstrap=WORDS,
    namespace=WORDS,
    run_dir=WORDS.map(Path),
    port=st.integers(0, 65535),
    api_token=st.none() | WORDS,
    lake_dir=st.none() | WORDS.map(Path),
    log_level=st.sampled_from(["DEBUG", "INFO"]),
    parent_pid=st.integers(0, 2**22),
    clock_anchor_us=st.integers(0, 2**60),
    patience_s=st.integers(0, 600),
    transactions=st.booleans(),
    kafka_security=st.none() | WORDS.map(Path),
    kafka_password=st.none() | WORDS,
)


def test_the_variables_are_frozen() -> None:
    assert sorted(f"CALMVERSE_{each.name.upper()}" for each in fields(Settings)) == FROZEN_VARIABLES


@given(SETTINGS)
def test_a_child_reads_what_its_parent_was_told(settings: Settings) -> None:
    assert Settings.from_environment(settings.environment()) == settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_environment({}) == Settings()
    assert Settings.from_environment({"PATH": "/bin", "CALMVERSE_PORT": ""}) == Settings()


def test_folders_default_to_the_run_and_the_truth_is_never_in_the_lake() -> None:
    settings = Settings(run_dir=Path("/r"))
    assert [settings.spans, settings.lake, settings.truth, settings.snapshots] == [
        Path("/r/spans"),
        Path("/r/lake"),
        Path("/r/truth"),
        Path("/r/snapshots"),
    ]
    assert not settings.truth.is_relative_to(settings.lake)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("CALMVERSE_BOOSTRAP", "x", "did you mean CALMVERSE_BOOTSTRAP"),
        ("CALMVERSE_ZZZ", "x", "known are"),
        ("CALMVERSE_PORT", "http", "whole number"),
        ("CALMVERSE_PORT", "70000", "0 to 65535"),
        ("CALMVERSE_LOG_LEVEL", "LOUD", "DEBUG, INFO"),
        ("CALMVERSE_FETCH_MAX_WAIT_MS", "0", "at least 1"),
    ],
)
def test_what_cannot_be_used_is_one_clear_error(variable: str, value: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        Settings.from_environment({variable: value})
    assert variable in str(caught.value)


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    text = repr(Settings(api_token="t0ps3cret", pseudonym_key="abcdef"))  # noqa: S106 - made up
    assert "t0ps3cret" not in text
    assert "abcdef" not in text


def test_a_child_inherits_the_environment_but_not_our_own_or_otel_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAIN", "kept")
    monkeypatch.setenv("CALMVERSE_PORT", "1234")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    environment = child_environment(Settings(port=5), {"RAY_X": "1"})
    assert environment["PLAIN"] == "kept"
    assert environment["CALMVERSE_PORT"] == "5"
    assert environment["RAY_X"] == "1"
    assert "OTEL_SDK_DISABLED" not in environment
