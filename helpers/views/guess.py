"""You draw it: how far off was my belief?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from helpers.views.base import Live, Recorded, Still, live, recorded

ALT = ("A board on which a curve is drawn before it is known: {ylabel} against {xlabel}, from "
       "{low:g} to {high:g}.")


class Sketch:
    """A board to draw a guess on; `reveal` then shows the truth beside it."""

    def __init__(self, x: Sequence[float], xlabel: str, ylabel: str, low: float, high: float):
        self.x, self.axes = [float(v) for v in x], {
            "xlabel": xlabel, "ylabel": ylabel, "low": float(low), "high": float(high)}
        self.alt = ALT.format(**self.axes)
        self.view: Live | Still = live(
            "guess", lambda controls: self._data(), {"guess": [None] * len(self.x)}, self.alt)

    def _data(self, **more):
        return {"x": [f"{v:g}" for v in self.x], **self.axes, **more}

    @property
    def guess(self) -> np.ndarray:
        """What has been drawn, nan where nothing has."""
        controls = self.view.widget.controls if isinstance(self.view, Live) else {}
        guess = controls.get("guess") or [None] * len(self.x)
        return np.array([np.nan if v is None else v for v in guess], float)

    def reveal(self, truth: Sequence[float]) -> Recorded:
        """Return the truth beside the guess, with how far the two are apart.

        Raises
        ------
        ValueError
            Where `truth` has not one number for each x.
        """
        truth = np.asarray(truth, float)
        if truth.shape != (len(self.x),):
            raise ValueError(f"truth: shape {truth.shape} came, ({len(self.x)},) was wanted")
        off = np.abs(self.guess - truth)
        said = "You drew nothing: here is how it is."
        if np.isfinite(off).any():
            worst = int(np.nanargmax(off))
            said = (f"Your guess is off by {np.nanmean(off):.2g} on average, most at "
                    f"{self.axes['xlabel']} = {self.x[worst]:g}, by {off[worst]:.2g}.")
        points = ", ".join(f"{v:.3g} at {x:g}" for x, v in zip(self.x, truth, strict=True))
        guess = [None if np.isnan(v) else float(v) for v in self.guess]
        return recorded("guess", self._data(truth=truth.tolist(), guess=guess, said=said),
                        f"{said} {self.axes['ylabel']}: {points}.", 330, self._still(truth))

    def _still(self, truth):
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 3), layout="constrained")
        ax, places = figure.subplots(), np.arange(len(self.x))
        ax.plot(places, truth, "o-", color="#222222", label="how it is")
        ax.plot(places, self.guess, "s--", color="#AA4499", label="your guess")
        ax.set(xticks=places, xticklabels=[f"{v:g}" for v in self.x], xlabel=self.axes["xlabel"],
               ylabel=self.axes["ylabel"], ylim=(self.axes["low"], self.axes["high"]))
        ax.legend()
        return figure

    def _repr_mimebundle_(self, include=None, exclude=None):
        return self.view._repr_mimebundle_()

    def __repr__(self) -> str:
        return self.alt


def sketch(
    x: Sequence[float], *, xlabel: str, ylabel: str, low: float = 0.0, high: float = 1.0,
) -> Sketch:
    """Return a board to draw a guess on: a number from `low` to `high` for each `x`.

    ``guess = views.sketch(...)`` in a cell of its own, shown as ``guess``; after the experiment
    ``guess.reveal(truth)``.
    """
    if not (len(x) > 1 and low < high):
        raise ValueError(f"x: {len(x)} values from low {low} to high {high} came, two or more were "
                         "wanted, and low below high")
    return Sketch(x, xlabel, ylabel, low, high)
