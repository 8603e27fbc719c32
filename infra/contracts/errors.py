"""What can go wrong, and the exit code each kind of trouble has.

CalmverseError
├── VerdictFailed       exit 1: it ran, and the verdict is bad (a limit missed, a check failed)
├── BadInput            exit 2: a file, an option or a value that the person can mend
│   └── UndecodableFrame      a Kafka record that is not a frame of ours
└── EnvironmentFailed   exit 3: no broker, no disk, a port in use, a process that died
"""

from typing import ClassVar


class CalmverseError(Exception):
    """Base of every error a command reports: the message says what was wrong, where, and what to do."""

    exit_code: ClassVar[int] = 3


class VerdictFailed(CalmverseError):
    """The work was done and its verdict is bad."""

    exit_code = 1


class BadInput(CalmverseError):
    """Something given by the person cannot be used as it is."""

    exit_code = 2


class UndecodableFrame(BadInput):
    """A Kafka record that cannot be read as a frame or a tick-end."""


class EnvironmentFailed(CalmverseError):
    """The machine, the broker or a process failed."""

    exit_code = 3
