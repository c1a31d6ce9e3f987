"""What the notebooks need and do not teach: data, pictures, checks.

`datasets` loads the data, `draw` draws networks, `plots` and `plots3d` results, `palette` holds the
colours of the course, `checks` judges the exercises. Each is loaded when it is first used:
``import helpers`` itself loads nothing heavy.
"""

from importlib import import_module
from pathlib import Path
from types import ModuleType

__all__ = ["checks", "datasets", "draw", "palette", "plots", "plots3d", "space"]


def __getattr__(name: str) -> ModuleType:
    """Load a submodule on first use, so that ``helpers.draw`` works after ``import helpers``."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {__all__}")


def folder(name: str) -> Path:
    """Return the course's folder `data` or `solutions`: beside helpers, or inside if installed."""
    inside = Path(__file__).resolve().parent / name
    return inside if inside.is_dir() else inside.parents[1] / name


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
