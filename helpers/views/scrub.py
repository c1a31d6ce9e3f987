"""Scrub the training: what changes between two points of a loss curve?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from helpers.views.base import Recorded, recorded

GRID, SMALL = 40, 20  # points of a map in each direction, and of a hidden unit's
STYLES = ("solid", "dashed", "dotted")  # of the lines of hidden units, beside their colours


def scrub_training(
    snapshots: Mapping[int, dict[str, np.ndarray]],
    predict: Callable[[np.ndarray, dict], np.ndarray], X: np.ndarray, y: np.ndarray,
    losses: Mapping[str, Sequence[float]], *,
    steps: Sequence[int] | None = None, hidden: Callable | None = None, lines: bool = False,
    captions: Sequence[str] | None = None, label: str = "step", log: bool = True,
    log_steps: bool = False,
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
    lines : draw for each hidden unit the line on which its weighted sum, ``X @ W1 + b1``, is zero;
        without ``b1`` the biases are the first row of ``W1``
    captions : a sentence for each snapshot; by default its loss
    label : what a step is called
    log, log_steps : a logarithmic axis of the loss, of the steps

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
    data = {"maps": maps["maps"], "points": np.asarray(X[:300], float),
            "classes": np.asarray(y[:300]).astype(np.uint8).ravel(), "extent": maps["extent"],
            "steps": [int(step) for step in snapshots], "captions": list(captions),
            "positions": positions, "label": label, "log": log, "logSteps": log_steps,
            "at": np.asarray(steps, int), "curves": [
                {"name": name, "values": np.asarray(v, float)} for name, v in losses.items()]}
    if hidden is not None:
        data["hidden"] = maps["hidden"]
    if lines:
        data["lines"] = np.array([_lines(p) for p in snapshots.values()])
    alt = (f"A slider over {len(snapshots)} moments of the training, from {label} "
           f"{min(snapshots)} to {max(snapshots)}: the decision map"
           f"{' with a line for each hidden unit' if lines else ''}, and the loss curve with a "
           f"marker. At first {captions[0]}, at the end {captions[-1]}.")
    return recorded("scrub", data, alt, height=460, still=_still(data))


def _lines(params):
    """Return (H, 3): of each hidden unit its two weights and its bias."""
    W, b = (params["W1"], params["b1"]) if "b1" in params else (params["W1"][1:], params["W1"][0])
    return np.vstack([W, b]).T


def _still(data):
    """Return six moments in a row, as a figure."""
    from matplotlib.figure import Figure

    from helpers import palette

    picked = np.unique(np.linspace(0, len(data["steps"]) - 1, 6).round().astype(int))
    figure = Figure(figsize=(1.8 * len(picked), 2.2), layout="constrained")
    x0, x1, y0, y1 = data["extent"]
    looks = ((0, palette.NEGATIVE, "o"), (1, palette.POSITIVE, "s"))
    for at, ax in zip(picked, figure.subplots(1, len(picked), squeeze=False)[0], strict=True):
        ax.imshow(data["maps"][at].reshape(GRID, GRID), cmap=palette.diverging(0.45), vmin=0,
                  vmax=255, extent=data["extent"], aspect="auto")
        for k, colour, marker in looks:
            ax.scatter(*data["points"][data["classes"] == k].T, s=2, color=colour, marker=marker)
        for h, (a, b, c) in enumerate(data["lines"][at] if "lines" in data else ()):
            ax.axline((-a * c / (a * a + b * b), -b * c / (a * a + b * b)), slope=-a / (b or 1e-12),
                      color=palette.UNITS[h % 4], linestyle=STYLES[h % 3])
        ax.set(xticks=[], yticks=[], xlim=(x0, x1), ylim=(y0, y1))
        ax.set_title(f"{data['label']} {data['steps'][at]}", fontsize=9)
    return figure


def training_maps(
    snapshots: Mapping[int, dict], predict: Callable, X: np.ndarray, hidden: Callable | None = None,
) -> dict[str, np.ndarray | list[float]]:
    """Return what the view shows of each snapshot, as numbers from 0 to 255.

    Returns
    -------
    dict
        ``maps (S, GRID²)``; ``hidden (S, H, SMALL²)`` where asked for, each unit on one scale for
        all snapshots; ``extent`` of the points.
    """
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.08 * (high - low)
    (x0, y0), (x1, y1) = low - margin, high + margin
    extent = [float(v) for v in (x0, x1, y0, y1)]
    grid = _grid(extent, GRID)
    values = [np.asarray(predict(grid, params), float) for params in snapshots.values()]
    wrong = next((v.shape for v in values if v.shape != (len(grid),)), None)
    if wrong is not None:
        raise ValueError(f"predict: shape {wrong} came back for {len(grid)} points; "
                         f"({len(grid)},) was wanted")
    found: dict = {"extent": extent, "maps": _as_bytes(np.array(values))}
    if hidden is not None:
        grid = _grid(extent, SMALL)
        units = np.array([np.asarray(hidden(grid, p), float).T for p in snapshots.values()])
        low, high = units.min(axis=(0, 2), keepdims=True), units.max(axis=(0, 2), keepdims=True)
        found["hidden"] = _as_bytes((units - low) / np.where(high > low, high - low, 1))
    return found


def _grid(extent, side):
    """Return side² points, row by row from the top."""
    x0, x1, y0, y1 = extent
    grid = np.meshgrid(np.linspace(x0, x1, side), np.linspace(y1, y0, side))
    return np.stack(grid, -1).reshape(-1, 2)


def _as_bytes(values):
    return np.rint(255 * np.clip(np.nan_to_num(values), 0, 1)).astype(np.uint8)
