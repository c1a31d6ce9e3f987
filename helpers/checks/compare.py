"""Compare what came back with what was wanted: type, shape, dtype, finite, value, in this order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

NUMBERS = ["bb", *(a + b for a in "iuf" for b in "iuf")]  # kinds of dtype that can be compared


class Count(int):
    """How often a view has found a fault in a result, and the sentence that says so."""

    def __new__(cls, number: int, text: str = ""):
        count = super().__new__(cls, number)
        count.text = text
        return count


@dataclass
class Difference:
    """The first way in which an answer is wrong: at which stage, in one sentence."""

    stage: str  # "type", "shape", "dtype", "finite" or "value"; "raised" where it has no value
    text: str
    mistake: str | None = None


def differ(got: Any, want: Any, path: str = "result", parts: tuple = (),
           tolerance: float = 1e-8) -> Difference | None:
    """Return the first difference of `got` from `want`, or None where they agree.

    `want` may be a tuple (its items are called by `parts`), a dict, a list (a series of numbers:
    any sequence will do; where it holds arrays of different lengths, a list or tuple of arrays), an
    array, a number or a `Count`, whose own sentence then tells the difference. Arrays agree when no
    entry is further off than `tolerance` times the largest entry of `want`.
    """
    if got is None and want is not None:
        return Difference("type", "It returned `None`. Does it end with a `return` line?",
                          "returns-none")
    return _differ(got, want, path, parts, tolerance)


def _differ(got, want, path, parts, tolerance):
    if got is None and want is not None:
        shape = np.shape(want) if isinstance(want, np.ndarray) else ()
        return Difference("type", f"`{path}` is `None`"
                          + (f"; wanted shape {shape}." if shape else "."), "part-is-none")
    if isinstance(want, Count) and isinstance(got, Count):
        return Difference("type", got.text) if got != want else None
    if isinstance(want, tuple):
        names = ", ".join(f"`{p}`" for p in parts)
        if not isinstance(got, (tuple, list)) or len(got) != len(want):
            return Difference("type", f"It returned {_kind(got)}; wanted {len(want)} values: "
                              f"{names}.", "wrong-number-of-values")
        pairs = zip(got, want, parts, strict=True)
    elif isinstance(want, dict):
        if not isinstance(got, dict) or not want.keys() <= got.keys():
            has = f"has {_keys(got)}" if isinstance(got, dict) else f"is {_kind(got)}"
            wanted = _keys([k for k in want if not isinstance(want[k], Count)])
            wanted = wanted if isinstance(got, dict) else f"a dict with {wanted}"
            return Difference("type", f"`{path}` {has}"[:200] + f"; wanted {wanted}.",
                              "missing-key" if isinstance(got, dict) else "not-a-dict")
        pairs = ((got[k], want[k], _entry(path, k)) for k in want)
    elif _ragged(want):
        if not isinstance(got, (tuple, list)) or len(got) != len(want):
            series = isinstance(got, (tuple, list))
            return Difference("type", f"`{path}` is {_kind(got)}; wanted a list of {len(want)} "
                              "arrays.", "wrong-number-of-arrays" if series else "not-a-list")
        pairs = zip(got, want, (f"{path}[{i}]" for i in range(len(want))), strict=True)
    else:
        return _differ_leaf(got, want, path, tolerance)
    return next(filter(None, (_differ(g, w, p, (), tolerance) for g, w, p in pairs)), None)


def _ragged(want):
    """Whether it is a list of arrays that differ in shape, and so no array itself."""
    return isinstance(want, list) and len({np.shape(item) for item in want}) > 1


def _differ_leaf(got, want, path, tolerance):
    wanted, array = np.asarray(want), _as_array(got, want)
    if array is None:
        series = f"a list of {len(wanted)} arrays" if wanted.ndim > 1 else "a sequence of numbers"
        what = {list: series, np.ndarray: f"an array of shape {wanted.shape}"}
        mistake = "returns-list" if isinstance(got, (list, tuple)) else "wrong-type"
        return Difference("type", f"`{path}` is {_kind(got)}; wanted "
                          f"{what.get(type(want), 'one number')}.", mistake)
    if array.shape != wanted.shape:
        turned = array.ndim == 2 and array.T.shape == wanted.shape
        return Difference("shape", f"`{path}` has shape {array.shape}; wanted "
                          f"{wanted.shape or 'one number'}"
                          + (": rows and columns are swapped." if turned else "."))
    kind = array.dtype.kind
    whole_is_fine = not isinstance(want, np.ndarray) or wanted.dtype.kind in "iu"
    if array.dtype != wanted.dtype and not (kind in "iu" and whole_is_fine):
        single = kind == "f" and array.dtype.itemsize < 8
        mistake = "float32" if single else "complex" if kind == "c" else "wrong-dtype"
        return Difference("dtype", f"`{path}` has dtype {array.dtype}; wanted {wanted.dtype}.",
                          mistake)
    return _differ_values(array, wanted, path, tolerance)


def _as_array(got, want):
    """Return an answer as an array, or None where it is not the kind of thing that was wanted."""
    if isinstance(want, np.ndarray) and want.ndim:
        return got if type(got) is np.ndarray else None
    array = _plain_array(got)
    if isinstance(want, list):
        return array if array is not None and array.ndim and array.dtype.kind in "fiu" else None
    if type(got) is int and array.dtype == object:
        return np.asarray(np.inf)  # an integer beyond all floats
    return None if isinstance(got, (bool, np.bool_, list, tuple)) else array


def _plain_array(value):
    """Return numbers, arrays and sequences of them as an array; None for all else."""
    if type(value) not in (int, float, complex, list, tuple, bool, Count, np.ndarray) and (
            not isinstance(value, np.generic)) or not _shallow(value):
        return None
    try:
        return np.asarray(value)
    except Exception:  # ragged, or with things in it that are no numbers
        return None


def _shallow(value, depth=4):
    """Whether lists are nested no deeper than arrays of this course (or in themselves)."""
    return not isinstance(value, (list, tuple)) or (
        depth > 0 and all(_shallow(item, depth - 1) for item in value))


def _differ_values(got, want, path, tolerance):
    broken = ~np.isfinite(got) & np.isfinite(want) if want.dtype != bool else np.False_
    wrong = got != want if want.dtype == bool else ~_close(got, want, tolerance)
    if not np.any(broken | wrong):
        return None
    at = tuple(np.argwhere(broken if np.any(broken) else wrong)[0])
    entry = f"`{path}[{', '.join(map(str, at))}]`" if at else f"`{path}`"
    shown, wanted = (f"{v[at]:.6g}" if v.dtype != bool else f"{v[at]}" for v in (got, want))
    if shown == wanted:
        shown, wanted = f"{got[at]:.12g}", f"{want[at]:.12g}"
    count = f" ({int(wrong.sum())} of {wrong.size} entries are off)" if wrong.size > 1 else ""
    return Difference("finite" if np.any(broken) else "value",
                      f"{entry} is {shown}; wanted {wanted}{count}.")


def same_values(a: Any, b: Any, rounding: float, floor: float | None = None) -> bool:
    """Whether two values agree to rounding, entry by entry; tuple and list count as one.

    Arrays that are nothing but round-off beside the largest number of the whole value (sums that
    cancel) agree too: entries may differ by `floor`, which by default is 1e-15 times that number,
    and 0 where `rounding` is 0.
    """
    if floor is None:
        floor = 1e-15 * _largest(b) if rounding else 0.0
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and _shallow(a) and _shallow(b) and all(
            same_values(x, y, rounding, floor) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_values(a[k], b[k], rounding, floor) for k in a)
    if a is None or b is None or isinstance(a, (str, dict)) or isinstance(b, (str, dict)):
        return a is b
    a, b = _plain_array(a), _plain_array(b)
    if a is None or b is None or a.shape != b.shape or a.dtype.kind + b.dtype.kind not in NUMBERS:
        return False
    return bool(np.all(_close(a.astype(float), b.astype(float), rounding, floor)))


def _largest(value):
    """Return the size of the largest finite number in the arrays of a dict, tuple or list; or 0."""
    if isinstance(value, (dict, tuple, list)):
        if not _shallow(value):
            return 0.0
        return max(map(_largest, value.values() if isinstance(value, dict) else value), default=0.0)
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iuf":
        return 0.0
    sizes = np.abs(value[np.isfinite(value)].astype(float))
    return float(sizes.max(initial=0.0))


def leaves(got: Any, want: Any, path: str = "result", parts: tuple = ()) -> Iterator[tuple]:
    """Yield (name, got, wanted) for every number or array of two values of the same structure."""
    if isinstance(want, tuple):
        fits = isinstance(got, (tuple, list)) and len(got) == len(want)
        for g, w, p in zip(got if fits else [None] * len(want), want, parts, strict=True):
            yield from leaves(g, w, p)
    elif isinstance(want, dict):
        for key in want:
            value = got.get(key) if isinstance(got, dict) else None
            yield from leaves(value, want[key], _entry(path, key))
    elif _ragged(want):
        fits = isinstance(got, (tuple, list)) and len(got) == len(want)
        for i, (g, w) in enumerate(zip(got if fits else [None] * len(want), want, strict=True)):
            yield from leaves(g, w, f"{path}[{i}]")
    else:
        array = _plain_array(got)
        yield path, np.array(np.nan) if array is None else array, np.asarray(want)


def _entry(path, key):
    """Return what an entry of a dict is called; "result" is a name of ours, the key says more."""
    return key if path == "result" else f'{path}["{key}"]'


def named_counts(want: Any, path: str = "result", parts: tuple = ()) -> Iterator[str]:
    """Yield the name, as `leaves` gives it, of every `Count` in a value: no part of a result."""
    items = zip(want, parts, strict=True) if isinstance(want, tuple) else (
        (want[k], _entry(path, k)) for k in want) if isinstance(want, dict) else ()
    for value, name in items:
        yield from named_counts(value, name)
    if isinstance(want, Count):
        yield path


def _close(a, b, tolerance, floor=0.0):
    """Entry by entry: as near as the tolerance, relative to the largest finite entry of b.

    Or as near as `floor`, if that is more.
    """
    sizes = np.abs(b[np.isfinite(b)])
    scale = float(sizes.max()) if sizes.size and sizes.max() > 0 else 1.0
    with np.errstate(all="ignore"):
        return np.isclose(a, b, rtol=0, atol=max(tolerance * scale, floor), equal_nan=True)


def _keys(keys):
    """Return the keys of a dict in words: text and numbers as they are, others by their type."""
    kinds = dict.fromkeys(repr(k) if isinstance(k, (str, int, float)) else type(k).__name__
                          for k in keys)
    return f"the keys {', '.join(kinds)}" if kinds else "no keys"


def _kind(value):
    if isinstance(value, np.ndarray):
        return f"one array of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if type(value).__name__ == "generator":
        return "a generator (a function with `yield` in it)"
    return type_of(value)


def type_of(value: Any) -> str:
    """Return the name of a value's type, with its article."""
    name = type(value).__name__.replace("`", "")[:40]
    return f"{'an' if name[0] in 'aeiou' or name == 'ndarray' else 'a'} {name}"
