"""What students return and raise, drawn at random: nothing crashes a check, nothing passes it."""

from __future__ import annotations

import numpy as np
import pytest
from answers import RIGHT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scoreboard import SCORE
from test_checks import PARTS

from helpers.checks.compare import differ
from helpers.checks.show import as_text

EXAMPLES = settings(max_examples=12, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck))
SHAPES = arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6)
DTYPES = st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_, np.complex128])
LEAVES = (st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
          | st.complex_numbers() | st.binary(max_size=3)
          | DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, SHAPES)))
KEYS = st.sampled_from(["W1", "W2", "b1", "b2", "Z1", "A1", "Z2", "Y_hat", "loss", "params", "x"])
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
                      | st.dictionaries(KEYS, inner, max_size=4) | st.sets(st.integers()),
                      max_leaves=5)
ERRORS = st.sampled_from([ValueError, TypeError, IndexError, KeyError, ZeroDivisionError,
                          FloatingPointError, AssertionError, OSError, ExceptionGroup, SystemExit])
CHANGES = {
    "a little more": lambda a: a + 1e-3 * (1 + np.abs(a)),
    "nan": lambda a: np.where(np.arange(a.size).reshape(a.shape) == 0, np.nan, a),
    "infinite": lambda a: np.where(np.arange(a.size).reshape(a.shape) == a.size - 1, np.inf, a),
    "float32": lambda a: a.astype(np.float32), "complex": lambda a: a + 0j,
    "text": lambda a: a.astype(str), "objects": lambda a: np.full(a.shape, None),
    "one axis more": lambda a: a[None], "flat": lambda a: np.append(a.ravel(), 0.0),
    "one row less": lambda a: a[:-1] if a.ndim else a + 1, "negated": lambda a: -a - 1e-3,
    "nothing": lambda a: None, "a string": lambda a: "right", "a function": lambda a: np.sum,
    "masked": lambda a: np.ma.masked_array(a, np.ones(a.shape, dtype=bool)),
}
every = pytest.mark.parametrize("key, exercise", PARTS.items(), ids=PARTS)


def answered(key, exercise, function):
    """Judge a function that cannot be right; return nothing, but fail where the answer is poor."""
    verdict = exercise.judge(function)
    SCORE.garbage += 1
    text = as_text(key, verdict.lines)
    assert verdict.outcome == "not yet", text
    assert verdict.lines and len(text.splitlines()) <= 10 and "0x" not in text
    assert max(map(len, verdict.lines)) <= 700


@every
@EXAMPLES
@given(value=VALUES)
def test_whatever_is_returned_gets_an_answer(key, exercise, value):
    answered(key, exercise, lambda *args: value)


@every
@settings(EXAMPLES, max_examples=4)
@given(error=ERRORS, text=st.text(max_size=300))
def test_whatever_is_raised_gets_an_answer(key, exercise, error, text):
    def function(*args):
        raise ExceptionGroup(text, [ValueError(text)]) if error is ExceptionGroup else error(text)

    answered(key, exercise, function)


@every
@EXAMPLES
@given(data=st.data())
def test_a_right_answer_with_one_part_spoilt_never_passes(names_only, key, exercise, data):
    change = CHANGES[data.draw(st.sampled_from(sorted(CHANGES)))]
    which = data.draw(st.integers(0, 20))
    seen = []

    def spoilt(*args):
        value = RIGHT[key][0](*args)
        count = len(list(places(value)))
        result = put(value, list(places(value))[which % count], change)
        seen.append(differ(result, value, exercise.returns[0], exercise.returns,
                           exercise.tolerance) is not None)
        return result

    verdict = exercise.judge(spoilt)
    assert verdict.outcome == "not yet" or not any(seen), verdict


def places(value, path=()):
    """Yield the path to every array and number of a result."""
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))
    elif isinstance(value, (tuple, list)) and value and not np.isscalar(value[0]):
        for index, item in enumerate(value):
            yield from places(item, (*path, index))
    else:
        yield path


def put(value, path, change):
    """Return the result with one part changed."""
    if not path:
        return change(np.asarray(value, dtype=float if np.ndim(value) == 0 else None))
    new = dict(value) if isinstance(value, dict) else list(value)
    new[path[0]] = put(value[path[0]], path[1:], change)
    return tuple(new) if isinstance(value, tuple) else new
