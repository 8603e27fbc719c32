"""What a machine must have for a run, checked by doing it."""

import importlib
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from infra.bus.ports import HOST, free_port
from infra.contracts.errors import CalmverseError

GIB = 2**30
_MEMORY_GIB, _DISK_GIB, _SHARED_GIB = 6.0, 2.0, 1.0
"""What `make demo` may use at most (memory), writes with room to spare (disk), and Ray's object store wants."""

_PYTHON = (3, 11)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One finding: what was looked at, whether a run needs it, whether it is fine, what was found, what to do."""

    name: str
    needed: bool
    ok: bool
    found: str
    advice: str = ""


def examine(directory: Path) -> Iterator[Check]:
    """Every check in turn, cheap ones first; a failure is a finding. `directory` is where runs would go."""
    checks: tuple[tuple[str, bool, Callable[[], tuple[bool, str]], str], ...] = (
        ("Python", True, _python, "use Python 3.11: Mesa 3.3 and the lock file are for it"),
        ("packages", True, _packages, "run `make setup`"),
        ("C compiler", False, _compiler, "install gcc or clang if `make setup` has to build a package"),
        ("processor cores", False, _cores, "a run takes longer than stated on one core"),
        ("memory", False, _memory, f"free {_MEMORY_GIB:.0f} GiB, or run fewer people with --set people=1000"),
        ("disk", True, lambda: _disk(directory, _DISK_GIB), f"free {_DISK_GIB:.0f} GiB, or choose another --runs"),
        (
            "shared memory",
            False,
            _shared,
            "Ray uses files in /tmp instead, slower: enlarge /dev/shm (docker: --shm-size)",
        ),
        ("free port", True, _port, "stop programs that listen on 127.0.0.1"),
        ("broker", True, _echo, "see the message; `calmverse broker up` shows it alone"),
        ("Ray", True, _ray, "run `make setup`"),
    )
    for name, needed, look, advice in checks:
        ok, found = _looked(look)
        yield Check(name=name, needed=needed, ok=ok, found=found, advice="" if ok else advice)


def as_document(checks: list[Check]) -> dict[str, object]:
    """The findings as one JSON object; `ok` when nothing that is needed failed."""
    return {
        "ok": all(check.ok for check in checks if check.needed),
        "checks": [asdict(check) for check in checks],
    }


def _looked(look: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
    try:
        return look()
    except (CalmverseError, OSError, ImportError, RuntimeError) as problem:
        return False, str(problem) or type(problem).__name__


def _python() -> tuple[bool, str]:
    return sys.version_info[:2] == _PYTHON, sys.version.split()[0]


def _packages() -> tuple[bool, str]:
    wanted = [line for line in importlib.metadata.requires("calmverse") or [] if "extra ==" not in line]
    names = [line.split(";")[0].split("[")[0].split(">")[0].split("<")[0].split("=")[0].strip() for line in wanted]
    missing = []
    for name in names:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    return not missing, f"missing: {', '.join(missing)}" if missing else f"{len(names)} installed"


def _compiler() -> tuple[bool, str]:
    found = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)
    return found is not None, found or "none"


def _cores() -> tuple[bool, str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores >= 2, str(cores)


def _memory() -> tuple[bool, str]:
    memory = psutil.virtual_memory()
    return memory.available >= _MEMORY_GIB * GIB, _gib(memory.available, memory.total)


def _disk(directory: Path, need_gib: float) -> tuple[bool, str]:
    existing = next(path for path in (directory.resolve(), *directory.resolve().parents) if path.exists())
    usage = shutil.disk_usage(existing)
    return usage.free >= need_gib * GIB, _gib(usage.free, usage.total)


def _shared() -> tuple[bool, str]:
    shared = Path("/dev/shm")  # noqa: S108 - looked at, not written to
    if not shared.is_dir():
        return sys.platform != "linux", "no /dev/shm on this system"
    return _disk(shared, _SHARED_GIB)


def _gib(free: float, total: float) -> str:
    return f"{free / GIB:.1f} of {total / GIB:.1f} GiB free"


def _port() -> tuple[bool, str]:
    return True, f"{HOST}:{free_port()}"


def _ray() -> tuple[bool, str]:
    return True, str(importlib.import_module("ray").__version__)


def _echo() -> tuple[bool, str]:
    from infra.bus.echo import echo  # noqa: PLC0415 - a package that is missing must be a finding, not a crash

    version, seconds = echo()
    return True, f"{version}, a frame came back after {seconds:.2f} s"
