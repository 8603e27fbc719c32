"""The only reader of the environment: what a process is told by the one that started it.

Every variable is named CALMVERSE_<FIELD>. An unknown CALMVERSE_ variable is refused, so that a misspelt one
is not silently ignored.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from infra.contracts.errors import BadInput

PREFIX: Final = "CALMVERSE_"
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
# Would change what our telemetry writes, behind the back of whoever reads the run.
_NOT_INHERITED: Final = (PREFIX, "OTEL_")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Settings of one process. Build with `from_environment`, hand on with `child_environment`."""

    bootstrap: str = "127.0.0.1:9092"  # host:port of the Kafka broker
    namespace: str = "local"  # of topics and transactional ids: a run id, or a fixed name
    run_dir: Path = Path("runs/local")
    host: str = "127.0.0.1"  # where the service listens
    port: int = 0  # 0: a free one, written to <run_dir>/services/<name>.json
    api_token: str | None = field(default=None, repr=False)  # bearer token that writing endpoints ask for
    pseudonym_key: str | None = field(default=None, repr=False)  # hex; only who makes pseudonyms gets it
    otlp_endpoint: str | None = None  # base URL; spans are also sent there
    spans_dir: Path | None = None  # default <run_dir>/spans
    lake_dir: Path | None = None  # default <run_dir>/lake
    truth_dir: Path | None = None  # default <run_dir>/truth: never inside the lake
    snapshot_dir: Path | None = None  # default <run_dir>/snapshots
    config_file: Path | None = None  # JSON with what only this service needs; its main.py knows the form
    fetch_max_wait_ms: int = 5  # latency of an idle hop on the embedded broker (it answers late)
    transactions: bool = False  # whether the broker does them right: lanes then commit outputs and offsets as one
    kafka_security: Path | None = None  # YAML: TLS and SASL of the broker
    kafka_password: str | None = field(default=None, repr=False)  # of the SASL user; wins over the file's password_file
    ray_address: str | None = None
    patience_s: int = 0  # how long a loop may fail for want of broker or disk, and begin anew, before that is final
    clock_anchor_us: int = 0  # of the process whose time of day is kept (contracts.time); 0: its own
    parent_pid: int = 0  # exit when this process ends; 0: stand alone
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise BadInput(f"{PREFIX}PORT is {self.port}: give a port from 0 to 65535, 0 for a free one")
        if self.log_level not in LOG_LEVELS:
            raise BadInput(f"{PREFIX}LOG_LEVEL is {self.log_level!r}: give one of {', '.join(LOG_LEVELS)}")
        if self.patience_s < 0:
            raise BadInput(f"{PREFIX}PATIENCE_S is {self.patience_s}: give seconds, or 0 for none")
        if self.fetch_max_wait_ms < 1:
            raise BadInput(f"{PREFIX}FETCH_MAX_WAIT_MS is {self.fetch_max_wait_ms}: give at least 1")

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read `environ` (the process's own when None); BadInput for an unknown or unreadable variable."""
        source = os.environ if environ is None else environ
        known = {_variable(each.name): each for each in fields(cls)}
        given: dict[str, Any] = {}
        for variable, text in source.items():
            if not variable.startswith(PREFIX):
                continue
            if variable not in known:
                raise BadInput(_unknown(variable, list(known)))
            if text:
                given[known[variable].name] = _parse(variable, text, _reader(known[variable].type))
        return cls(**given)

    @property
    def spans(self) -> Path:
        """Directory of span files."""
        return self.spans_dir or self.run_dir / "spans"

    @property
    def lake(self) -> Path:
        """Root of the lake that training reads."""
        return self.lake_dir or self.run_dir / "lake"

    @property
    def truth(self) -> Path:
        """Root of the lake that holds the truth, apart from the training lake."""
        return self.truth_dir or self.run_dir / "truth"

    @property
    def snapshots(self) -> Path:
        """Directory of state snapshots and of the services' SQLite stores."""
        return self.snapshot_dir or self.run_dir / "snapshots"

    def environment(self) -> dict[str, str]:
        """Return these settings as variables: `from_environment(s.environment()) == s`."""
        values = {_variable(each.name): getattr(self, each.name) for each in fields(self)}
        return {variable: str(value) for variable, value in values.items() if value is not None}


def child_environment(settings: Settings, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment for a child process.

    That is what we inherited without CALMVERSE_ and OTEL_ variables, then `settings`, then `extra`
    (for example RAY_ variables).
    """
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    return inherited | settings.environment() | dict(extra or {})


def _variable(field_name: str) -> str:
    return PREFIX + field_name.upper()


def _reader(kind: object) -> Callable[[str], Any]:
    if kind is int:
        return int
    if kind is bool:
        return _truth
    return Path if kind in (Path, Path | None) else str


def _parse(variable: str, text: str, reader: Callable[[str], Any]) -> object:
    try:
        return reader(text)
    except ValueError as error:
        wanted = "True or False" if reader is _truth else "a whole number"
        raise BadInput(f"{variable} is {text!r}: give {wanted}") from error


def _truth(text: str) -> bool:
    if text not in ("True", "False"):
        raise ValueError(text)
    return text == "True"


def _unknown(variable: str, known: list[str]) -> str:
    names = [each.removeprefix(PREFIX) for each in known]
    close = difflib.get_close_matches(variable.removeprefix(PREFIX), names, n=1)
    hint = f"did you mean {PREFIX}{close[0]}?" if close else f"known are {', '.join(sorted(known))}"
    return f"the environment variable {variable} is unknown: {hint}"
