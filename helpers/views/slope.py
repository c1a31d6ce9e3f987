"""Slope: why is the smallest eps not the best?"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from helpers.views.base import Recorded, begun, recorded

PLACES = 41  # of the dot
EPS = 10.0 ** np.arange(0, -15.5, -0.5)
FLOOR = 1e-17  # of an error on a logarithmic axis
ALT = ("A curve with a dot on it; at the dot its tangent, and the secant through the two points "
       "eps to the left and to the right. Beside it the error of the measured slope against eps, "
       "both axes logarithmic.")


def measured_slope(
    measure: Callable, f: Callable[[np.ndarray], float], derivative: Callable[[float], float], *,
    low: float, high: float, x: float,
) -> Recorded:
    """Return a curve on which a dot and eps are moved: secant, tangent, and the error against eps.

    Parameters
    ----------
    measure : the student's ``numerical_gradient(f, W, eps)``
    f : takes an array of shape (1,), returns a number
    derivative : the rule that is measured against, of a number
    low, high : ends of the curve
    x : where the dot stands at first; moved to the nearest of 41 places

    Raises
    ------
    ValueError
        Where `measure` returns another shape than (1,).
    """
    places = np.linspace(low, high, PLACES)
    measured = begun(lambda: np.array(
        [[_one(measure(f, np.array([at]), eps)) for eps in EPS] for at in places]))
    rule = np.array([derivative(at) for at in places])
    start = int(np.argmin(np.abs(places - x)))
    wide = np.linspace(low - 1, high + 1, 161)  # a step of 1 leads as far
    data = {"x": places.tolist(), "f": [float(f(np.array([at]))) for at in places],
            "curve": [[float(at), float(f(np.array([at])))] for at in wide],
            "eps": EPS.tolist(), "measured": measured.tolist(), "rule": rule.tolist(),
            "start": start}
    errors = np.maximum(np.abs(measured[start] - rule[start]), FLOOR)
    return recorded("slope", data, ALT, 380, _still(data, errors))


def _one(value):
    if np.shape(value) != (1,):
        raise ValueError(f"measure: shape {np.shape(value)} came, (1,) was wanted")
    return float(value[0])


def _still(data, errors):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    at, step = data["x"][data["start"]], 0.5
    x, y = np.array(data["curve"]).T
    ends = np.interp([at - step, at + step], x, y)
    here = np.interp(at, x, y)
    left.plot(x, y, color="#222222")
    left.plot(x, here + data["rule"][data["start"]] * (x - at), color="#E69F00", label="tangent")
    left.plot(x, ends[0] + np.diff(ends) / (2 * step) * (x - at + step), "--", color="#0072B2",
              label="secant, eps = 0.5")
    left.plot([at - step, at, at + step], [ends[0], here, ends[1]], "o", color="#222222")
    left.set(xlabel="x", ylabel="f(x)", ylim=(y.min(), y.max()))
    left.legend()
    right.loglog(EPS, errors, ".-", color="#222222")
    right.set(xlabel="eps", ylabel="error of the slope")
    return figure
