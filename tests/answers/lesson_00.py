"""Lesson 00: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import numpy as np


def returns_none(*args):
    args[0] * 2


def prints_only(x):
    print(x ** 2)


def squares_in_place(x):
    x *= x
    return x


def float32_square(x):
    return (x ** 2).astype(np.float32)


def list_of_squares(x):
    return [v ** 2 for v in x]


_calls = []
def square_that_remembers(x):
    _calls.append(1)
    return x ** 2 + 1e-3 * (len(_calls) > 2)


def wrong_parameters(x, y):
    return x ** 2


RIGHT = {
    "00-square": [np.square, lambda x: x * x, lambda x: np.power(np.abs(x), 2.0)],
}

WRONG = [
    ("00-square", returns_none, "returns-none"),
    ("00-square", prints_only, "returns-none"),
    ("00-square", squares_in_place, "changes-arguments"),
    ("00-square", float32_square, "float32"),
    ("00-square", list_of_squares, "returns-list"),
    ("00-square", square_that_remembers, "not-repeatable"),
    ("00-square", wrong_parameters, "wrong-signature"),
    ("00-square", 4.0, "not-a-function"),
    ("00-square", np.ones(3), "not-a-function"),
    ("00-square", lambda x: x + x, "doubled"),
    ("00-square", lambda x: 0 * x, "all-zero"),
    ("00-square", lambda x: -x ** 2, "sign-flipped"),
    ("00-square", lambda x: x ^ 2, "xor"),
    ("00-square", lambda x: np.matrix(x * x), "wrong-type"),
    ("00-square", lambda x: np.ma.masked_array(x * x + 1, True), "wrong-type"),
]
