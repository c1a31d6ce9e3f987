"""Lesson 01: the gradient formula that the notebook displays, computed."""

from __future__ import annotations

import numpy as np

from answers.differences import differences


def central_difference():
    return (np.cos(0.7), differences(np.sin, np.asarray(0.7)))


FORMULAS = {
    r"\frac{\partial J}{\partial w} \approx \frac{J(w + \varepsilon) - J(w - \varepsilon)}"
    r"{2\,\varepsilon}": central_difference,
}
