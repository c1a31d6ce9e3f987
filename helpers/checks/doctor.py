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
    if got.dtype == bool or want.dtype == bool or not want.any():
        return None
    if not got.any():
        return "all-zero", "zero everywhere"
    if _equal(got, -want):
        return "sign-flipped", "−1 times the right one: a sign is flipped"
    ratio = float(np.vdot(want, got) / np.vdot(want, want))
    if _equal(got, ratio * want):
        return _factor(ratio, sizes)
    return _rearranged(got, want) if got.ndim == 2 else None


def _factor(ratio, sizes):
    known = {"times-2": (2, "2 times the right one"), "halved": (0.5, "half the right one")}
    for name, n in sizes.items():
        known[f"times-{name}"] = n, f"{name} times the right one ({name} = {n})"
        known[f"divided-by-{name}"] = 1 / n, f"the right one divided by {name} ({name} = {n})"
    for mistake, (value, text) in known.items():
        if np.isclose(ratio, value, rtol=1e-6):
            return mistake, text
        if np.isclose(-ratio, value, rtol=1e-6):
            return f"minus-{mistake}", f"{text}, with the sign flipped"
    return "constant-factor", f"{ratio:.4g} times the right one, in every entry"


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
    """Return direction and length of an array beside another, for a mistake without a name."""
    norm_got, norm_want = np.linalg.norm(got), np.linalg.norm(want)
    if norm_got == 0 or norm_want == 0:
        return f"length {norm_got:.3g}, wanted {norm_want:.3g}"
    cosine = float(np.vdot(got, want) / norm_got / norm_want)
    return f"cosine {cosine:.3f}, length {norm_got / norm_want:.3g} times the right one"


def _equal(a, b, rounding=1e-7):
    return bool(np.all(np.abs(a - b) <= rounding * np.abs(b).max()))
