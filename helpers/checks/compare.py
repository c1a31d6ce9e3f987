"""Compare what came back with what was wanted, and recognise what a wrong array looks like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Number
from typing import Any

import numpy as np


@dataclass
class Difference:
    """The first way in which an answer is wrong: at which stage, in one sentence."""

    stage: str  # "type", "shape", "dtype", "finite" or "value"
    text: str
    mistake: str | None = None


def differ(got: Any, want: Any, path: str = "result", parts: tuple = (),
           tolerance: float = 1e-8) -> Difference | None:
    """Return the first difference of `got` from `want`, or None where they agree.

    `want` may be a tuple (its items are called by `parts`), a dict, a list (a series of numbers:
    any sequence will do), an array or a number. Arrays agree when no entry is further off than
    `tolerance` times the largest entry of `want`.
    """
    if got is None and want is not None:
        return Difference("type", "It returned `None`. Does it end with a `return` line?",
                          "returns-none")
    if isinstance(want, tuple):
        return _differ_tuple(got, want, path, parts, tolerance)
    if isinstance(want, dict):
        return _differ_dict(got, want, path, tolerance)
    if isinstance(want, list):
        got, want = _series(got), np.asarray(want, dtype=float)
        if got is None:
            return Difference("type", f"{path} should be a sequence of numbers.", "not-a-sequence")
    if isinstance(want, np.ndarray):
        return _differ_array(got, want, path, tolerance)
    return _differ_number(got, want, path, tolerance)


def _series(values):
    """Return a sequence of numbers as an array, or None where it is not one."""
    try:
        array = np.asarray(values)
    except ValueError:  # ragged
        return None
    return array.astype(float) if array.dtype.kind in "fiu" and array.ndim else None


def _differ_tuple(got, want, path, parts, tolerance):
    names = ", ".join(f"`{p}`" for p in parts)
    if not isinstance(got, (tuple, list)):
        return Difference("type", f"It returned {_kind(got)}; wanted {len(want)} values: {names}.",
                          "wrong-number-of-values")
    if len(got) != len(want):
        return Difference("type", f"It returned {len(got)} values; wanted {len(want)}: {names}.",
                          "wrong-number-of-values")
    differences = (differ(g, w, f"`{p}`", (), tolerance)
                   for g, w, p in zip(got, want, parts, strict=True))
    return next((d for d in differences if d), None)


def _differ_dict(got, want, path, tolerance):
    if not isinstance(got, dict):
        return Difference("type", f"{path} is {_kind(got)}; wanted a dict with the keys "
                          + ", ".join(f'`"{k}"`' for k in want) + ".", "not-a-dict")
    missing = [k for k in want if k not in got]
    if missing:
        return Difference("type", f'{path} has no key `"{missing[0]}"`.', "missing-key")
    name = path.strip("`")
    differences = (differ(got[k], want[k], f'`{name}["{k}"]`', (), tolerance) for k in want)
    return next((d for d in differences if d), None)


def _differ_number(got, want, path, tolerance):
    if isinstance(got, np.ndarray) and got.shape == ():
        got = got[()]
    if isinstance(got, np.ndarray):
        return Difference("shape", f"{path} has shape {got.shape}; wanted one number.",
                          "not-a-number")
    if isinstance(got, (bool, np.bool_)) or not isinstance(got, (Number, np.number)):
        return Difference("type", f"{path} is {_kind(got)}; wanted one number.", "wrong-type")
    if isinstance(got, (complex, np.complexfloating)):
        return Difference("dtype", f"{path} is a complex number; wanted a real one.", "complex")
    if isinstance(got, (np.float32, np.float16)):
        return Difference("dtype", f"{path} is a {type(got).__name__}; wanted float64.", "float32")
    try:
        got = float(got)
    except OverflowError:
        got = np.inf
    return _differ_values(np.asarray(got), np.asarray(want), path, tolerance)


def _differ_array(got, want, path, tolerance):
    if want.ndim == 0 and isinstance(got, (float, np.floating)):
        got = np.asarray(got)
    if not isinstance(got, np.ndarray):
        mistake = "returns-list" if isinstance(got, (list, tuple)) else "wrong-type"
        return Difference("type", f"{path} is {_kind(got)}; wanted an array of shape "
                          f"{want.shape}.", mistake)
    if got.shape != want.shape:
        turned = got.ndim == 2 and got.T.shape == want.shape
        return Difference("shape", f"{path} has shape {got.shape}; wanted {want.shape}"
                          + (": rows and columns are swapped." if turned else "."), None)
    if want.dtype == bool or got.dtype == bool:
        if got.dtype != want.dtype:
            return Difference("dtype", f"{path} holds {got.dtype} values; wanted {want.dtype}.",
                              "wrong-dtype")
    elif got.dtype != np.float64:
        mistake = {"f": "float32", "c": "complex"}.get(got.dtype.kind, "wrong-dtype")
        return Difference("dtype", f"{path} has dtype {got.dtype}; wanted float64.", mistake)
    return _differ_values(got, want, path, tolerance)


def _differ_values(got, want, path, tolerance):
    if got.dtype == bool:
        wrong = got != want
    else:
        nan = ~np.isfinite(got) & np.isfinite(want)
        if nan.any():
            at = tuple(np.argwhere(nan)[0])
            return Difference("finite", f"{_entry(path, at)} is {got[at]}; "
                              f"wanted {_number(want[at])}.", None)
        with np.errstate(all="ignore"):
            wrong = ~((np.abs(got - want) <= tolerance * _scale(want))
                      | (got == want) | (np.isnan(got) & np.isnan(want)))
    if not wrong.any():
        return None
    at = tuple(np.argwhere(wrong)[0])
    few, all_of = int(wrong.sum()), wrong.size
    count = f" ({few} of {all_of} entries are off)" if all_of > 1 else ""
    shown, wanted = _number(got[at]), _number(want[at])
    if shown == wanted:
        shown, wanted = f"{got[at]:.12g}", f"{want[at]:.12g}"
    return Difference("value", f"{_entry(path, at)} is {shown}; wanted {wanted}{count}.")


def same_values(a: Any, b: Any, rounding: float) -> bool:
    """Whether two values agree to rounding, entry by entry; tuple and list count as one."""
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(map(same_values, a, b, [rounding] * len(a)))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_values(a[k], b[k], rounding) for k in a)
    if a is None or b is None or isinstance(a, (str, dict)) or isinstance(b, (str, dict)):
        return a is b
    try:
        a, b = np.asarray(a), np.asarray(b)
        return (a.shape == b.shape and (a.dtype == bool) == (b.dtype == bool)
                and bool(np.all(np.isclose(a, b, 0, rounding * _scale(b), equal_nan=True))))
    except (TypeError, ValueError, OverflowError):
        return False


def leaves(got: Any, want: Any, path: str = "result", parts: tuple = ()) -> Iterator[tuple]:
    """Yield (name, got, wanted) for every number or array of two values of the same structure."""
    if isinstance(want, tuple):
        for g, w, p in zip(got, want, parts, strict=True):
            yield from leaves(g, w, p)
    elif isinstance(want, dict):
        for key in want:
            yield from leaves(got[key], want[key], f'{path}["{key}"]')
    else:
        yield path, np.asarray(got), np.asarray(want)


def looks_like(got: np.ndarray, want: np.ndarray, sizes: dict[str, int]) -> tuple[str, str] | None:
    """Say what a wrong array is of the right one: the doctor's generic matches.

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
    if _close(got, -want):
        return "sign-flipped", "−1 times the right one: a sign is flipped"
    ratio = float(np.vdot(want, got) / np.vdot(want, want))
    if _close(got, ratio * want):
        return _factor(ratio, sizes)
    return _rearranged(got, want) or _part_of(got, want)


def _factor(ratio, sizes):
    known = {f"times-{s}": (n, f"{s} times the right one ({s} = {n})") for s, n in sizes.items()}
    known |= {f"divided-by-{s}": (1 / n, f"the right one divided by {s} ({s} = {n})")
              for s, n in sizes.items()}
    known |= {"times-2": (2, "2 times the right one"), "halved": (0.5, "half the right one")}
    for mistake, (value, text) in known.items():
        if np.isclose(abs(ratio), value, rtol=1e-6):
            if ratio < 0:
                return f"minus-{mistake}", f"{text}, with the sign flipped"
            return mistake, text
    return "constant-factor", f"{ratio:.4g} times the right one, in every entry"


def _rearranged(got, want):
    if got.ndim != 2 or got.shape != want.shape:
        return None
    if got.shape[0] == got.shape[1] and _close(got, want.T):
        return "transposed", "the transpose of the right one"
    for axis, name in ((0, "rows"), (1, "columns")):
        lines_got, lines_want = (got, want) if axis == 0 else (got.T, want.T)
        if len(lines_want) > 1 and len(lines_want) <= 64:
            order = [next((i for i, w in enumerate(lines_want) if _close(g, w)), None)
                     for g in lines_got]
            if sorted(o for o in order if o is not None) == list(range(len(lines_want))):
                return f"{name}-permuted", f"right, but with its {name} in another order: {order}"
    return None


def _part_of(got, want):
    if got.ndim != 2 or len(got) < 2:
        return None
    right = [i for i in range(len(got)) if _close(got[i], want[i])]
    if len(right) == 1 and not np.delete(got, right[0], axis=0).any():
        return "one-row-only", f"right in row {right[0]} and zero in all others"
    return None


def likeness(got: np.ndarray, want: np.ndarray) -> str:
    """Return cosine and length ratio of two arrays, to be printed for a mistake without a name."""
    norm_got, norm_want = np.linalg.norm(got), np.linalg.norm(want)
    if norm_got == 0 or norm_want == 0:
        return f"length {norm_got:.3g}, wanted {norm_want:.3g}"
    cosine = float(np.vdot(got, want) / norm_got / norm_want)
    return f"cosine {cosine:.3f}, length {norm_got / norm_want:.3g} times the right one"


def _close(a, b, rounding=1e-7):
    return bool(np.all(np.abs(a - b) <= rounding * _scale(b)))


def _scale(want):
    finite = np.abs(want[np.isfinite(want)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0


def _entry(path, at):
    return f"`{path.strip('`')}[{', '.join(map(str, at))}]`" if at else path


def _number(value):
    return str(value) if isinstance(value, (bool, np.bool_)) else f"{value:.6g}"


def _kind(value):
    if isinstance(value, np.ndarray):
        return f"one array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if type(value).__name__ == "generator":
        return "a generator (a function with `yield` in it)"
    return f"a {type(value).__name__}"
