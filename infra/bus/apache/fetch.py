"""Java, and Kafka's jars: fetched through Maven once, then used from a cache folder without any network."""

import contextlib
import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from infra.contracts.errors import EnvironmentFailed

JAVA_NEEDED = 17
"""Apache Kafka 4 servers need Java 17 (KIP-750, KIP-1013)."""

DEFAULT_CACHE = Path(".cache")

_FETCH_WITHIN_S = 600.0
_ASK_WITHIN_S = 30.0
_STAMP = "complete.json"
_OWN = resources.files("infra.bus.apache")


def kafka_version() -> str:
    """The version that pom.xml names."""
    found = re.search(r"<kafka\.version>([^<]+)<", _OWN.joinpath("pom.xml").read_text())
    assert found is not None  # noqa: S101 - a file of our own
    return found[1]


def require_java() -> str:
    """Path of a `java` that can run Kafka; raises EnvironmentFailed where there is none, or one too old."""
    java = shutil.which("java")
    if java is None:
        raise EnvironmentFailed(
            f"Apache Kafka needs Java {JAVA_NEEDED} or newer, and no java is on PATH: install one "
            f"(Debian: openjdk-{JAVA_NEEDED}-jre-headless), or use --broker embedded"
        )
    version = _java_version(java)
    if version < JAVA_NEEDED:
        raise EnvironmentFailed(
            f"Apache Kafka needs Java {JAVA_NEEDED} or newer, and {java} is Java {version}: put a newer one first on "
            "PATH, or use --broker embedded"
        )
    return java


def kafka_jars(cache: Path = DEFAULT_CACHE) -> Path:
    """Folder with Kafka's jars, fetched when it is not there yet; raises EnvironmentFailed (no Maven, no network)."""
    folder = cache.resolve() / "kafka" / kafka_version()
    if is_complete(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent / ".lock"):
        if not is_complete(folder):  # somebody else may have fetched while we waited for the lock
            _fetch(folder)
    return folder


def is_complete(folder: Path) -> bool:
    """Whether every file that the stamp lists is there, as long as it was."""
    try:
        sizes = json.loads((folder / _STAMP).read_text())
        return bool(sizes) and all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise EnvironmentFailed(
            f"Apache Kafka {folder.name} is not in {folder} yet, and no mvn is on PATH to fetch it: install Maven "
            "(Debian: maven), or use --broker embedded"
        )
    partial = folder.with_name(f"{folder.name}.partial")
    for leftover in (partial, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir()
    with resources.as_file(_OWN.joinpath("pom.xml")) as pom:
        _run_maven([maven, "-B", "-q", "-f", str(pom)], partial)
    jars = {path.name: path.stat().st_size for path in sorted(partial.glob("*.jar"))}
    (partial / _STAMP).write_text(json.dumps(jars, indent=1))
    partial.rename(folder)


def _run_maven(maven: list[str], target: Path) -> None:
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    try:
        done = subprocess.run(
            [*maven, *goal], capture_output=True, text=True, timeout=_FETCH_WITHIN_S, check=False, cwd=target
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise _failed(str(problem)) from problem
    if done.returncode != 0 or not any(target.glob("kafka-clients-*.jar")):
        errors = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise _failed(errors[0].strip() if errors else f"mvn ended with code {done.returncode}")


def _failed(detail: str) -> EnvironmentFailed:
    return EnvironmentFailed(
        f"Apache Kafka {kafka_version()} could not be fetched through Maven ({detail}): check the network and Maven's "
        "settings and try again, or use --broker embedded"
    )


def _java_version(java: str) -> int:
    """Major version; 0 where `java -version` says nothing that can be read."""
    try:
        done = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=_ASK_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(found[1]) if found else 0


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time; the lock goes with the process that holds it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
