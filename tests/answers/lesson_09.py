"""Lesson 09: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import log_softmax, logsumexp
from scipy.special import softmax as shares


def split_by_split(N, n_val, n_test, rng):
    test, val, train = np.split(rng.permutation(N), [n_test, n_test + n_val])
    return train, val, test


def split_list(N, n_val, n_test, rng):
    order = rng.permutation(np.arange(N))
    parts = {"test": [], "val": [], "train": []}
    for place, row in enumerate(order):
        name = "test" if place < n_test else "val" if place < n_test + n_val else "train"
        parts[name].append(row)
    return [np.array(parts[name]) for name in ("train", "val", "test")]


def split_shuffle(N, n_val, n_test, rng):
    order = np.arange(N)
    rng.shuffle(order)
    n_train = N - n_val - n_test
    return order[-n_train:], order[n_test:-n_train], order[:n_test]


def standardise_where(X_train, X, floor=1.0):
    m, s = np.mean(X_train, 0), np.std(X_train, 0)
    s = np.where(s > floor, s, floor)
    return X / s - m / s


def standardise_in_place_on_copies(X_train, X, floor=1.0):
    out, s = X.astype(float), np.sqrt(((X_train - X_train.mean(axis=0)) ** 2).mean(axis=0))
    s[s < floor] = floor
    out -= X_train.mean(axis=0)
    out /= s
    return out


def standardise_copy(X_train, X, floor=1.0):
    out = X.copy()
    out -= X_train.mean(axis=0)
    return out / np.maximum(X_train.std(axis=0), floor)


def standardise_loop(X_train, X, floor=1.0):
    return np.array([[(v - X_train[:, d].mean()) / max(X_train[:, d].std(), floor)
                      for d, v in enumerate(row)] for row in X])


def initialise_scale(sizes, rng):
    params = {}
    for i in range(len(sizes) - 1):
        params[f"W{i + 1}"] = rng.normal(0, math.sqrt(2 / sizes[i]), (sizes[i], sizes[i + 1]))
        params["b" + str(i + 1)] = np.zeros(sizes[i + 1])
    return params


def initialise_standard(sizes, rng):
    pairs = list(zip(sizes[:-1], sizes[1:], strict=True))
    weights = {f"W{i}": rng.standard_normal((a, b)) / np.sqrt(a / 2)
               for i, (a, b) in enumerate(pairs, 1)}
    return weights | {f"b{i}": np.zeros(b) for i, (_, b) in enumerate(pairs, 1)}


def initialise_rows(sizes, rng):
    params = {}
    for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False), 1):
        params[f"b{i}"] = np.full(b, 0.0)
        params[f"W{i}"] = np.array([rng.normal(size=b) for _ in range(a)]) * (2 / a) ** 0.5
    return params


def forward_where(X, params):
    Z1 = np.dot(X, params["W1"]) + params["b1"]
    A1 = np.where(Z1 > 0, Z1, 0.0)
    Z2 = np.dot(A1, params["W2"]) + params["b2"]
    return dict(Z1=Z1, A1=A1, Z2=Z2, Y_hat=shares(Z2, axis=1))


def forward_product(X, params):
    Z1 = np.einsum("nd,dh->nh", X, params["W1"]) + params["b1"][np.newaxis]
    cache = {"Z1": Z1, "A1": Z1 * (Z1 > 0)}
    cache["Z2"] = np.einsum("nh,hk->nk", cache["A1"], params["W2"]) + params["b2"][np.newaxis]
    E = np.exp(cache["Z2"] - cache["Z2"].max(axis=1)[:, None])
    cache["Y_hat"] = E / E.sum(axis=1)[:, None]
    return cache


def forward_half(X, params):
    Z1 = X @ params["W1"] + params["b1"]
    A1 = (Z1 + np.abs(Z1)) / 2
    Z2 = A1 @ params["W2"] + params["b2"]
    return {"Y_hat": np.exp(log_softmax(Z2, axis=1)), "Z2": Z2, "A1": A1, "Z1": Z1}


def loss_logs(X, y, params, reg):
    logs = log_softmax(forward_where(X, params)["Z2"], axis=1)
    penalty = sum((params[name] ** 2).sum() for name in ("W1", "W2"))
    return -logs[np.arange(len(y)), y].mean() + 0.5 * reg * penalty


def loss_loop(X, y, params, reg):
    J = 0.0
    for n, row in enumerate(forward_half(X, params)["Y_hat"]):
        J -= math.log(row[y[n]]) / len(y)
    for name, W in params.items():
        if name[0] == "W":
            J += reg * np.vdot(W, W) / 2
    return J


def loss_norms(X, y, params, reg):
    Z2 = forward_product(X, params)["Z2"]
    right = (Z2 * (y[:, None] == np.arange(Z2.shape[1]))).sum(axis=1)
    return float(np.mean(logsumexp(Z2, axis=1) - right) + reg / 2 * (
        np.linalg.norm(params["W1"]) ** 2 + np.linalg.norm(params["W2"]) ** 2))


def backprop_one_hot(X, y, params, reg):
    cache = forward_where(X, params)
    dZ2 = (cache["Y_hat"] - np.eye(len(params["b2"]))[y]) / X.shape[0]
    dZ1 = np.dot(dZ2, params["W2"].T)
    dZ1[cache["Z1"] <= 0] = 0
    return dict(W2=np.dot(cache["A1"].T, dZ2) + reg * params["W2"], b2=np.sum(dZ2, axis=0),
                W1=np.dot(X.T, dZ1) + reg * params["W1"], b1=np.sum(dZ1, axis=0))


def backprop_from_activations(X, y, params, reg):
    cache = forward_product(X, params)
    labels = y[:, None] == np.arange(cache["Y_hat"].shape[1])
    dZ2 = cache["Y_hat"] - labels
    dZ1 = np.where(cache["A1"] > 0, dZ2 @ params["W2"].T, 0)
    N = len(y)
    return {"W1": np.einsum("nd,nh->dh", X, dZ1) / N + reg * params["W1"],
            "b1": dZ1.mean(axis=0), "b2": dZ2.mean(axis=0),
            "W2": np.einsum("nh,nk->hk", cache["A1"], dZ2) / N + reg * params["W2"]}


def backprop_loop(X, y, params, reg):
    grads = {name: (reg * W if W.ndim == 2 else np.zeros(W.shape)) for name, W in params.items()}
    for x, label in zip(X, y, strict=True):
        cache = forward_half(x[None], params)
        d2 = cache["Y_hat"][0] / len(X)
        d2[label] -= 1 / len(X)
        d1 = (params["W2"] @ d2) * np.heaviside(cache["Z1"][0], 0)
        grads["W2"] += np.outer(cache["A1"][0], d2)
        grads["b2"] += d2
        grads["W1"] += np.outer(x, d1)
        grads["b1"] += d1
    return grads


def run_epoch_slices(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
    order = rng.permutation(len(y))
    X, y = X[order], y[order]
    for i in range(0, len(y), batch_size):
        grads = backprop(X[i:i + batch_size], y[i:i + batch_size], params, reg)
        velocity = {k: mu * v - learning_rate * grads[k] for k, v in velocity.items()}
        params = {k: W + velocity[k] for k, W in params.items()}
    return params, velocity


def run_epoch_copies(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
    params = {k: W.copy() for k, W in params.items()}
    velocity = {k: V.copy() for k, V in velocity.items()}
    left = rng.permutation(len(X))
    while len(left):
        rows, left = left[:batch_size], left[batch_size:]
        grads = backprop(X[rows], y[rows], params, reg)
        for k in params:
            velocity[k] *= mu
            velocity[k] -= learning_rate * grads[k]
            params[k] += velocity[k]
    return params, velocity


def run_epoch_downhill(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
    """Keep the velocity with the other sign, as PyTorch does."""
    uphill = {k: -V for k, V in velocity.items()}
    order = rng.permutation(len(X))
    for rows in np.array_split(order, range(batch_size, len(X), batch_size)):
        grads = backprop(X[rows], y[rows], params, reg)
        uphill = {k: mu * uphill[k] + learning_rate * grads[k] for k in uphill}
        params = {k: params[k] - uphill[k] for k in params}
    return params, {k: -V for k, V in uphill.items()}


def rate_range_enumerate(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
    losses = np.zeros(len(rates))
    velocity = dict.fromkeys(params, 0.0)
    for i, rate in enumerate(rates):
        rows = rng.permutation(len(X))[:batch_size]
        losses[i] = loss(X[rows], y[rows], params, 0)
        grads = backprop(X[rows], y[rows], params, reg)
        for k in velocity:
            velocity[k] = mu * velocity[k] - rate * grads[k]
        params = {k: params[k] + velocity[k] for k in params}
    return losses


def rate_range_by_epochs(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
    """A run of one batch is an epoch of its own, if the permutation is drawn outside."""
    class Once:
        def permutation(self, N):
            return np.arange(N)

    velocity, losses = {k: 0 * W for k, W in params.items()}, []
    for rate in rates:
        rows = rng.permutation(len(y))[0:batch_size]
        losses += [loss(X[rows], y[rows], params, 0.0)]
        params, velocity = run_epoch_slices(backprop, X[rows], y[rows], params, velocity, Once(),
                                            rate, mu, reg, batch_size)
    return losses


def rate_range_copies(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
    params = {k: W.copy() for k, W in params.items()}
    V = {k: np.zeros(W.shape) for k, W in params.items()}
    noted = []
    for rate in list(rates):
        chosen = rng.permutation(X.shape[0])[:batch_size]
        X_batch, y_batch = X[chosen], y[chosen]
        noted.append(float(loss(X_batch, y_batch, params, 0.0)))
        for k, g in backprop(X_batch, y_batch, params, reg).items():
            V[k] = V[k] * mu - g * rate
        for k in params:
            params[k] += V[k]
    return tuple(noted)


def train_while(loss, backprop, X, y, X_val, y_val, params, rng, learning_rate, mu, reg,
                batch_size, epochs, patience):
    velocity = {k: 0 * W for k, W in params.items()}
    all_params, history = [params], {"val_loss": [loss(X_val, y_val, params, 0)],
                                     "train_loss": [loss(X, y, params, 0)]}
    epoch = best = 0
    while epoch < epochs and epoch - best < patience:
        params, velocity = run_epoch_slices(backprop, X, y, params, velocity, rng, learning_rate,
                                            mu, reg, batch_size)
        epoch += 1
        all_params.append(params)
        history["train_loss"].append(loss(X, y, params, 0))
        history["val_loss"].append(loss(X_val, y_val, params, 0))
        if history["val_loss"][epoch] < history["val_loss"][best]:
            best = epoch
    return all_params[best], history


def train_copies(loss, backprop, X, y, X_val, y_val, params, rng, learning_rate, mu, reg,
                 batch_size, epochs, patience):
    """Update in place, and copy what is to be kept."""
    params = {k: W.copy() for k, W in params.items()}
    velocity = {k: np.zeros(W.shape) for k, W in params.items()}
    train_loss, val_loss, left = [], [], patience
    for epoch in range(epochs + 1):
        if epoch:
            new, velocity = run_epoch_copies(backprop, X, y, params, velocity, rng,
                                             learning_rate, mu, reg, batch_size)
            for k in params:
                params[k][...] = new[k]
        train_loss.append(loss(X, y, params, 0.0))
        val_loss.append(loss(X_val, y_val, params, 0.0))
        if epoch == 0 or val_loss[-1] < min(val_loss[:-1]):
            kept, left = {k: W.copy() for k, W in params.items()}, patience
        else:
            left -= 1
            if left == 0:
                break
    return kept, {"train_loss": train_loss, "val_loss": val_loss}


def train_note(loss, backprop, X, y, X_val, y_val, params, rng, learning_rate, mu, reg,
               batch_size, epochs, patience):
    history = {"train_loss": [], "val_loss": []}
    best = {"loss": np.inf, "params": None, "epoch": 0}

    def note(params, epoch):
        history["train_loss"].append(loss(X, y, params, 0.0))
        history["val_loss"].append(loss(X_val, y_val, params, 0.0))
        if history["val_loss"][-1] < best["loss"]:
            best.update(loss=history["val_loss"][-1], params=params, epoch=epoch)
        return epoch - best["epoch"] >= patience

    velocity = {k: np.zeros_like(W) for k, W in params.items()}
    note(params, 0)
    for epoch in range(1, epochs + 1):
        params, velocity = run_epoch_downhill(backprop, X, y, params, velocity, rng,
                                              learning_rate, mu, reg, batch_size)
        if note(params, epoch):
            break
    return best["params"], history


def confusion_loop(y, y_pred, K):
    C = np.zeros((K, K), int)
    for a, b in zip(y, y_pred, strict=True):
        C[a, b] += 1
    return C


def confusion_product(y, y_pred, K):
    true, said = (np.asarray(v)[:, None] == np.arange(K) for v in (y, y_pred))
    return true.T.astype(int) @ said.astype(int)


def confusion_bincount(y, y_pred, K):
    return np.bincount(y.astype(int) * K + y_pred, minlength=K * K).reshape(K, K)


def confusion_plain_bincount(y, y_pred, K):
    return np.bincount(y * K + y_pred, minlength=K * K).reshape(K, K)


def confusion_sums(y, y_pred, K):
    return np.array([[np.sum((y == a) & (y_pred == b)) for b in range(K)] for a in range(K)])


def with_copies(X, y, rng):
    noisy = [X + rng.normal(size=X.shape) for _ in range(2)]
    return np.vstack([X, *noisy]), np.tile(y, 3)


def repaired_in_order(X, y, n_val, n_test, rng):
    rows = split_by_split(len(X), n_val, n_test, rng)
    (X_train, X_val, X_test), (y_train, y_val, y_test) = ([A[r] for r in rows] for A in (X, y))
    X_train, y_train = with_copies(X_train, y_train, rng)
    return [X_train, y_train, X_val, y_val, X_test, y_test]


def repaired_list(X, y, n_val, n_test, rng):
    train, *others = split_list(len(X), n_val, n_test, rng)
    return (*with_copies(X[train], y[train], rng),
            *(part for rows in others for part in (X[rows], y[rows])))


def repaired_by_hand(X, y, n_val, n_test, rng):
    order = rng.permutation(len(X))
    X, y = X[order], y[order]
    n = n_test + n_val
    noisy = [X[n:]] + [X[n:] + rng.normal(0, 1, X[n:].shape) for _ in (1, 2)]
    return (np.concatenate(noisy), np.concatenate([y[n:]] * 3), X[n_test:n], y[n_test:n],
            X[:n_test], y[:n_test])


RIGHT = {
    "09-split": [split_by_split, split_list, split_shuffle],
    "09-standardise": [standardise_where, standardise_in_place_on_copies, standardise_copy,
                       standardise_loop],
    "09-initialise": [initialise_scale, initialise_standard, initialise_rows],
    "09-network/forward": [forward_where, forward_product, forward_half],
    "09-network/loss": [loss_logs, loss_loop, loss_norms],
    "09-backprop": [backprop_one_hot, backprop_from_activations, backprop_loop],
    "09-epoch": [run_epoch_slices, run_epoch_copies, run_epoch_downhill],
    "09-rate-range": [rate_range_enumerate, rate_range_by_epochs, rate_range_copies],
    "09-train": [train_while, train_copies, train_note],
    "09-confusion": [confusion_loop, confusion_product, confusion_bincount, confusion_sums,
                     confusion_plain_bincount],
    "09-repair": [repaired_in_order, repaired_list, repaired_by_hand],
}


def forward_max(X, params):
    def own_softmax(Z):
        E = np.exp(Z - Z.max(axis=1, keepdims=True))
        return E / E.sum(axis=1, keepdims=True)

    Z1 = X @ params["W1"] + params["b1"]
    A1 = np.max(Z1, 0)
    Z2 = A1 @ params["W2"] + params["b2"]
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": own_softmax(Z2)}


def backprop_named_d(X, y, params, reg):
    return {"d" + k: g for k, g in backprop_one_hot(X, y, params, reg).items()}


def backprop_any_relu(X, y, params, reg):
    cache = forward_where(X, params)
    dZ2 = (cache["Y_hat"] - np.eye(len(params["b2"]))[y]) / len(y)
    dA1 = dZ2 @ params["W2"].T
    dZ1 = dA1 * (dA1 > 0)
    return {"W1": X.T @ dZ1 + reg * params["W1"], "b1": dZ1.sum(0),
            "W2": cache["A1"].T @ dZ2 + reg * params["W2"], "b2": dZ2.sum(0)}


def backprop_measured(X, y, params, reg):
    grads = {}
    for name, W in params.items():
        grads[name] = np.zeros(W.shape)
        for at in np.ndindex(W.shape):
            step = np.zeros(W.shape)
            step[at] = 1e-5
            up, down = (loss_logs(X, y, {**params, name: V}, reg) for V in (W + step, W - step))
            grads[name][at] = (up - down) / 2e-5
    return grads


def run_epoch_apart(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
    order = rng.permutation(len(X))
    for i in range(0, len(X), batch_size):
        X_batch, y_batch = X[order[i:i + batch_size]], y[:batch_size]
        grads = backprop(X_batch, y_batch[:len(X_batch)], params, reg)
        velocity = {k: mu * velocity[k] - learning_rate * grads[k] for k in params}
        params = {k: params[k] + velocity[k] for k in params}
    return params, velocity


def run_epoch_changing(backprop, X, y, params, velocity, rng, learning_rate, mu, reg, batch_size):
    order = rng.permutation(len(X))
    for i in range(0, len(X), batch_size):
        rows = order[i:i + batch_size]
        grads = backprop(X[rows], y[rows], params, reg)
        for k in params:
            velocity[k] = mu * velocity[k] - learning_rate * grads[k]
            params[k] = params[k] + velocity[k]
    return params, velocity


def train_first_for_lowest(loss, backprop, X, y, X_val, y_val, params, rng, learning_rate, mu,
                           reg, batch_size, epochs, patience):
    velocity = {k: np.zeros_like(W) for k, W in params.items()}
    history = {"train_loss": [loss(X, y, params, 0)], "val_loss": [loss(X_val, y_val, params, 0)]}
    best, best_loss, waited = params, history["val_loss"][0], 0
    for _ in range(epochs):
        params, velocity = run_epoch_slices(backprop, X, y, params, velocity, rng, learning_rate,
                                            mu, reg, batch_size)
        history["train_loss"].append(loss(X, y, params, 0))
        history["val_loss"].append(loss(X_val, y_val, params, 0))
        waited += 1
        if history["val_loss"][-1] < best_loss:
            best, waited = params, 0
        if waited == patience:
            break
    return best, history


def repaired_threefold(X, y, n_val, n_test, rng):
    train, *others = split_by_split(len(X), 3 * n_val, 3 * n_test, rng)
    return (*with_copies(X[train], y[train], rng),
            *(part for rows in others for part in (X[rows], y[rows])))


def confusion_marked(y, y_pred, K):
    C = np.zeros((K, K), dtype=int)
    for a, b in zip(y, y_pred, strict=True):
        C[a, b] = 1
    return C


def rate_range_after(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
    V, losses = {k: 0 * W for k, W in params.items()}, []
    for rate in rates:
        rows = rng.permutation(len(X))[:batch_size]
        grads = backprop(X[rows], y[rows], params, reg)
        V = {k: mu * V[k] - rate * grads[k] for k in V}
        params = {k: params[k] + V[k] for k in V}
        losses.append(loss(X[rows], y[rows], params, reg))
    return losses


def initialise_return_inside(sizes, rng):
    params = {}
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:], strict=True), 1):
        params[f"W{i}"] = rng.normal(size=(a, b)) * np.sqrt(2 / a)
        params[f"b{i}"] = np.zeros(b)
        return params


WRONG = [
    ("09-standardise", lambda X_train, X, floor=1.0: X - X_train.mean(0) / np.maximum(
        X_train.std(0), floor), "another-formula"),
    ("09-standardise", lambda X_train, X, floor=1.0: (X - X_train.mean(axis=1)) / np.maximum(
        X_train.std(axis=1), floor), "not-pixel-by-pixel"),
    ("09-standardise", lambda X_train, X, floor=1.0: (X - X_train.mean(0)) / np.max(
        X_train.std(0), floor), "max-for-maximum"),
    ("09-standardise", lambda X_train, X, floor=1.0: (X - X_train.mean(0)) / np.maximum(
        X.std(0), floor), "not-the-training-digits"),
    ("09-initialise", initialise_return_inside, "layers-missing"),
    ("09-network/loss", lambda X, y, params, reg: loss_logs(X, y, params, 0) + reg / 2 * (
        params["W1"] ** 2).sum() + (params["W2"] ** 2).sum(), "brackets-missing"),
    ("09-backprop", backprop_named_d, "missing-key"),
    ("09-rate-range", rate_range_after, "noted-after-the-step"),
    ("09-train", train_first_for_lowest, "not-compared-with-the-lowest"),
    ("09-repair", repaired_threefold, "other-sizes"),
    ("09-split", lambda N, n_val, n_test, rng: (
        rng.permutation(N)[n_val + n_test:], rng.permutation(N)[n_test:n_test + n_val],
        rng.permutation(N)[:n_test]), "drawn-three-times"),
    ("09-split", lambda N, n_val, n_test, rng: tuple(np.split(
        rng.permutation(N), [N - n_val - n_test, N - n_test])), "another-split"),
    ("09-standardise", lambda X_train, X, floor=1.0: X / 16, None),
    ("09-network/forward", forward_max, "max-for-maximum"),
    ("09-network/loss", lambda X, y, params, reg: loss_logs(X, y, params, 0) + reg * sum(
        (params[k] ** 2).sum() for k in ("W1", "W2")), "penalty-factor"),
    ("09-backprop", backprop_any_relu, "error-through-relu"),
    ("09-epoch", run_epoch_apart, "shuffled-apart"),
    ("09-epoch", run_epoch_changing, "changes-arguments"),
    ("09-confusion", confusion_marked, "counted-once"),
]

SUM = "a sum of two dicts, entry by entry, in the other order"
ALIAS = "the activations are thrown away after this: nobody sees that they have changed"
EQUIVALENT = {
    "09-network/loss": {"line 4: float(squares) → squares": "a NumPy number is a number"},
    "09-backprop": {"line 4: cache['Y_hat'].copy() → cache['Y_hat']": ALIAS},
    "09-epoch": {
        "line 7: update_params(params, velocity) → update_params(velocity, params)": SUM},
    "09-rate-range": {
        "line 10: update_params(params, velocity) → update_params(velocity, params)": SUM},
    "09-train": {"line 7: 0 → -1": "the list has one entry, which is the first and the last"},
}
