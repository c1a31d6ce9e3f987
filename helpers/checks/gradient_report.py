"""The doctor: what a wrong array looks like beside the right one; `diagnose` for students."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

EPS = 1e-5  # the step to either side
GOOD = 1e-6  # a gradient with a relative error below this is called right
ROUNDING = 1e-7  # how near to each other two entries are that count as equal


def looks_like(got: np.ndarray, want: np.ndarray, sizes: Mapping[str, int],
               rounding: float = ROUNDING) -> tuple[str, str] | None:
    """Return id and text of what explains every entry of a wrong array to rounding, or None.

    `text` completes the sentence "dW1 is ...". The arrays have one shape, `sizes` are such as
    ``{"N": 11, "K": 3}``, and `rounding` is relative to the largest entry.
    """
    if got.dtype.kind not in "iuf" or want.dtype == bool or not want.any():
        return None
    if np.abs(got).max() <= 1e-12 * np.abs(want).max():
        return "all-zero", f"zero everywhere{' but for round-off' * bool(got.any())}"
    if _equal(got, want, max(1e-5, rounding)):
        return "nearly-right", ("right to some digits only: is something rounded, float32, or "
                                "measured by differences?")
    ratio = float(np.vdot(want, got) / np.vdot(want, want))
    if not _equal(got, ratio * want, rounding):
        return _rearranged(got, want, rounding) if got.ndim == 2 else None
    for mistake, value, text in _known_factors(sizes):
        if np.isclose(ratio, value, rtol=max(1e-6, rounding)):
            return mistake, text
        if np.isclose(-ratio, value, rtol=max(1e-6, rounding)):
            return f"minus-{mistake}", f"{text}, with the sign flipped"
    # any two numbers have some ratio: without a name it means nothing
    return ("constant-factor", f"{ratio:.4g} times the right one") if got.size > 1 else None


def _known_factors(sizes):
    """Yield (id, factor, text): sizes, and what the means of squares of other people have."""
    yield "sign-flipped", -1, "−1 times the right one: a sign is flipped"
    yield "times-2", 2, "2 times the right one"
    yield "halved", 0.5, "half the right one"
    of = {**sizes, **{a + b: m * n for (a, m), (b, n) in combinations(sizes.items(), 2)}}
    for name, n in of.items():
        told = f"({name} = {n})"
        yield f"times-{name}", n, f"{name} times the right one {told}"
        yield f"divided-by-{name}", 1 / n, f"the right one divided by {name} {told}"
        divisor = name if len(name) == 1 else f"({name})"
        yield f"times-2-over-{name}", 2 / n, f"2/{divisor} times the right one {told}"
        yield f"divided-by-2{name}", 0.5 / n, f"the right one divided by 2{name} {told}"


def _rearranged(got, want, rounding):
    if got.shape[0] == got.shape[1] and _equal(got, want.T, rounding):
        return "transposed", "the transpose of the right one"
    for name, a, b in (("rows", got, want), ("columns", got.T, want.T)):
        order = [next((i for i, line in enumerate(b) if _equal(row, line, rounding)), -1)
                 for row in a[:64]]
        if len(b) > 1 and order != sorted(order) == list(range(len(b))):
            return f"{name}-permuted", f"right, but with its {name} in another order: {order}"
        kept = [i for i in range(min(len(a), 64)) if a[i].any()]
        if len(a) > 1 and len(kept) == 1 and _equal(a[kept[0]], b[kept[0]], rounding):
            return f"one-{name[:-1]}-only", f"zero but for {name[:-1]} {kept[0]}, which is right"
    return None


def likeness(got: np.ndarray, want: np.ndarray, sizes: Mapping[str, int] | None = None) -> str:
    """Return what an array looks like beside the right one, or else how far off it is and where.

    Of a single number only the first is said, and nothing where it looks like nothing.
    """
    match = looks_like(got, want, sizes or {})
    if match and match[0] not in ("nearly-right", "constant-factor"):
        return f"is {match[1]}"
    cosine, length = _arrows(got, want)
    if want.size < 2 or got.dtype.kind != "f" or np.isnan(cosine):
        return ""
    percent = 100 * np.linalg.norm(got - want) / np.linalg.norm(want)
    return (f"is off by {f'{percent:.0f}' if percent >= 1 else 'less than 1'} % of its size "
            f"(cosine {cosine:.3f}, {length:.3g} times as long)")


def _equal(a, b, rounding):
    return bool(np.all(np.abs(a - b) <= rounding * np.abs(b).max()))


def _arrows(got, want):
    """Return the cosine between two arrays, and how many times as long the first is; or nan."""
    size, right = np.linalg.norm(got), np.linalg.norm(want)
    both = 0 < size < np.inf and right > 0
    return (float(np.vdot(got, want) / size / right) if both else np.nan,
            float(size / right) if right > 0 else np.nan)


@dataclass(frozen=True)
class Finding:
    """What the doctor found out about the gradient of one parameter."""

    name: str  # of the parameter
    shape: tuple[int, ...]
    right: bool  # whether the gradient is what differences of the loss measure
    error: float  # the worst relative one of an entry, |a − b| / max(|a|, |b|); nan if not finite
    cosine: float  # of the angle to the measured gradient; nan where one of the two is zero
    length: float  # how many times as long it is; nan where the measured one is zero
    text: str  # what it looks like, in words


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The doctor's report: `findings`, one a parameter; shown as a table. True where all is right.

    ``report["W1"]`` is the finding about one parameter.
    """

    findings: tuple[Finding, ...]
    remark: str = ""

    def __bool__(self) -> bool:
        return all(finding.right for finding in self.findings)

    def __getitem__(self, name: str) -> Finding:
        return {finding.name: finding for finding in self.findings}[name]

    def __repr__(self) -> str:
        rows = [("", "shape", "error", "cosine", "length", "it looks like")]
        rows += [(f.name, " × ".join(map(str, f.shape)) or "number",
                  f"< {GOOD:.0e}" if f.right else f"{f.error:.2g}", f"{f.cosine:.3f}",
                  f"{f.length:.4g}", f.text) for f in self.findings]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, *filter(None, [self.remark])])


def diagnose(
    loss: Callable[[dict], float], params: Mapping[str, np.ndarray],
    grads: Mapping[str, np.ndarray], *, sizes: Mapping[str, int] | None = None,
) -> Diagnosis:
    """Compare a gradient with differences of its loss, and say what each part of it looks like.

    The loss is called twice for every entry of every parameter, with copies: nothing is changed.
    Where the slopes to either side of an entry differ, as at the kink of a ReLU, it is not judged.

    Parameters
    ----------
    loss : a function of a dict of parameters, returns a number
    params : name -> array of floats (a number counts as an array without axes)
    grads : name -> the gradient to be examined, of the parameter's shape; the same names
    sizes : numbers that a wrong factor may be made of, such as ``{"N": len(X)}``, optional

    Raises
    ------
    TypeError
        Where something is not of these kinds.
    ValueError
        Where names or shapes do not fit, the loss or a parameter is not finite, or the loss has the
        digits of float32 only, or two values for the same parameters.
    """
    own, given, sizes = _arrays("params", params), _arrays("grads", grads), sizes or {}
    _checked(loss, own, given, sizes)
    slopes, noise = _measured(loss, own)
    kinks = {name: _kinks(loss, own, name, given[name], slopes[name], noise) for name in own}
    findings = tuple(_examine(name, given[name], slopes[name].mean(axis=0), own[name], noise, sizes,
                              kinks[name]) for name in own)
    if not any(slope.any() for slope in slopes.values()):
        return Diagnosis(findings, "The loss does not change with any parameter: does it use the "
                                   "dict that it is given, or is everything saturated?")
    return Diagnosis(findings, "At a kink, as of a ReLU at exactly 0, the slopes to either side "
                     "differ: what the gradient says there is not judged here." if any(
                         kink.any() for kink in kinks.values()) else "")


# What came, examined before anything is measured.

def _wanted(ok, what, came, wanted):
    """Raise an error that says what came and what was wanted, unless all is well."""
    if not ok:
        raise TypeError(f"{what}: {came} came, {wanted} was wanted")


def _arrays(what, values):
    """Return a dict of float copies, or say which entry is not made of numbers."""
    _wanted(isinstance(values, Mapping) and values, what, "an empty dict" if values == {} else
            type(values).__name__, "a dict from names to arrays")
    for name, value in values.items():
        _wanted(_array(value) is not None, f"{what}[{name!r}]", type(value).__name__,
                "an array of real numbers")
    return {name: _array(value).astype(float) for name, value in values.items()}


def _array(value):
    """Return real numbers as an array, those of a tensor too; None for all else."""
    try:
        array = np.asarray(value.detach() if hasattr(value, "detach") else value)
    except Exception:  # ragged
        return None
    return array if array.dtype.kind in "iuf" else None


def _checked(loss, params, grads, sizes):
    """Raise an error where what came does not belong together, or is not finite."""
    missing, extra = [k for k in params if k not in grads], [k for k in grads if k not in params]
    if missing or extra:
        which = f"no entry for {missing}" if missing else f"{extra} belong to no parameter"
        raise ValueError(f"grads: {which}; params has {list(params)}, grads has {list(grads)}")
    shapes = [f"grads[{name!r}]: shape {grads[name].shape} came, {array.shape} was wanted"
              for name, array in params.items() if grads[name].shape != array.shape]
    if shapes:
        raise ValueError("; ".join(shapes) + ": each gradient has the shape of its parameter")
    for name, W in params.items():
        if not np.isfinite(W).all():
            raise ValueError(f"params[{name!r}]: it holds nan or infinity; nothing can be "
                             "measured there")
    _wanted(isinstance(sizes, Mapping), "sizes", type(sizes).__name__, 'a dict such as {"N": 500}')
    for name, n in sizes.items():
        _wanted(isinstance(n, (int, float, np.number)) and n > 0, f"sizes[{name!r}]", repr(n),
                "a number above 0")
    _wanted(callable(loss), "loss", type(loss).__name__, "a function of a dict of parameters")


# What is measured.

def _measured(loss, params):
    """Return the slopes of the loss to either side, by parameter, and what rounding does to one."""
    value = _value(loss, params)
    if _value(loss, params) != value:
        raise ValueError("loss: two calls with the same parameters gave two values; let it use the "
                         "same samples and the same random numbers in each call")
    values = {value}
    slopes = {name: _slopes(loss, params, name, values) for name in params}
    if len(values) > 1 and all(float(np.float32(v)) == v for v in values):
        raise ValueError("loss: its values have the 7 digits of float32, too few for differences; "
                         "let it compute in float64")
    return slopes, 100 * np.finfo(float).eps * max(abs(value), 1e-3) / EPS


def _value(loss, params, where=""):
    came = loss(copy.deepcopy(params))
    array = _array(came)
    if array is None or array.size != 1:
        kind = type(came).__name__ if array is None else f"an array of shape {array.shape}"
        raise TypeError(f"loss: it returned {kind}; one real number was wanted")
    number = array.item()
    if not np.isfinite(number):
        raise ValueError(f"loss: it is {number}{where}; a finite number was wanted")
    return number


def _slopes(loss, params, name, values, eps=EPS, entries=None):
    """Return the slopes to the right and to the left of each entry, (2, *shape of the array)."""
    here = _value(loss, params)
    slopes = np.zeros((2, *params[name].shape))
    for at in np.ndindex(params[name].shape) if entries is None else entries:
        for side, step in enumerate((eps, -eps)):
            moved = params[name].copy()
            moved[at] += step
            end = _value(loss, {**params, name: moved},
                         f" where entry {list(at)} of {name!r} is moved by {step:g}")
            slopes[(side, *at)] = (end - here) / step
            values.add(end)
    return slopes


def _kinks(loss, params, name, got, slopes, noise):
    """Return where a gradient differs from the slope because there is no one slope there.

    Of a smooth loss the slopes to either side come together as the step gets smaller.
    """
    bend = np.abs(slopes[0] - slopes[1])
    off = ~(np.abs(got - slopes.mean(axis=0)) <= noise) & np.isfinite(got)
    suspect = off & (bend > 1e-3 * np.abs(slopes).max(axis=0) + 10 * noise)
    near = _slopes(loss, params, name, set(), EPS / 2, map(tuple, np.argwhere(suspect)))
    return suspect & (np.abs(near[0] - near[1]) > 0.75 * bend)


def _examine(name, got, want, param, noise, sizes, kink):
    got, want = np.where(kink, 0.0, got), np.where(kink, 0.0, want)
    off = np.abs(got - want)
    with np.errstate(all="ignore"):
        error = np.where(off <= noise, 0.0, off / np.maximum(np.abs(got), np.abs(want)))
    worst = float(error.max(initial=0.0))
    right = worst < GOOD
    text = "right" if right else _in_words(got, want, param, error, noise, sizes)
    if kink.any():
        text += f"; kink: not judged here ({kink.sum()} of {kink.size} entries)"
    return Finding(name, got.shape, right, worst, *_arrows(got, want), text)


def _in_words(got, want, param, error, noise, sizes):
    if not np.isfinite(got).all():
        at = list(map(int, np.argwhere(~np.isfinite(got))[0]))
        return f"not finite: entry {at} is {got[tuple(at)]}"
    if not want.any():
        return "not zero, but the loss does not change with this parameter"
    rounding = min(max(ROUNDING, 2 * noise / np.abs(want).max()), 1e-2)
    known = looks_like(got, want, sizes, rounding)
    few = got.size < 3  # the slopes of two biases may be c and −c: all that is wrong is a factor
    if known and not (few and known[0] == "constant-factor"):
        return known[1]
    digits = next((n for n in range(2, 9) if np.array_equal(got, np.round(got, n))), None)
    if digits and 2 * np.count_nonzero(got) >= got.size and (
            np.abs(got - want).max() <= 0.51 * 10.0 ** -digits + noise):
        return f"right to {digits} decimals: is it rounded?"
    share = float(np.vdot(param, got - want) / np.vdot(param, param)) if param.any() else 0.0
    if got.size > 1 and np.abs(got - want - share * param).max() <= (
            rounding * max(np.abs(got).max(), np.abs(want).max())):
        return (f"the right one {'plus' if share > 0 else 'minus'} {abs(share):.4g} times the "
                "parameter: is a penalty on the weights in loss and gradient alike?")
    off = error >= GOOD
    at = list(map(int, np.unravel_index(error.argmax(), error.shape)))
    where = (f"; worst at {at}: {got[tuple(at)]:.4g}, measured {want[tuple(at)]:.4g}"
             if at else "")
    if few and off.all():
        return f"wrong; with so few entries every error looks like a factor{where}"
    if off.sum() < off.size:
        return f"wrong in {off.sum()} of {off.size} entries{where}"
    return f"no mistake I know{where}"
