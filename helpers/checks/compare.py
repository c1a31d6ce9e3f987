"""Compare what came back with what was wanted: the form of all its parts first, then values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import starmap
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

    stage: str  # "type", "fact", "shape", "dtype", "finite", "value"; "raised": it has no value
    text: str
    mistake: str | None = None
    line: int | None = None  # of the cell, where it was raised


def differ(got: Any, want: Any, path: str = "result", names: tuple = (),
           tolerance: float = 1e-8) -> Difference | None:
    """Return the first difference of `got` from `want`, or None where they agree.

    `want` may be a tuple (its items are called by `names`), a dict, a list of arrays or of numbers
    (any sequence of them will do), an array, a number or a `Count`, whose own sentence then tells
    the difference. Arrays agree when no entry is further off than `tolerance` times the largest
    entry of `want`. Types, shapes and dtypes of all parts come before any value.
    """
    if got is None and want is not None:
        return Difference("type", "It returned `None`. Does it end with a `return` line?",
                          "returns-none")
    found = list(_parts(got, want, path, names))
    wrong = list(filter(None, starmap(_form, found)))
    if wrong and wrong[0].stage == "shape":
        wrong[0].text = " ".join(d.text for d in wrong[:3] if d.stage == "shape")
    values = (_value(*part, tolerance) for part in found)
    return wrong[0] if wrong else next(filter(None, values), None)


# What is wanted, taken apart: the parts by their names, each with what came for it.

def _parts(got, want, path="result", names=()) -> Iterator[tuple]:
    """Yield (name, got, wanted) of each number or array.

    Where what came has not the structure that is wanted, `got` is a `Difference`, and `want` whole.
    """
    if isinstance(want, tuple):
        inner = _in_tuple(got, want, names)
    elif isinstance(want, dict):
        inner = _in_dict(got, want, path)
    elif isinstance(want, list) and any(map(np.ndim, want)):
        inner = _in_list(got, want, path)
    else:
        yield path, got, want
        return
    if isinstance(inner, Difference):
        yield path, inner, want
    else:
        for name, g, w in inner:
            yield from _parts(g, w, name)


def _in_tuple(got, want, names):
    pair = type(got) is np.ndarray and got.ndim == 1 and not any(map(np.ndim, want))
    if (pair or isinstance(got, (tuple, list))) and len(got) == len(want):
        return zip(names or map(str, range(len(want))), got, want, strict=True)
    return Difference("type", f"It returned {kind_of(got)}; wanted {len(want)} values: "
                      f"{', '.join(f'`{name}`' for name in names)}.", "wrong-number-of-values")


def _in_dict(got, want, path):
    wanted = _keys([key for key in want if not isinstance(want[key], Count)])
    if not isinstance(got, dict):
        return _other_type(path, got, f"a dict with {wanted}", "not-a-dict")
    if want.keys() <= got.keys():  # "result" is a name of ours, the key says more
        return [(key if path == "result" else f'{path}["{key}"]', got[key], want[key])
                for key in want]
    return Difference("type", f"`{path}` has {_keys(got)}"[:200] + f"; wanted {wanted}.",
                      "missing-key")


def _in_list(got, want, path):
    several = isinstance(got, (tuple, list)) or isinstance(got, np.ndarray) and got.ndim > 0
    if several and len(got) == len(want):
        return [(f"{path}[{i}]", g, w) for i, (g, w) in enumerate(zip(got, want, strict=True))]
    return _other_type(path, got, f"a list of {len(want)} arrays",
                       "wrong-number-of-arrays" if several else "not-a-list")


def leaves(got: Any, want: Any, path: str = "result", names: tuple = (),
           counts: bool = True) -> Iterator[tuple]:
    """Yield (name, got, wanted) as arrays for every part of a result; nan where it has none.

    Each `Count` is a part too, unless `counts` is false.
    """
    for name, g, w in _parts(got, want, path, names):
        if counts or not isinstance(w, Count):
            array, astray = _plain_array(g), isinstance(g, Difference)
            yield (name, np.array(np.nan) if array is None else array,
                   np.zeros(0) if astray else np.asarray(w))


# The form of one part: its type, its shape, its dtype.

def _form(path, got, want):
    """Return what is wrong with the form of a part of a result, or None."""
    if isinstance(got, Difference):
        return got
    if isinstance(want, Count) and isinstance(got, Count):
        fact = path.rpartition('["')[2].removesuffix('"]').replace(" ", "-")  # what is counted
        return Difference("fact", got.text, f"fact-{fact}") if got != want else None
    array, wanted = _as_array(got, want), np.asarray(want)
    if array is None:
        return _wrong_type(path, got, want)
    if array.shape != wanted.shape:
        return _other_shape(path, array, wanted.shape)
    if _right_dtype(array, wanted, isinstance(want, np.ndarray)):
        return None
    kind = array.dtype.kind
    single = kind == "f" and array.dtype.itemsize < 8
    mistake = "float32" if single else "complex" if kind == "c" else "wrong-dtype"
    return Difference("dtype", f"`{path}` has dtype {array.dtype}; wanted {wanted.dtype}.", mistake)


def _other_type(path, got, wanted, mistake):
    if got is None:
        return Difference("type", f"`{path}` is `None`; wanted {wanted}.", "part-is-none")
    return Difference("type", f"`{path}` is {kind_of(got)}"[:200] + f"; wanted {wanted}.", mistake)


def _other_shape(path, array, shape):
    turned = ": rows and columns are swapped" if array.T.shape == shape and array.ndim == 2 else ""
    return Difference("shape", f"`{path}` has shape {array.shape}; wanted "
                      f"{shape or 'one number'}{turned}.")


def _wrong_type(path, got, want):
    if not isinstance(want, np.ndarray):
        wanted = f"{len(want)} numbers" if isinstance(want, list) else "one number"
    elif getattr(got, "shape", ()) == want.shape:
        wanted = "a plain array of that shape: `np.asarray` makes one"
    else:
        wanted = f"an array of shape {want.shape}"
    return _other_type(path, got, wanted,
                       "returns-list" if isinstance(got, (list, tuple)) else "wrong-type")


def _right_dtype(array, wanted, strictly):
    """Whether an array may have its dtype: one that loses nothing of what was wanted.

    float32 will do for ones and zeros; integers will do where none but a float array is wanted.
    """
    kinds = array.dtype.kind + wanted.dtype.kind
    if kinds == "ff":
        exact = array.dtype.itemsize >= wanted.dtype.itemsize
        with np.errstate(all="ignore"):
            return exact or np.array_equal(wanted, wanted.astype(array.dtype), equal_nan=True)
    whole = kinds[0] in "iu" and (not strictly or kinds[1] in "iu")
    return whole or array.dtype == wanted.dtype


def _as_array(got, want):
    """Return an answer as an array, or None where it is not the kind of thing that was wanted."""
    if isinstance(want, np.ndarray) and want.ndim:
        return got if type(got) is np.ndarray else None
    array = _plain_array(got)
    if isinstance(want, list):
        return array if array is not None and array.ndim and array.dtype.kind in "fiu" else None
    return None if isinstance(got, (bool, np.bool_, list, tuple)) else array


def _plain_array(value):
    """Return numbers, arrays and sequences of them as an array; None for all else."""
    if type(value) not in (int, float, complex, list, tuple, bool, Count, np.ndarray) and (
            not isinstance(value, np.generic)):
        return None
    try:
        return np.asarray(value)
    except Exception:  # ragged, or with things in it that are no numbers
        return None


# Values.

def _value(path, got, want, tolerance):
    """Return the first difference in value of a part whose form is right, or None."""
    if isinstance(want, Count):
        return None
    got, want = _as_array(got, want), np.asarray(want)
    broken = ~np.isfinite(got) & np.isfinite(want) if want.dtype != bool else np.False_
    wrong = got != want if want.dtype == bool else ~_close(got, want, tolerance)
    if not np.any(broken | wrong):
        return None
    at = tuple(np.argwhere(broken if np.any(broken) else wrong)[0])
    entry = f"`{path}[{', '.join(map(str, at))}]`" if at else f"`{path}`"
    shown, wanted = _told_apart(got[at], want[at])
    count = f" ({int(wrong.sum())} of {wrong.size} entries are off)" if wrong.size > 1 else ""
    return Difference("finite" if np.any(broken) else "value",
                      f"{entry} is {shown}; wanted {wanted}{count}.")


def _told_apart(a, b):
    """Return two numbers as text, with the digits that tell them apart."""
    short = [f"{x:.6g}" if x.dtype != bool else f"{x}" for x in (a, b)]
    return short if short[0] != short[1] else [f"{float(x)!r}" for x in (a, b)]


def same_values(a: Any, b: Any, rounding: float, floor: float | None = None) -> bool:
    """Whether two values agree to rounding, entry by entry; tuple and list count as one.

    Arrays that are nothing but round-off beside the largest number of the whole value (sums that
    cancel) agree too: entries may differ by `floor`, which by default is 1e-15 times that number,
    and 0 where `rounding` is 0.
    """
    if floor is None:
        floor = 1e-15 * _size(b) if rounding else 0.0
    if isinstance(a, (tuple, list)) and isinstance(b, (tuple, list)):
        return len(a) == len(b) and all(
            same_values(x, y, rounding, floor) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same_values(a[k], b[k], rounding, floor) for k in a)
    x, y = _plain_array(a), _plain_array(b)
    return a is b if x is None or y is None else _agree(x, y, rounding, floor)


def _size(value):
    """Return the size of the largest finite number in the arrays of a value; or 0."""
    if isinstance(value, (dict, tuple, list)):
        return max(map(_size, value.values() if isinstance(value, dict) else value), default=0.0)
    return _largest(value) if isinstance(value, np.ndarray) and value.dtype.kind in "iuf" else 0.0


def right_values(got: Any, want: Any, tolerance: float) -> bool:
    """Whether the numbers are right, whatever types and dtypes they came in."""
    return all(_agree(g, w, tolerance) for _, g, w in leaves(got, want))


def _agree(a, b, tolerance, floor=0.0):
    return a.shape == b.shape and a.dtype.kind + b.dtype.kind in NUMBERS and bool(
        np.all(_close(a.astype(float), b.astype(float), tolerance, floor)))


def _close(a, b, tolerance, floor=0.0):
    """Entry by entry: as near as the tolerance, relative to b's largest entry, or as the floor."""
    with np.errstate(all="ignore"):  # np.isclose, four times as fast
        near = np.abs(a - b) <= max(tolerance * (_largest(b) or 1.0), floor)
    return near | (a == b) | np.isnan(a) & np.isnan(b)


def _largest(array):
    """Return the size of the largest finite number in an array, or 0."""
    return float(np.abs(array[np.isfinite(array)]).max(initial=0.0))


# In words.

def listed(names: Iterable[str]) -> str:
    """Return names in a row, as code: "`a`, `b` and `c`"; those that have backticks as they are."""
    *first, last = [name if "`" in name else f"`{name}`" for name in names] or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _keys(keys):
    """Return the keys of a dict in words: text and numbers as they are, others by their type."""
    kinds = dict.fromkeys(repr(k) if isinstance(k, (str, int, float)) else type(k).__name__
                          for k in keys)
    return f"the keys {', '.join(kinds)}" if kinds else "no keys"


def kind_of(value: Any) -> str:
    """Return what kind of thing a result is, in words."""
    if isinstance(value, np.ndarray):
        name = "one array" if type(value) is np.ndarray else type_of(value)
        return f"{name} of shape {value.shape}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    if type(value).__name__ == "generator":
        return "a generator (a function with `yield` in it)"
    return type_of(value)


def type_of(value: Any) -> str:
    """Return the name of a value's type, with its article."""
    name = type(value).__name__.replace("`", "")[:40]
    return f"{'an' if name[0] in 'aeiou' or name == 'ndarray' else 'a'} {name}"
