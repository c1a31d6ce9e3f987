"""Lesson 06: one-hot labels, the gradient in pieces, a gradient checker, momentum, mini-batches."""

from __future__ import annotations

import numpy as np

from helpers.checks.exercise import Exercise, Group, Mistake
from helpers.checks.lesson_01 import DATA as EARLIER_DATA
from helpers.checks.lesson_01 import numerical_gradient

DATA = EARLIER_DATA | {"Y", "params", "start", "grads", "velocity", "X_small", "Y_small", "y_small",
                       "b1", "b2", "A1", "Z2", "dZ1", "dZ2", "rng"}


def network(seed, N, D, H, K):
    """Return X (N, D), Y (N, K) one-hot, params of a D-H-K network: generic numbers."""
    rng = np.random.default_rng(seed)
    X, classes = rng.normal(size=(N, D)), rng.integers(K, size=N)
    return X, np.eye(K)[classes], {
        "W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H),
        "W2": rng.normal(size=(H, K)), "b2": rng.normal(size=K)}


def each(change, *dicts):
    """Return a dict with `change` applied to the entries of dicts with the same keys."""
    return {name: change(*(d[name] for d in dicts)) for name in dicts[0]}


# 06-one-hot

def _one_hot(y, K):
    return np.array([[1.0 if k == label else 0.0 for k in range(K)] for label in y])


one_hot = Exercise(
    id="06-one-hot",
    name="one_hot",
    truth=_one_hot,
    cases=lambda: [(np.array([2, 0, 1, 2, 2]), 3), (np.array([1, 0, 0, 3, 1, 0, 1]), 5),
                   (np.array([1, 0, 1, 1], dtype=np.uint8), 3)],
    returns=("Y",),
    data=DATA,
    integers=(),
    mistakes=(
        Mistake("K-from-labels", lambda y, K: np.eye(int(y.max()) + 1)[y],
                "there are as many columns as the largest label asks for. A class that happens "
                "not to occur needs its column too: make `K` of them."),
        Mistake("K-from-labels", lambda y, K: np.eye(len(np.unique(y)))[y],
                "there are as many columns as classes that occur. A class that happens not to "
                "occur needs its column too: make `K` of them."),
        Mistake("transposed", lambda y, K: np.eye(K)[y].T,
                "rows and columns are swapped: each sample is a row, each class a column."),
        Mistake("booleans", lambda y, K: y[:, None] == np.arange(K),
                "the places are right, but the entries are `True` and `False`. Labels meet "
                "probabilities in subtractions: make them floats."),
        Mistake("whole-numbers", lambda y, K: np.eye(K, dtype=int)[y],
                "the places are right, but the entries are whole numbers; make them floats, 1.0 "
                "and 0.0."),
        Mistake("whole-column-set", lambda y, K: _whole_columns(y, K),
                "every class that occurs got a whole column of ones: `Y[:, y]` means these columns "
                "in all rows. For one entry in each row, the row's number is needed too."),
        Mistake("label-for-one", lambda y, K: np.eye(K)[y] * y[:, None],
                "the label itself stands where the 1 belongs."),
        Mistake("counted-from-one", lambda y, K: np.eye(K)[np.asarray(y, dtype=int) - 1],
                "the ones stand one column too far to the left. Classes count from 0, as columns "
                "do."),
        Mistake("inverted", lambda y, K: 1 - np.eye(K)[y],
                "zeros and ones are exchanged: the 1 marks the class of the sample."),
        Mistake("labels-repeated", lambda y, K: np.tile(y[:, None], (1, K)).astype(float),
                "the label is repeated in every column. Column k answers one question only: is "
                "it class k?"),
        Mistake("first-sample-only", lambda y, K: _first_row(y, K),
                "only the first row has its 1. Is the `return` indented too far, inside the "
                "loop?"),
    ),
    sizes=lambda y, K: {"N": len(y), "K": K},
    hint="N rows of K zeros, then a 1.0 in each row, at the column that the label names.",
    unlocks="Labels and probabilities now have the same shape.",
)


def _whole_columns(y, K):
    Y = np.zeros((len(y), K))
    Y[:, y] = 1
    return Y


def _first_row(y, K):
    Y = np.zeros((len(y), K))
    Y[0, y[0]] = 1
    return Y


# 06-check-gradients

def _cubes(C, d):
    """Return Σ c·w³ + (Σ d·w)² over the dict, with the two-sided slope of each entry."""
    def total(params):
        return sum((d[k] * params[k]).sum() for k in d)

    def loss(params):
        """Σ c·w³ + (Σ d·w)²"""
        return float(sum((C[k] * params[k] ** 3).sum() for k in C) + total(params) ** 2)

    loss.slope = lambda params, eps: {
        k: C[k] * (3 * params[k] ** 2 + eps ** 2) + 2 * total(params) * d[k] for k in C}
    return loss


def relative(a, b):
    """Return |a − b| / max(|a|, |b|) of two numbers; 0 where both are 0."""
    return 0.0 if a == b == 0 else abs(a - b) / max(abs(a), abs(b))


def _check_gradients(loss, params, grads, eps=1e-5):
    measured = loss.slope(params, eps)
    return {k: max((relative(float(a), float(b)) for a, b in zip(
        grads[k].flat, measured[k].flat, strict=True)), key=lambda e: (e != e, e))
        for k in params}


def _check_cases():
    cases = []
    for seed, shapes, eps in ((1, {"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}, 1e-5),
                              (2, {"U": (2, 5), "c": (5,)}, 0.1),
                              (3, {"W1": (2, 3), "b1": (3,), "V": (2, 2)}, 1e-4)):
        rng = np.random.default_rng(seed)
        params = {k: rng.normal(size=s) for k, s in shapes.items()}
        C = {k: rng.uniform(0.5, 1.5, size=s) for k, s in shapes.items()}
        d = {k: rng.uniform(0.5, 1.5, size=s) for k, s in shapes.items()}
        if seed == 3:  # nothing depends on b1
            C["b1"], d["b1"] = np.zeros(3), np.zeros(3)
        loss = _cubes(C, d)
        grads = loss.slope(params, 0)
        for n, k in enumerate(shapes):  # a bug of another size in each, in its last entries
            grads[k].flat[-1] *= 1 + 0.1 / (n + 1)
            grads[k].flat[-2] *= 1 - 0.02 / (n + 1)
        if seed == 1:
            grads["b1"] = -grads["b1"]
            grads["W2"] = grads["W2"] * 100.0
        if seed == 3:
            grads["V"][0, 1] = np.nan
        cases.append((loss, params, grads, eps))
    return cases


def differences(loss, params, eps, formula=lambda plus, minus, now, eps: (plus - minus) / (
        2 * eps)):
    """Return the measured gradient of every parameter, as a dict."""
    measured = {k: np.zeros(w.shape) for k, w in params.items()}
    for k, w in params.items():
        for at in np.ndindex(w.shape):
            plus, minus = w.copy(), w.copy()
            plus[at] += eps
            minus[at] -= eps
            measured[k][at] = formula(loss({**params, k: plus}), loss({**params, k: minus}),
                                      loss(params), eps)
    return measured


def errors(a, b):
    """Return |a − b| / max(|a|, |b|) entry by entry; 0 where both are 0."""
    size = np.maximum(np.abs(a), np.abs(b))
    return np.divide(np.abs(a - b), size, out=np.zeros(size.shape), where=size != 0)


def wrong_check(measure=differences, error=errors, worst=np.max, hand_back=lambda out: out):
    """Return a gradient checker with one part exchanged."""
    def check_gradients(loss, params, grads, eps=1e-5):
        measured = measure(loss, params, eps)
        return hand_back({k: float(worst(error(grads[k], measured[k]))) for k in params})
    return check_gradients


def _never_restored(loss, params, eps):
    moved = {k: w.copy() for k, w in params.items()}
    measured = {k: np.zeros(w.shape) for k, w in params.items()}
    for k, w in moved.items():
        for at in np.ndindex(w.shape):
            w[at] += eps
            plus = loss(moved)
            w[at] -= 2 * eps
            measured[k][at] = (plus - loss(moved)) / (2 * eps)
    return measured


def _first_entries(loss, params, grads, eps=1e-5):
    measured = differences(loss, params, eps)
    return {k: float(errors(grads[k], measured[k]).flat[0]) for k in params}


def _one_for_all(loss, params, grads, eps=1e-5):
    measured = differences(loss, params, eps)
    a = np.concatenate([grads[k].ravel() for k in params])
    b = np.concatenate([measured[k].ravel() for k in params])
    norm = np.linalg.norm
    return float(norm(a - b) / (norm(a) + norm(b)))


def _one_worst(loss, params, grads, eps=1e-5):
    return float(max(wrong_check()(loss, params, grads, eps).values()))


def _all_at_once(loss, params, eps):
    return {k: np.full(w.shape, (loss({**params, k: w + eps}) - loss({**params, k: w - eps}))
                       / (2 * eps)) for k, w in params.items()}


def norm_ratio(a, b):
    """Return |a − b| / (|a| + |b|) with the lengths of the whole arrays."""
    return np.linalg.norm(a - b) / (np.linalg.norm(a) + np.linalg.norm(b))


def _divided(a, b):
    return np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))


NAN_PASSES = ("a gradient that is nan got through. Its error is nan, and `np.max` hands that on; "
              "Python's `max` and every comparison with nan pass it over.")

check_gradients = Exercise(
    id="06-check-gradients",
    name="check_gradients",
    truth=_check_gradients,
    cases=_check_cases,
    returns=("errors",),
    data=DATA,
    uses=(numerical_gradient,),
    integers=(),
    tolerance=1e-6,
    rounding=1e-7,
    mistakes=(
        Mistake("one-sided", wrong_check(lambda loss, params, eps: differences(
            loss, params, eps, lambda plus, minus, now, eps: (plus - now) / eps)),
                "the slope is measured to one side, (J(w + eps) − J(w)) / eps. To both sides its "
                "own error becomes far smaller."),
        Mistake("one-sided", wrong_check(lambda loss, params, eps: differences(
            loss, params, eps, lambda plus, minus, now, eps: (now - minus) / eps)),
                "the slope is measured to one side, (J(w) − J(w − eps)) / eps. To both sides its "
                "own error becomes far smaller."),
        Mistake("two-missing", wrong_check(lambda loss, params, eps: differences(
            loss, params, eps, lambda plus, minus, now, eps: (plus - minus) / eps)),
                "the measured slope is twice too large: from w − eps to w + eps it is 2·eps."),
        Mistake("half-step", wrong_check(lambda loss, params, eps: differences(
            loss, params, eps, lambda plus, minus, now, eps: (plus - now) / (2 * eps))),
                "one side only, but divided by 2·eps: step to both sides."),
        Mistake("not-restored", wrong_check(_never_restored),
                "after its turn an entry is not put back, so that all later ones are measured "
                "from another place."),
        Mistake("eps-ignored", wrong_check(lambda loss, params, eps: differences(
            loss, params, 1e-5)),
                "the step is always 1e-5, whatever `eps` says: hand it on."),
        Mistake("eps-too-small", wrong_check(lambda loss, params, eps: differences(
            loss, params, 1e-12)),
                "the step is 1e-12, so small that the difference of the losses is mostly "
                "rounding. Use `eps` as it comes."),
        Mistake("all-entries-at-once", wrong_check(_all_at_once),
                "all entries of a parameter are shifted together. Shift one, measure, and the "
                "others stay."),
        Mistake("first-entry-only", _first_entries,
                "only the first entry of each parameter decides. Visit every entry, and keep the "
                "worst error."),
        Mistake("mean-for-worst", wrong_check(worst=np.mean),
                "this is the mean over the entries, in which one wrong entry drowns. Return the "
                "worst."),
        Mistake("median-for-worst", wrong_check(worst=np.median),
                "this is the median over the entries, which one wrong entry does not move. Return "
                "the worst."),
        Mistake("summed", wrong_check(worst=np.sum),
                "the errors of the entries are added up; return the worst of them."),
        Mistake("smallest-for-worst", wrong_check(worst=np.min),
                "this is the smallest error of a parameter; return the largest."),
        Mistake("absolute-error", wrong_check(error=lambda a, b: np.abs(a - b)),
                "these are plain differences. Gradients differ in size a thousandfold: divide "
                "each by the larger of the two."),
        Mistake("norm-of-parameter", wrong_check(error=norm_ratio),
                "each parameter is measured by its length as a whole, in which an error in one "
                "small entry drowns. Compare entry by entry and keep the worst."),
        Mistake("norm-of-parameter", wrong_check(
            error=lambda a, b: np.linalg.norm(a - b) / np.linalg.norm(b)),
                "each parameter is measured by its length as a whole, in which an error in one "
                "small entry drowns. Compare entry by entry and keep the worst."),
        Mistake("largest-entry-for-size", wrong_check(
            error=lambda a, b: np.abs(a - b) / np.abs(b).max()),
                "every difference is divided by the largest entry of the parameter, so that an "
                "error in a small entry hides. Divide each by its own size."),
        Mistake("one-number-for-all", _one_for_all,
                "one number for all parameters: an error in a small one drowns, and nobody learns "
                "where it is. Return a dict with a number for each parameter."),
        Mistake("one-number-for-all", _one_worst,
                "one number for all parameters; return a dict with a number for each, so that one "
                "can see where the error is."),
        Mistake("divided-by-sum", wrong_check(error=lambda a, b: np.divide(
            np.abs(a - b), np.abs(a) + np.abs(b), out=np.zeros(a.shape),
            where=np.abs(a) + np.abs(b) != 0)),
                "the difference is divided by the sum of both sizes; here it is divided by the "
                "larger of the two."),
        Mistake("divided-by-one-side", wrong_check(error=lambda a, b: np.divide(
            np.abs(a - b), np.abs(b), out=np.zeros(a.shape), where=b != 0)),
                "the difference is divided by the size of the measured slope; divide by the "
                "larger of the two, so that the error of a wrong gradient is 1 or 2 at most."),
        Mistake("divided-by-one-side", wrong_check(error=lambda a, b: np.divide(
            np.abs(a - b), np.abs(a), out=np.zeros(a.shape), where=a != 0)),
                "the difference is divided by the size of the gradient handed in; divide by the "
                "larger of the two, so that the error of a wrong gradient is 1 or 2 at most."),
        Mistake("zero-over-zero", wrong_check(error=_divided),
                "where both slopes are zero, 0/0 gives nan. Two zeros agree: their error is 0."),
        Mistake("nan-passes", wrong_check(worst=np.nanmax),
                NAN_PASSES),
        Mistake("nan-passes", wrong_check(worst=lambda e: max([0.0, *e.flat])),
                NAN_PASSES),
        Mistake("signed", wrong_check(error=lambda a, b: np.divide(
            a - b, np.maximum(np.abs(a), np.abs(b)), out=np.zeros(a.shape),
            where=(a != 0) | (b != 0))),
                "without the absolute value of the difference, an entry that is too small counts "
                "as a small error."),
        Mistake("entries-returned", lambda loss, params, grads, eps=1e-5: {
            k: errors(grads[k], v) for k, v in differences(loss, params, eps).items()},
                "there is an error for every entry; return the worst of each parameter, one "
                "number."),
        Mistake("gradient-returned", lambda loss, params, grads, eps=1e-5: differences(
            loss, params, eps),
                "this is the measured gradient itself. Compare it with `grads`, and return the "
                "worst relative error of each parameter."),
        Mistake("flags-returned", lambda loss, params, grads, eps=1e-5: {
            k: bool(v < 1e-6) for k, v in wrong_check()(loss, params, grads, eps).items()},
                "these are verdicts, `True` or `False`. Return the errors themselves: their size "
                "says what kind of mistake it is."),
    ),
    sizes=lambda loss, params, grads, eps=1e-5: {},
    hint="for each name, `numerical_gradient` of the loss as a function of that array alone; then "
         "the differences, each divided by the larger of the two sizes; then the largest.",
    unlocks="No gradient of this course can hide an error from you any more.",
)


# 06-momentum

def _velocity_case(seed, shapes, rate, mu):
    rng = np.random.default_rng(seed)
    return ({k: rng.normal(size=s) for k, s in shapes.items()},
            {k: rng.normal(size=s) for k, s in shapes.items()}, rate, mu)


SHAPES = ({"W1": (3, 4), "b1": (4,), "W2": (4, 2), "b2": (2,)}, {"U": (2, 5), "c": (5,)},
          {"W1": (4, 3), "b1": (3,), "W2": (3, 5), "b2": (5,)})


def _update_momentum(velocity, grads, learning_rate, mu):
    return {k: -(learning_rate * grads[k] - mu * velocity[k]) for k in grads}


def wrong_momentum(change):
    """Return an update of the velocity that does `change(V, dW, rate, mu)` to each entry."""
    return lambda velocity, grads, learning_rate, mu: {
        k: change(velocity[k], grads[k], learning_rate, mu) for k in grads}


def _in_place(velocity, grads, learning_rate, mu):
    for k in velocity:
        velocity[k] *= mu
        velocity[k] -= learning_rate * grads[k]
    return velocity


def _one_velocity(velocity, grads, learning_rate, mu):
    """Keep one array for all parameters: the last one's."""
    out = {}
    for k in grads:
        V = mu * velocity[k] - learning_rate * grads[k]
    for k in grads:
        out[k] = V
    return out


def _first_velocity(velocity, grads, learning_rate, mu):
    first = next(iter(velocity))
    return {k: mu * velocity[first] - learning_rate * grads[k] for k in grads}


update_momentum = Exercise(
    id="06-momentum",
    name="update_momentum",
    truth=_update_momentum,
    cases=lambda: [_velocity_case(1, SHAPES[0], 0.3, 0.9), _velocity_case(2, SHAPES[1], 0.05, 0.4),
                   _velocity_case(3, SHAPES[2], 2.0, 0.0)],
    returns=("velocity",),
    data=DATA | {"learning_rate", "mu"},
    integers=(),
    mistakes=(
        Mistake("sign-doubled", wrong_momentum(lambda V, dW, rate, mu: mu * V + rate * dW),
                "the gradient is added: the velocity then points uphill. The minus stands here, "
                "and `update_params` adds."),
        Mistake("old-velocity-subtracted",
                wrong_momentum(lambda V, dW, rate, mu: -mu * V - rate * dW),
                "the old velocity enters with a minus; what is kept of it, mu times, keeps its "
                "direction."),
        Mistake("all-negative", wrong_momentum(lambda V, dW, rate, mu: rate * dW - mu * V),
                "every sign is flipped: keep mu of the old velocity and subtract the step."),
        Mistake("no-memory", wrong_momentum(lambda V, dW, rate, mu: -rate * dW),
                "the old velocity is forgotten: this is plain gradient descent."),
        Mistake("mu-missing", wrong_momentum(lambda V, dW, rate, mu: V - rate * dW),
                "the old velocity is kept whole; keep `mu` times as much of it, or it never "
                "comes to rest."),
        Mistake("learning-rate-missing", wrong_momentum(lambda V, dW, rate, mu: mu * V - dW),
                "the whole gradient is subtracted: multiply it by the learning rate."),
        Mistake("rate-and-mu-swapped",
                wrong_momentum(lambda V, dW, rate, mu: rate * V - mu * dW),
                "`learning_rate` and `mu` have changed places."),
        Mistake("averaged",
                wrong_momentum(lambda V, dW, rate, mu: mu * V - (1 - mu) * rate * dW),
                "the step is multiplied by 1 − mu, as in a running average. That is another "
                "convention; here the whole step enters."),
        Mistake("rate-times-both",
                wrong_momentum(lambda V, dW, rate, mu: rate * (mu * V - dW)),
                "the learning rate multiplies the old velocity too; it belongs to the gradient "
                "alone."),
        Mistake("pytorch-form", wrong_momentum(lambda V, dW, rate, mu: mu * V + dW),
                "this is the form without the rate, in which the rate comes in at the update. "
                "Here the step, learning rate times gradient, is subtracted."),
        Mistake("gradient-for-velocity",
                wrong_momentum(lambda V, dW, rate, mu: mu * dW - rate * V),
                "velocity and gradient have changed places."),
        Mistake("one-velocity-for-all", _one_velocity,
                "all parameters share one velocity, the last one's. Each has its own, of its own "
                "shape."),
        Mistake("one-velocity-for-all", _first_velocity,
                "the velocity of one parameter is used for all. Each has its own, under its own "
                "name."),
        Mistake("list-returned", lambda velocity, grads, learning_rate, mu: [
            mu * velocity[k] - learning_rate * grads[k] for k in grads],
                "the arrays are right, but they come in a list; return a dict with the same "
                "keys."),
    ),
    sizes=lambda velocity, grads, learning_rate, mu: {},
    hint="for each key: mu times the old velocity, minus the learning rate times the gradient.",
    unlocks="Velocity remembers.",
)


def _update_params(params, velocity):
    return {k: np.array([w + v for w, v in zip(params[k], velocity[k], strict=True)])
            for k in params}


update_params = Exercise(
    id="06-momentum",
    name="update_params",
    truth=_update_params,
    cases=lambda: [_velocity_case(4, SHAPES[0], 0, 0)[:2], _velocity_case(5, SHAPES[1], 0, 0)[:2],
                   _velocity_case(6, SHAPES[2], 0, 0)[:2]],
    returns=("params",),
    data=DATA | {"learning_rate", "mu"},
    integers=(),
    mistakes=(
        Mistake("sign-doubled", lambda params, velocity: each(np.subtract, params, velocity),
                "the velocity is subtracted. It points downhill already, the minus is in it: add "
                "it."),
        Mistake("velocity-returned", lambda params, velocity: each(np.positive, velocity),
                "the parameters are replaced by the velocity; add it to what they were."),
        Mistake("never-updated", lambda params, velocity: each(np.positive, params),
                "the parameters come back as they were; add the velocity."),
        Mistake("weights-only", lambda params, velocity: {
            k: w + velocity[k] if w.ndim == 2 else w for k, w in params.items()},
                "only the weights move; the biases are parameters too."),
        Mistake("list-returned", lambda params, velocity: [
            params[k] + velocity[k] for k in params],
                "the arrays are right, but they come in a list; return a dict with the same "
                "keys."),
    ),
    sizes=lambda params, velocity: {},
    hint="for each key, the parameter plus its velocity, in a new dict.",
    unlocks="Velocity moves the weights.",
)

momentum = Group("06-momentum", (update_momentum, update_params),
                 unlocks="A step now remembers the steps before it.")


# 06-minibatches

def _minibatches(N, batch_size, rng):
    left, batches = list(rng.permutation(N)), []
    while left:
        batches.append(np.array(left[:batch_size]))
        left = left[batch_size:]
    return batches


def wrong_batches(draw=lambda N, rng: rng.permutation(N),
                  stop=lambda N, batch_size: N, cut=lambda order, i, size: order[i:i + size]):
    """Return mini-batches with one part exchanged."""
    def minibatches(N, batch_size, rng):
        order = draw(N, rng)
        return [cut(order, i, batch_size) for i in range(0, stop(N, batch_size), batch_size)]
    return minibatches


def _draws(N, batch_size, rng):
    return [rng.choice(N, batch_size, replace=False) for _ in range(-(-N // batch_size))]


def _cut_to_size(draw):
    return lambda N, batch_size, rng: [
        draw(N, rng)[:min(batch_size, N - i)] for i in range(0, N, batch_size)]


minibatches = Exercise(
    id="06-minibatches",
    name="minibatches",
    truth=_minibatches,
    cases=lambda: [(17, 5, np.random.default_rng(1)), (11, 4, np.random.default_rng(2)),
                   (7, 9, np.random.default_rng(3)), (13, 2, np.random.default_rng(4)),
                   (15, 5, np.random.default_rng(5))],
    returns=("batches",),
    data=DATA | {"batch_size"},
    integers=(),
    mistakes=(
        Mistake("last-batch-dropped",
                wrong_batches(stop=lambda N, batch_size: N - N % batch_size),
                "the samples that do not fill a batch are left out. The last batch is shorter, "
                "and its samples count."),
        Mistake("last-batch-dropped",
                wrong_batches(stop=lambda N, batch_size: N - batch_size + 1),
                "the samples that do not fill a batch are left out. The last batch is shorter, "
                "and its samples count."),
        Mistake("remainder-in-last-batch", lambda N, batch_size, rng: _joined(
            _minibatches(N, batch_size, rng), batch_size),
                "the remaining samples have been added to the batch before; they make a batch of "
                "their own, a shorter one."),
        Mistake("not-shuffled", wrong_batches(draw=lambda N, rng: np.arange(N)),
                "the batches run through the samples in their order: nothing is shuffled. Draw "
                "one permutation and cut that."),
        Mistake("with-replacement", wrong_batches(draw=lambda N, rng: rng.integers(N, size=N)),
                "the samples are drawn independently, so that some come twice and others not at "
                "all. A permutation has each once."),
        Mistake("with-replacement", wrong_batches(draw=lambda N, rng: rng.choice(N, N)),
                "the samples are drawn independently, so that some come twice and others not at "
                "all. A permutation has each once."),
        Mistake("drawn-for-each-batch", _draws,
                "each batch is drawn anew from all samples, so that some come twice and others "
                "not at all. Draw one permutation for all batches, and cut it."),
        Mistake("drawn-for-each-batch", _cut_to_size(lambda N, rng: rng.permutation(N)),
                "each batch comes from a permutation of its own, so that some samples come twice "
                "and others not at all. Draw one, before the loop."),
        Mistake("equal-parts", lambda N, batch_size, rng: np.array_split(
            rng.permutation(N), -(-N // batch_size)),
                "`np.array_split` makes parts of nearly equal length. Here every batch but the "
                "last has `batch_size` samples."),
        Mistake("size-for-number", lambda N, batch_size, rng: np.array_split(
            rng.permutation(N), batch_size),
                "there are `batch_size` batches; there should be `batch_size` samples in a "
                "batch."),
        Mistake("dealt-like-cards", lambda N, batch_size, rng: [
            order[i::-(-N // batch_size)] for order in [rng.permutation(N)]
            for i in range(-(-N // batch_size))],
                "the permutation is dealt out like cards, one sample to each batch in turn. Cut "
                "it into pieces that follow each other."),
        Mistake("another-generator", wrong_batches(
            draw=lambda N, rng: np.random.default_rng(0).permutation(N)),
                "the order comes from a generator made inside: it is the same in every epoch. Use "
                "the `rng` that is handed over."),
        Mistake("another-generator", wrong_batches(
            draw=lambda N, rng: np.random.default_rng(42).permutation(N)),
                "the order comes from a generator made inside: it is the same in every epoch. Use "
                "the `rng` that is handed over."),
        Mistake("sorted-batches", wrong_batches(
            cut=lambda order, i, size: np.sort(order[i:i + size])),
                "the samples of each batch have been sorted; leave them in the order of the "
                "permutation."),
        Mistake("one-sample-short", wrong_batches(
            cut=lambda order, i, size: order[i:i + size - 1]),
                "one sample is missing at the end of each batch: the end of a slice is left out "
                "already."),
        Mistake("counted-from-one", wrong_batches(draw=lambda N, rng: rng.permutation(N) + 1),
                "the indices run from 1 to N; rows count from 0."),
        Mistake("overlapping", lambda N, batch_size, rng: [
            order[i:i + batch_size] for order in [rng.permutation(N)] for i in range(N)],
                "a batch begins at every sample, so that they overlap. The next one begins "
                "`batch_size` further on."),
        Mistake("first-batch-only", lambda N, batch_size, rng: [rng.permutation(N)[:batch_size]],
                "there is one batch only. Is the `return` indented too far, inside the loop?"),
        Mistake("flat", lambda N, batch_size, rng: rng.permutation(N),
                "the permutation comes back in one piece; cut it into batches."),
    ),
    sizes=lambda N, batch_size, rng: {},
    hint="one `rng.permutation(N)`, then slices of it that begin at 0, batch_size, 2·batch_size.",
    unlocks="Each sample is seen once in an epoch, and never in the same company.",
)


def _joined(batches, batch_size):
    if len(batches) > 1 and len(batches[-1]) < batch_size:
        batches = [*batches[:-2], np.concatenate(batches[-2:])]
    return batches
