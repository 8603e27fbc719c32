"""The registry: which models there are, where each comes from, and which one is in use.

A folder with a checkpoint for each version, `lineage.json` beside its weights, and `in-use.json`, which names the
version that was promoted last and those before it. A version is a hash of weights, config and features, so the same
model is registered once, and an entry never changes.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import models
from infra.contracts.errors import BadInput, EnvironmentFailed
from models.attention import checkpoint

FOLDER: Final = Path("registry")
_LINEAGE: Final = "lineage.json"
_IN_USE: Final = "in-use.json"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One registered model.

    data_digest: of everything that training saw. code: hash of the sources of `models`. parent: the version that it was
    tuned from, None where it began from the seed. metrics: by head, on unseen people. registered_at: UTC, ISO 8601.
    """

    version: str
    registered_at: str
    data_digest: str | None
    events: int | None
    code: str
    parent: str | None
    metrics: dict[str, dict[str, Any]]
    in_use: bool = False


class Registry:
    """Models in `folder`, which is made when the first one comes."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    def add(self, directory: Path) -> Entry:
        """Register the checkpoint in `directory`; the same again is no error. Raises BadInput, EnvironmentFailed."""
        found = checkpoint.load(directory)
        own = self._folder / found.version
        if not (own / _LINEAGE).exists():
            try:
                self._copy(directory, own, found.info)
            except OSError as problem:
                raise EnvironmentFailed(f"cannot register {directory} in {self._folder}: {problem}") from problem
        return self.show(found.version)

    def entries(self) -> list[Entry]:
        """Every model, the oldest first."""
        versions = [path.parent.name for path in self._folder.glob(f"*/{_LINEAGE}")]
        return sorted((self.show(version) for version in versions), key=lambda each: (each.registered_at, each.version))

    def show(self, version: str) -> Entry:
        """The model whose version begins with `version`. Raises BadInput where none or several do."""
        whole = self._whole(version)
        lineage = json.loads((self._folder / whole / _LINEAGE).read_text())
        return Entry(**lineage, in_use=whole == self.in_use())

    def path(self, version: str) -> Path:
        """The checkpoint folder of a version."""
        return self._folder / self._whole(version)

    def promote(self, version: str) -> Entry:
        """Put a model into use. Raises BadInput where it is unknown or can no longer be loaded."""
        whole = self._whole(version)
        checkpoint.load(self._folder / whole)
        history = [each for each in self._history() if each != whole]
        _write(self._folder / _IN_USE, {"version": whole, "before": history})
        return self.show(whole)

    def in_use(self) -> str | None:
        """The version that was promoted last."""
        return next(iter(self._history()), None)

    def _history(self) -> list[str]:
        try:
            document = json.loads((self._folder / _IN_USE).read_text())
        except FileNotFoundError:
            return []
        return [document["version"], *document["before"]]

    def _whole(self, version: str) -> str:
        there = sorted(path.parent.name for path in self._folder.glob(f"*/{_LINEAGE}"))
        found = [each for each in there if version and each.startswith(version)]
        if len(found) == 1:
            return found[0]
        if found:
            raise BadInput(f"several models begin with {version!r}: {', '.join(found)}; give more of the version")
        known = f"there are {', '.join(there)}" if there else "train one, or add one with `calmverse models add`"
        raise BadInput(f"no model {version!r} in {self._folder}: {known}")

    def _copy(self, directory: Path, own: Path, info: dict[str, Any]) -> None:
        own.mkdir(parents=True, exist_ok=True)
        for name in checkpoint.FILES:
            shutil.copyfile(directory / name, own / name)
        data = info.get("data", {})
        lineage = Entry(
            version=own.name,
            registered_at=datetime.now(UTC).isoformat(timespec="seconds"),
            data_digest=data.get("digest"),
            events=data.get("events"),
            code=code_version(),
            parent=info.get("parent"),
            metrics=info.get("metrics", {}),
        )
        _write(own / _LINEAGE, {name: value for name, value in asdict(lineage).items() if name != "in_use"})


def code_version() -> str:
    """12 hexadecimal digits over the sources of `models`, whether they are a checkout or an installed wheel."""
    root = Path(str(models.__file__)).parent
    total = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        total.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]


def _write(path: Path, document: dict[str, Any]) -> None:
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(document, indent=1) + "\n")
    scratch.replace(path)
