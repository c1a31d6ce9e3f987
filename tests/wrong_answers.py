"""Wrong answers as students write them, with the id of the mistake that each must be told.

These are not in the tables of mistakes: they are found by the general part of the checks, or they
are a known mistake in another handwriting.
"""

from __future__ import annotations

import functools
import time

import numpy as np
from scipy.special import expit

X = np.ones((15, 3))
y = np.ones((15, 1))
W1 = np.ones((3, 3))


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


def integer_empty(x):
    out = np.empty_like(x)
    out[...] = expit(x)
    return out


def add_bias_in_place(X):
    X[:] = X * 1.0
    X[0, 0] += 1
    X_b = np.column_stack([np.ones(len(X)), X])
    X_b[0, 1] -= 1
    return X_b


def forward_of_notebook(X_b, W1, W2):
    Z1 = X @ W1
    A1 = expit(Z1)
    return Z1, A1, np.column_stack([np.ones(len(A1)), A1]) @ W2


def forward_dot(X_b, W1, W2):
    """bias-last, written with hstack and np.dot."""
    A1 = 1 / (1 + np.exp(-np.dot(X_b, W1)))
    return X_b.dot(W1), A1, np.dot(np.hstack((A1, np.ones((A1.shape[0], 1)))), W2)


def error_with_two_sums(y, Y_hat):
    total = 0
    for a, b in zip(y, Y_hat, strict=True):
        total += float((a - b) @ (a - b))
    return total


def gradient_of_integers(f, W, eps=1e-5):
    gradient = np.zeros(W.shape)
    for at in np.ndindex(W.shape):
        up, down = W.copy(), W.copy()
        up[at] += eps
        down[at] -= eps
        gradient[at] = (f(up) - f(down)) / (2 * eps)
    return gradient


def gradient_alias(f, W, eps=1e-5):
    gradient = np.zeros(W.shape)
    for at in np.ndindex(W.shape):
        up = W
        up[at] += eps
        down = W
        down[at] -= eps
        gradient[at] = (f(up) - f(down)) / (2 * eps)
    return gradient


def gradient_returns_early(f, W, eps=1e-5):
    gradient = np.zeros(W.shape)
    for at in np.ndindex(W.shape):
        step = np.zeros(W.shape)
        step[at] = eps
        gradient[at] = (f(W + step) - f(W - step)) / (2 * eps)
        return gradient


def backprop_published(X_b, y, W1, W2):
    u_H = 1 / (1 + np.exp(-np.dot(X_b, W1)))
    delta_O = -(y - (W2[0] + u_H @ W2[1:]))
    delta_H = np.dot(delta_O, W2[1:].T) * u_H * (1 - u_H)
    return X_b.T.dot(delta_H), np.hstack((u_H, np.ones((len(X_b), 1)))).T.dot(delta_O)


def backprop_mean(X_b, y, W1, W2):
    A1 = expit(X_b @ W1)
    dZ2 = np.insert(A1, 0, 1, axis=1) @ W2 - y
    dW2 = np.mean([np.outer(np.append(1, a), d) for a, d in zip(A1, dZ2, strict=True)], axis=0)
    dZ1 = dZ2 @ W2[1:].T * A1 * (1 - A1)
    return np.einsum("nd,nh->dh", X_b, dZ1) / len(X_b), dW2


def backprop_tripled(X_b, y, W1, W2):
    A1 = expit(X_b @ W1)
    dZ2 = 7.5 * (np.insert(A1, 0, 1, axis=1) @ W2 - y)
    return X_b.T @ (dZ2 @ W2[1:].T * A1 * (1 - A1)), np.insert(A1, 0, 1, axis=1).T @ dZ2


def backprop_measured(X_b, y, W1, W2):
    from right_answers import forward_einsum, numerical_gradient_basis

    def loss(W1, W2):
        return float(((forward_einsum(X_b, W1, W2)[2] - y) ** 2).sum() / 2)

    return (numerical_gradient_basis(lambda W: loss(W, W2), W1),
            numerical_gradient_basis(lambda W: loss(W1, W), W2))


def chain_rule_measured(x):
    def f(x):
        return float(np.exp(np.sin(x ** 2)))

    return f(x), (f(x + 1e-5) - f(x - 1e-5)) / 2e-5


def gradient_as_a_list(f, W, eps=1e-5):
    gradient = []
    for at in np.ndindex(W.shape):
        step = np.zeros(W.shape)
        step[at] = eps
        gradient.append((f(W + step) - f(W - step)) / (2 * eps))
    return gradient


def train_in_place(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    from right_answers import backprop_einsum, forward_einsum
    history = {"train_loss": [], "test_loss": [], "predictions": []}
    for _ in range(epochs):
        history["predictions"].append(forward_einsum(X_b, W1, W2)[2])
        history["train_loss"].append(float(((history["predictions"][-1] - y) ** 2).sum() / 2))
        test = forward_einsum(X_b_test, W1, W2)[2]
        history["test_loss"].append(float(((test - y_test) ** 2).sum() / 2))
        dW1, dW2 = backprop_einsum(X_b, y, W1, W2)
        W1 -= learning_rate * dW1
        W2 -= learning_rate * dW2
    return W1, W2, history


def train_with_transposed_update(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    """After one step W2 is square and all that follows has odd shapes."""
    from right_answers import train_arrays
    history = train_arrays(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs)[2]
    history["predictions"] = [np.ones((7, 1 + 5 * (e > 0))) for e in range(epochs)]
    return W1 + 1, W2, history


def train_on_the_first_output(X_b, y, *rest):
    from right_answers import train_arrays
    return train_arrays(X_b, np.repeat(y[:, :1], y.shape[1], axis=1), *rest)


def train_without_key(*args):
    from right_answers import train_arrays
    W1, W2, history = train_arrays(*args)
    return W1, W2, {"loss": history["train_loss"], "test_loss": history["test_loss"]}


_calls = []


def square_that_remembers(x):
    _calls.append(1)
    return x ** 2 + 1e-3 * (len(_calls) > 2)


def wrong_parameters(x, y):
    return x ** 2


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
    ("01-squared-error", lambda y, Y_hat: 0.5 * np.sum((y - Y_hat) ^ 2), "xor"),
    ("02-chain-rule", lambda x: (np.exp(np.sin(x ^ 2)), 0.0), "xor"),
    ("02-sigmoid-prime", lambda z: expit(z)(1 - expit(z)), "call-for-product"),
    ("02-suspects", lambda dW, dW_num, tolerance=1e-6: (
        ~(np.abs(dW - dW_num) <= tolerance * max(abs(dW), abs(dW_num)))),
     "one-truth-for-an-array"),
    ("01-numerical-gradient", gradient_as_a_list, "returns-list"),
    ("02-backprop", backprop_measured, "measured-not-derived"),
    ("02-chain-rule", lambda x: np.array([np.exp(np.sin(x * x)), 1.0]), "wrong-number-of-values"),
    ("01-squared-error", lambda y, Y_hat: round(float(((y - Y_hat) ** 2).sum() / 2), 4), None),
    ("02-chain-rule", chain_rule_measured, "measured-not-derived"),
    ("02-sigmoid-prime", lambda z: (expit(z + 1e-5) - expit(z - 1e-5)) / 2e-5,
     "measured-not-derived"),
    ("01-add-bias", add_bias_in_place, "changes-arguments"),
    ("01-add-bias", lambda X: np.append(X, np.ones((len(X), 1)), axis=1), "ones-last"),
    ("01-sigmoid", integer_empty, "integer-input"),
    ("01-sigmoid", lambda z: expit(-z), "mirrored"),
    ("01-sigmoid", lambda z: expit(z) + 0j, "complex"),
    ("01-forward", forward_of_notebook, "uses-notebook-data"),
    ("01-forward", forward_dot, "bias-last"),
    ("01-squared-error", error_with_two_sums, "half-missing"),
    ("01-squared-error", lambda y, Y_hat: np.float32(((y - Y_hat) ** 2).sum() / 2), "float32"),
    ("01-squared-error", lambda y, Y_hat: "0.5", "wrong-type"),
    ("01-squared-error", lambda y, Y_hat: -((y - Y_hat) ** 2).sum() / 2, "sign-flipped"),
    ("01-numerical-gradient", gradient_of_integers, "integer-input"),
    ("01-numerical-gradient", gradient_alias, "no-difference"),
    ("01-numerical-gradient", gradient_returns_early, "one-entry-only"),
    ("01-numerical-gradient", lambda f, W, eps: W, "wrong-signature"),
    ("00-square", lambda x: np.matrix(x * x), "wrong-type"),
    ("00-square", lambda x: np.ma.masked_array(x * x + 1, True), "wrong-type"),
    ("02-chain-rule", lambda x: None, "returns-none"),
    ("02-sigmoid-prime", lambda z: expit(z) * (1 - expit(z)) / 4, "constant-factor"),
    ("02-hidden-delta", lambda dZ2, W2, Z1: np.zeros(Z1.shape), "all-zero"),
    ("02-backprop", backprop_published, "bias-last"),
    ("02-backprop", backprop_mean, "divided-by-N"),
    ("02-backprop", backprop_tripled, "constant-factor"),
    ("02-repair", backprop_published, "still-published"),
    ("02-suspects", lambda dW, dW_num, tolerance=1e-6: abs(dW - dW_num) > tolerance,
     "absolute-error"),
    ("02-train", train_with_transposed_update, None),
    ("02-train", train_on_the_first_output, None),
    ("02-train", train_in_place, "changes-arguments"),
    ("02-train", train_without_key, "missing-key"),
]


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
