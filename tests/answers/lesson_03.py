"""Lesson 03: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, xlogy

x_mat = np.ones((15, 3))
W_1 = np.ones((3, 4))
W_2 = np.ones((4, 1))


def diamond_loop(X):
    out = np.zeros(len(X), dtype=bool)
    for n, (a, b) in enumerate(X):
        out[n] = abs(a) + abs(b) < 1
    return out


def circle_complex(X):
    return np.abs(X[:, 0] + 1j * X[:, 1]) < 0.75


def circle_einsum(X):
    return np.einsum("nd,nd->n", X, X) < 0.75 ** 2


def thick_two_lines(X):
    larger = np.where(X[:, 0] > X[:, 1], X[:, 0], X[:, 1])
    return np.logical_and(larger > -0.5, larger < 0.5)


def thin_by_corners(X):
    below = (X[:, 0] < 0.5) & (X[:, 1] < 0.5)
    return below & ((X[:, 0] > 0) | (X[:, 1] > 0))


def thick_list(X):
    return np.array([-0.5 < max(point) < 0.5 for point in X])


def log_loss_where(y, Y_hat):
    of_the_label = np.where(y == 1, Y_hat, 1 - Y_hat)
    return float(-np.log(np.clip(of_the_label, 1e-12, 1)).mean())


def log_loss_loop(y, Y_hat):
    total = 0.0
    for label, p in zip(y[:, 0], Y_hat[:, 0], strict=True):
        p = min(max(p, 1e-12), 1 - 1e-12)
        total -= np.log(p) if label == 1 else np.log(1 - p)
    return total / len(y)


def log_loss_xlogy(y, Y_hat):
    p = Y_hat.copy()
    p[p < 1e-12] = 1e-12
    p[p > 1 - 1e-12] = 1 - 1e-12
    return -(xlogy(y, p).sum() + xlogy(1 - y, 1 - p).sum()) / y.shape[0]


def log_loss_shifted(y, Y_hat):
    kept = np.where(Y_hat < 1e-9, 1e-9, np.where(Y_hat > 1 - 1e-9, 1 - 1e-9, Y_hat))
    return np.mean(np.where(y == 1, -np.log(kept), -np.log1p(-kept)))


def log_loss_added(y, Y_hat):
    """Keep the logarithms from 0 by a number that is added inside them."""
    return -np.mean(y * np.log(Y_hat + 1e-12) + (1 - y) * np.log(1 - Y_hat + 1e-12))


def forward_dot(X_b, params):
    Z1 = np.dot(X_b, params["W1"])
    A1 = 0.5 * (1 + np.tanh(Z1 / 2))
    Z2 = A1.dot(params["W2"])
    return dict(Z1=Z1, A1=A1, Z2=Z2, Y_hat=expit(Z2))


def forward_loop(X_b, params):
    W1, W2 = params["W1"], params["W2"]
    Z1 = np.zeros((len(X_b), W1.shape[1]))
    for n, x in enumerate(X_b):
        for h in range(W1.shape[1]):
            Z1[n, h] = sum(x * W1[:, h])
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = np.array([[sum(a * W2[:, 0])] for a in A1])
    return {"A0": X_b, "Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": 1 / (1 + np.exp(-Z2))}


def forward_einsum(X_b, params):
    cache = {"Z1": np.einsum("nd,dh->nh", X_b, params["W1"])}
    cache["A1"] = expit(cache["Z1"])
    cache["Z2"] = np.einsum("nh,hk->nk", cache["A1"], params["W2"])
    cache["Y_hat"] = expit(cache["Z2"])
    return cache


def delta_loop(y, Y_hat):
    dZ2 = np.zeros(Y_hat.shape)
    for n in range(len(y)):
        dZ2[n] = (Y_hat[n] - y[n]) / len(y)
    return dZ2


def delta_filled(y, Y_hat):
    dZ2 = np.zeros_like(y)  # labels are floats here: nothing says that they may be integers
    dZ2[:] = (Y_hat - y) / len(y)
    return dZ2


def delta_by_class(y, Y_hat):
    return np.where(y == 1, Y_hat - 1, Y_hat) / y.size


def backprop_from_z(X_b, y, params):
    cache = forward_dot(X_b, params)
    dZ2 = (cache["Y_hat"] - y) / X_b.shape[0]
    slope = np.exp(-cache["Z1"]) / (1 + np.exp(-cache["Z1"])) ** 2
    return {"W2": cache["A1"].T.dot(dZ2), "W1": X_b.T.dot(dZ2.dot(params["W2"].T) * slope)}


def backprop_loop(X_b, y, params):
    grads = {name: np.zeros(W.shape) for name, W in params.items()}
    cache = forward_loop(X_b, params)
    for n, x in enumerate(X_b):
        a, error = cache["A1"][n], cache["Y_hat"][n] - y[n]
        grads["W2"] += np.outer(a, error) / len(y)
        grads["W1"] += np.outer(x, params["W2"] @ error * a * (1 - a)) / len(y)
    return grads


def backprop_outer(X_b, y, params):
    cache = forward_einsum(X_b, params)
    error, A1 = (cache["Y_hat"] - y)[:, 0], cache["A1"]
    dZ1 = np.outer(error, params["W2"]) * (A1 - A1 ** 2)
    return {"W1": np.einsum("nd,nh->dh", X_b, dZ1) / len(y),
            "W2": (error @ A1)[:, None] / len(y)}


def accuracy_round(y, Y_hat):
    return np.count_nonzero(np.round(Y_hat) == y) / y.size


def accuracy_loop(y, Y_hat):
    right = 0
    for label, p in zip(y[:, 0], Y_hat[:, 0], strict=True):
        right += (p > 0.5) == (label == 1)
    return float(right / len(y))


def train_in_place_on_copies(X_b, y, params, learning_rate, iterations):
    params = {name: W.copy() for name, W in params.items()}
    losses, accuracies = np.zeros(iterations), np.zeros(iterations)
    for i in range(iterations):
        Y_hat = forward_dot(X_b, params)["Y_hat"]
        losses[i], accuracies[i] = log_loss_loop(y, Y_hat), accuracy_loop(y, Y_hat)
        grads = backprop_loop(X_b, y, params)
        for name in params:
            params[name] -= learning_rate * grads[name]
    return params, {"loss": losses, "accuracy": accuracies}


def train_while(X_b, y, params, learning_rate, iterations):
    loss, score = [], []
    while len(loss) < iterations:
        cache = forward_einsum(X_b, params)
        loss += [log_loss_where(y, cache["Y_hat"])]
        score += [accuracy_round(y, cache["Y_hat"])]
        grads = backprop_outer(X_b, y, params)
        params = dict(W1=params["W1"] - learning_rate * grads["W1"],
                      W2=params["W2"] - learning_rate * grads["W2"])
    return params, dict(loss=loss, accuracy=score)


def train_pair(X_b, y, params, learning_rate, iterations):
    history, (W1, W2) = {"accuracy": [], "loss": []}, (params["W1"], params["W2"])
    for _ in range(iterations):
        now = {"W1": W1, "W2": W2}
        Y_hat = forward_dot(X_b, now)["Y_hat"]
        history["accuracy"].append(np.mean((Y_hat >= 0.5) == y))
        history["loss"].append(log_loss_xlogy(y, Y_hat))
        grads = backprop_from_z(X_b, y, now)
        W1, W2 = W1 - learning_rate * grads["W1"], W2 - learning_rate * grads["W2"]
    return {"W1": W1, "W2": W2}, history


def train_in_place(X_b, y, params, learning_rate, iterations):
    history = {"loss": [], "accuracy": []}
    for _ in range(iterations):
        Y_hat = forward_dot(X_b, params)["Y_hat"]
        history["loss"].append(log_loss_where(y, Y_hat))
        history["accuracy"].append(accuracy_round(y, Y_hat))
        grads = backprop_from_z(X_b, y, params)
        for name in params:
            params[name] -= learning_rate * grads[name]
    return params, history


def forward_unpacked(X_b, params):
    W1, W2 = params
    A1 = expit(X_b @ W1)
    return {"A1": A1, "Y_hat": expit(A1 @ W2)}


def forward_published(X_b, params):
    z_2 = np.dot(x_mat, W_1)
    return expit(np.dot(expit(z_2), W_2))


def backprop_published(X_b, y, params):
    a_2 = expit(X_b @ params["W1"])
    error = -y + expit(a_2 @ params["W2"])
    return {"W1": (np.dot(error.reshape(-1, 1), params["W2"].reshape(-1, 1).T)
                   * (a_2 * (1 - a_2))).T.dot(X_b).T, "W2": np.dot(error.T, a_2).T}


def backprop_unpacked(X_b, y, params):
    forward = forward_loop
    Z1, A1, Y_hat = forward(X_b, params)
    return {"W2": A1.T @ (Y_hat - y) / len(y), "W1": X_b.T @ Z1}


def backprop_measured(X_b, y, params):
    grads = {}
    for name, W in params.items():
        grads[name] = np.zeros(W.shape)
        for at in np.ndindex(W.shape):
            step = np.zeros(W.shape)
            step[at] = 1e-5
            up, down = (log_loss_where(y, forward_dot(X_b, {**params, name: V})["Y_hat"])
                        for V in (W + step, W - step))
            grads[name][at] = (up - down) / 2e-5
    return grads


def train_forward_once(X_b, y, params, learning_rate, iterations):
    losses, shares = [], []
    Y_hat = forward_dot(X_b, params)["Y_hat"]
    for _ in range(iterations):
        losses.append(log_loss_where(y, Y_hat))
        shares.append(accuracy_round(y, Y_hat))
        grads = backprop_outer(X_b, y, params)
        params = {name: W - learning_rate * grads[name] for name, W in params.items()}
    return params, {"loss": losses, "accuracy": shares}


def accuracy_python_sum(y, Y_hat):
    right = sum(np.round(Y_hat) == y)
    return right / y.shape[0]


RIGHT = {
    "03-patterns/diamond": [diamond_loop, lambda X: np.abs(X).sum(axis=1) < 1,
                            lambda X: np.linalg.norm(X, ord=1, axis=1) < 1,
                            lambda X: np.abs(X[:, 0]) + np.abs(X[:, 1]) < 1],
    "03-patterns/circle": [circle_complex, circle_einsum,
                           lambda X: np.linalg.norm(X, axis=1) < 0.75,
                           lambda X: X[:, 0] ** 2 + X[:, 1] ** 2 < 0.75 ** 2],
    "03-patterns/centred_square": [
        lambda X: np.maximum(np.abs(X[:, 0]), np.abs(X[:, 1])) < 0.5,
        lambda X: (np.abs(X) < 0.5).all(axis=1),
        lambda X: np.linalg.norm(X, ord=np.inf, axis=1) < 0.5],
    "03-patterns/thick_angle": [thick_two_lines, thick_list,
                                lambda X: np.abs(np.maximum(X[:, 0], X[:, 1])) < 0.5],
    "03-patterns/thin_angle": [thin_by_corners,
                               lambda X: (X.max(axis=1) > 0) & (X.max(axis=1) < 0.5),
                               lambda X: (0 < np.amax(X, 1)) * (np.amax(X, 1) < 0.5)],
    "03-log-loss": [log_loss_where, log_loss_loop, log_loss_xlogy, log_loss_shifted,
                    log_loss_added,
                    lambda y, Y_hat: log_loss_where(y, np.clip(Y_hat, 1e-10, 1 - 1e-10)),
                    lambda y, Y_hat: log_loss_where(y, np.clip(Y_hat, 1e-7, 1 - 1e-7))],
    "03-forward": [forward_dot, forward_loop, forward_einsum],
    "03-output-delta": [delta_loop, delta_by_class, delta_filled,
                        lambda y, Y_hat: -(y - Y_hat) / y.shape[0]],
    "03-backprop": [backprop_from_z, backprop_loop, backprop_outer],
    "03-accuracy": [accuracy_round, accuracy_loop,
                    lambda y, Y_hat: np.mean((Y_hat > 0.5) == (y == 1)),
                    lambda y, Y_hat: (np.where(Y_hat >= 0.5, 1, 0) == y).mean(),
                    lambda y, Y_hat: float(1 - np.abs((Y_hat > 0.5) * 1.0 - y).mean())],
    "03-train": [train_in_place_on_copies, train_while, train_pair],
    "03-repair": [lambda X_b, params: forward_dot(X_b, params)["Y_hat"],
                  lambda X_b, params: expit(expit(X_b @ params["W1"]) @ params["W2"]),
                  lambda X_b, params: forward_loop(X_b, params)["Y_hat"]],
}

WRONG = [
    ("03-patterns/diamond", lambda X: (abs(X[:, 0]) + abs(X[:, 1]) < 1) * 1.0,
     "wrong-dtype"),
    ("03-patterns/diamond", lambda X: abs(X[:, 0]) * abs(X[:, 1]) < 1, "product-for-sum"),
    ("03-patterns/diamond", lambda X: [abs(a) + abs(b) < 1 for a, b in X], "returns-list"),
    ("03-patterns/circle", lambda X: np.sqrt(X[:, 0] ^ 2 + X[:, 1] ^ 2) < 0.75, "xor"),
    ("03-patterns/circle", lambda X: X[:, 0] ** 2 + X[:, 1] ** 2 < 0.75, "square-root-missing"),
    ("03-patterns/circle", lambda X: np.sqrt(np.sum(X ** 2)) < 0.75, "not-point-by-point"),
    ("03-patterns/circle", lambda X: np.hypot(X[0], X[1]) < 0.75, "not-point-by-point"),
    ("03-patterns/thick_angle", lambda X: abs(X[:, 0].max(X[:, 1])) < 0.5, "not-two-arrays"),
    ("03-patterns/centred_square", lambda X: max(abs(X[:, 0]), abs(X[:, 1])) < 0.5,
     "one-truth-for-an-array"),
    ("03-patterns/thick_angle", lambda X: -0.5 < np.maximum(X[:, 0], X[:, 1]) < 0.5,
     "one-truth-for-an-array"),
    ("03-patterns/thick_angle", lambda X: (X.max(axis=1) > -0.5) and (X.max(axis=1) < 0.5),
     "one-truth-for-an-array"),
    ("03-patterns/thin_angle", lambda X: (X[:, 0] > 0) & (X[:, 1] > 0) & (X.max(axis=1) < 0.5),
     "square-for-angle"),
    ("03-log-loss", lambda y, Y_hat: -(np.sum(y * np.log(Y_hat)) + np.sum(
        (1 - y) * np.log(1 - Y_hat))) / len(y), "not-finite"),
    ("03-log-loss", lambda y, Y_hat: 0.0, "all-zero"),
    ("03-log-loss", lambda y, Y_hat: log_loss_where(y, np.clip(Y_hat, .001, .999)), "other-limit"),
    ("03-log-loss", lambda y, Y_hat: (-(y * np.log(np.clip(Y_hat, 1e-12, 1 - 1e-12))) + (
        1 - y) * np.log(1 - np.clip(Y_hat, 1e-12, 1 - 1e-12))).sum() / len(y), "opposite-signs"),
    ("03-forward", forward_unpacked, "text-for-numbers"),
    ("03-accuracy", lambda y, Y_hat: np.mean(Y_hat > 0.5 == y), "one-truth-for-an-array"),
    ("03-forward", forward_published, "uses-notebook-data"),
    ("03-output-delta", lambda y, Y_hat: 0.7 * (Y_hat - y) / len(y), "constant-factor"),
    ("03-output-delta", lambda y, Y_hat: np.zeros(y.shape), "all-zero"),
    ("03-backprop", backprop_published, "not-divided"),
    ("03-backprop", backprop_unpacked, "dict-for-several"),
    ("03-backprop", backprop_measured, "nearly-right"),
    ("03-accuracy", lambda y, Y_hat: np.sum((Y_hat > .5) == y) / 500, "fixed-number"),
    ("03-accuracy", lambda y, Y_hat: round(100 * np.mean((Y_hat > .5) == y), 2), None),
    ("03-accuracy", accuracy_python_sum, "array-of-one"),
    ("03-train", train_in_place, "changes-arguments"),
    ("03-train", train_forward_once, "forward-outside-the-loop"),
    ("03-train", lambda *args: train_while(*args)[0], "wrong-number-of-values"),
    ("03-repair", forward_published, "uses-notebook-data"),
]

NUMBER = "a NumPy number is a number"
EQUIVALENT = {
    "03-log-loss": {
        "line 3: np.clip(Y_hat, 1e-12, 1 - 1e-12) → np.clip(1e-12, Y_hat, 1 - 1e-12)":
            "the larger of two, in the other order",
        "line 3: 1e-12 → 2e-12": "at least 1e-12 away",
        "line 4: float(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))) → "
        "-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))": NUMBER},
    "03-backprop": {"line 6: dZ2 @ params['W2'].T → dZ2 * params['W2'].T":
                    "(N, 1) times (1, H) is the outer product either way"},
    "03-accuracy": {
        "line 3: float(np.mean((Y_hat > 0.5) == (y == 1))) → "
        "np.mean((Y_hat > 0.5) == (y == 1))": NUMBER,
        "line 3: Y_hat > 0.5 → Y_hat >= 0.5": "exactly one half may go either way"},
}
