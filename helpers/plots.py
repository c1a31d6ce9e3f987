"""Plots of data and of training.

Each takes the labels of its axes (`xlabel`, `ylabel`) and a `title`, draws on `ax` or else on a new
figure, and returns its Axes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from helpers import palette
from helpers.palette import (
    CLASS_COLOURS,
    CLASS_MARKERS,
    CURVES,
    EDGE,
    INK,
    LEVEL,
    POSITIVE,
    SETS,
    VALUES,
)

if TYPE_CHECKING:
    import pandas as pd

GRID = 100  # points of a decision map in each direction
UNIT_LINES = ("solid", (0, (5, 2)), (0, (1, 1.2)))  # of hidden units, beside their colours
LEGENDS = {
    "inside": {"loc": "best"},
    "beside": {"loc": "center left", "bbox_to_anchor": (1, 0.5)},
    "under": {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13), "ncols": 2},
}


def scatter_classes(
    X: np.ndarray, y: np.ndarray, *, names: Sequence[str] | None = None, xlabel: str = "$x_1$",
    ylabel: str = "$x_2$", title: str | None = None, size: float = 36, ax: Axes | None = None,
) -> Axes:
    """Draw points with the colour and the marker of their class.

    Parameters
    ----------
    X : (N, 2)
    y : (N,) or (N, 1) integers or booleans from 0 to 9
    names : what the legend calls the classes, optional
    xlabel, ylabel, title : str
    size : float
        Of a marker, in points².
    ax : Axes, optional

    Raises
    ------
    ValueError
        Where a shape does not fit or a class is not a whole number from 0 to 9.
    """
    X, y = _points(X), _column("y", y, len(X))
    classes = np.unique(y)
    if not np.isin(classes, range(len(CLASS_COLOURS))).all():
        raise ValueError(f"y: classes {classes} came, whole numbers from 0 to 9 were wanted")
    if names is not None and len(names) <= classes.max():
        raise ValueError(f"names: {len(names)} came, {int(classes.max()) + 1} were wanted")
    ax = palette.white_axes(ax, (5.4, 4.4), "constrained")
    for k in classes.astype(int):
        ax.scatter(*X[y == k].T, s=size, color=CLASS_COLOURS[k], marker=CLASS_MARKERS[k],
                   edgecolors="white", linewidths=0.7, zorder=3,
                   label=f"class {k}" if names is None else names[k])
    _finish(ax, xlabel, ylabel, title, legend="inside" if len(classes) < 4 else "beside")
    return ax


def scatter_outcomes(
    X: np.ndarray, y: np.ndarray, predicted: np.ndarray, *, xlabel: str = "$x_1$",
    ylabel: str = "$x_2$", title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw points of two classes with what was predicted for them, mistakes large and dark-edged.

    Colour and marker show the true class, as in `scatter_classes`. The legend counts.

    Parameters
    ----------
    X : (N, 2)
    y, predicted : (N,) or (N, 1)
        0 and 1, or booleans: the true and the predicted class.

    Raises
    ------
    ValueError
        Where a shape does not fit or a class is neither 0 nor 1.
    """
    X = _points(X)
    y, predicted = _column("y", y, len(X)), _column("predicted", predicted, len(X))
    if not np.isin(np.concatenate([y, predicted]), (0, 1)).all():
        raise ValueError("y and predicted: something other than 0 and 1 came")
    ax = palette.white_axes(ax, (6.4, 4.8), "constrained")
    for said, truth, name in ((1, 1, "true positive"), (0, 0, "true negative"),
                              (1, 0, "false positive"), (0, 1, "false negative")):
        rows = (predicted == said) & (y == truth)
        right = said == truth
        ax.scatter(*X[rows].T, color=CLASS_COLOURS[truth], marker=CLASS_MARKERS[truth],
                   s=22 if right else 110, alpha=0.55 if right else 1,
                   edgecolors="white" if right else INK, linewidths=0.5 if right else 1.8,
                   zorder=3 if right else 4, label=f"{name}: {rows.sum()}")
    _finish(ax, xlabel, ylabel, title, legend="beside")
    return ax


def heat_map(
    table: pd.DataFrame, *, label: str = "value", digits: int = 2, low: float | None = None,
    high: float | None = None, xlabel: str = "", ylabel: str = "", title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a table of numbers as coloured cells, each with its number in it.

    Parameters
    ----------
    table : DataFrame of numbers
        Its index and its columns name the rows and the columns.
    label : str
        What the numbers are, beside the colour bar.
    digits : int
        After the point.
    low, high : float, optional
        Ends of the colour scale; by default the smallest and the largest number.

    Raises
    ------
    ValueError
        Where the table is empty.
    """
    import seaborn as sns

    if table.size == 0:
        raise ValueError(f"table: shape {table.shape} came, at least one row and column was wanted")
    rows, columns = table.shape
    ax = palette.white_axes(ax, (1.2 * columns + 3, 0.55 * rows + 1.4), "constrained")
    sns.heatmap(table, ax=ax, cmap=VALUES, vmin=low, vmax=high, annot=True, fmt=f".{digits}f",
                linewidths=1.5, linecolor="white", cbar_kws={"label": label})
    for number, face in zip(ax.texts, ax.collections[0].get_facecolors(), strict=True):
        light = face[:3] ** 2.2 @ (0.21, 0.72, 0.07)
        number.set_color("black" if light > 0.18 else "white")
    ax.tick_params(length=0)
    ax.set_yticks(ax.get_yticks(), ax.get_yticklabels(), rotation=0)
    _finish(ax, xlabel, ylabel, title)
    return ax


def scatter_values(
    X: np.ndarray, values: np.ndarray, *, label: str = "value", xlabel: str = "$x_1$",
    ylabel: str = "$x_2$", title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw points coloured by a value, with a colour bar.

    Parameters
    ----------
    X : (N, 2)
    values : (N,) or (N, 1)
    label : str
        What the colour bar shows, with its unit.

    Raises
    ------
    ValueError
        Where a shape does not fit.
    """
    X, values = _points(X), _column("values", values, len(X))
    ax = palette.white_axes(ax, (6, 4.4), "constrained")
    points = ax.scatter(*X.T, c=values, cmap=VALUES, s=70, edgecolors=INK, linewidths=0.6)
    _colour_bar(points, ax, label)
    _finish(ax, xlabel, ylabel, title)
    return ax


def curve(
    x: Sequence[float], y: Sequence[float], *, xlabel: str = "x", ylabel: str = "y",
    title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw one function of one variable.

    Parameters
    ----------
    x, y : (M,)
    xlabel, ylabel, title : str
    ax : Axes, optional

    Raises
    ------
    ValueError
        Where the lengths differ.
    """
    x, y = _column("x", x), _column("y", y, len(x))
    ax = palette.white_axes(ax, (6, 3.8), "constrained")
    ax.plot(x, y, color=INK, linewidth=2)
    _finish(ax, xlabel, ylabel, title)
    return ax


def lines(
    x: Sequence[float], values: np.ndarray, names: Sequence[str], *, xlabel: str = "x",
    ylabel: str = "y", title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw several lines of one kind, each with its name at its right end.

    Parameters
    ----------
    x : (M,)
    values : (M, number of lines)
    names : one str a line

    Raises
    ------
    ValueError
        Where the lengths differ.
    """
    x, values = _column("x", x), np.asarray(values, dtype=float)
    if values.shape != (len(x), len(names)):
        raise ValueError(f"values: shape {values.shape} came, ({len(x)}, {len(names)}) was wanted")
    ax = palette.white_axes(ax, (6.6, 4.2), "constrained")
    shades = plt.get_cmap(VALUES)(np.linspace(0, 0.85, len(names)))
    room = 0.055 * np.ptp(values)
    ends, lowest = {}, -np.inf
    for k in np.argsort(values[-1], kind="stable"):  # from below, so that no name covers another
        ends[k] = lowest = max(values[-1, k], lowest + room)
    for k, name in enumerate(names):
        ax.plot(x, values[:, k], color=shades[k], linewidth=1.8,
                linestyle=("solid", "dashed", "dashdot")[k % 3])
        ax.annotate(name, (x[-1], ends[k]), xytext=(5, 0), textcoords="offset points",
                    va="center", fontsize=10, color=INK)
    ax.margins(x=0)
    _finish(ax, xlabel, ylabel, title)
    return ax


def loss_curves(
    curves: Mapping[str, Sequence[float] | float], *, log: bool = True, xlabel: str = "epoch",
    ylabel: str = "loss", title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw losses against epochs.

    The first curve that is neither train nor test is thick and pale, the next ones thin and
    broken: two equal curves are seen lying on each other.

    Parameters
    ----------
    curves : a dict of sequences, such as the history of a training
        ``train`` or ``train_loss`` and ``test`` or ``test_loss`` have their own colours; a single
        number is a level line; ``predictions`` is left out, because it is no loss.
    log : bool
        A logarithmic loss axis.

    Raises
    ------
    ValueError
        Where there is no curve, or one is empty or not one-dimensional.
    """
    curves = {name: np.squeeze(np.asarray(values, dtype=float))
              for name, values in curves.items() if name != "predictions"}
    if not curves:
        raise ValueError("curves: none came, at least one was wanted")
    for name, values in curves.items():
        if values.ndim > 1 or values.size == 0:
            raise ValueError(f"curves[{name!r}]: shape {values.shape} came, a sequence of numbers "
                             "was wanted")
    ax = palette.white_axes(ax, (6.6, 4.2), "constrained")
    others = [name for name, values in curves.items() if values.ndim and _name(name) not in SETS]
    for name, values in curves.items():
        style = dict(CURVES[others.index(name) % len(CURVES)] if name in others else LEVEL)
        if _name(name) in SETS:
            style = _of_a_set(name)
        draw = ax.plot if values.ndim else ax.axhline
        draw(values, label=_name(name), zorder=2 if style["linewidth"] > 5 else 3, **style)
    if log:
        ax.set_yscale("log")
    ax.locator_params(axis="x", integer=True)  # there is no half epoch
    _finish(ax, xlabel, ylabel, title, legend="inside")
    return ax


def log_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, log: str = "y",
    xlabel: str = "x", ylabel: str = "y", title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw several curves, each over its own x, on logarithmic axes.

    Of several, the first one is thick and pale, the next ones thin and broken, as in `loss_curves`;
    ``train`` and ``test`` have their own colours.

    Parameters
    ----------
    curves : name -> (x, y), both (M,)
        From one to four.
    log : "y", "x" or "xy"
        Which axes are logarithmic.

    Raises
    ------
    ValueError
        Where there is no curve or there are too many, or the lengths of a pair differ.
    """
    if not 1 <= len(curves) <= len(CURVES):
        raise ValueError(f"curves: {len(curves)} came, 1 to {len(CURVES)} were wanted")
    ax = palette.white_axes(ax, (6.6, 4.2), "constrained")
    for k, (name, (x, y)) in enumerate(curves.items()):
        x = _column(f"curves[{name!r}], x", x)
        y = _column(f"curves[{name!r}], y", y, len(x))
        style = CURVES[k] if len(curves) > 1 else {"color": INK, "linewidth": 2}
        style = _of_a_set(name) if name in SETS else style
        ax.plot(x, y, label=name, zorder=2 if k == 0 else 3, **style)
    for axis in log:
        getattr(ax, f"set_{axis}scale")("log")
    _finish(ax, xlabel, ylabel, title, legend="inside")
    return ax


def unit_lines(
    W: np.ndarray, b: np.ndarray, X: np.ndarray, y: np.ndarray | None = None, *,
    xlabel: str = "$x_1$", ylabel: str = "$x_2$", title: str | None = None, size: float = 8,
    ax: Axes | None = None,
) -> Axes:
    """Draw where the hidden units of a network with two inputs switch over.

    Each unit's line, where its weighted sum is 0, has its own colour and style; the arrow shows the
    side on which the sum is positive. A unit whose line does not cross the picture is not seen.

    Parameters
    ----------
    W : (2, H)
    b : (H,)
        H up to 10.
    X : (N, 2)
        The picture covers these points.
    y : (N,), optional
        Their classes; with it the points are drawn.

    Raises
    ------
    ValueError
        Where a shape does not fit.
    """
    X, W, b = _points(X), np.asarray(W, dtype=float), np.asarray(b, dtype=float)
    if W.ndim != 2 or W.shape[0] != 2 or not 1 <= W.shape[1] <= 10 or b.shape != W.shape[1:]:
        raise ValueError(f"W, b: shapes {W.shape}, {b.shape} came, (2, H) and (H,) with H up to "
                         "10 were wanted")
    ax = palette.white_axes(ax, (4.2, 4.2), "constrained")
    if y is not None:
        scatter_classes(X, y, size=size, ax=ax).get_legend().remove()
        for points in ax.collections:
            points.set_alpha(0.25)
    pad = 0.04 * np.ptp(X, axis=0)
    low, high = X.min(axis=0) - pad, X.max(axis=0) + pad
    reach = np.linalg.norm(high - low)
    for k in range(len(b)):
        length = np.linalg.norm(W[:, k])
        if length == 0:
            continue
        normal = W[:, k] / length
        foot = -b[k] / length * normal  # of the line, nearest to the origin
        along = reach * np.array([-normal[1], normal[0]])
        style = {"color": palette.UNITS[k % 4], "linestyle": UNIT_LINES[k % 3]}
        ax.plot(*zip(foot - along, foot + along, strict=True), linewidth=2.2,
                label=f"unit {k + 1}", zorder=4, **style)
        ax.annotate("", foot + 0.1 * reach * normal, foot, zorder=4, annotation_clip=True,
                    arrowprops={"arrowstyle": "-|>", "color": style["color"], "linewidth": 1.8})
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    _finish(ax, xlabel, ylabel, title)
    return ax


def predictions_over_epochs(
    predictions: np.ndarray, y: np.ndarray, *, xlabel: str = "epoch", ylabel: str = "prediction",
    title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw each sample's prediction over the epochs, and its true value, dashed.

    Parameters
    ----------
    predictions : (epochs, N) or (epochs, N, 1)
    y : (N,) or (N, 1)
        True values, in the units of the predictions. They give each sample its colour.

    Raises
    ------
    ValueError
        Where a shape does not fit.
    """
    y = _column("y", y)
    predictions = np.asarray(predictions, dtype=float)
    if predictions.ndim == 3 and predictions.shape[2] == 1:
        predictions = predictions[:, :, 0]
    if predictions.ndim != 2 or predictions.shape[1] != len(y):
        raise ValueError(f"predictions: shape {predictions.shape} came, (epochs, {len(y)}) or "
                         f"(epochs, {len(y)}, 1) was wanted")
    ax = palette.white_axes(ax, (7.2, 4.8), "constrained")
    ranks = (y - y.min()) / (np.ptp(y) or 1)
    for colour, line, truth in zip(plt.get_cmap(VALUES)(0.92 * ranks), predictions.T, y,
                                   strict=True):
        ax.plot(line, color=colour, linewidth=1.8)
        ax.axhline(truth, color=colour, linewidth=1, linestyle=(0, (5, 3)), zorder=1)
    ax.margins(x=0)
    ax.plot([], [], color=INK, linewidth=1.8, label="prediction")
    ax.plot([], [], color=INK, linewidth=1, linestyle=(0, (5, 3)), label="true value")
    _finish(ax, xlabel, ylabel, title, legend="under")
    return ax


def predicted_vs_true(
    sets: Mapping[str, tuple[np.ndarray, np.ndarray]], *, xlabel: str = "true value",
    ylabel: str = "prediction", title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw predictions against true values; on the diagonal they are equal.

    Parameters
    ----------
    sets : a dict of pairs (y, Y_hat), each (N,) or (N, 1)
        ``train`` and ``test`` have their own colours and markers.

    Raises
    ------
    ValueError
        Where there is no set, or the shapes of a pair do not fit.
    """
    if not sets:
        raise ValueError("sets: none came, at least one was wanted")
    ax = palette.white_axes(ax, (5, 5), "constrained")
    others = [name for name in sets if name not in SETS]
    seen = []
    for name, (y, Y_hat) in sets.items():
        y = _column(f"sets[{name!r}], true values", y)
        Y_hat = _column(f"sets[{name!r}], predictions", Y_hat, len(y))
        k = others.index(name) + 2 if name in others else 0
        colour, marker = CLASS_COLOURS[k], CLASS_MARKERS[k]
        if name in SETS:
            colour, marker = SETS[name]["color"], SETS[name]["marker"]
        ax.scatter(y, Y_hat, s=42, color=colour, marker=marker, edgecolors="white", linewidths=0.7,
                   label=name, zorder=3)
        seen += [y, Y_hat]
    low, high = np.nanmin(np.concatenate(seen)), np.nanmax(np.concatenate(seen))
    pad = 0.06 * (high - low) or 1.0
    limits = (low - pad, high + pad)
    ax.plot(limits, limits, label="prediction = true value", zorder=1, **LEVEL)
    ax.set(xlim=limits, ylim=limits, aspect="equal")
    _finish(ax, xlabel, ylabel, title, legend="inside")
    return ax


def decision_map(
    predict: Callable[[np.ndarray], np.ndarray], X: np.ndarray, y: np.ndarray | None = None, *,
    label: str | None = "probability of class 1", xlabel: str = "$x_1$", ylabel: str = "$x_2$",
    title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw what a classifier says everywhere around the points, and its border at one half.

    Parameters
    ----------
    predict : (M, 2) array → (M,) or (M, 1) probabilities between 0 and 1
        Called once, with a grid of 100 by 100 points.
    X : (N, 2)
        The map covers these points and a margin.
    y : (N,) or (N, 1), optional
        Their classes; with it the points are drawn.
    label : str or None
        What the colour bar shows; None leaves it out.

    Raises
    ------
    ValueError
        Where a shape does not fit.
    """
    X = _points(X)
    pad = 0.08 * np.ptp(X, axis=0)
    pad[pad == 0] = 1.0
    (left, low), (right, high) = X.min(axis=0) - pad, X.max(axis=0) + pad
    x1, x2 = np.meshgrid(np.linspace(left, right, GRID), np.linspace(low, high, GRID))
    scores = _column("predict(grid)", predict(np.column_stack([x1.ravel(), x2.ravel()])), x1.size)
    scores = scores.reshape(GRID, GRID)
    ax = palette.white_axes(ax, (6, 4.8), "constrained")
    image = ax.imshow(scores, origin="lower", extent=(left, right, low, high), aspect="auto",
                      cmap=palette.diverging(0.55), vmin=0, vmax=1, interpolation="bilinear")
    if scores.min() < 0.5 < scores.max():
        ax.contour(x1, x2, scores, levels=[0.5], colors=INK, linewidths=1.6)
    if label is not None:
        _colour_bar(image, ax, label)
    if y is not None:
        scatter_classes(X, y, ax=ax).get_legend().remove()
    _finish(ax, xlabel, ylabel, title)
    return ax


def loss_surface(
    loss: Callable[[float, float], float], x: Sequence[float], y: Sequence[float], *,
    path: np.ndarray | None = None, label: str = "loss", xlabel: str = "first weight",
    ylabel: str = "second weight", title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw a loss over two weights as a map, and the way of a descent on it.

    Parameters
    ----------
    loss : takes two numbers, returns a positive one
        Called once for each point of the grid; the colours are those of its logarithm.
    x, y : the values of the grid
    path : (M, 2), optional
        Points of a descent, the first one marked with a circle and an arrow to the second.
    label : str
        What the colour bar shows.

    Raises
    ------
    ValueError
        Where the path is not (M, 2).
    """
    from matplotlib.colors import LogNorm

    ax = palette.white_axes(ax, (6, 4.8), "constrained")
    values = np.array([[loss(float(u), float(v)) for u in x] for v in y])
    image = ax.pcolormesh(x, y, values, cmap=VALUES, norm=LogNorm(), shading="gouraud")
    ax.contour(x, y, np.log(values), levels=10, colors="white", linewidths=0.5, alpha=0.6)
    _colour_bar(image, ax, label)
    if path is not None:
        path = _points(path)
        ax.plot(*path.T, color="white", linewidth=3.4, zorder=3)
        ax.plot(*path.T, "o-", color=INK, markersize=3.5, linewidth=1.3, zorder=4)
        ax.plot(*path[0], "o", color="white", markeredgecolor=INK, markersize=9, zorder=5)
        if len(path) > 1:
            ax.annotate("", path[1], path[0], zorder=5, annotation_clip=True,
                        arrowprops={"arrowstyle": "-|>", "color": POSITIVE, "linewidth": 2.4})
    ax.set(xlim=(min(x), max(x)), ylim=(min(y), max(y)))
    _finish(ax, xlabel, ylabel, title)
    return ax


def over_starts(
    settings: Sequence[float | str], results: Mapping[str, np.ndarray], *,
    xlabel: str = "setting", ylabel: str = "result", title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what several starts came to, against a setting: their median, and their range as a band.

    The settings stand at equal distances, whatever they are.

    Parameters
    ----------
    settings : S numbers or names
    results : a dict of arrays (S, R), a row for each setting, a column for each start
        ``train`` and ``test`` have their own colours and markers.

    Raises
    ------
    ValueError
        Where there is no result, or a shape does not fit.
    """
    if not results:
        raise ValueError("results: none came, at least one was wanted")
    ax = palette.white_axes(ax, (6.6, 4.2), "constrained")
    others = [name for name in results if name not in SETS]
    places = np.arange(len(settings))
    for name, values in results.items():
        values = np.asarray(values, dtype=float)
        if values.ndim != 2 or len(values) != len(places) or values.size == 0:
            raise ValueError(f"results[{name!r}]: shape {values.shape} came, "
                             f"({len(places)}, starts) was wanted")
        k = others.index(name) + 2 if name in others else 0
        style = SETS.get(name) or {"color": CLASS_COLOURS[k], "marker": CLASS_MARKERS[k]}
        ax.fill_between(places, values.min(axis=1), values.max(axis=1), color=style["color"],
                        alpha=0.2, linewidth=0)
        ax.plot(places, np.median(values, axis=1), label=name, **style)
    ax.set_xticks(places, [str(setting) for setting in settings])
    _finish(ax, xlabel, ylabel, title, legend="inside")
    return ax


def images(
    pictures: np.ndarray, captions: Sequence[str] | None = None, *, columns: int = 10,
    signed: bool = False, label: str | None = None, xlabel: str = "", ylabel: str = "",
    title: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Draw small pictures in rows, from the upper left, each with a caption under it.

    Parameters
    ----------
    pictures : (n, height, width)
        All on one scale: by default white is the smallest value and black the largest.
    captions : n str, optional
    columns : int
        Pictures in a row.
    signed : bool
        Use the colours of negative and positive numbers, with white for 0.
    label : str, optional
        What the numbers are, beside a colour bar; without it there is none.

    Raises
    ------
    ValueError
        Where there is no picture, or a shape or number does not fit.
    """
    pictures = np.asarray(pictures, dtype=float)
    if pictures.ndim != 3 or pictures.size == 0:
        raise ValueError(f"pictures: shape {pictures.shape} came, (n, height, width) with at least "
                         "one picture was wanted")
    if captions is not None and len(captions) != len(pictures):
        raise ValueError(f"captions: {len(captions)} came, {len(pictures)} were wanted")
    if columns < 1:
        raise ValueError(f"columns: {columns} came, at least 1 was wanted")
    n, height, width = pictures.shape
    columns = min(columns, n)
    step_x = 1.25 * width
    step_y = (1.25 if captions is None else 1.5) * height
    rows = -(-n // columns)
    ax = palette.white_axes(ax, (1.02 * columns + 0.4, 1.02 * rows * step_y / step_x + 0.5),
                            "constrained")
    largest = np.abs(pictures).max() or 1.0
    low, high = (-largest, largest) if signed else (pictures.min(), pictures.max())
    for k, picture in enumerate(pictures):
        left, top = k % columns * step_x, -(k // columns) * step_y
        shown = ax.imshow(picture, cmap=palette.diverging() if signed else "Greys", vmin=low,
                          vmax=high, extent=(left, left + width, top - height, top))
        ax.plot([left, left + width, left + width, left, left],
                [top, top, top - height, top - height, top], color=EDGE, linewidth=0.8)
        if captions is not None:
            ax.text(left + width / 2, top - 1.06 * height, captions[k], ha="center", va="top",
                    fontsize=8.5, color=INK)
    ax.set(xlim=(-0.1 * width, columns * step_x - 0.15 * width),
           ylim=(0.15 * height - rows * step_y, 0.1 * height) if captions is None else
           (0.1 * height - rows * step_y, 0.1 * height), xticks=[], yticks=[], aspect="equal")
    if label is not None:
        _colour_bar(shown, ax, label)
    _finish(ax, xlabel, ylabel, title)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def _name(name: str) -> str:
    """Return what the legend calls a curve: ``train_loss`` is train."""
    return name.removesuffix("_loss")


def _points(X: np.ndarray) -> np.ndarray:
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != 2 or len(X) == 0:
        raise ValueError(f"X: shape {X.shape} came, (N, 2) with at least one row was wanted")
    return X


def _column(name: str, values: np.ndarray, n: int | str = "N") -> np.ndarray:
    """Return `values` (n,) or (n, 1) as (n,) floats; "N" is any number but 0."""
    values = np.asarray(values, dtype=float)
    if values.shape[1:] not in ((), (1,)) or values.size == 0 or n not in ("N", len(values)):
        raise ValueError(f"{name}: shape {values.shape} came, ({n},) or ({n}, 1) was wanted")
    return values.reshape(-1)


def _of_a_set(name: str) -> dict:
    return {key: SETS[_name(name)][key] for key in ("color", "linestyle", "linewidth")}


def _colour_bar(mappable: plt.cm.ScalarMappable, ax: Axes, label: str) -> None:
    bar = ax.figure.colorbar(mappable, ax=ax)
    bar.set_label(label, fontsize=11, color=INK)
    bar.outline.set_visible(False)


def _finish(ax: Axes, xlabel: str, ylabel: str, title: str | None, legend: str = "") -> None:
    """Write the labels and the legend (see LEGENDS), drop the lines of the frame nobody needs."""
    ax.set_xlabel(xlabel, fontsize=11, color=INK)
    ax.set_ylabel(ylabel, fontsize=11, color=INK)
    if title:
        ax.set_title(title, fontsize=12, color=INK)
    ax.spines[["top", "right"]].set_visible(False)
    if legend:
        ax.legend(frameon=False, fontsize=10, labelcolor=INK, **LEGENDS[legend])
