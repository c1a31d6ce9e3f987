"""The doctor: what a wrong array looks like beside the right one."""

from __future__ import annotations

import numpy as np


def looks_like(got: np.ndarray, want: np.ndarray, sizes: dict[str, int]) -> tuple[str, str] | None:
    """Say what a wrong array is of the right one.

    Parameters
    ----------
    got, want : arrays of the same shape
    sizes : the sizes that play a part, such as ``{"N": 11, "K": 3}``

    Returns
    -------
    (id, text) where the match explains every entry to rounding, or None. `text` completes the
    sentence "dW1 is ...".
    """
    if got.dtype.kind not in "iuf" or want.dtype == bool or not want.any():
        return None
    if not got.any():
        return "all-zero", "zero everywhere"
    if _equal(got, -want):
        return "sign-flipped", "−1 times the right one: a sign is flipped"
    ratio = float(np.vdot(want, got) / np.vdot(want, want))
    if abs(ratio - 1) > 1e-6 and _equal(got, ratio * want):
        return _factor(ratio, sizes, several=got.size > 1)
    return _rearranged(got, want) if got.ndim == 2 else None


def _factor(ratio, sizes, several):
    known = {"times-2": (2, "2 times the right one"), "halved": (0.5, "half the right one")}
    for name, n in sizes.items():
        known[f"times-{name}"] = n, f"{name} times the right one ({name} = {n})"
        known[f"divided-by-{name}"] = 1 / n, f"the right one divided by {name} ({name} = {n})"
    for mistake, (value, text) in known.items():
        if np.isclose(ratio, value, rtol=1e-6):
            return mistake, text
        if np.isclose(-ratio, value, rtol=1e-6):
            return f"minus-{mistake}", f"{text}, with the sign flipped"
    # any two numbers have some ratio: without a name it means nothing
    return ("constant-factor", f"{ratio:.4g} times the right one") if several else None


def _rearranged(got, want):
    if got.shape[0] == got.shape[1] and _equal(got, want.T):
        return "transposed", "the transpose of the right one"
    for name, a, b in (("rows", got, want), ("columns", got.T, want.T)):
        order = [next((i for i, line in enumerate(b) if _equal(row, line)), -1) for row in a[:64]]
        if len(b) > 1 and sorted(order) == list(range(len(b))):
            return f"{name}-permuted", f"right, but with its {name} in another order: {order}"
        kept = [i for i in range(min(len(a), 64)) if a[i].any()]
        if len(a) > 1 and len(kept) == 1 and _equal(a[kept[0]], b[kept[0]]):
            return f"one-{name[:-1]}-only", f"zero but for {name[:-1]} {kept[0]}, which is right"
    return None


def likeness(got: np.ndarray, want: np.ndarray) -> str:
    """Return how far an array is off, and its direction, for a mistake without a name."""
    size, right = np.linalg.norm(got), np.linalg.norm(want)
    if size == 0 or right == 0 or got.dtype.kind not in "iuf":
        return f"is of size {size:.3g}, wanted {right:.3g}"
    ratio = size / right
    if not 0.1 < ratio < 10:
        return f"is {ratio:.2g} times as large as it should be"
    text = f"is off by {100 * np.linalg.norm(got - want) / right:.0f} % of its size"
    if got.ndim < 2:
        return text
    cosine = np.vdot(got, want) / size / right
    return f"{text} ({ratio:.3g} times as long, cosine {cosine:.3f}; 1 is right)"


def _equal(a, b, rounding=1e-7):
    return bool(np.all(np.abs(a - b) <= rounding * np.abs(b).max()))
