"""Which parameters train: by name, and by the part of the model that they belong to."""

from collections.abc import Callable

from torch import nn

from infra.contracts.errors import BadInput

_PARTS: dict[str, Callable[[nn.Module, str], bool]] = {
    "heads": lambda _module, name: name.startswith("heads."),
    "norms": lambda module, _name: isinstance(module, nn.LayerNorm),
}
"""Parts that may be trained whole beside what a way adds."""


def train_only(model: nn.Module, chosen: Callable[[str], bool]) -> None:
    """Let the parameters whose name is `chosen` train, and no others."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(chosen(name))


def names_of(model: nn.Module, parts: tuple[str, ...]) -> set[str]:
    """Names of the parameters of `parts`. Raises BadInput for an unknown part."""
    for part in parts:
        if part not in {*_PARTS, ""}:
            raise BadInput(f"whole={part}: what may train whole is {', '.join(_PARTS)}, or nothing: whole=")
    return {
        f"{path}.{name}" if path else name
        for path, module in model.named_modules()
        for name, _ in module.named_parameters(recurse=False)
        if any(_PARTS[part](module, f"{path}.{name}") for part in parts if part)
    }


def trainable(model: nn.Module) -> int:
    """How many numbers train."""
    return sum(each.numel() for each in model.parameters() if each.requires_grad)
