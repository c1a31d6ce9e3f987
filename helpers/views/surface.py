"""Loss surface: why does a descent arrive, swing or fly off?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache

import numpy as np

from helpers.views.base import Live, Still, live, twin

GRID, STEPS = 40, 60  # points of the map in each direction, steps of a descent
FAR = 1e9  # the page gets no number beyond it
RATES = (0.1, 0.3, 1, 2, 3, 4, 5, 7, 10, 12, 15, 20, 25, 30, 40, 60)
ALT = "The loss over {0} and {1} as a map with a valley, and descents of {2} steps on it: {3}."


def loss_surface(
    loss: Callable[[float, float], float],
    gradient: Callable[[float, float], tuple[float, float]],
    extent: tuple[float, float, float, float], start: tuple[float, float], *,
    names: tuple[str, str] = ("first weight", "second weight"), rate: float = 3,
    pictured: Sequence[float] = (3, 15, 30),
) -> Live | Still:
    """Return a view of a loss over two weights, in which a click starts a descent.

    Parameters
    ----------
    loss, gradient : take the two weights; the loss is positive
    extent : (left, right, low, high) of the map
    start : where the first descent begins
    names : of the weights
    rate : at first, one of `RATES`
    pictured : rates of the still twin
    """
    loss = lru_cache(4 * GRID**2)(loss)
    columns = np.linspace(*extent[:2], GRID)
    rows = np.linspace(extent[3], extent[2], GRID)  # from the top

    @cache
    def shared():
        losses = np.array([[loss(float(u), float(v)) for u in columns] for v in rows], float)
        if not (np.isfinite(losses) & (losses > 0)).all():
            raise ValueError("the loss is not a positive number everywhere in the picture")
        heights = np.log(losses)
        scaled = (heights - heights.min()) / (np.ptp(heights) or 1)
        return {"map": np.rint(255 * scaled).astype(np.uint8).ravel(), "extent": list(extent),
                "names": list(names), "rates": list(RATES)}

    def respond(controls):
        at = RATES[controls["rate"]]
        path = descend(gradient, controls["start"], at)
        losses = np.array([loss(*point) for point in path])
        return {**shared(), "path": np.clip(np.nan_to_num(path), -FAR, FAR),
                "losses": np.clip(losses, -FAR, FAR), "said": _said(at, losses)}

    def pictured_paths():
        paths = {at: descend(gradient, start, at) for at in pictured}
        ends = "; ".join(_said(at, [loss(*point) for point in path]) for at, path in paths.items())
        return (ALT.format(*names, STEPS, ends),
                _still(loss, columns, rows[::-1], paths, names))

    alt, still = twin(pictured_paths, f"The loss over {names[0]} and {names[1]} as a map.")
    return live("surface", respond, {"start": list(start), "rate": RATES.index(rate)}, alt,
                still=still)


def descend(
    gradient: Callable, start: Sequence[float], rate: float, steps: int = STEPS,
) -> np.ndarray:
    """Return the points (steps + 1, 2) of gradient descent in two weights.

    Raises
    ------
    ValueError
        Where the gradient is not two numbers, at a point that is not far off.
    """
    path = [np.array(start, float)]
    for _ in range(steps):
        came = np.array(gradient(*path[-1].tolist()), float)
        if came.shape != (2,) or np.abs(path[-1]).max() < FAR and not np.isfinite(came).all():
            raise ValueError(f"gradient: {came} came, two numbers were wanted")
        path.append(path[-1] - rate * came)
    return np.array(path)


def _said(rate, losses):
    return (f"at rate {rate:g} the loss goes from {losses[0]:.3g} to {losses[1]:.3g}, and ends at "
            f"{losses[-2]:.3g}, {losses[-1]:.3g}")


def _still(loss, x, y, paths, names):
    from matplotlib.figure import Figure

    from helpers import plots

    figure = Figure(figsize=(4.6 * len(paths), 4), layout="constrained")
    axes = figure.subplots(1, len(paths), squeeze=False)[0]
    for ax, (rate, path) in zip(axes, paths.items(), strict=True):
        plots.loss_surface(loss, x, y, path=path, title=f"rate {rate:g}", xlabel=names[0],
                           ylabel=names[1], ax=ax)
    return figure
