"""What students return and raise that is no answer at all, and functions that never end."""

from __future__ import annotations

import functools
import time

import numpy as np


class BadError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def raises(error):
    def function(*args):
        raise error
    return function


def recursion(*args):
    return recursion(*args)


def loop(*args):
    while True:
        pass


def loop_that_swallows(*args):
    while True:
        try:
            time.sleep(5)
        except:  # noqa: E722
            pass


def loop_that_grows(*args):
    grown = []
    while True:
        try:
            grown.append(len(grown))
        except:  # noqa: E722
            grown = []


def sleeps(*args):
    time.sleep(60)


ENDLESS = [recursion, loop, loop_that_swallows, loop_that_grows, sleeps]

GARBAGE = {
    "None": lambda *a: None, "a string": lambda *a: "0.5", "an empty list": lambda *a: [],
    "a list": lambda *a: [1.0, 2.0], "ragged": lambda *a: [[1.0], [1.0, 2.0]],
    "nan": lambda *a: float("nan"), "inf": lambda *a: np.inf, "complex": lambda *a: 1j,
    "huge": lambda *a: 10 ** 400, "a bool": lambda *a: True, "an int": lambda *a: 7,
    "an empty array": lambda *a: np.array([]), "objects": lambda *a: np.array([None, "x"]),
    "strings": lambda *a: np.array(["a", "b"]), "a dict": lambda *a: {"W1": 1},
    "an empty dict": lambda *a: {}, "an empty tuple": lambda *a: (),
    "tuples": lambda *a: (None, None), "three Nones": lambda *a: (None, None, None),
    "a set": lambda *a: {1, 2}, "a function": lambda *a: loop, "a class": lambda *a: BadError,
    "its first argument": lambda *a: a[0], "its last argument": lambda *a: a[-1],
    "all its arguments": lambda *a: a, "a generator": lambda *a: (v for v in a),
    "a big array": lambda *a: np.zeros((1000, 1000)), "an iterator": lambda *a: iter(a),
    "np.c_": lambda *a: np.c_, "a huge range": lambda *a: range(10 ** 12),
    "a masked array": lambda *a: np.ma.masked_array(np.asarray(1.0), True),
    "arrays of different shapes": lambda *a: (np.ones(2), np.ones(3), {"train_loss": [1, [2]]}),
    "a matrix": lambda *a: np.matrix([[1.0]]), "a 5-d array": lambda *a: np.zeros((1,) * 5),
    "raises ValueError": raises(ValueError("no")), "raises BadError": raises(BadError()),
    "raises SystemExit": raises(SystemExit(3)), "raises StopIteration": raises(StopIteration()),
    "raises GeneratorExit": raises(GeneratorExit()), "raises MemoryError": raises(MemoryError()),
    "calls a stub": lambda *a: raises(NotImplementedError("elsewhere"))(*a),
    "partial": functools.partial(lambda *a: None), "a type": dict, "print": print, "len": len,
}
