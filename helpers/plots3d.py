"""Pictures in three dimensions: points in a cube with a plane between them, and a surface.

Each draws on `ax`, an Axes with ``projection="3d"``, or else on a new figure, and returns its Axes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations, product

import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.mplot3d import Axes3D
from mpl_toolkits.mplot3d.art3d import Poly3DCollection

from helpers import palette
from helpers.palette import CLASS_COLOURS, CLASS_MARKERS, FAINT, INK

GRID = 60  # points of a surface in each direction
VIEW = {"elev": 25, "azim": -60}
INNER = (0.2, 0.4, 0.6, 0.8)  # ticks of the cube; at its corners those of two axes would collide


def cube(
    points: np.ndarray, y: np.ndarray, *, plane: tuple[Sequence[float], float] | None = None,
    names: Sequence[str] | None = None, axes: Sequence[str] = ("$a_1$", "$a_2$", "$a_3$"),
    title: str | None = None, size: float = 14, view: tuple[float, float] | None = None,
    ax: Axes3D | None = None,
) -> Axes3D:
    """Draw points in the unit cube with the colour and the marker of their class, and a plane.

    Parameters
    ----------
    points : (N, 3)
        Such as the activations of three sigmoid units.
    y : (N,) integers from 0 to 9
    plane : (normal, offset), optional
        The points a with ``normal @ a + offset = 0``; of it the part inside the cube is drawn.
    names : what the legend calls the classes, optional
    axes : the labels of the three axes
    title : str
    size : float
        Of a marker, in points².
    view : (elevation, azimuth) in degrees, optional

    Raises
    ------
    ValueError
        Where a shape does not fit, or the normal is zero.
    """
    points, y = np.asarray(points, dtype=float), np.asarray(y)
    if points.ndim != 2 or points.shape[1] != 3 or len(points) == 0:
        raise ValueError(f"points: shape {points.shape} came, (N, 3) with at least one row was "
                         "wanted")
    if y.shape != (len(points),):
        raise ValueError(f"y: shape {y.shape} came, ({len(points)},) was wanted")
    ax = _axes(ax, view)
    _draw_frame(ax)
    for k in np.unique(y).astype(int):
        ax.scatter(*points[y == k].T, s=size, color=CLASS_COLOURS[k], marker=CLASS_MARKERS[k],
                   edgecolors="white", linewidths=0.3, depthshade=False,
                   label=f"class {k}" if names is None else names[k])
    if plane is not None:
        corners = plane_in_cube(*plane)
        if len(corners):
            ax.add_collection3d(Poly3DCollection(
                [corners], facecolor=FAINT, edgecolor=INK, alpha=0.35, linewidth=1.2))
    ax.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1), xlabel=axes[0], ylabel=axes[1], zlabel=axes[2],
           xticks=INNER, yticks=INNER, zticks=INNER)
    ax.set_box_aspect((1, 1, 1), zoom=0.85)
    ax.legend(frameon=False, fontsize=10, labelcolor=INK, loc="upper left",
              bbox_to_anchor=(-0.08, 0.96))
    if title:
        ax.set_title(title, fontsize=12, color=INK, y=0.94)
    return ax


def plane_in_cube(normal: Sequence[float], offset: float) -> np.ndarray:
    """Return the corners (M, 3) of what a plane cuts out of the unit cube, in order around it.

    Parameters
    ----------
    normal : (3,)
    offset : float
        The plane holds the points a with ``normal @ a + offset = 0``.

    Returns
    -------
    (M, 3) with M from 3 to 6; (0, 3) where the plane misses the cube.

    Raises
    ------
    ValueError
        Where the normal has another shape, or is zero.
    """
    normal = np.asarray(normal, dtype=float)
    if normal.shape != (3,) or not normal.any():
        raise ValueError(f"normal: {normal} came, three numbers that are not all 0 were wanted")
    found = []
    for low, high in combinations(np.array(list(product([0.0, 1.0], repeat=3))), 2):
        if np.abs(high - low).sum() != 1:  # no edge of the cube
            continue
        before, after = normal @ low + offset, normal @ high + offset
        if before != after and 0 <= before / (before - after) <= 1:
            found.append(low + before / (before - after) * (high - low))
    corners = np.unique(np.round(found, 12), axis=0).reshape(-1, 3)
    if len(corners) < 3:
        return np.zeros((0, 3))
    across = np.linalg.svd(normal[None])[2][1:]  # two directions in the plane
    x, y = across @ (corners - corners.mean(axis=0)).T
    return corners[np.argsort(np.arctan2(y, x))]


def surface(
    predict: Callable[[np.ndarray], np.ndarray], X: np.ndarray, *,
    label: str = "probability of class 1", xlabel: str = "$x_1$", ylabel: str = "$x_2$",
    title: str | None = None, view: tuple[float, float] | None = None, ax: Axes3D | None = None,
) -> Axes3D:
    """Draw what a classifier says as a surface over the plane, and its border at one half.

    Parameters
    ----------
    predict : (M, 2) array → (M,) or (M, 1) probabilities between 0 and 1
        Called once, with a grid of 60 by 60 points.
    X : (N, 2)
        The surface covers these points.
    label, xlabel, ylabel : what the three axes show
    title : str
    view : (elevation, azimuth) in degrees, optional

    Raises
    ------
    ValueError
        Where a shape does not fit.
    """
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or X.shape[1] != 2 or len(X) == 0:
        raise ValueError(f"X: shape {X.shape} came, (N, 2) with at least one row was wanted")
    sides = [np.linspace(low, high, GRID) for low, high in zip(X.min(axis=0), X.max(axis=0),
                                                               strict=True)]
    x1, x2 = np.meshgrid(*sides)
    scores = np.asarray(predict(np.column_stack([x1.ravel(), x2.ravel()])), dtype=float)
    if scores.shape not in ((x1.size,), (x1.size, 1)):
        raise ValueError(f"predict(grid): shape {scores.shape} came, ({x1.size},) or "
                         f"({x1.size}, 1) was wanted")
    scores = scores.reshape(x1.shape)
    ax = _axes(ax, view)
    ax.plot_surface(x1, x2, scores, cmap=palette.diverging(0.8), vmin=0, vmax=1, rcount=GRID,
                    ccount=GRID, linewidth=0, antialiased=True)
    if scores.min() < 0.5 < scores.max():
        ax.computed_zorder = False  # the border is drawn on top, its far side too
        ax.contour(x1, x2, scores, levels=[0.5], colors=INK, linewidths=1.6, zorder=5)
    ax.set(zlim=(0, 1), xlabel=xlabel, ylabel=ylabel, zlabel=label)
    ax.set_box_aspect((1, 1, 0.7), zoom=0.85)
    if title:
        ax.set_title(title, fontsize=12, color=INK, y=0.94)
    return ax


def _axes(ax, view):
    if ax is None:
        ax = plt.figure(figsize=(6, 5)).add_subplot(projection="3d")
    elif not isinstance(ax, Axes3D):
        raise ValueError("ax: an Axes in two dimensions came; make it with projection=\"3d\"")
    ax.figure.set_facecolor("white")
    ax.set_facecolor("white")
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_pane_color((1.0, 1.0, 1.0, 0.0))
    ax.view_init(*(view or VIEW.values()))
    return ax


def _draw_frame(ax):
    for low, high in combinations(np.array(list(product([0, 1], repeat=3))), 2):
        if np.abs(high - low).sum() == 1:
            ax.plot(*zip(low, high, strict=True), color=FAINT, linewidth=0.6)
