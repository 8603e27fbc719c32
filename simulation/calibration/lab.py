"""Where facts are measured: one scenario, and protocols that are carried out once, however many facts read them."""

from collections.abc import Callable
from typing import Any, TypeVar

from simulation.scenarios.model import Scenario

Outcome = TypeVar("Outcome")
Protocol = TypeVar("Protocol", bound=Callable[..., Any])
Progress = Callable[[int], None]


def no_progress(minutes: int) -> None:
    """Tell nobody."""


def lasting(days: float) -> Callable[[Protocol], Protocol]:
    """Say how many days a protocol simulates, for the progress bar."""

    def note(protocol: Protocol) -> Protocol:
        protocol.days = days  # type: ignore[attr-defined]  # functions take attributes
        return protocol

    return note


class Lab:
    """The scenario under test. `size` scales every protocol's people, for quick looks and tests; 1 is the scorecard."""

    def __init__(self, scenario: Scenario, progress: Progress = no_progress, size: float = 1.0) -> None:
        self.scenario = scenario
        self.progress = progress
        self._size = size
        self._done: dict[Callable[[Lab], Any], Any] = {}

    def people(self, planned: int) -> int:
        """How many people a protocol gets that planned for so many; at least 20."""
        return max(20, round(planned * self._size))

    def once(self, protocol: Callable[["Lab"], Outcome]) -> Outcome:
        """The outcome of a protocol, carried out at the first call."""
        if protocol not in self._done:
            self._done[protocol] = protocol(self)
        outcome: Outcome = self._done[protocol]
        return outcome
