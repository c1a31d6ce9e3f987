"""NumPy beside PyTorch, a line a tensor."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

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


def ledger(rows: dict[str, tuple], tolerance: float, columns: Sequence[str] = ()) -> None:
    """Print, for each name, the shape of our array and whether PyTorch's tensor agrees.

    Parameters
    ----------
    rows : name -> (our array or number, PyTorch's tensor of the same shape)
        With `columns`: name -> one value for each column; None where there is none.
    tolerance : the largest difference that counts as agreement, relative to the largest entry of
        the tensor. The difference itself is round-off and not the same on every machine, so it is
        printed only where the two do not agree.
    columns : names, optional
        Of what stands side by side, such as ``("by hand", "own autograd", "PyTorch")``: the values
        of the last one are what each of the others is compared with.

    Raises
    ------
    ValueError
        Where a row has not one value for each column, or nothing to compare with.
    """
    width, wide = max(map(len, rows)), [max(8, len(name)) for name in columns[:-1]]
    if columns:
        print(" " * width, "shape   ", *(f"{n:<{w}}" for n, w in zip(columns, wide, strict=False)),
              f"beside {columns[-1]}, to {tolerance:.0e}", sep="  ")
    for name, values in rows.items():
        *ours, theirs = map(_array, values)
        if theirs is None or len(values) != (len(columns) or 2):
            raise ValueError(f"rows[{name!r}]: {len(values)} values came, the last one "
                             f"{type(values[-1]).__name__}; {len(columns) or 2} were wanted")
        shape = " × ".join(map(str, theirs.shape)) or "number"
        said = [_verdict(a, theirs, tolerance, short=bool(columns)) for a in ours]
        line = "  ".join([f"{name:<{width}}", f"{shape:<8}",
                          *(f"{t:<{w}}" for t, w in zip(said, wide or [0], strict=True))])
        print(line.rstrip())


def _array(value):
    """Return an array, a number or a tensor as an array; None stays None."""
    if value is None:
        return None
    return np.asarray(value.detach() if hasattr(value, "detach") else value)


def _verdict(a, b, tolerance, short):
    if a is None:
        return "–"
    if a.shape != b.shape:
        return f"✗ {a.shape}" if short else f"✗ has another shape: {a.shape} beside {b.shape}"
    error = np.max(np.abs(a - b)) / (np.max(np.abs(b)) or 1.0)
    if error <= tolerance:
        return "✓" if short else f"✓ agrees to {tolerance:.0e}"
    return f"✗ {error:.1e}" if short else f"✗ differs by {error:.1e}"
