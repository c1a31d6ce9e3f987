"""Lesson 06: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_softmax
from scipy.special import softmax as shares

from answers.lesson_01 import numerical_gradient_basis


def one_hot_loop(y, K):
    Y = np.zeros((y.shape[0], K))
    for n in range(len(y)):
        Y[n][y[n]] = 1.0
    return Y


def one_hot_compare(y, K):
    return (y.reshape(-1, 1) == np.arange(K)).astype(float)


def one_hot_rows(y, K):
    return np.identity(K)[y]


def one_hot_single(y, K):
    return np.eye(K, dtype=np.float32)[y]


def one_hot_longdouble(y, K):
    Y = np.zeros((len(y), K), dtype=np.longdouble)
    Y[np.arange(len(y)), y] = 1
    return Y


def hidden_layer_einsum(X, W1, b1):
    return expit(np.einsum("nd,dh->nh", X, W1) + b1[np.newaxis])


def hidden_layer_loop(X, W1, b1):
    A1 = np.zeros((len(X), len(b1)))
    for n, x in enumerate(X):
        A1[n] = 0.5 * (1 + np.tanh((x @ W1 + b1) / 2))
    return A1


def hidden_layer_one_matrix(X, W1, b1):
    """The bias as a first row of the weights, as in lesson 01."""
    return expit(np.column_stack([np.ones(len(X)), X]) @ np.vstack([b1, W1]))


def output_layer_scipy(A1, W2, b2):
    return shares(np.dot(A1, W2) + b2, axis=1)


def output_layer_log(A1, W2, b2):
    return np.exp(log_softmax(A1 @ W2 + b2[None, :], axis=-1))


def output_layer_loop(A1, W2, b2):
    rows = []
    for a in A1:
        z = W2.T @ a + b2
        e = np.exp(z - max(z))
        rows.append(e / sum(e))
    return np.array(rows)


def loss_gradient_divided_apart(Y, Y_hat):
    return Y_hat / Y.shape[0] - Y / Y.shape[0]


def loss_gradient_minus(Y, Y_hat):
    return -(Y - Y_hat) / Y_hat.shape[0]


def loss_gradient_loop(Y, Y_hat):
    dZ2 = Y_hat.copy()
    for n, label in enumerate(Y.argmax(axis=1)):
        dZ2[n, label] -= Y[n, label]
    dZ2 /= len(Y)
    return dZ2


def loss_gradient_filled(Y, Y_hat):
    dZ2 = np.zeros_like(Y)
    for n in range(len(Y)):
        dZ2[n] = (Y_hat[n] - Y[n]) / len(Y)
    return dZ2


def weight_gradient_einsum(A, dZ):
    return np.einsum("ni,no->io", A, dZ)


def weight_gradient_loop(A, dZ):
    total = np.zeros((A.shape[1], dZ.shape[1]))
    for a, d in zip(A, dZ, strict=True):
        total += np.outer(a, d)
    return total


def weight_gradient_filled(A, dZ):
    dW = np.zeros_like(A, shape=(A.shape[1], dZ.shape[1]))
    for i in range(A.shape[1]):
        dW[i] = A[:, i] @ dZ
    return dW


def weight_gradient_turned(A, dZ):
    return np.dot(dZ.T, A).T


def bias_gradient_ones(dZ):
    return np.ones(dZ.shape[0]) @ dZ


def bias_gradient_loop(dZ):
    total = np.zeros(dZ.shape[1])
    for row in dZ:
        total = total + row
    return total


def bias_gradient_squeezed(dZ):
    return np.sum(dZ, axis=0, keepdims=True)[0]


def hidden_layer_gradient_einsum(dZ2, W2, A1):
    return np.einsum("nk,hk->nh", dZ2, W2) * (A1 - A1 ** 2)


def hidden_layer_gradient_turned(dZ2, W2, A1):
    slope = np.multiply(A1, 1 - A1)
    return slope * np.dot(W2, dZ2.T).T


def hidden_layer_gradient_loop(dZ2, W2, A1):
    dZ1 = np.zeros(A1.shape)
    for n in range(len(A1)):
        for h in range(A1.shape[1]):
            dZ1[n, h] = sum(dZ2[n] * W2[h]) * A1[n, h] * (1 - A1[n, h])
    return dZ1


def compute_gradients_in_a_row(X, Y, params):
    A1 = hidden_layer_einsum(X, params["W1"], params["b1"])
    Y_hat = output_layer_scipy(A1, params["W2"], params["b2"])
    dZ2 = (Y_hat - Y) / len(X)
    dZ1 = dZ2 @ params["W2"].T * A1 * (1 - A1)
    return {"b2": dZ2.sum(0), "W2": A1.T @ dZ2, "b1": dZ1.sum(0), "W1": X.T @ dZ1}


def compute_gradients_divided_last(X, Y, params):
    A1 = hidden_layer_loop(X, params["W1"], params["b1"])
    dZ2 = output_layer_log(A1, params["W2"], params["b2"]) - Y
    dZ1 = hidden_layer_gradient_einsum(dZ2, params["W2"], A1)
    sums = {"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": A1.T @ dZ2, "b2": dZ2.sum(axis=0)}
    return {k: v / X.shape[0] for k, v in sums.items()}


def compute_gradients_loop(X, Y, params):
    grads = {k: np.zeros_like(v) for k, v in params.items()}
    for x, y in zip(X, Y, strict=True):
        a = expit(x @ params["W1"] + params["b1"])
        d2 = (shares(a @ params["W2"] + params["b2"]) - y) / len(X)
        d1 = params["W2"] @ d2 * a * (1 - a)
        for k, g in (("W1", np.outer(x, d1)), ("b1", d1), ("W2", np.outer(a, d2)), ("b2", d2)):
            grads[k] += g
    return grads


def check_gradients_basis(loss, params, grads, eps=1e-5):
    out = {}
    for key in params:
        def of_one(W, key=key):
            changed = dict(params)
            changed[key] = W
            return loss(changed)

        n, a = numerical_gradient_basis(of_one, params[key], eps), grads[key]
        size = np.maximum(abs(a), abs(n))
        size[size == 0] = 1
        out[key] = np.max(np.abs(a - n) / size)
    return out


def check_gradients_in_place(loss, params, grads, eps=1e-5):
    """Shift entries of its own copies, and put each back from memory."""
    own = {key: W.copy() for key, W in params.items()}
    out = {}
    for key, W in own.items():
        out[key] = 0.0
        for at in np.ndindex(*W.shape):
            kept = W[at]
            W[at] = kept + eps
            high = loss(own)
            W[at] = kept - eps
            low = loss(own)
            W[at] = kept
            slope, given = (high - low) / (2 * eps), grads[key][at]
            if np.isnan(given) or np.isnan(slope):
                out[key] = float("nan")
            elif not slope == given == 0:
                out[key] = max(out[key], abs(slope - given) / max(abs(slope), abs(given)))
    return out


def check_gradients_flat(loss, params, grads, eps=1e-5):
    names = list(params)
    flat = np.concatenate([params[k].ravel() for k in names])

    def unpack(vector):
        parts = np.split(vector, np.cumsum([params[k].size for k in names])[:-1])
        return {k: p.reshape(params[k].shape) for k, p in zip(names, parts, strict=True)}

    measured = unpack(np.array([(loss(unpack(flat + e)) - loss(unpack(flat - e))) / (2 * eps)
                                for e in eps * np.eye(flat.size)]))
    with np.errstate(all="ignore"):
        errors = {k: np.abs(grads[k] - measured[k])
                  / np.fmax(np.abs(grads[k]), np.abs(measured[k])) for k in names}
    for k in names:
        errors[k][(grads[k] == 0) & (measured[k] == 0)] = 0
    return {k: errors[k].max() for k in names}


def update_momentum_in_two_steps(velocity, grads, learning_rate, mu):
    new = {}
    for key, V in velocity.items():
        new[key] = V * mu
        new[key] -= learning_rate * grads[key]
    return new


def update_momentum_lists(velocity, grads, learning_rate, mu):
    kept = [mu * velocity[k] for k in grads]
    steps = [learning_rate * g for g in grads.values()]
    return dict(zip(grads, map(np.subtract, kept, steps), strict=True))


def update_momentum_copies(velocity, grads, learning_rate, mu):
    own = {k: V.copy() for k, V in velocity.items()}
    for k in own:
        own[k] *= mu
        own[k] += -learning_rate * grads[k]
    return own


def update_params_loop(params, velocity):
    new = {}
    for k in params:
        new[k] = params[k] + velocity[k]
    return new


def update_params_copies(params, velocity):
    new = {k: np.array(W) for k, W in params.items()}
    for k in velocity:
        new[k] += velocity[k]
    return new


def update_params_pairs(params, velocity):
    return dict((k, np.add(W, velocity[k])) for k, W in params.items())


def minibatches_split(N, batch_size, rng):
    return np.split(rng.permutation(N), np.arange(batch_size, N, batch_size))


def minibatches_append(N, batch_size, rng):
    order = np.arange(N)
    order = rng.permutation(order)
    batches, start = [], 0
    while start < N:
        stop = min(start + batch_size, N)
        batches.append(order[start:stop])
        start = stop
    return batches


def minibatches_tuple(N, batch_size, rng):
    order = rng.permutation(N)
    number = int(np.ceil(N / batch_size))
    return tuple(order[k * batch_size:(k + 1) * batch_size] for k in range(number))


def mean_cross_entropy(X, Y, params):
    A1 = hidden_layer_einsum(X, params["W1"], params["b1"])
    return -float((log_softmax(A1 @ params["W2"] + params["b2"], axis=1) * Y).sum()) / len(X)


def train_in_place_on_copies(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    own = {k: w.copy() for k, w in params.items()}
    velocity = {k: np.zeros(w.shape) for k, w in params.items()}
    history = {"loss": np.zeros(epochs + 1)}
    history["loss"][0] = mean_cross_entropy(X, Y, own)
    for e in range(epochs):
        order = rng.permutation(len(X))
        for i in range(0, len(X), batch_size):
            rows = order[i:i + batch_size]
            grads = compute_gradients_loop(X[rows], Y[rows], own)
            for k in own:
                velocity[k] *= mu
                velocity[k] -= learning_rate * grads[k]
                own[k] += velocity[k]
        history["loss"][e + 1] = mean_cross_entropy(X, Y, own)
    return own, history


def train_shuffled_apart_from_batches(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    velocity, losses = dict.fromkeys(params, 0.0), []
    for epoch in range(epochs + 1):
        losses += [mean_cross_entropy(X, Y, params)]
        if epoch == epochs:
            break
        order = rng.permutation(X.shape[0])
        X_mixed, Y_mixed = X[order], Y[order]
        start = 0
        while start < len(X):
            part = slice(start, start + batch_size)
            grads = compute_gradients_in_a_row(X_mixed[part], Y_mixed[part], params)
            velocity = update_momentum_in_two_steps(velocity, grads, learning_rate, mu)
            params = update_params_loop(params, velocity)
            start += batch_size
    return params, {"loss": losses}


def train_as_pytorch(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    """Keep the velocity without the rate; at a constant rate that is the same."""
    buffer, losses = {}, [mean_cross_entropy(X, Y, params)]
    for _ in range(epochs):
        for rows in minibatches_split(len(X), batch_size, rng):
            grads = compute_gradients_divided_last(X[rows], Y[rows], params)
            buffer = {k: mu * buffer.get(k, 0) + g for k, g in grads.items()}
            params = {k: w - learning_rate * buffer[k] for k, w in params.items()}
        losses.append(mean_cross_entropy(X, Y, params))
    return params, {"loss": losses}


RIGHT = {
    "06-one-hot": [one_hot_loop, one_hot_compare, one_hot_rows, one_hot_single,
                   one_hot_longdouble],
    "06-layers/hidden_layer": [hidden_layer_einsum, hidden_layer_loop, hidden_layer_one_matrix],
    "06-layers/output_layer": [output_layer_scipy, output_layer_log, output_layer_loop],
    "06-gradient-pieces/loss_gradient": [loss_gradient_divided_apart, loss_gradient_minus,
                                         loss_gradient_loop, loss_gradient_filled],
    "06-gradient-pieces/output_weight_gradient": [weight_gradient_einsum, weight_gradient_loop,
                                                  weight_gradient_turned],
    "06-gradient-pieces/output_bias_gradient": [bias_gradient_ones, bias_gradient_loop,
                                                bias_gradient_squeezed],
    "06-gradient-pieces/hidden_layer_gradient": [
        hidden_layer_gradient_einsum, hidden_layer_gradient_turned, hidden_layer_gradient_loop],
    "06-gradient-pieces/hidden_weight_gradient": [weight_gradient_einsum, weight_gradient_loop,
                                                  weight_gradient_turned,
                                                  weight_gradient_filled],
    "06-gradient-pieces/hidden_bias_gradient": [bias_gradient_ones, bias_gradient_loop,
                                                bias_gradient_squeezed],
    "06-gradient-pieces/compute_gradients": [
        compute_gradients_in_a_row, compute_gradients_divided_last, compute_gradients_loop],
    "06-train": [train_in_place_on_copies,
                 train_shuffled_apart_from_batches,
                 train_as_pytorch],
    "06-check-gradients": [check_gradients_basis, check_gradients_in_place, check_gradients_flat],
    "06-momentum/update_momentum": [update_momentum_in_two_steps, update_momentum_lists,
                                    update_momentum_copies],
    "06-momentum/update_params": [update_params_loop, update_params_copies, update_params_pairs],
    "06-minibatches": [minibatches_split, minibatches_append, minibatches_tuple],
}


def one_hot_integers(y, K):
    Y = np.zeros((len(y), K), dtype=int)
    for n, label in enumerate(y):
        Y[n, label] = 1
    return Y


def hidden_layer_no_bias(X, W1, b1):
    return 1 / (1 + np.exp(-X @ W1))


def output_layer_axis(A1, W2, b2):
    E = np.exp(A1 @ W2 + b2 - (A1 @ W2 + b2).max(axis=0))
    return E / E.sum(axis=0)


def loss_gradient_usual_squares(Y, Y_hat):
    return 2 / np.size(Y) * (Y_hat - Y)


def output_weight_gradient_averaged(A1, dZ2):
    return (1 / len(dZ2)) * A1.T @ dZ2


def output_bias_gradient_source(dZ2):
    return np.sum(dZ2, axis=0, keepdims=True)


def hidden_layer_gradient_from_the_left(dZ2, W2, A1):
    return A1 * (1 - A1) * dZ2 @ W2.T


def hidden_weight_gradient_wrong_way(X, dZ1):
    return dZ1.T @ X


def hidden_bias_gradient_of_each_sample(dZ1):
    return np.sum(dZ1, axis=1)


def compute_gradients_swapped_labels(X, Y, params):
    A1 = hidden_layer_einsum(X, params["W1"], params["b1"])
    Y_hat = output_layer_scipy(A1, params["W2"], params["b2"])
    dZ2 = loss_gradient_minus(Y_hat, Y)
    dZ1 = hidden_layer_gradient_einsum(dZ2, params["W2"], A1)
    return {"W1": X.T @ dZ1, "b1": dZ1.sum(0), "W2": A1.T @ dZ2, "b2": dZ2.sum(0)}


def train_loop(begin_epoch=lambda v: v, rows_of=lambda rows, Y: rows, step=1.0, drop=False):
    """Return a training loop with a mistake of a student's."""
    def train_network(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
        v = {k: 0 * w for k, w in params.items()}
        history = {"loss": [mean_cross_entropy(X, Y, params)]}
        for _ in range(epochs):
            v = begin_epoch(v)
            for rows in minibatches_append(len(X), batch_size, rng):
                if drop and len(rows) < batch_size:
                    continue
                g = compute_gradients_in_a_row(X[rows], Y[rows_of(rows, Y)], params)
                v = update_momentum_lists(v, g, step * learning_rate, mu)
                params = update_params_pairs(params, v)
            history["loss"].append(mean_cross_entropy(X, Y, params))
        return params, history
    return train_network


def train_losses_of(classes):
    """Return a training loop that notes its losses with other classes."""
    def train_network(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
        Y_hat = output_layer_scipy(hidden_layer_einsum(X, params["W1"], params["b1"]),
                                   params["W2"], params["b2"])
        p = Y_hat[np.arange(len(X)), classes(Y)]
        return params, {"loss": [-float(np.mean(np.log(p)))]}
    return train_network


def train_changes_the_callers(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    trained, history = train_shuffled_apart_from_batches(
        X, Y, params, learning_rate, mu, batch_size, epochs, rng)
    for k in params:
        params[k][...] = trained[k]
    return params, history


def check_first_parameter_only(loss, params, grads, eps=1e-5):
    for k in params:
        n = numerical_gradient_basis(lambda W, k=k: loss({**params, k: W}), params[k], eps)
        return {k: float(np.max(np.abs(n - grads[k]) / np.maximum(abs(n), abs(grads[k]))))}


def check_sized(way):
    """Return a checker with another size of the larger slope, or another guard against 0/0."""
    def check_gradients(loss, params, grads, eps=1e-5):
        out = {}
        for k in params:
            a = grads[k]
            m = numerical_gradient_basis(lambda W, k=k: loss({**params, k: W}), params[k], eps)
            size = np.max(abs(a), abs(m)) if way == "np.max" else np.maximum(abs(a), abs(m))
            if way == "signed":
                size = np.maximum(a, m)
            if way == "smaller":
                size = np.minimum(abs(a), abs(m))
            if way == "added":
                size = size + 1e-8
            elif way == "floor":
                size = np.maximum(size, 1e-8)
            elif way == "any":
                size = size if size.any() else 1
            else:
                size[{"measured": m, "given": a}.get(way, size) == 0] = 1
            out[k] = float(np.max(abs(a - m) / size))
        return out
    return check_gradients


def update_momentum_plus(velocity, grads, learning_rate, mu):
    return {k: mu * velocity[k] + learning_rate * grads[k] for k in velocity}


def update_momentum_in_place(velocity, grads, learning_rate, mu):
    for k in velocity:
        velocity[k] *= mu
        velocity[k] -= learning_rate * grads[k]
    return velocity


def update_params_minus(params, velocity):
    return {k: params[k] - velocity[k] for k in params}


def update_params_in_place(params, velocity):
    for k in params:
        params[k] += velocity[k]
    return params


def minibatches_yield(N, batch_size, rng):
    order = rng.permutation(N)
    for start in range(0, N, batch_size):
        yield order[start:start + batch_size]


def minibatches_shuffled_away(N, batch_size, rng):
    order = list(range(N))
    order = rng.shuffle(order)
    return [order[start:start + batch_size] for start in range(0, N, batch_size)]


WRONG = [
    ("06-one-hot", one_hot_integers, "wrong-dtype"),
    ("06-layers/hidden_layer", hidden_layer_no_bias, "bias-elsewhere"),
    ("06-layers/output_layer", output_layer_axis, "not-by-rows"),
    ("06-gradient-pieces/loss_gradient", loss_gradient_usual_squares, "squared"),
    ("06-gradient-pieces/output_weight_gradient", output_weight_gradient_averaged,
     "divided-by-N"),
    ("06-gradient-pieces/output_bias_gradient", output_bias_gradient_source,
     "not-one-for-each-unit"),
    ("06-gradient-pieces/hidden_layer_gradient", hidden_layer_gradient_from_the_left,
     "weights-missing"),
    ("06-gradient-pieces/hidden_weight_gradient", hidden_weight_gradient_wrong_way,
     "another-product"),
    ("06-gradient-pieces/hidden_bias_gradient", hidden_bias_gradient_of_each_sample,
     "not-one-for-each-unit"),
    ("06-gradient-pieces/compute_gradients", compute_gradients_swapped_labels, "sign-flipped"),
    ("06-train", train_loop(begin_epoch=lambda v: {k: np.zeros(w.shape) for k, w in v.items()}),
     "velocity-reset-every-epoch"),
    ("06-train", train_loop(rows_of=lambda rows, Y: np.arange(len(rows))), "other-rows"),
    ("06-train", train_loop(rows_of=lambda rows, Y: slice(None)), "rows-of-one-only"),
    ("06-train", train_loop(step=-1.0), "uphill"),
    ("06-train", train_loop(drop=True), "batches-left-out"),
    ("06-train", train_changes_the_callers, "changes-arguments"),
    ("06-train", train_losses_of(lambda Y: Y[:, 0]), "index-not-whole"),
    ("06-train", train_losses_of(lambda Y: Y.argmax(axis=1)[:-1]), "index-lengths"),
    ("06-check-gradients", check_first_parameter_only, "missing-key"),
    ("06-check-gradients", check_sized("np.max"), "maximum-for-max"),
    ("06-check-gradients", check_sized("measured"), "guarded-by-one-side"),
    ("06-check-gradients", check_sized("given"), "guarded-by-one-side"),
    ("06-check-gradients", check_sized("any"), "zero-over-zero"),
    ("06-check-gradients", check_sized("added"), "small-number-added"),
    ("06-check-gradients", check_sized("floor"), "small-number-added"),
    ("06-check-gradients", check_sized("signed"), "another-size"),
    ("06-check-gradients", check_sized("smaller"), "another-size"),
    ("06-momentum/update_momentum", update_momentum_plus, "sign-doubled"),
    ("06-momentum/update_momentum", update_momentum_in_place, "changes-arguments"),
    ("06-momentum/update_params", update_params_minus, "sign-doubled"),
    ("06-momentum/update_params", update_params_in_place, "changes-arguments"),
    ("06-minibatches", minibatches_yield, "not-a-list"),
    ("06-minibatches", minibatches_shuffled_away, "shuffle-for-permutation"),
]

EQUIVALENT = {
    "06-check-gradients": {
        "line 9: float(np.max(np.abs(grads[name] - measured) / size)) → "
        "np.max(np.abs(grads[name] - measured) / size)": "NumPy's number is a number",
        "line 9: grads[name] - measured → measured - grads[name]": "its absolute value is taken"},
    "06-train": {
        "line 10: update_params(params, velocity) → update_params(velocity, params)":
            "a sum, in the other order"},
}
