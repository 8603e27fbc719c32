"""What only one service needs to know: a JSON file that its parent wrote, checked against the service's own model."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from infra.contracts.errors import BadInput

Config = TypeVar("Config", bound=BaseModel)


def read_config(path: Path | None, model: type[Config]) -> Config:
    """Return the configuration in the JSON file `path`, or the model's defaults when `path` is None.

    Raises BadInput that names the file and each field that is wrong.
    """
    if path is None:
        return model()
    try:
        return model.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"cannot read the configuration {path}: {error.strerror}") from error
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors())
        raise BadInput(f"{path} is not a configuration of this service: {wrong}") from error
