"""NumPy beside PyTorch, a line a tensor."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np


class MissingTorch(Exception):  # noqa: N818  (the name that students read)
    """PyTorch is not installed."""

    def _render_traceback_(self) -> list[str]:
        return []


def require_torch() -> None:
    """Do nothing where PyTorch is installed; otherwise end the cell with one clear line.

    Raises
    ------
    MissingTorch
    """
    if importlib.util.find_spec("torch") is None:
        raise MissingTorch("PyTorch is not installed here: everything above this cell works "
                           "without it, the cells below need it")


def ledger(rows: dict[str, tuple[Any, Any]], tolerance: float) -> None:
    """Print, for each name, the shape of our array and whether PyTorch's tensor agrees.

    Parameters
    ----------
    rows : name -> (our array or number, PyTorch's tensor of the same shape)
    tolerance : the largest difference that counts as agreement, relative to the largest entry of
        the tensor. The difference itself is round-off and not the same on every machine, so it is
        printed only where the two do not agree.
    """
    width = max(map(len, rows))
    for name, (ours, theirs) in rows.items():
        a, b = np.asarray(ours), np.asarray(theirs.detach())
        shape = " × ".join(map(str, a.shape)) or "number"
        print(f"{name:<{width}}  {shape:<8}  {_verdict(a, b, tolerance)}")


def _verdict(a, b, tolerance):
    if a.shape != b.shape:
        return f"✗ has another shape in PyTorch: {b.shape}"
    error = np.max(np.abs(a - b)) / (np.max(np.abs(b)) or 1.0)
    return f"✓ agrees to {tolerance:.0e}" if error <= tolerance else f"✗ differs by {error:.1e}"
