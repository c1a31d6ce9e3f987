"""Measured derivatives, for the formulas that the notebooks display."""

from __future__ import annotations

import numpy as np


def differences(f, at, eps=1e-6):
    """Central differences of a number-valued f at an array."""
    gradient = np.zeros(np.shape(at))
    for i in np.ndindex(np.shape(at)):
        step = np.zeros(np.shape(at))
        step[i] = eps
        gradient[i] = (f(at + step) - f(at - step)) / (2 * eps)
    return gradient
