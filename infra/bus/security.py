"""How clients prove who they are and whom they trust: TLS and SASL, from a file; the password apart from it.

Addresses travel as text, through configurations, files and to other processes. What belongs to an address besides is
therefore said once in each process (`use`), and every client of that address has it (`of`).
"""

import functools
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

from infra.contracts.errors import BadInput

MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN")
PASSWORD_VARIABLE = "CALMVERSE_KAFKA_PASSWORD"  # noqa: S105 - the name of a variable, not a password

_KEYS = ("tls", "ca", "certificate", "key", "mechanism", "user", "password_file")


@dataclass(frozen=True, kw_only=True)
class Security:
    """What a client needs besides an address. Plain text and no name by default.

    `ca` is a PEM file of authorities (the system's where None), `certificate` and `key` the client's own where the
    broker asks for them. `mechanism`, `user` and `password` go together.
    """

    tls: bool = False
    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    mechanism: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.mechanism is not None and self.mechanism not in MECHANISMS:
            raise BadInput(f"SASL mechanism {self.mechanism!r} is unknown: choose one of {', '.join(MECHANISMS)}")
        if (self.mechanism is None) != (self.user is None):
            raise BadInput("SASL needs both mechanism and user: give both, or none")
        if self.user is not None and self.password is None:
            raise BadInput(
                f"no password for the Kafka user {self.user}: set {PASSWORD_VARIABLE}, or name a file with "
                "password_file in the security file"
            )
        if not self.tls and (self.ca or self.certificate or self.key):
            raise BadInput("ca, certificate and key are for TLS: set tls: true beside them")

    @classmethod
    def from_file(cls, path: Path, password: str | None = None) -> Self:
        """Read a YAML file; its relative paths are from where it is. `password` wins over password_file.

        Raises BadInput for a file that cannot be read, an unknown key, and what does not go together.
        """
        document = _document(path)
        mechanism, user = document.get("mechanism"), document.get("user")
        files = {
            name: path.parent / str(document[name])
            for name in ("ca", "certificate", "key", "password_file")
            if document.get(name) is not None
        }
        kept = files.pop("password_file", None)
        if password is None and kept is not None:
            password = _read(kept).strip()
        tls = document.get("tls", False)
        if not isinstance(tls, bool):
            raise BadInput(f"{path}: tls is {tls!r}: give true or false")
        for name, file in files.items():
            if not file.is_file():
                raise BadInput(f"{path}: {name} names {file}, and there is no such file")
        return cls(
            tls=tls,
            ca=files.get("ca"),
            certificate=files.get("certificate"),
            key=files.get("key"),
            mechanism=None if mechanism is None else str(mechanism),
            user=None if user is None else str(user),
            password=password,
        )

    @property
    def context(self) -> ssl.SSLContext | None:
        """What a TLS connection is made with; None for plain text. Raises BadInput for files that are no PEM."""
        return _context(self) if self.tls else None

    def client_settings(self) -> dict[str, Any]:
        """Settings for the client library."""
        protocol = ("SASL_" if self.mechanism else "") + ("SSL" if self.tls else "PLAINTEXT")
        settings: dict[str, Any] = {"security_protocol": protocol}
        if self.tls:
            settings["ssl_context"] = self.context
        if self.mechanism:
            settings |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password,
            }
        return settings


NONE = Security()
_USED: dict[str, Security] = {}


def use(bootstrap: str, security: Security) -> None:
    """From now on every client of this address in this process uses it."""
    _USED[bootstrap] = security


def of(bootstrap: str) -> Security:
    """What clients of this address use."""
    return _USED.get(bootstrap, NONE)


@functools.cache
def _context(security: Security) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=security.ca)
        if security.certificate is not None:
            context.load_cert_chain(security.certificate, security.key)
    except (OSError, ssl.SSLError) as problem:
        names = ", ".join(str(path) for path in (security.ca, security.certificate, security.key) if path)
        raise BadInput(f"TLS files cannot be used ({problem}): {names} must be PEM files") from problem
    return context


def _document(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(_read(path))
    except yaml.YAMLError as problem:
        raise BadInput(f"the security file {path} is not YAML: {problem}") from problem
    if not isinstance(document, dict):
        raise BadInput(f"the security file {path} holds no keys: give some of {', '.join(_KEYS)}")
    unknown = sorted(set(map(str, document)) - set(_KEYS))
    if unknown:
        hint = " (a password never stands in it: see password_file)" if "password" in unknown else ""
        raise BadInput(f"the security file {path} has unknown keys {', '.join(unknown)}{hint}: known are {_KEYS}")
    return document


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as problem:
        raise BadInput(f"cannot read {path}: {problem}") from problem
