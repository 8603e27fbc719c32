"""What a fit leaves in its folder: a checkpoint when it is finished, a savepoint before."""

import shutil
from pathlib import Path
from typing import Any, Final

from infra.contracts.errors import BadInput
from models.attention import checkpoint
from models.training.finetuning.fit import FineTuned
from models.training.savepoints import Savepoints
from models.training.settings import Progress

_ABOUT: Final = "finetuning"


class FitFolder:
    """Of one way and seed. identity: what two fits must share for one to continue the other."""

    def __init__(self, folder: Path, identity: str) -> None:
        self.folder, self._identity = folder, identity

    def clear(self) -> None:
        """Forget what an earlier call has left."""
        for name in checkpoint.FILES:
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "training", ignore_errors=True)

    def savepoints(self) -> Savepoints:
        """Where the state of the fit is kept while it goes on."""
        return Savepoints(self.folder / "training", self._identity)

    def finished(self) -> FineTuned | None:
        """The fit, where it is finished. Raises BadInput where it is one of other data or settings."""
        if not all((self.folder / name).exists() for name in checkpoint.FILES):
            return None
        stored = checkpoint.load(self.folder)
        about = stored.info.get(_ABOUT, {})
        if about.get("identity") != self._identity:
            raise BadInput(
                f"the checkpoint in {self.folder} is of another model, other data or other settings: fine-tune without "
                "--resume, or with the settings it began with"
            )
        history = tuple(Progress(**each) for each in stored.info["history"])
        return FineTuned(model=stored.model, trainable=about["trainable"], history=history, seconds=about["seconds"])

    def write(self, tuned: FineTuned, about: dict[str, Any]) -> None:
        """Write the checkpoint, and drop the savepoint. Raises EnvironmentFailed."""
        own = {"identity": self._identity, "trainable": tuned.trainable, "seconds": tuned.seconds}
        history = [vars(each) for each in tuned.history]
        checkpoint.save(self.folder, tuned.model, {**about, _ABOUT: about[_ABOUT] | own, "history": history})
        shutil.rmtree(self.folder / "training", ignore_errors=True)

    def version(self) -> str:
        """Of the checkpoint."""
        return str(checkpoint.read_info(self.folder)["version"])
