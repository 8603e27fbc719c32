"""Ways of studying people that several facts share, each carried out once."""

import importlib
import pkgutil


def total_days() -> float:
    """Days that all protocols simulate together."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    protocols = {part for module in modules for part in vars(module).values() if callable(part)}
    return float(sum(getattr(protocol, "days", 0.0) for protocol in protocols if hasattr(protocol, "days")))
