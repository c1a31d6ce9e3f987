"""Lesson 05: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import logsumexp


def softmax_loop(Z):
    out = np.zeros(Z.shape)
    for n, row in enumerate(Z):
        powers = [math.exp(z - max(row)) for z in row]
        out[n] = [p / sum(powers) for p in powers]
    return out


def softmax_filled_in(Z):
    P = np.zeros_like(Z)
    for n in range(len(Z)):
        P[n] = np.exp(Z[n] - Z[n].max())
        P[n] /= P[n].sum()
    return P


def softmax_from_log(Z):
    return np.exp(Z - logsumexp(Z, axis=1)[:, np.newaxis])


def softmax_transposed(Z):
    E = np.exp((Z.T - np.max(Z, axis=-1)).T)
    return (E.T / E.sum(axis=-1)).T


def softmax_differences(Z):
    """Each share is one over the sum of exp(other − own)."""
    with np.errstate(over="ignore"):
        return 1 / np.exp(Z[:, np.newaxis, :] - Z[:, :, np.newaxis]).sum(axis=2)


def cross_entropy_loop(y, Y_hat):
    total = 0.0
    for n in range(len(y)):
        total -= math.log(max(Y_hat[n, y[n]], 1e-300))
    return total / len(y)


def cross_entropy_one_hot(y, Y_hat):
    table = y.reshape(-1, 1) == np.arange(Y_hat.shape[1])
    return -np.sum(table * np.log(np.clip(Y_hat, 1e-300, 1))) / len(y)


def cross_entropy_take(y, Y_hat):
    p = np.take_along_axis(Y_hat, y[:, np.newaxis].astype(int), axis=1)
    return float(np.mean(-np.log(p + 1e-300)))


def cross_entropy_picked(y, Y_hat):
    return -np.log(np.maximum(Y_hat[np.arange(len(y)), y], 1e-300)).mean()


def output_delta_loop(y, Y_hat):
    dZ2 = np.zeros(Y_hat.shape)
    for n in range(len(y)):
        for k in range(Y_hat.shape[1]):
            dZ2[n, k] = (Y_hat[n, k] - (1 if y[n] == k else 0)) / len(y)
    return dZ2


def output_delta_one_hot(y, Y_hat):
    return (Y_hat - np.eye(Y_hat.shape[1])[y]) / Y_hat.shape[0]


def output_delta_in_place(y, Y_hat):
    d = np.array(Y_hat)
    d[range(len(y)), y] -= 1
    d /= len(y)
    return d


def output_delta_by_jacobian(y, Y_hat):
    """Row y of the Jacobian divided by its probability: what is left after cancelling."""
    rows = [np.eye(len(p))[k] - p for p, k in zip(Y_hat, y, strict=True)]
    return -np.stack(rows) / len(rows)


def output_delta_with(dZ2):
    """The mean of an array (N, K), which `dZ2` makes of zeros and ones and probabilities."""
    return lambda y, Y_hat: dZ2(np.eye(Y_hat.shape[1])[y], Y_hat) / len(y)


def cross_entropy_binary(one, other):
    """Written for a single column of probabilities."""
    return lambda y, Y_hat: -np.mean(y * np.log(one(Y_hat)) + (1 - y) * np.log(other(Y_hat)))


def floored(p):
    return np.maximum(p, 1e-300)


def output_delta_alias(y, Y_hat):
    d = Y_hat
    d[np.arange(len(y)), y] -= 1
    return d / len(y)


def loss_from_logits(X, y, params, reg):
    W1, b1, W2, b2 = (params[k] for k in ("W1", "b1", "W2", "b2"))
    Z2 = np.tanh(X @ W1 + b1) @ W2 + b2
    data = logsumexp(Z2, axis=1) - Z2[np.arange(len(y)), y]
    return data.mean() + 0.5 * reg * (np.vdot(W1, W1) + np.vdot(W2, W2))


def loss_loop(X, y, params, reg):
    total = 0.0
    for x, k in zip(X, y, strict=True):
        a = np.tanh(x @ params["W1"] + params["b1"])
        total -= math.log(softmax_loop((a @ params["W2"] + params["b2"])[np.newaxis])[0, k])
    for name in ("W1", "W2"):
        for w in params[name].flat:
            total += len(y) * reg * w * w / 2
    return total / len(y)


def loss_with_norms(X, y, params, reg):
    A1 = np.tanh(np.einsum("nd,dh->nh", X, params["W1"]) + params["b1"])
    P = softmax_from_log(np.einsum("nh,hk->nk", A1, params["W2"]) + params["b2"])
    size = np.linalg.norm(params["W1"]) ** 2 + np.linalg.norm(params["W2"]) ** 2
    return cross_entropy_one_hot(y, P) + reg / 2 * size


def backprop_loop(X, y, params, reg):
    grads = {k: np.zeros(v.shape) for k, v in params.items()}
    for x, k in zip(X, y, strict=True):
        a = np.tanh(x @ params["W1"] + params["b1"])
        d2 = softmax_loop((a @ params["W2"] + params["b2"])[np.newaxis])[0]
        d2[k] -= 1
        d1 = (params["W2"] @ d2) * (1 - a ** 2)
        for name, share in (("W1", np.outer(x, d1)), ("b1", d1), ("W2", np.outer(a, d2)),
                            ("b2", d2)):
            grads[name] += share / len(X)
    for name in ("W1", "W2"):
        grads[name] += reg * params[name]
    return grads


def backprop_einsum(X, y, params, reg):
    Z1 = np.einsum("nd,dh->nh", X, params["W1"]) + params["b1"]
    A1 = np.tanh(Z1)
    dZ2 = output_delta_one_hot(y, softmax_from_log(A1 @ params["W2"] + params["b2"]))
    dZ1 = np.einsum("nk,hk->nh", dZ2, params["W2"]) / np.cosh(Z1) ** 2
    return {"b2": np.ones(len(X)) @ dZ2, "W2": np.einsum("nh,nk->hk", A1, dZ2) + reg * params["W2"],
            "b1": np.ones(len(X)) @ dZ1, "W1": np.einsum("nd,nh->dh", X, dZ1) + reg * params["W1"]}


def backprop_divided_last(X, y, params, reg):
    """The source's order: sums first, 1/N at the end."""
    N = len(X)
    A1 = np.tanh(X.dot(params["W1"]) + params["b1"])
    delta3 = softmax_transposed(A1.dot(params["W2"]) + params["b2"]).copy()
    delta3[range(N), y] -= 1
    delta2 = delta3.dot(params["W2"].T) * (1 - np.power(A1, 2))
    return {"W1": X.T.dot(delta2) / N + reg * params["W1"], "b1": np.mean(delta2, axis=0),
            "W2": A1.T.dot(delta3) / N + reg * params["W2"], "b2": np.mean(delta3, axis=0)}


def backprop_published(X, y, params, lam):
    """The source's scale: everything N times that of the loss it prints."""
    grads = backprop_divided_last(X, y, params, lam)
    return {k: len(X) * g for k, g in grads.items()}


def backprop_measured(X, y, params, reg):
    grads = {}
    for name, W in params.items():
        grads[name] = np.zeros(W.shape)
        for at in np.ndindex(W.shape):
            plus, minus = W.copy(), W.copy()
            plus[at] += 1e-5
            minus[at] -= 1e-5
            grads[name][at] = (loss_from_logits(X, y, {**params, name: plus}, reg)
                               - loss_from_logits(X, y, {**params, name: minus}, reg)) / 2e-5
    return grads


def initialise_scale(D, H, K, rng):
    W1 = rng.normal(0, 1 / np.sqrt(D), size=(D, H))
    W2 = rng.normal(0, H ** -0.5, size=(H, K))
    return {"W1": W1, "W2": W2, "b1": np.zeros(H), "b2": np.zeros(K)}


def initialise_standard(D, H, K, rng):
    params = {}
    for number, n_in, n_out in ((1, D, H), (2, H, K)):
        params[f"W{number}"] = rng.standard_normal((n_in, n_out)) / n_in ** 0.5
        params[f"b{number}"] = np.zeros((n_out,))
    return params


def initialise_at_once(D, H, K, rng):
    draws = rng.normal(size=D * H + H * K)
    return {"W1": draws[:D * H].reshape(D, H) / np.sqrt(D), "b1": np.zeros(H),
            "W2": draws[D * H:].reshape(H, K) / np.sqrt(H), "b2": np.zeros(K)}


def initialise_globally(D, H, K, rng):
    """With NumPy's global generator: other weights in every call."""
    return {"W1": np.random.normal(size=(D, H)) / np.sqrt(D), "b1": np.zeros(H),
            "W2": np.random.normal(size=(H, K)) / np.sqrt(H), "b2": np.zeros(K)}


def train_names(X, y, params, learning_rate, steps, reg):
    W1, b1, W2, b2 = (params[k] for k in ("W1", "b1", "W2", "b2"))
    losses = np.zeros(steps)
    for s in range(steps):
        params = {"W1": W1, "b1": b1, "W2": W2, "b2": b2}
        losses[s] = loss_from_logits(X, y, params, reg)
        grads = backprop_loop(X, y, params, reg)
        W1 = W1 - learning_rate * grads["W1"]
        b1 = b1 - learning_rate * grads["b1"]
        W2 = W2 - learning_rate * grads["W2"]
        b2 = b2 - learning_rate * grads["b2"]
    return {"W1": W1, "b1": b1, "W2": W2, "b2": b2}, {"loss": losses}


def train_in_place_on_copies(X, y, params, learning_rate, steps, reg):
    params = {k: v.copy() for k, v in params.items()}
    history = {"loss": [], "steps": steps}
    for _ in range(steps):
        history["loss"].append(loss_with_norms(X, y, params, reg))
        for k, g in backprop_einsum(X, y, params, reg).items():
            params[k] -= learning_rate * g
    return params, history


def train_decoupled(X, y, params, learning_rate, steps, reg):
    """Weight decay apart from the gradient: the same for plain gradient descent."""
    losses = []
    while len(losses) < steps:
        losses.append(loss_from_logits(X, y, params, reg))
        grads = backprop_divided_last(X, y, params, 0)
        shrink = {k: 1 - learning_rate * reg * (k[0] == "W") for k in params}
        params = {k: shrink[k] * params[k] - learning_rate * grads[k] for k in params}
    return params, {"loss": losses}


def train_in_place(X, y, params, learning_rate, steps, reg):
    history = {"loss": []}
    for _ in range(steps):
        history["loss"].append(loss_with_norms(X, y, params, reg))
        for k, g in backprop_einsum(X, y, params, reg).items():
            params[k] -= learning_rate * g
    return params, history


def softmax_guarded(eps):
    def softmax(Z):
        E = np.exp(Z - np.max(Z, axis=1, keepdims=True))
        return E / (np.sum(E, axis=1, keepdims=True) + eps)
    return softmax


def loss_by_log_softmax(data, key="Z2"):
    """Return a loss whose first part is made of the log-softmax (N, K) of an entry, and of y."""
    def loss(X, y, params, reg):
        A1 = np.tanh(X @ params["W1"] + params["b1"])
        cache = {"Z2": A1 @ params["W2"] + params["b2"]}
        cache["Y_hat"] = softmax_from_log(cache["Z2"])
        logs = cache[key] - logsumexp(cache[key], axis=1, keepdims=True)
        squares = np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2)
        return data(logs, y) + reg / 2 * squares
    return loss


def loss_with_arguments_swapped(X, y, params, reg):
    A1 = np.tanh(X @ params["W1"] + params["b1"])
    return cross_entropy_picked(softmax_from_log(A1 @ params["W2"] + params["b2"]), y)


def backprop_with(dZ1=lambda d, W, A: (d @ W.T) * (1 - A ** 2), bias=lambda d: d.sum(axis=0),
                  b2=None):
    """The plain solution with one line written wrongly."""
    def backprop(X, y, params, reg):
        W2 = params["W2"]
        A1 = np.tanh(X @ params["W1"] + params["b1"])
        d2 = output_delta_in_place(y, softmax_from_log(A1 @ W2 + params["b2"]))
        d1 = dZ1(d2, W2, A1)
        return {"W1": X.T @ d1 + reg * params["W1"], "b1": bias(d1),
                "W2": A1.T @ d2 + reg * W2, "b2": (b2 or bias)(d2)}
    return backprop


def train_appending_none(X, y, params, learning_rate, steps, reg):
    history = {"loss": []}
    for _ in range(steps):
        history["loss"] = history["loss"].append(loss_with_norms(X, y, params, reg))
    return params, history


def train_step_backwards(X, y, params, learning_rate, steps, reg):
    history = {"loss": []}
    for _ in range(steps):
        history["loss"].append(loss_with_norms(X, y, params, reg))
        grads = backprop_divided_last(X, y, params, reg)
        params = {k: grads[k] - learning_rate * params[k] for k in params}
    return params, history


RIGHT = {
    "05-softmax": [softmax_loop, softmax_filled_in, softmax_from_log, softmax_transposed,
                   softmax_differences],
    "05-cross-entropy": [cross_entropy_loop, cross_entropy_one_hot, cross_entropy_take],
    "05-softmax-delta": [output_delta_loop, output_delta_one_hot, output_delta_in_place,
                         output_delta_by_jacobian],
    "05-loss": [loss_from_logits, loss_loop, loss_with_norms],
    "05-backprop": [backprop_loop, backprop_einsum, backprop_divided_last,
                    *(lambda X, y, params, reg, kind=kind: {
                        k: g.astype(kind) for k, g in backprop_loop(X, y, params, reg).items()}
                      for kind in (np.longdouble, ">f8"))],
    "05-initialise": [initialise_scale, initialise_standard, initialise_at_once],
    "05-train": [train_names, train_in_place_on_copies, train_decoupled],
}

WRONG = [
    ("05-softmax", lambda Z: np.exp(Z - Z.max()) / np.exp(Z - Z.max()).sum(axis=1)[:, None],
     "global-max"),
    ("05-softmax", lambda Z: [row / row.sum() for row in np.exp(Z - Z.max(axis=1)[:, None])],
     "returns-list"),
    ("05-softmax", lambda Z: np.exp(Z - np.max(Z, axis=1)) / sum(np.exp(Z - np.max(Z, axis=1))),
     "over-the-batch"),
    ("05-softmax", lambda Z: np.exp(Z - np.max(Z, 1)) / np.sum(np.exp(Z - np.max(Z, 1)), 1),
     "no-keepdims"),
    ("05-softmax", lambda Z: (softmax_from_log(Z) / (1 + 1e-8)).round(8), "nearly-right"),
    ("05-softmax", lambda Z: softmax_from_log(Z).round(8), "nearly-right"),
    ("05-softmax", lambda Z: softmax_loop(Z).round(10), "nearly-right"),
    *(("05-softmax", softmax_guarded(eps), "guarded-sum") for eps in (1e-8, 1e-9, 1e-10, 1e-12)),
    ("05-softmax", lambda Z: np.exp(Z - Z.argmax(axis=1, keepdims=True)) / np.exp(
        Z - Z.argmax(axis=1, keepdims=True)).sum(axis=1, keepdims=True), "argmax-for-max"),
    ("05-softmax", lambda Z: np.exp(Z - Z.max(axis=1, keepdim=True)), "keepdims"),
    ("05-cross-entropy", lambda y, Y_hat: -np.mean(np.log(Y_hat[range(len(y)), y] + 1e-12)),
     "floor-too-high"),
    ("05-cross-entropy", lambda y, Y_hat: -np.log(Y_hat[range(len(y)), y]).sum() / len(y),
     "log-of-zero"),
    ("05-cross-entropy", lambda y, Y_hat: cross_entropy_loop(y[:-1], Y_hat) * (
        len(y) - 1) / len(y), "sample-left-out"),
    ("05-cross-entropy", lambda y, Y_hat: cross_entropy_loop(Y_hat, y), "index-not-whole"),
    ("05-cross-entropy", lambda y, Y_hat: -np.mean(np.log(Y_hat[range(len(Y_hat.T)), y])),
     "index-lengths"),
    *(("05-cross-entropy", cross_entropy_binary(*parts), name) for parts, name in (
        ((lambda P: P, lambda P: 1 - P), "one-hot-meant"),
        ((lambda P: P[:, 1], lambda P: 1 - P[:, 1]), "two-mistakes"),
        ((lambda P: floored(P[:, 1]), lambda P: floored(1 - P[:, 1])), "binary-formula"),
        ((lambda P: floored(P[:, 0]), lambda P: floored(1 - P[:, 0])), "binary-formula"),
        ((lambda P: floored(P[:, 1]), lambda P: floored(P[:, 0])), "binary-formula"))),
    ("05-cross-entropy", lambda y, Y_hat: -np.mean(np.log(floored(np.where(
        y, Y_hat[:, 1], 1 - Y_hat[:, 1])))), "binary-formula"),
    ("05-cross-entropy", lambda y, Y_hat: -np.sum(np.log(floored(np.where(
        np.eye(Y_hat.shape[1])[y] == 1, Y_hat, 1 - Y_hat)))) / len(y), "both-terms"),
    *(("05-softmax-delta", output_delta_with(dZ2), name) for dZ2, name in (
        (lambda Y, P: P * (1 - P), "diagonal-only"),
        (lambda Y, P: -P * (1 - P), "diagonal-only"),
        (lambda Y, P: Y * (P - 1), "true-class-only"),
        (lambda Y, P: (Y - P) * (Y * P).sum(axis=1, keepdims=True), "jacobian-only"))),
    ("05-softmax-delta", output_delta_alias, "changes-arguments"),
    ("05-softmax-delta", lambda y, Y_hat: (Y_hat - np.eye(y.max() + 1)[y]) / len(y),
     "too-few-classes"),
    ("05-softmax-delta", lambda y, Y_hat: -(np.eye(Y_hat.shape[1])[y] - Y_hat), "N-missing"),
    ("05-softmax-delta", lambda y, Y_hat: np.eye(Y_hat.shape[1])[y] - Y_hat,
     "minus-times-N"),
    ("05-softmax-delta", lambda y, Y_hat: (Y_hat - np.eye(2)[y]) / len(y), None),
    ("05-loss", lambda X, y, params, reg: loss_with_norms(X, y, params, reg / len(X)),
     "penalty-factor"),
    ("05-loss", lambda X, y, params, reg: loss_with_norms(X, y, params, 5e-5), None),
    ("05-loss", loss_with_arguments_swapped, "index-not-whole"),
    *(("05-loss", loss_by_log_softmax(data), name) for data, name in (
        (lambda L, y: -np.mean(L), "classes-not-picked"),
        (lambda L, y: -L[:, y].mean(), "every-label-of-every-row"),
        (lambda L, y: -L[y].sum() / L[y].size, "rows-for-classes"),
        (lambda L, y: L[np.arange(len(y)), y].mean(), "minus-missing"),
        (lambda L, y: -L[np.arange(len(y)), y], "not-averaged"),
        (lambda L, y: -L[np.arange(len(y)), y].sum(), "sum-for-mean"))),
    ("05-loss", loss_by_log_softmax(
        lambda L, y: float(-L[np.arange(len(y)), y].mean()), "Y_hat"), "softmax-twice"),
    ("05-loss", lambda X, y, params, reg: loss_from_logits(X, y, params, 0) + reg / 2 * (
        np.sum(params["W1"] ** 2, axis=0) + np.sum(params["W2"] ** 2, axis=0)), "rows-summed"),
    ("05-backprop", backprop_published, "times-N"),
    *(("05-backprop", backprop_with(dZ1), name) for dZ1, name in (
        (lambda d, W, A: (W.T @ d) * (1 - A ** 2), "at-for-star"),
        (lambda d, W, A: (1 - A ** 2) @ d @ W.T, "at-for-star"),
        (lambda d, W, A: (1 - A ** 2) * d @ W.T, "printed-formula"),
        (lambda d, W, A: d * (1 - A ** 2) @ W.T, "printed-formula"),
        (lambda d, W, A: (d @ W.T) * (1 - np.tanh(d) ** 2), "printed-formula"),
        (lambda d, W, A: (d @ W.T) * 1 - A ** 2, "precedence"),
        (lambda d, W, A: (d @ W.T) * (A ** 2 - 1), "hidden-derivative"),
        (lambda d, W, A: (d @ W.T) * (1 - A) ** 2, "hidden-derivative"))),
    *(("05-backprop", backprop_with(bias=bias), name) for bias, name in (
        (lambda d: d.sum(axis=1), "biases-wrong-sum"),
        (np.sum, "biases-wrong-sum"))),
    *(("05-backprop", backprop_with(b2=bias), name) for bias, name in (
        (lambda d: d.sum(axis=1), "biases-wrong-sum"),
        (np.sum, "biases-wrong-sum"))),
    ("05-backprop", lambda X, y, params, reg: output_delta_in_place(
        softmax_loop(X @ params["W1"]), y), "index-not-whole"),
    ("05-backprop", lambda X, y, params, reg: backprop_with(bias=lambda d: d.mean(axis=0))(
        X, y, params, 0), "two-mistakes"),
    ("05-backprop", lambda X, y, params, reg: {
        **backprop_loop(X, y, params, reg), "b1": (backprop_divided_last(
            X, y, params, reg)["b2"] @ params["W2"].T)}, "before-activation"),
    ("05-backprop", lambda X, y, params, reg: {
        k: g.tolist() for k, g in backprop_loop(X, y, params, reg).items()}, "returns-list"),
    ("05-backprop", backprop_measured, "nearly-right"),
    ("05-backprop", lambda X, y, params, reg: backprop_loop(X, y, params, 0), "penalty-missing"),
    ("05-initialise", initialise_globally, "not-repeatable"),
    ("05-initialise", lambda D, H, K, rng: initialise_scale(D, H, K, np.random.default_rng()),
     "not-repeatable"),
    ("05-initialise", lambda D, H, K, rng: {
        "W1": rng.normal(size=(D, H)) / np.sqrt(2), "b1": np.zeros(H),
        "W2": rng.normal(size=(H, K)) / np.sqrt(3), "b2": np.zeros(K)}, "fixed-scale"),
    ("05-initialise", lambda D, H, K, rng: initialise_scale(D, H, K, np.random.default_rng(0)),
     "own-generator"),
    ("05-train", train_in_place, "changes-arguments"),
    ("05-train", train_appending_none, "append-returns-none"),
    ("05-train", train_step_backwards, "arguments-swapped"),
    ("05-train", lambda X, y, params, learning_rate, steps, reg: train_names(
        X, y, params, reg, steps, learning_rate), "rate-and-reg-swapped"),
    ("05-train", lambda X, y, params, learning_rate, steps, reg: train_names(
        X, y, params, -learning_rate, steps, reg), "uphill"),
]

NUMBER = "a NumPy number is a number: `float` makes it a plain one for the eye"
EQUIVALENT = {
    "05-cross-entropy": {
        "line 7: float(-np.mean(np.log(np.maximum(p, 1e-300)))) → "
        "-np.mean(np.log(np.maximum(p, 1e-300)))": NUMBER},
    "05-loss": {
        "line 5: float(-np.mean(log_p) + reg / 2 * squares) → "
        "-np.mean(log_p) + reg / 2 * squares": NUMBER},
}
