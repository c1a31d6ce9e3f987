"""Lesson 06: right answers written differently from the solutions, and wrong ones by hand."""

from __future__ import annotations

import numpy as np

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


RIGHT = {
    "06-one-hot": [one_hot_loop, one_hot_compare, one_hot_rows],
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


def one_hot_columns(y, K):
    Y = np.zeros((len(y), K))
    for label in y:
        Y[:, label] = 1.0
    return Y


def one_hot_classes_as_rows(y, K):
    Y = np.zeros((K, len(y)))
    Y[y, np.arange(len(y))] = 1
    return Y


def check_not_put_back(loss, params, grads, eps=1e-5):
    own = {k: W.copy() for k, W in params.items()}
    out = {}
    for k in own:
        n = np.zeros(own[k].shape)
        for at in np.ndindex(n.shape):
            own[k][at] += eps
            high = loss(own)
            own[k][at] -= 2 * eps
            n[at] = (high - loss(own)) / (2 * eps)
        size = np.maximum(abs(n), abs(grads[k]))
        out[k] = np.max(abs(n - grads[k]) / np.where(size == 0, 1, size))
    return out


def check_first_parameter_only(loss, params, grads, eps=1e-5):
    for k in params:
        n = numerical_gradient_basis(lambda W, k=k: loss({**params, k: W}), params[k], eps)
        return {k: float(np.max(np.abs(n - grads[k]) / np.maximum(abs(n), abs(grads[k]))))}


def check_loses_the_dict(loss, params, grads, eps=1e-5):
    return {k: numerical_gradient_basis(loss, params[k], eps) for k in params}


def check_worst_by_comparison(loss, params, grads, eps=1e-5):
    out = {}
    for k in params:
        n = numerical_gradient_basis(lambda W, k=k: loss({**params, k: W}), params[k], eps)
        worst = 0.0
        for a, b in zip(grads[k].ravel(), n.ravel(), strict=True):
            if a != b and abs(a - b) / max(abs(a), abs(b)) > worst:
                worst = abs(a - b) / max(abs(a), abs(b))
        out[k] = worst
    return out


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


def minibatches_while(N, batch_size, rng):
    order, batches, start = rng.permutation(N), [], 0
    while start + batch_size <= N:
        batches.append(order[start:start + batch_size])
        start += batch_size
    return batches


def minibatches_yield(N, batch_size, rng):
    order = rng.permutation(N)
    for start in range(0, N, batch_size):
        yield order[start:start + batch_size]


def minibatches_in_order(N, batch_size, rng):
    return [np.arange(i, min(i + batch_size, N)) for i in range(0, N, batch_size)]


WRONG = [
    ("06-one-hot", one_hot_integers, "whole-numbers"),
    ("06-one-hot", one_hot_columns, "whole-column-set"),
    ("06-one-hot", one_hot_classes_as_rows, "transposed"),
    ("06-check-gradients", check_not_put_back, "not-restored"),
    ("06-check-gradients", check_first_parameter_only, "missing-key"),
    ("06-check-gradients", check_loses_the_dict, None),
    ("06-check-gradients", check_worst_by_comparison, "nan-passes"),
    ("06-momentum/update_momentum", update_momentum_plus, "sign-doubled"),
    ("06-momentum/update_momentum", update_momentum_in_place, "changes-arguments"),
    ("06-momentum/update_params", update_params_minus, "sign-doubled"),
    ("06-momentum/update_params", update_params_in_place, "changes-arguments"),
    ("06-minibatches", minibatches_while, "last-batch-dropped"),
    ("06-minibatches", minibatches_yield, "not-a-list"),
    ("06-minibatches", minibatches_in_order, "not-shuffled"),
]
