"""Scrub the training: what changes between two points of a loss curve?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from helpers.views.base import Recorded, recorded

GRID = 40  # points of a map in each direction


def scrub_training(
    snapshots: Mapping[int, dict[str, np.ndarray]],
    predict: Callable[[np.ndarray, dict], np.ndarray], X: np.ndarray, y: np.ndarray,
    losses: Mapping[str, Sequence[float]], *,
    steps: Sequence[int] | None = None, hidden: Callable | None = None, lines: bool = False,
    captions: Sequence[str] | None = None, label: str = "step", log: bool = True,
) -> Recorded:
    """Return a slider over snapshots of a training: decision map, hidden units, loss with a marker.

    Parameters
    ----------
    snapshots : step -> params, in order
    predict : takes points (M, 2) and params, returns a number from 0 to 1 for each: (M,)
    X, y : (N, 2) and (N,), classes 0 and 1; the first 300 points are drawn
    losses : name -> the loss at each step
    steps : the steps at which the losses were noted; by default 0, 1, 2, …
    hidden : takes points (M, 2) and params, returns activations (M, H); a map for each unit
    lines : draw for each hidden unit the line on which ``X @ W1 + b1`` is zero
    captions : a sentence for each snapshot; by default its loss
    label : what a step is called
    log : a logarithmic loss axis

    Raises
    ------
    ValueError
        Where there is no snapshot, one has no losses, or a function returns another shape.
    """
    if not snapshots:
        raise ValueError("snapshots: none came, at least one was wanted")
    maps = training_maps(snapshots, predict, X, hidden)
    first = next(iter(losses.values()))
    steps = np.arange(len(first)) if steps is None else np.asarray(steps)
    positions = [int(np.argmin(np.abs(steps - step))) for step in snapshots]
    if captions is None:
        captions = [f"loss {first[at]:.4f}" for at in positions]
    data = {"maps": maps["maps"], "points": X[:300].astype(float),
            "classes": np.asarray(y[:300]).astype(np.uint8).ravel(), "extent": maps["extent"],
            "steps": [int(step) for step in snapshots], "captions": list(captions),
            "positions": positions, "label": label, "log": log,
            "curves": [{"name": name, "values": np.asarray(values, float)}
                       for name, values in losses.items()]}
    if hidden is not None:
        data["hidden"] = maps["hidden"]
    if lines:
        data["lines"] = np.array([np.vstack([p["W1"], p["b1"]]).T for p in snapshots.values()])
    alt = (f"A slider over {len(snapshots)} moments of the training, from {label} "
           f"{min(snapshots)} to {max(snapshots)}: the decision map"
           f"{' with a line for each hidden unit' if lines else ''}, and the loss curve with a "
           f"marker. At first {captions[0]}, at the end {captions[-1]}.")
    return recorded("scrub", data, alt, height=460)


def training_maps(
    snapshots: Mapping[int, dict], predict: Callable, X: np.ndarray, hidden: Callable | None = None,
) -> dict[str, np.ndarray | list[float]]:
    """Return what the view shows of each snapshot, as numbers from 0 to 255.

    Returns
    -------
    dict
        ``maps (S, GRID²)``, ``hidden (S, H, GRID²)`` where asked for, ``extent`` of the points.
    """
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.08 * (high - low)
    (x0, y0), (x1, y1) = low - margin, high + margin
    grid = np.stack(np.meshgrid(np.linspace(x0, x1, GRID), np.linspace(y1, y0, GRID)), -1)
    grid = grid.reshape(-1, 2)
    found: dict = {"extent": [float(v) for v in (x0, x1, y0, y1)]}
    values = [np.asarray(predict(grid, params), float) for params in snapshots.values()]
    if any(v.shape != (len(grid),) for v in values):
        raise ValueError(f"predict: shape {values[0].shape} came back for {len(grid)} points; "
                         f"({len(grid)},) was wanted")
    found["maps"] = _as_bytes(np.array(values))
    if hidden is not None:
        units = np.array([np.asarray(hidden(grid, p)).T for p in snapshots.values()], float)
        low, high = units.min(axis=-1, keepdims=True), units.max(axis=-1, keepdims=True)
        found["hidden"] = _as_bytes((units - low) / np.where(high > low, high - low, 1))
    return found


def _as_bytes(values):
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)
