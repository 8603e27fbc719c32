"""What holds for every test: a scrubbed environment, so that a developer's own settings cannot decide a result."""

import os

import pytest
from hypothesis import settings

# Examples are a function of the test alone, and a slow machine is not a failure.
settings.register_profile("calmverse", deadline=None, derandomize=True)
settings.load_profile("calmverse")


@pytest.fixture(autouse=True)
def scrubbed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CALMVERSE_", "OTEL_")):
            monkeypatch.delenv(name)
