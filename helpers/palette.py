"""The colours of the course: one meaning, one colour, and a second cue beside it.

Every colour is told apart under the common forms of colour blindness (a test simulates them), and
is never alone: a line also has its style, a class its marker, a bias node its square shape.
Nothing here needs Matplotlib until a colormap or an Axes is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

INK = "#222222"  # text and node outlines
FAINT = "#767676"  # what should stand back: column heads, grid lines, diagonals
EDGE = "#B4B4B4"  # a connection without a weight
NODE = "#E4E7EA"
BIAS = "#F6F6F6"

NEGATIVE = "#0072B2"
POSITIVE = "#D55E00"
TRAIN = "#333333"
TEST = "#AA4499"
VALIDATION = "#1E88E5"
GRADIENT = "#E69F00"
GRADIENT_PALE = "#FCEBC8"  # behind text: amber letters on white are hard to read

SIGNS = {
    1: {"color": POSITIVE, "linestyle": "solid"},
    0: {"color": EDGE, "linestyle": "dotted"},
    -1: {"color": NEGATIVE, "linestyle": "dashed"},
}
SETS = {
    "train": {"color": TRAIN, "linestyle": "solid", "linewidth": 2.0, "marker": "o"},
    "test": {"color": TEST, "linestyle": "dashed", "linewidth": 2.0, "marker": "D"},
    "validation": {"color": VALIDATION, "linestyle": "dashdot", "linewidth": 2.0, "marker": "^"},
}
# Other curves: a thick pale line first, so that an equal one drawn on top of it can still be seen.
CURVES = (
    {"color": "#9CCBEB", "linestyle": "solid", "linewidth": 7.0},
    {"color": "#7A2E00", "linestyle": (0, (4, 3)), "linewidth": 1.6},
    {"color": "#117733", "linestyle": (0, (1, 2)), "linewidth": 2.4},
    {"color": "#332288", "linestyle": (0, (7, 2, 1, 2)), "linewidth": 1.6},
)
LEVEL = {"color": FAINT, "linestyle": (0, (1, 1.5)), "linewidth": 1.8}  # what to compare with
CLASS_COLOURS = (
    NEGATIVE, POSITIVE, "#0F5132", "#CC79A7", "#56B4E9",
    "#882255", "#999933", "#332288", "#44AA99", "#6B4C2A",
)
CLASS_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
UNITS = ("#117733", "#332288", "#882255", "#999933")  # the lines of hidden units, by turns
OUTCOMES = {
    "correct": "#009E73",
    "not yet": "#CC3311",
    "not attempted": "#4477AA",
    "skipped": "#666666",
}
VALUES = "cividis"  # the colormap of plain values, without a sign


def diverging(strength: float = 1.0) -> Colormap:
    """Return the colormap from negative over white to positive.

    Parameters
    ----------
    strength : float
        1 ends in the full colours of the two signs, less in paler ones (a background).
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    ends = [tuple(1 - strength * (1 - c) for c in to_rgb(end)) for end in (NEGATIVE, POSITIVE)]
    return LinearSegmentedColormap.from_list("signs", [ends[0], (1.0, 1.0, 1.0), ends[1]])


def white_axes(
    ax: Axes | None, size: tuple[float, float], layout: str | None = None
) -> Axes:
    """Return `ax`, or the Axes of a new figure of `size` inches, on a white face in any theme."""
    if ax is None:
        import matplotlib.pyplot as plt

        ax = plt.subplots(figsize=size, layout=layout)[1]
    ax.figure.set_facecolor("white")
    ax.set_facecolor("white")
    return ax
