"""How the parent of a service finds it: `<run_dir>/services/<name>.json`, written once the port is open."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Endpoint:
    """Where a running service listens, and its process."""

    name: str
    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://{self.host}:{self.port}"


def write_endpoint(run_dir: Path, endpoint: Endpoint) -> Path:
    """Publish `endpoint` by an atomic rename and return the file."""
    path = _path(run_dir, endpoint.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{endpoint.pid}.tmp")
    temporary.write_text(json.dumps(asdict(endpoint)))
    return temporary.replace(path)


def read_endpoint(run_dir: Path, name: str) -> Endpoint | None:
    """Return what the service `name` published, or None. The process may have died since: look at its pid."""
    try:
        return Endpoint(**json.loads(_path(run_dir, name).read_text()))
    except FileNotFoundError:
        return None


def remove_endpoint(run_dir: Path, name: str, pid: int) -> None:
    """Take back what process `pid` published; leaves the file of a process that came after it."""
    endpoint = read_endpoint(run_dir, name)
    if endpoint is not None and endpoint.pid == pid:
        _path(run_dir, name).unlink(missing_ok=True)


def _path(run_dir: Path, name: str) -> Path:
    return run_dir / "services" / f"{name}.json"
