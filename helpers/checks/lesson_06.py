"""Lesson 06: one-hot labels, the gradient in pieces, a gradient checker, momentum, mini-batches."""

from __future__ import annotations

import numpy as np
from scipy.special import expit
from scipy.special import softmax as shares

from helpers.checks.exercise import Exercise, Group, Mistake
from helpers.checks.lesson_01 import DATA as EARLIER_DATA
from helpers.checks.lesson_01 import numerical_gradient, sigmoid
from helpers.checks.lesson_05 import cross_entropy, softmax
from helpers.checks.truth import complex_step

DATA = EARLIER_DATA | {"Y", "params", "start", "grads", "velocity", "X_small", "Y_small", "y_small",
                       "b1", "b2", "Z2", "dZ1", "dZ2", "rng", "for_checking", "all_zero", "X_few",
                       "y_few", "exact", "right", "wrong", "trained", "iterations", "losses"}


def network(seed, N, D, H, K):
    """Return X (N, D), Y (N, K) one-hot, params of a D-H-K network: generic numbers."""
    rng = np.random.default_rng(seed)
    X, classes = rng.normal(size=(N, D)), rng.integers(K, size=N)
    return X, np.eye(K)[classes], {
        "W1": rng.normal(size=(D, H)), "b1": rng.normal(size=H),
        "W2": rng.normal(size=(H, K)), "b2": rng.normal(size=K)}


def cross_entropy_of(X, Y, params):
    """Return J, the mean cross-entropy; the parameters may be complex."""
    A1 = 1 / (1 + np.exp(-(X @ params["W1"] + params["b1"])))
    Z2 = A1 @ params["W2"] + params["b2"]
    Z2 = Z2 - Z2.real.max(axis=1, keepdims=True)
    return (np.log(np.exp(Z2).sum(axis=1)) - (Z2 * Y).sum(axis=1)).mean()


def gradients(X, Y, params):
    """Return the gradient of J by complex steps, a dict."""
    return {k: complex_step(lambda W, k=k: cross_entropy_of(X, Y, {**params, k: W}), params[k])
            for k in params}


def soft(Z, axis=1):
    """Return softmax along an axis."""
    return shares(Z, axis=axis)


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
    more=(
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
        Mistake("not-float64", lambda y, K: np.eye(K, dtype=int)[y],
                "the places are right, the dtype is not: make the entries ordinary floats, 1.0 and "
                "0.0."),
        Mistake("whole-rows-set", lambda y, K: _whole_rows(y, K),
                "`Y[y] = 1` fills whole rows, those whose numbers are in `y`. Each row n gets one "
                "1, in column y[n]."),
        Mistake("classes-written-in", lambda y, K: np.eye(2)[y],
                "there are two classes written into it; the number of classes is `K`."),
        Mistake("identity-returned", lambda y, K: np.eye(K),
                "this is the identity matrix itself. Its row k is the code of class k: pick a row "
                "for each sample."),
        Mistake("whole-column-set", lambda y, K: _whole_columns(y, K),
                "every class that occurs got a whole column of ones: `Y[:, y]` means these columns "
                "in all rows. For one entry in each row, the row's number is needed too."),
        Mistake("label-for-one", lambda y, K: np.eye(K)[y] * y[:, None],
                "the label itself stands where the 1 belongs."),
        Mistake("counted-from-one", lambda y, K: np.eye(K)[y - 1],
                "the ones stand one column too far to the left. Classes count from 0, as columns "
                "do."),
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


def _whole_rows(y, K):
    Y = np.zeros((len(y), K))
    Y[y] = 1
    return Y


def _whole_columns(y, K):
    Y = np.zeros((len(y), K))
    Y[:, y] = 1
    return Y


def _first_row(y, K):
    Y = np.zeros((len(y), K))
    Y[0, y[0]] = 1
    return Y


# 06-layers

def _hidden_layer(X, W1, b1):
    return np.array([[expit(float(sum(x * w for x, w in zip(row, W1[:, h], strict=True))) + b1[h])
                      for h in range(W1.shape[1])] for row in X])


def _layer_case(seed, N, D, H, K, factor=1.0):
    X, _, params = network(seed, N, D, H, K)
    return X, params["W1"] * factor, params["b1"]


def _output_case(seed, N, D, H, K, factor=1.0):
    X, _, params = network(seed, N, D, H, K)
    return (expit(X @ params["W1"] + params["b1"]), params["W2"] * factor, params["b2"])


SIZES = ((1, 11, 4, 6, 3), (2, 13, 3, 7, 5), (3, 17, 6, 9, 7))


def _layer_sizes(*args):
    return {"N": len(args[0])}


def column_bias(b):
    """Return a bias as a column, as a beginner may add it."""
    return b.reshape(-1, 1)


hidden_layer = Exercise(
    id="06-layers",
    name="hidden_layer",
    truth=_hidden_layer,
    cases=lambda: [*(_layer_case(*sizes) for sizes in SIZES),
                   _layer_case(4, 9, 2, 5, 3, factor=1000.0)],
    returns=("A1",),
    data=DATA,
    uses=(sigmoid,),
    integers=("X",),
    tolerance=1e-12,
    more=(
        Mistake("bias-missing", lambda X, W1, b1: expit(X @ W1),
                "the bias is missing: it is added before the sigmoid."),
        Mistake("bias-after-activation", lambda X, W1, b1: expit(X @ W1) + b1,
                "the bias is added after the sigmoid; it belongs to the weighted sum."),
        Mistake("bias-subtracted", lambda X, W1, b1: expit(X @ W1 - b1),
                "the bias is subtracted; it is added."),
        Mistake("no-activation", lambda X, W1, b1: X @ W1 + b1,
                "this is the weighted sum Z1; it goes through the sigmoid."),
        Mistake("activated-twice", lambda X, W1, b1: expit(expit(X @ W1 + b1)),
                "the sum goes through the sigmoid twice."),
        Mistake("tanh", lambda X, W1, b1: np.tanh(X @ W1 + b1),
                "this is tanh; the hidden layer of this lesson uses the sigmoid."),
        Mistake("softmax", lambda X, W1, b1: soft(X @ W1 + b1),
                "this is softmax, which belongs to the output; a hidden unit answers for itself, "
                "by the sigmoid."),
        Mistake("mirrored", lambda X, W1, b1: expit(-(X @ W1 + b1)),
                "it falls where it should rise: the sigmoid is 1 / (1 + exp(−z)), with a minus in "
                "the exponent."),
        Mistake("factors-swapped", lambda X, W1, b1: expit(W1 @ X + b1),
                "samples are rows: the data stands on the left, `X @ W1`."),
        Mistake("samples-as-columns", lambda X, W1, b1: expit(W1.T @ X.T + b1),
                "`W1.T @ X.T` has a column for each sample, as textbooks write it. Our samples are "
                "rows: the data stands on the left, `X @ W1`."),
        Mistake("samples-as-columns", lambda X, W1, b1: expit(W1.T @ X.T),
                "`W1.T @ X.T` has a column for each sample, as textbooks write it. Our samples are "
                "rows (and the bias is missing): the data stands on the left, `X @ W1`."),
        Mistake("product-only", lambda X, W1, b1: X @ W1,
                "this is the product alone: the bias is missing, and the sigmoid."),
        Mistake("star-for-at", lambda X, W1, b1: expit(X * W1 + b1),
                "`*` multiplies entry by entry; a layer is a matrix product, `@`."),
        Mistake("bias-as-column", lambda X, W1, b1: expit(X @ W1 + column_bias(b1)),
                "the bias has been made a column, one for each sample. It is (H,): one for each "
                "unit, and is added to every row."),
    ),
    sizes=_layer_sizes,
    hint="weighted sums of each row of `X`, plus the bias, through the sigmoid.",
    unlocks="The first layer stands.",
)


def _output_layer(A1, W2, b2):
    Z2 = np.array([[sum(a * w for a, w in zip(row, W2[:, k], strict=True)) + b2[k]
                    for k in range(W2.shape[1])] for row in A1])
    return shares(Z2, axis=1)


def _plain_softmax(A1, W2, b2):
    E = np.exp(A1 @ W2 + b2)
    return E / E.sum(axis=1, keepdims=True)


def _no_keepdims(Z2):
    E = np.exp(Z2)
    return E / E.sum(axis=1)


output_layer = Exercise(
    id="06-layers",
    name="output_layer",
    truth=_output_layer,
    cases=lambda: [*(_output_case(*sizes) for sizes in SIZES),
                   _output_case(4, 9, 2, 5, 3, factor=1000.0)],
    returns=("Y_hat",),
    data=DATA,
    uses=(softmax,),
    integers=("A1",),
    tolerance=1e-10,
    more=(
        Mistake("bias-missing", lambda A1, W2, b2: soft(A1 @ W2),
                "the bias is missing: it is added before the softmax."),
        Mistake("bias-after-activation", lambda A1, W2, b2: soft(A1 @ W2) + b2,
                "the bias is added after the softmax, so that the rows no longer add up to 1."),
        Mistake("no-activation", lambda A1, W2, b2: A1 @ W2 + b2,
                "these are the logits Z2; softmax makes probabilities of them."),
        Mistake("sigmoid", lambda A1, W2, b2: expit(A1 @ W2 + b2),
                "this is the sigmoid: each output answers for itself, and the rows do not add up "
                "to 1. The output of this network is a softmax."),
        Mistake("activated-twice", lambda A1, W2, b2: soft(soft(A1 @ W2 + b2)),
                "the logits go through the softmax twice."),
        Mistake("activated-again", lambda A1, W2, b2: soft(expit(A1) @ W2 + b2),
                "`A1` has been through the sigmoid already; here it goes through once more."),
        Mistake("over-the-batch", lambda A1, W2, b2: soft(A1 @ W2 + b2, axis=0),
                "the columns add up to 1, over the samples. Each row should: the classes of one "
                "sample."),
        Mistake("overflow", _plain_softmax,
                "right where the logits are small, but exp of a large one is infinite, and "
                "inf / inf is nan. Your `softmax` of lesson 05 is safe."),
        Mistake("over-everything", lambda A1, W2, b2: shares(A1 @ W2 + b2),
                "all entries together add up to 1. Each row should, by itself: the classes of one "
                "sample."),
        Mistake("no-keepdims", lambda A1, W2, b2: _no_keepdims(A1 @ W2 + b2),
                "a sum over each row has shape (N,), and the division wants a column (N, 1): that "
                "is what `keepdims=True` is for. Your `softmax` of lesson 05 does it."),
        Mistake("classes-returned", lambda A1, W2, b2: (A1 @ W2 + b2).argmax(axis=1),
                "these are the predicted classes. Return the probabilities themselves, (N, K)."),
        Mistake("factors-swapped", lambda A1, W2, b2: soft(W2 @ A1 + b2),
                "samples are rows: `A1` stands on the left, `A1 @ W2`."),
        Mistake("star-for-at", lambda A1, W2, b2: soft(A1 * W2 + b2),
                "`*` multiplies entry by entry; a layer is a matrix product, `@`."),
    ),
    sizes=_layer_sizes,
    hint="weighted sums of each row of `A1`, plus the bias, through the softmax.",
    unlocks="The second layer stands.",
)

layers = Group("06-layers", (hidden_layer, output_layer),
               unlocks="Two layers, seventeen numbers: this is the whole network.")


# 06-gradient-pieces

MEASURED = ("right to some digits only, as a measured derivative is. Here the formula is wanted, "
            "which needs no eps and is exact.")


def _wiggle(d):
    return d * (1 + 3e-10)


def _output_cases():
    cases = []
    for sizes in SIZES:
        X, Y, params = network(*sizes)
        A1 = expit(X @ params["W1"] + params["b1"])
        cases.append((Y, soft(A1 @ params["W2"] + params["b2"])))
    return cases


def _loss_gradient(Y, Y_hat):
    def mean_loss(Z2):
        return (np.log(np.exp(Z2).sum(axis=1)) - (Z2 * Y).sum(axis=1)).mean()

    return complex_step(mean_loss, np.log(Y_hat))


loss_gradient = Exercise(
    id="06-gradient-pieces",
    name="loss_gradient",
    truth=_loss_gradient,
    cases=_output_cases,
    returns=("dZ2",),
    data=DATA,
    integers=("Y",),
    tolerance=1e-12,
    rounding=1e-11,
    more=(
        Mistake("measured-not-derived", lambda Y, Y_hat: _wiggle(_loss_gradient(Y, Y_hat)),
                MEASURED),
        Mistake("not-averaged", lambda Y, Y_hat: Y_hat - Y,
                "this is the gradient of the summed loss, as in the source. Ours is the mean over "
                "the samples: divide by N."),
        Mistake("precedence", lambda Y, Y_hat: Y_hat - Y / len(Y),
                "only the labels are divided by N: a division comes before a minus. Parentheses "
                "around the difference help."),
        Mistake("not-averaged-sign", lambda Y, Y_hat: Y - Y_hat,
                "the sign is flipped and the division by N is missing: (ŷ − y) / N."),
        Mistake("sign-flipped", lambda Y, Y_hat: (Y - Y_hat) / len(Y),
                "the sign is flipped: it is ŷ − y. A probability that is too large has a positive "
                "slope."),
        Mistake("averaged-over-all-entries", lambda Y, Y_hat: (Y_hat - Y) / Y.size,
                "it is divided by N · K, the number of all entries. The loss is a mean over the "
                "N samples."),
        Mistake("averaged-over-classes", lambda Y, Y_hat: (Y_hat - Y) / Y.shape[1],
                "it is divided by K, the number of classes; the loss is a mean over the N "
                "samples."),
        Mistake("output-derivative-extra",
                lambda Y, Y_hat: (Y_hat - Y) * Y_hat * (1 - Y_hat) / len(Y),
                "it is multiplied by ŷ · (1 − ŷ). With softmax and cross-entropy that factor has "
                "cancelled already."),
        Mistake("derivative-by-probability", lambda Y, Y_hat: -Y / Y_hat / len(Y),
                "this is the derivative by the probabilities, −y / ŷ. What is wanted is the "
                "derivative by the logits Z2, from before the softmax."),
        Mistake("derivative-by-probability", lambda Y, Y_hat: -Y / Y_hat,
                "this is the derivative by the probabilities, −y / ŷ. What is wanted is the "
                "derivative by the logits Z2, from before the softmax."),
        Mistake("labels-missing", lambda Y, Y_hat: Y_hat / len(Y),
                "the labels play no part: it is ŷ − y, not ŷ."),
        Mistake("mean-taken", lambda Y, Y_hat: np.mean(Y_hat - Y, axis=0),
                "the mean over the samples has been taken. Each sample keeps its own row here; "
                "the 1/N of the loss is only a factor."),
        Mistake("one-number", lambda Y, Y_hat: float(np.mean(Y_hat - Y)),
                "everything has been averaged to one number; keep the array (N, K), and divide it "
                "by N."),
        Mistake("loss-for-gradient",
                lambda Y, Y_hat: float(-(Y * np.log(Y_hat)).sum(axis=1).mean()),
                "this is the loss itself; wanted is its derivative by the logits, (N, K)."),
        Mistake("classes-subtracted", lambda Y, Y_hat: Y_hat - Y.argmax(axis=1),
                "`Y` is one-hot already, of the shape of `Y_hat`: no `argmax` is needed."),
        Mistake("squared", lambda Y, Y_hat: 2 * (Y_hat - Y) / len(Y),
                "there is a factor 2, as from a squared error. The loss is the cross-entropy."),
    ),
    sizes=lambda Y, Y_hat: {"N": len(Y), "K": Y.shape[1]},
    hint="prediction minus label, divided by what turns the sum into a mean.",
    unlocks="The way back begins.",
)


def _weight_truth(A, dZ):
    return complex_step(lambda W: (dZ * (A @ W)).sum(), np.zeros((A.shape[1], dZ.shape[1])))


def _error_cases():
    """Return (X, A1, W2, dZ2, dZ1) of real passes forward and back."""
    cases = []
    for sizes in SIZES:
        X, Y, params = network(*sizes)
        A1 = expit(X @ params["W1"] + params["b1"])
        dZ2 = (soft(A1 @ params["W2"] + params["b2"]) - Y) / len(X)
        cases.append((X, A1, params["W2"], dZ2, dZ2 @ params["W2"].T * A1 * (1 - A1)))
    return cases


def weight_mistakes(layer_input, error):
    """Return what goes wrong in `input.T @ error`, told with the names of the two."""
    return (
        Mistake("measured-not-derived", lambda A, dZ: _wiggle(A.T @ dZ), MEASURED),
        Mistake("divided-by-N", lambda A, dZ: A.T @ dZ / len(A),
                f"it is divided by N once more. The 1/N of the mean is in `{error}` already."),
        Mistake("times-N", lambda A, dZ: A.T @ dZ * len(A),
                "it is multiplied by N, which takes the mean back."),
        Mistake("transpose-missing", lambda A, dZ: A @ dZ,
                f"`{layer_input}` is not transposed: the sum runs over the samples, and those are "
                "its rows."),
        Mistake("transpose-missing", lambda A, dZ: np.dot(A, dZ),
                f"`{layer_input}` is not transposed: the sum runs over the samples, and those are "
                "its rows."),
        Mistake("factors-swapped", lambda A, dZ: dZ @ A.T,
                f"the factors stand the other way round: `{layer_input}`, transposed, comes "
                "first."),
        Mistake("shape-transposed", lambda A, dZ: dZ.T @ A,
                "this is the transpose: a gradient has the shape of its weights, inputs first."),
        Mistake("star-for-at", lambda A, dZ: A.T * dZ,
                "`*` multiplies entry by entry; the sum over the samples is a matrix product, "
                "`@`."),
        Mistake("one-sample-only", lambda A, dZ: np.outer(A[0], dZ[0]),
                "this is the share of the first sample alone."),
        Mistake("one-sample-only", lambda A, dZ: np.outer(A[-1], dZ[-1]),
                "this is the share of the last sample alone: add up, do not overwrite."),
        Mistake("sums-multiplied", lambda A, dZ: np.outer(A.sum(axis=0), dZ.sum(axis=0)),
                "inputs and errors have been added up apart from each other. Each sample's inputs "
                "meet its own errors, then comes the sum."),
        Mistake("sign-flipped", lambda A, dZ: -A.T @ dZ,
                "the sign is flipped; the minus of gradient descent comes with the update."),
    )


output_weight_gradient = Exercise(
    id="06-gradient-pieces",
    name="output_weight_gradient",
    truth=lambda A1, dZ2: _weight_truth(A1, dZ2),
    cases=lambda: [(A1, dZ2) for _, A1, _, dZ2, _ in _error_cases()],
    returns=("dW2",),
    data=DATA,
    integers=(),
    tolerance=1e-12,
    rounding=1e-11,
    more=(
        *weight_mistakes("A1", "dZ2"),
        Mistake("activated-again", lambda A1, dZ2: expit(A1).T @ dZ2,
                "`A1` goes through the sigmoid once more; it has been through already."),
        Mistake("derivative-for-activation", lambda A1, dZ2: (A1 * (1 - A1)).T @ dZ2,
                "the derivative of the activation has no part here: the weights of the output "
                "multiply `A1` itself."),
    ),
    sizes=_layer_sizes,
    hint="what went into the layer, transposed, times the error at its outputs.",
    unlocks="The output weights know their slope.",
)

hidden_weight_gradient = Exercise(
    id="06-gradient-pieces",
    name="hidden_weight_gradient",
    truth=lambda X, dZ1: _weight_truth(X, dZ1),
    cases=lambda: [(X, dZ1) for X, _, _, _, dZ1 in _error_cases()],
    returns=("dW1",),
    data=DATA,
    integers=("X",),
    tolerance=1e-12,
    rounding=1e-11,
    more=weight_mistakes("X", "dZ1"),
    sizes=_layer_sizes,
    hint="what went into the layer, transposed, times the error at its outputs.",
    unlocks="The hidden weights know their slope.",
)


def bias_mistakes(error, bias):
    """Return what goes wrong in a sum over the samples, told with the names of the two."""
    return (
        Mistake("averaged", lambda dZ: dZ.mean(axis=0),
                f"this is the mean over the samples. The 1/N is in `{error}` already: a second "
                "one makes the gradient N times too small. Add up."),
        Mistake("summed-over-everything", lambda dZ: float(dZ.sum()),
                f"everything has been added up to one number, and broadcasting would hide it. "
                f"`{bias}` has an entry for each unit: sum over the samples only, axis 0."),
        Mistake("wrong-axis", lambda dZ: dZ.sum(axis=1),
                "the sum runs over the units and leaves a number for each sample; sum over the "
                "samples, axis 0."),
        Mistake("not-summed", lambda dZ: dZ.copy(),
                "there is a row for each sample; the bias is shared by all of them, so their "
                "shares are added up."),
        Mistake("keepdims-left", lambda dZ: dZ.sum(axis=0, keepdims=True),
                f"the shape is (1, n), as in the source. Our `{bias}` has one axis, and so has "
                "its gradient: leave `keepdims` out."),
        Mistake("sign-flipped", lambda dZ: -dZ.sum(axis=0),
                "the sign is flipped; the minus of gradient descent comes with the update."),
        Mistake("one-sample-only", lambda dZ: dZ[0].copy(),
                "this is the share of the first sample alone."),
        Mistake("measured-not-derived", lambda dZ: _wiggle(dZ.sum(axis=0)), MEASURED),
    )


def _bias_truth(dZ):
    return np.array([float(sum(column)) for column in dZ.T])


output_bias_gradient = Exercise(
    id="06-gradient-pieces",
    name="output_bias_gradient",
    truth=lambda dZ2: _bias_truth(dZ2),
    cases=lambda: [(dZ2,) for _, _, _, dZ2, _ in _error_cases()],
    returns=("db2",),
    data=DATA,
    integers=(),
    tolerance=1e-12,
    rounding=1e-11,
    more=bias_mistakes("dZ2", "b2"),
    sizes=_layer_sizes,
    hint="the errors of all samples, added up unit by unit.",
    unlocks="The output biases know their slope.",
)

hidden_bias_gradient = Exercise(
    id="06-gradient-pieces",
    name="hidden_bias_gradient",
    truth=lambda dZ1: _bias_truth(dZ1),
    cases=lambda: [(dZ1,) for _, _, _, _, dZ1 in _error_cases()],
    returns=("db1",),
    data=DATA,
    integers=(),
    tolerance=1e-12,
    rounding=1e-11,
    more=bias_mistakes("dZ1", "b1"),
    sizes=_layer_sizes,
    hint="the errors of all samples, added up unit by unit.",
    unlocks="The hidden biases know their slope.",
)


def _hidden_layer_gradient(dZ2, W2, A1):
    return complex_step(lambda Z1: (dZ2 * (1 / (1 + np.exp(-Z1)) @ W2)).sum(),
                        np.log(A1) - np.log1p(-A1))


hidden_layer_gradient = Exercise(
    id="06-gradient-pieces",
    name="hidden_layer_gradient",
    truth=_hidden_layer_gradient,
    cases=lambda: [(dZ2, W2, A1) for _, A1, W2, dZ2, _ in _error_cases()],
    returns=("dZ1",),
    data=DATA,
    integers=(),
    tolerance=1e-12,
    rounding=1e-11,
    more=(
        Mistake("measured-not-derived", lambda dZ2, W2, A1: _wiggle(dZ2 @ W2.T * A1 * (1 - A1)),
                MEASURED),
        Mistake("activation-derivative-missing", lambda dZ2, W2, A1: dZ2 @ W2.T,
                "the derivative of the activation is missing: the error passes through the "
                "sigmoid on its way back."),
        Mistake("activation-for-derivative", lambda dZ2, W2, A1: dZ2 @ W2.T * A1,
                "it is multiplied by the activation itself; on the way back it is its "
                "derivative, and that takes both `A1` and 1 − `A1`."),
        Mistake("one-minus-only", lambda dZ2, W2, A1: dZ2 @ W2.T * (1 - A1),
                "it is multiplied by 1 − `A1` alone; the derivative of the sigmoid has `A1` as a "
                "factor too."),
        Mistake("derivative-of-activated",
                lambda dZ2, W2, A1: dZ2 @ W2.T * expit(A1) * (1 - expit(A1)),
                "`A1` goes through the sigmoid once more (as `sigmoid_prime` of lesson 02 does, "
                "which takes Z1). With `A1` at hand the derivative needs no sigmoid."),
        Mistake("tanh-derivative", lambda dZ2, W2, A1: dZ2 @ W2.T * (1 - A1 ** 2),
                "1 − a² is the derivative of tanh; the hidden layer of this lesson is a "
                "sigmoid."),
        Mistake("precedence", lambda dZ2, W2, A1: dZ2 @ W2.T * A1 * 1 - A1,
                "`A1 * 1 - A1` multiplies first: put `(1 - A1)` in parentheses."),
        Mistake("transpose-missing", lambda dZ2, W2, A1: dZ2 @ W2 * A1 * (1 - A1),
                "`dZ2` is (N, K), so it needs a matrix (K, H): the transpose of `W2`."),
        Mistake("reshape-for-transpose",
                lambda dZ2, W2, A1: dZ2 @ W2.reshape(W2.shape[::-1]) * A1 * (1 - A1),
                "`reshape` keeps the order of the entries and only breaks the lines elsewhere; "
                "the transpose, `.T`, turns rows into columns."),
        Mistake("factors-swapped", lambda dZ2, W2, A1: W2 @ dZ2.T * A1 * (1 - A1),
                "the factors stand the other way round, so that samples have become columns. "
                "Begin with `dZ2`: its rows are the samples."),
        Mistake("at-for-star", lambda dZ2, W2, A1: (dZ2 @ W2.T) @ (A1 * (1 - A1)),
                "the derivative of the activation is multiplied entry by entry, `*`."),
        Mistake("at-for-star", lambda dZ2, W2, A1: (dZ2 @ W2.T) @ (A1 * (1 - A1)).T,
                "the derivative of the activation is multiplied entry by entry, `*`."),
        Mistake("factors-swapped", lambda dZ2, W2, A1: W2 @ dZ2.T,
                "the factors stand the other way round, so that samples have become columns; and "
                "the derivative of the sigmoid is still missing. Begin with `dZ2`."),
        Mistake("weights-missing", lambda dZ2, W2, A1: dZ2 * A1 * (1 - A1),
                "the weights play no part here; each error travels back along its weight."),
        Mistake("star-for-at", lambda dZ2, W2, A1: dZ2 * W2.T * A1 * (1 - A1),
                "going back through the weights is a matrix product, `@`; `*` works entry by "
                "entry."),
        Mistake("divided-by-N", lambda dZ2, W2, A1: dZ2 @ W2.T * A1 * (1 - A1) / len(A1),
                "it is divided by N once more. The 1/N of the mean is in `dZ2` already, and comes "
                "along."),
        Mistake("sign-flipped", lambda dZ2, W2, A1: dZ2 @ W2.T * A1 * (A1 - 1),
                "the sign is flipped: the sigmoid rises, so its derivative is positive, "
                "a · (1 − a)."),
        Mistake("weights-missing", lambda dZ2, W2, A1: (
            dZ2.sum(axis=1, keepdims=True) * A1 * (1 - A1)),
                "the weights play no part here; each error travels back along its weight."),
    ),
    sizes=lambda dZ2, W2, A1: {"N": len(A1), "K": W2.shape[1]},
    hint="send `dZ2` back through `W2`, then through the sigmoid, entry by entry.",
    unlocks="The error has travelled back.",
)


def wrong_gradients(residual=lambda Y, Y_hat: (Y_hat - Y) / len(Y), back=lambda W2, d: W2.T,
                    through=lambda Z1, A1: A1 * (1 - A1), into_output=lambda Z1, A1: A1,
                    finish=lambda grads, N: grads):
    """Return a backward pass with one part exchanged."""
    def compute_gradients(X, Y, params):
        Z1 = X @ params["W1"] + params["b1"]
        A1 = expit(Z1)
        dZ2 = residual(Y, soft(A1 @ params["W2"] + params["b2"]))
        dW2 = into_output(Z1, A1).T @ dZ2
        dZ1 = dZ2 @ back(params["W2"], dW2) * through(Z1, A1)
        return finish({"W1": X.T @ dZ1, "b1": dZ1.sum(axis=0), "W2": dW2,
                       "b2": dZ2.sum(axis=0)}, len(X))
    return compute_gradients


def _scaled(**factors):
    """Return a `finish` that multiplies single gradients by a power of N."""
    return lambda grads, N: {k: g * float(N) ** factors.get(k, 0) for k, g in grads.items()}


def _bias_left_out(X, Y, params):
    bare = {**params, "b1": 0 * params["b1"], "b2": 0 * params["b2"]}
    return wrong_gradients()(X, Y, bare)


def _activation_for_input(X, Y, params):
    grads = wrong_gradients()(X, Y, params)
    A1 = expit(X @ params["W1"] + params["b1"])
    dZ2 = (soft(A1 @ params["W2"] + params["b2"]) - Y) / len(X)
    return {**grads, "W1": A1.T @ (dZ2 @ params["W2"].T * A1 * (1 - A1))}


def _output_error(X, Y, params):
    A1 = expit(X @ params["W1"] + params["b1"])
    return A1, (soft(A1 @ params["W2"] + params["b2"]) - Y) / len(X)


def _handed(X, Y, params, order):
    """Send the error back with other arguments, as `order` makes them of (dZ2, W1, W2, A1)."""
    A1, dZ2 = _output_error(X, Y, params)
    first, second, third = order(dZ2, params["W1"], params["W2"], A1)
    return first @ second.T * third * (1 - third)


def _from_output_error(*names):
    """Return a backward pass that computes hidden gradients with the error at the output."""
    def compute_gradients(X, Y, params):
        dZ2 = _output_error(X, Y, params)[1]
        wrong = {"W1": X.T @ dZ2, "b1": dZ2.sum(axis=0)}
        return {**wrong_gradients()(X, Y, params), **{k: wrong[k] for k in names}}
    return compute_gradients


compute_gradients = Exercise(
    id="06-gradient-pieces",
    name="compute_gradients",
    truth=gradients,
    cases=lambda: [network(*sizes) for sizes in SIZES],
    returns=("grads",),
    data=DATA,
    uses=(hidden_layer, output_layer, loss_gradient, output_weight_gradient, output_bias_gradient,
          hidden_layer_gradient, hidden_weight_gradient, hidden_bias_gradient),
    integers=("Y",),
    tolerance=1e-12,
    rounding=1e-11,
    more=(
        Mistake("measured-not-derived",
                wrong_gradients(finish=lambda grads, N: each(_wiggle, grads)), MEASURED),
        Mistake("sign-flipped", wrong_gradients(lambda Y, Y_hat: (Y - Y_hat) / len(Y)),
                "all four have the wrong sign: the way back begins with ŷ − y. Have the labels "
                "and the prediction changed places in a call?"),
        Mistake("not-averaged", wrong_gradients(lambda Y, Y_hat: Y_hat - Y),
                "all four are N times too large: this is the gradient of the summed loss, as in "
                "the source. Ours is the mean."),
        Mistake("averaged-twice", wrong_gradients(finish=_scaled(W1=-1, b1=-1, W2=-1, b2=-1)),
                "all four are N times too small: the 1/N enters once, at the very beginning of "
                "the way back."),
        Mistake("biases-averaged", wrong_gradients(finish=_scaled(b1=-1, b2=-1)),
                "the weights are right; the biases are N times too small. A mean stands where a "
                "sum is wanted."),
        Mistake("hidden-averaged-twice", wrong_gradients(finish=_scaled(W1=-1, b1=-1)),
                "the output's two are right; the hidden layer's two are divided by N once more."),
        Mistake("hidden-bias-averaged", wrong_gradients(finish=_scaled(b1=-1)),
                "only `b1` is wrong: it is a mean over the samples, and should be a sum."),
        Mistake("output-bias-averaged", wrong_gradients(finish=_scaled(b2=-1)),
                "only `b2` is wrong: it is a mean over the samples, and should be a sum."),
        Mistake("activation-derivative-missing",
                wrong_gradients(through=lambda Z1, A1: 1.0),
                "the output's two are right; in `W1` and `b1` the derivative of the sigmoid is "
                "missing."),
        Mistake("derivative-of-activated",
                wrong_gradients(through=lambda Z1, A1: expit(A1) * (1 - expit(A1))),
                "the output's two are right; for the hidden layer `A1` went through the sigmoid "
                "once more."),
        Mistake("pre-activation-for-activation",
                wrong_gradients(through=lambda Z1, A1: Z1 * (1 - Z1)),
                "the output's two are right; the derivative of the hidden layer was taken with "
                "Z1 where `A1` belongs."),
        Mistake("pre-activation-used", wrong_gradients(into_output=lambda Z1, A1: Z1),
                "only `W2` is wrong: it was computed from Z1. What went into the output layer is "
                "`A1`."),
        Mistake("gradient-for-weight", wrong_gradients(back=lambda W2, d: d.T),
                "the output's two are right; the error was sent back through the gradient of "
                "`W2`. It travels along the weights themselves."),
        Mistake("reshape-for-transpose",
                wrong_gradients(back=lambda W2, d: W2.reshape(W2.shape[::-1])),
                "the output's two are right; on the way back `W2` was brought to shape with "
                "`reshape`, which only breaks the lines elsewhere."),
        Mistake("layers-swapped", wrong_gradients(finish=lambda g, N: {
            "W1": g["W2"], "b1": g["b2"], "W2": g["W1"], "b2": g["b1"]}),
                "the two layers have changed places in the dict."),
        Mistake("activation-for-input", _activation_for_input,
                "`W1` was computed with `A1`. What went into the hidden layer is `X`."),
        *(Mistake("way-back-does-not-fit", lambda X, Y, params, order=order: _handed(
            X, Y, params, order),
                  "what meets on the way back does not fit. The error `dZ2` travels through the "
                  "weights of the output, `W2`: does `hidden_layer_gradient` get them, and all "
                  "in its order, `(dZ2, W2, A1)`?")
          for order in (lambda d, W1, W2, A: (d, W1, A), lambda d, W1, W2, A: (W2, d, A),
                        lambda d, W1, W2, A: (d, A, W2), lambda d, W1, W2, A: (W2, A, d))),
        Mistake("hidden-from-output-error", _from_output_error("W1", "b1"),
                "`W1` and `b1` were computed with the error at the output. The hidden layer has "
                "one of its own, `dZ1`."),
        Mistake("hidden-from-output-error", _from_output_error("b1"),
                "`b1` was computed with the error at the output. The hidden layer has one of its "
                "own, `dZ1`."),
        Mistake("hidden-from-output-error", _from_output_error("W1"),
                "`W1` was computed with the error at the output. The hidden layer has one of its "
                "own, `dZ1`."),
        Mistake("input-for-activation", lambda X, Y, params: {
            **wrong_gradients()(X, Y, params), "W2": X.T @ _output_error(X, Y, params)[1]},
                "`W2` was computed with `X`. What went into the output layer is `A1`."),
        Mistake("biases-added-up", wrong_gradients(finish=lambda g, N: {
            **g, "b1": float(g["b1"].sum()), "b2": float(g["b2"].sum())}),
                "the biases' gradients have been added up to one number each; there is one for "
                "each unit: sum over the samples only, axis 0."),
        Mistake("biases-ignored", _bias_left_out,
                "this is the gradient of a network whose biases are zero: hand `b1` and `b2` to "
                "the layers."),
        Mistake("source-order", wrong_gradients(finish=lambda g, N: [
            g["W1"], g["b1"], g["W2"], g["b2"]]),
                "the four arrays are right, in a list as in the source; return a dict with the "
                "keys of `params`."),
        Mistake("own-keys", wrong_gradients(finish=lambda g, N: {
            f"d{k}": v for k, v in g.items()}),
                "the four arrays are right, but the keys are not those of `params`: an update "
                "goes through both dicts by the same names."),
        Mistake("biases-missing", wrong_gradients(finish=lambda g, N: {
            "W1": g["W1"], "W2": g["W2"]}),
                "the biases are missing: `b1` and `b2` are parameters too."),
    ),
    sizes=lambda X, Y, params: {"N": len(X), "K": Y.shape[1]},
    hint="forward through both layers, then the six pieces in the order of the text.",
    unlocks="Seventeen slopes from one pass forward and one pass back.",
)


gradient_pieces = Group(
    "06-gradient-pieces",
    (loss_gradient, output_weight_gradient, output_bias_gradient, hidden_layer_gradient,
     hidden_weight_gradient, hidden_bias_gradient, compute_gradients),
    unlocks="Six pieces of the chain rule, and seventeen slopes from one pass forward and back.")


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
    return [*cases, _case_with_zeros(), _case_with_tiny_slopes()]


def _case_with_zeros():
    """Single entries whose slopes are zero: both, the given one alone, the measured one alone."""
    rng = np.random.default_rng(4)
    shapes = {"both": (2, 4), "given": (3,), "measured": (4,)}
    params = {k: rng.normal(size=s) for k, s in shapes.items()}
    C, d = ({k: rng.uniform(0.5, 1.5, size=s) for k, s in shapes.items()} for _ in range(2))
    C["both"][0, 1] = d["both"][0, 1] = C["measured"][2] = d["measured"][2] = 0
    loss = _cubes(C, d)
    grads = loss.slope(params, 0)
    grads["both"][1, 2] *= 1.04
    grads["given"][int(np.argmax(grads["given"]))] = 0
    grads["measured"][2] = 0.3
    return loss, params, grads, 1e-2


def _case_with_tiny_slopes():
    rng = np.random.default_rng(5)
    params = {"W1": rng.normal(size=(2, 3)), "b1": rng.normal(size=3)}
    loss = _cubes({k: 1e-9 * rng.uniform(0.5, 1.5, size=w.shape) for k, w in params.items()},
                  {k: 3e-5 * rng.uniform(0.5, 1.5, size=w.shape) for k, w in params.items()})
    grads = loss.slope(params, 0)
    grads["W1"][1, 1] *= 1.07
    grads["b1"][0] *= 0.97
    return loss, params, grads, 1e-2


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


def _last_shift_kept(loss, params, eps):
    own, measured = dict(params), {}
    for k in params:
        measured[k] = differences(loss, own, eps)[k]
        own[k] = own[k].copy()
        own[k].flat[-1] -= eps
    return measured


def _restored_between_parameters(loss, params, eps):
    measured = {}
    for k, w in params.items():
        moved, measured[k] = w.copy(), np.zeros(w.shape)
        for at in np.ndindex(w.shape):
            moved[at] += eps
            plus = loss({**params, k: moved})
            moved[at] -= 2 * eps
            measured[k][at] = (plus - loss({**params, k: moved})) / (2 * eps)
    return measured


def sized(size, instead=None):
    """Return |a − b| / size(a, b), with `instead` where the size is 0."""
    def error(a, b):
        sizes = size(a, b)
        return np.abs(a - b) / (sizes if instead is None else np.where(sizes == 0, instead, sizes))
    return error


def _replaced(where):
    """Return the errors with a size of 1 wherever `where` says."""
    return lambda a, b: np.abs(a - b) / np.where(where(a, b), 1, np.maximum(np.abs(a), np.abs(b)))


def _larger(a, b):
    return np.maximum(np.abs(a), np.abs(b))


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


def as_a_whole(length, size, guard=lambda size: size):
    """Return |a − b| / size(|a|, |b|) with one length for each whole array."""
    def error(a, b):
        return length(a - b) / guard(size(length(a), length(b)))
    return error


def _largest(a):
    return np.abs(a).max()


def _divided(a, b):
    return np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))


AGAINST_ZERO = (lambda size: size, lambda size: size or 1, lambda size: size + 1e-8,
                lambda size: size + 1e-12)
NORM_OF_PARAMETER = ("each parameter is measured by its length as a whole, in which an error in "
                     "one small entry drowns. Compare entry by entry and keep the worst.")
LARGEST_ENTRY = ("every difference is divided by one size, that of the parameter's largest "
                 "entries, so that an error in a small entry hides. Divide each by its own size.")
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
    more=(
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
        Mistake("not-restored", wrong_check(_restored_between_parameters),
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
        *(Mistake("norm-of-parameter", wrong_check(
            error=as_a_whole(np.linalg.norm, size, guard)), NORM_OF_PARAMETER)
          for size in (lambda a, b: a + b, max, lambda a, b: a, lambda a, b: b)
          for guard in AGAINST_ZERO),
        *(Mistake("largest-entry-for-size", wrong_check(
            error=as_a_whole(_largest, size, guard)), LARGEST_ENTRY)
          for size in (max, lambda a, b: a, lambda a, b: b, lambda a, b: a + b)
          for guard in AGAINST_ZERO),
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
        Mistake("divided-by-sum", wrong_check(error=lambda a, b: (
            np.abs(a - b) / (np.abs(a) + np.abs(b) + 1e-8))),
                "the difference is divided by the sum of both sizes; here it is divided by the "
                "larger of the two."),
        Mistake("sizes-signed", wrong_check(error=lambda a, b: np.abs(a - b) / np.maximum(a, b)),
                "the larger of the two is taken with their signs, so that two negative slopes have "
                "a negative error: take the larger of the *sizes*, `np.abs` of each."),
        *(Mistake("sizes-signed", wrong_check(error=sized(np.maximum, instead)),
                  "the larger of the two is taken with their signs, so that two negative slopes "
                  "have a negative error: take the larger of the *sizes*, `np.abs` of each.")
          for instead in (1, np.inf)),
        *(Mistake("smaller-for-larger", wrong_check(
            error=sized(lambda a, b: np.minimum(np.abs(a), np.abs(b)), instead)),
                  "the difference is divided by the smaller of the two sizes; divide by the "
                  "larger, so that the error of a wrong gradient is 1 or 2 at most.")
          for instead in (None, 1, np.inf)),
        *(Mistake("guarded-by-one-side", wrong_check(error=_replaced(where)),
                  "the size is replaced wherever one of the two slopes is zero. Where only one is, "
                  "the larger of the two is a sound size, and the error is 1.")
          for where in (lambda a, b: b == 0, lambda a, b: a == 0,
                        lambda a, b: (a == 0) | (b == 0))),
        *(Mistake("small-number-added", wrong_check(error=sized(size)),
                  "a small number is added to the size, or is its least value, to avoid 0/0. The "
                  "errors of slopes as small as that vanish in it. Only where the size is zero "
                  "does it need another value.")
          for tiny in (1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-12)
          for size in (lambda a, b, tiny=tiny: _larger(a, b) + tiny,
                       lambda a, b, tiny=tiny: np.maximum(_larger(a, b), tiny))
          if tiny > 1e-9 or size(0.0, 1e-9) > 1.0001e-9),
        Mistake("loss-not-wrapped", lambda loss, params, grads, eps=1e-5: [
            loss(w) for w in params.values()],
                "`loss` wants a dict, and `numerical_gradient` hands it one array. Wrap it: hand "
                "over a function of one array that puts it into a copy of the dict."),
        Mistake("value-for-function", lambda loss, params, grads, eps=1e-5: loss(params)(0),
                "a number was handed over where a function is wanted. Hand over the function "
                "itself, without calling it."),
        Mistake("maximum-for-max", lambda loss, params, grads, eps=1e-5: {
            k: np.max(np.abs(g), np.abs(params[k])) for k, g in grads.items()},
                "the second argument of `np.max` is an axis: it is the largest entry of *one* "
                "array. The larger of two, entry by entry, is `np.maximum`."),
        Mistake("lone-parameter", lambda loss, params, grads, eps=1e-5: [
            loss({k: w}) for k, w in params.items()],
                "the loss got a dict with one parameter in it, and needs all: `{**params, ...}` "
                "keeps the others."),
        Mistake("loss-ignores-the-array", wrong_check(
            lambda loss, params, eps: {k: np.zeros(w.shape) for k, w in params.items()}),
                "every slope is measured as zero: the function that is differentiated does not "
                "use its argument. Put the array into a copy of the dict, `{**params, name: W}`."),
        Mistake("dict-not-restored", wrong_check(_last_shift_kept),
                "each parameter stays shifted in its last entry when the next one is measured: "
                "`params[name] = W` inside changes the dict. `{**params, name: W}` is a copy."),
        Mistake("return-inside-loop", lambda loss, params, grads, eps=1e-5: (
            next(iter(wrong_check()(loss, params, grads, eps).values()))),
                "the first parameter's error comes back alone. Is the `return` indented too far, "
                "inside the loop? And return a dict."),
        Mistake("two-axes-only", lambda loss, params, grads, eps=1e-5: [
            w.shape[1] for w in params.values()],
                "two loops fit a matrix only, and a bias has one axis. Your `numerical_gradient` "
                "of lesson 01 fits all."),
        *(Mistake("divided-by-one-side", wrong_check(error=error),
                  f"the difference is divided by the size of {whose}; divide by the larger of "
                  "the two, so that the error of a wrong gradient is 1 or 2 at most.")
          for whose, side in (("the measured slope", lambda a, b: np.abs(b)),
                              ("the gradient handed in", lambda a, b: np.abs(a)))
          for error in (sized(side), sized(side, 1), sized(side, np.inf),
                        *(sized(lambda a, b, side=side, tiny=tiny: side(a, b) + tiny)
                          for tiny in (1e-8, 1e-12)))),
        Mistake("zero-over-zero", wrong_check(error=_divided),
                "where both slopes are zero, 0/0 gives nan. Two zeros agree: their error is 0."),
        Mistake("zero-over-zero", wrong_check(
            error=lambda a, b: _divided(a, b) if _larger(a, b).any() else np.zeros(a.shape)),
                "a parameter without any slope is caught; a single entry is not: there 0/0 gives "
                "nan. Two zeros agree: their error is 0."),
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
        *(Mistake("rounded", wrong_check(hand_back=lambda out, digits=digits: {
            k: round(e, digits) for k, e in out.items()}),
                  "right, but rounded. A small error is what a right gradient has: keep all its "
                  "digits.") for digits in (2, 3, 4, 5, 6)),
        Mistake("flags-returned", lambda loss, params, grads, eps=1e-5: {
            k: bool(v < 1e-6) for k, v in wrong_check()(loss, params, grads, eps).items()},
                "these are verdicts, `True` or `False`. Return the errors themselves: their size "
                "says what kind of mistake it is."),
    ),
    sizes=lambda loss, params, grads, eps=1e-5: {},
    hint="for each name, `numerical_gradient` of the loss as a function of that array alone; then "
         "the differences, each divided by the larger of the two sizes; then the largest.",
    unlocks="An error in a single entry shows now.",
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
    more=(
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
        Mistake("mu-times-both", wrong_momentum(lambda V, dW, rate, mu: mu * (V - rate * dW)),
                "`mu` multiplies the whole; it belongs to the old velocity alone."),
        Mistake("mu-on-the-gradient", wrong_momentum(lambda V, dW, rate, mu: V - mu * rate * dW),
                "`mu` multiplies the gradient; it belongs to the old velocity."),
        Mistake("one-minus-mu", wrong_momentum(lambda V, dW, rate, mu: (1 - mu) * V - rate * dW),
                "the old velocity is multiplied by 1 − mu; keep `mu` times as much of it."),
        Mistake("dict-arithmetic", lambda velocity, grads, learning_rate, mu: (
            mu * velocity - learning_rate * grads),
                "`velocity` is a dict of arrays, and a dict cannot be multiplied. Go through its "
                "names: `velocity[name]`."),
        Mistake("last-parameter-only", lambda velocity, grads, learning_rate, mu: {
            k: mu * velocity[k] - learning_rate * grads[k] for k in list(grads)[-1:]},
                "only one parameter is left in the dict: it is made anew in each round of the "
                "loop. Make it once, before the loop."),
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
    more=(
        Mistake("sign-doubled", lambda params, velocity: each(np.subtract, params, velocity),
                "the velocity is subtracted. It points downhill already, the minus is in it: add "
                "it."),
        Mistake("velocity-returned", lambda params, velocity: each(np.positive, velocity),
                "the parameters are replaced by the velocity; add it to what they were."),
        Mistake("never-updated", lambda params, velocity: each(np.positive, params),
                "the parameters come back as they were; add the velocity."),
        Mistake("dict-arithmetic", lambda params, velocity: params + velocity,
                "these are dicts of arrays, and dicts cannot be added. Go through their names."),
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


def wrong_batches(draw=lambda N, rng: rng.permutation(N), stop=lambda N, batch_size: N,
                  cut=lambda order, i, size: order[i:i + size], begin=lambda batch_size: 0):
    """Return mini-batches with one part exchanged."""
    def minibatches(N, batch_size, rng):
        order = draw(N, rng)
        starts = range(begin(batch_size), stop(N, batch_size), batch_size)
        return [cut(order, i, batch_size) for i in starts]
    return minibatches


def _draws(N, batch_size, rng):
    return [rng.choice(N, batch_size, replace=False) for _ in range(-(-N // batch_size))]


def _cut_to_size(draw):
    return lambda N, batch_size, rng: [
        draw(N, rng)[:min(batch_size, N - i)] for i in range(0, N, batch_size)]


EQUAL_PARTS = ("`np.array_split` makes parts of nearly equal length. Here every batch but the last "
               "has `batch_size` samples.")
OWN_ORDER = ("the order comes from a generator made inside: it is the same in every epoch. Use the "
             "`rng` that is handed over.")

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
    more=(
        Mistake("last-batch-dropped",
                wrong_batches(stop=lambda N, batch_size: N - N % batch_size),
                "the samples that do not fill a batch are left out. The last batch is shorter, "
                "and its samples count."),
        Mistake("last-batch-dropped",
                wrong_batches(stop=lambda N, batch_size: N - batch_size + 1),
                "the samples that do not fill a batch are left out. The last batch is shorter, "
                "and its samples count."),
        Mistake("last-batch-dropped",
                wrong_batches(stop=lambda N, batch_size: N - batch_size),
                "the last batch is left out, even a full one: `range` leaves out its end by "
                "itself."),
        Mistake("first-sample-left-out", wrong_batches(begin=lambda batch_size: 1),
                "the first sample of the order is left out: positions count from 0."),
        Mistake("first-batch-left-out", wrong_batches(begin=lambda batch_size: batch_size),
                "the first batch is left out: positions in the order count from 0."),
        Mistake("end-and-step-swapped", lambda N, batch_size, rng: [
            order[i:i + batch_size] for order in [rng.permutation(N)]
            for i in range(0, batch_size, N)],
                "in `range` the end and the step have changed places: the end comes second, the "
                "step third."),
        Mistake("shuffle-for-permutation", wrong_batches(
            draw=lambda N, rng: rng.shuffle(np.arange(N))),
                "the order is `None`: `rng.shuffle` changes what it gets, and returns nothing. "
                "`rng.permutation` returns an order."),
        Mistake("shuffle-for-permutation", wrong_batches(draw=lambda N, rng: rng.shuffle(N)),
                "the number `N` came where an array is wanted. `rng.shuffle` changes an array, "
                "and returns nothing; `rng.permutation` takes a number too, and returns an "
                "order."),
        Mistake("shuffle-for-permutation", wrong_batches(
            draw=lambda N, rng: rng.shuffle(range(N))),
                "a `range` cannot be changed. `rng.shuffle` changes what it gets, and returns "
                "nothing; `rng.permutation` returns an order."),
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
        Mistake("drawn-for-each-batch", lambda N, batch_size, rng: [
            rng.permutation(N)[i:i + batch_size] for i in range(0, N, batch_size)],
                "each batch comes from a permutation of its own, so that some samples come twice "
                "and others not at all. Draw one, before the loop."),
        Mistake("end-not-moved", wrong_batches(cut=lambda order, i, size: order[i:size]),
                "a slice runs from its start to its end, and here the end stays at `batch_size`: "
                "only the first batch holds samples. The end moves along with the start."),
        Mistake("one-sample-more", wrong_batches(
            cut=lambda order, i, size: order[i:i + size + 1]),
                "each batch holds one sample too many, the first of the next one: the end of a "
                "slice is left out, so that it needs no 1 more or less."),
        Mistake("one-batch-short", wrong_batches(stop=lambda N, batch_size: N - 1),
                "where a single sample remains for the last batch, it is lost: `range` leaves out "
                "its end already."),
        Mistake("with-replacement", lambda N, batch_size, rng: [
            rng.choice(N, batch_size) for _ in range(0, N, batch_size)],
                "each sample is drawn independently, so that some come twice and others not at "
                "all. A permutation has each once."),
        Mistake("with-replacement", lambda N, batch_size, rng: [
            rng.integers(N, size=batch_size) for _ in range(0, N, batch_size)],
                "each sample is drawn independently, so that some come twice and others not at "
                "all. A permutation has each once."),
        Mistake("starts-one-apart", lambda N, batch_size, rng: [
            order[i:i + batch_size] for order in [rng.permutation(N)]
            for i in range(N // batch_size)],
                "batch i begins at sample i, so that the batches overlap. It begins at "
                "i · batch_size."),
        Mistake("empty-batch", lambda N, batch_size, rng: [
            order[i * batch_size:(i + 1) * batch_size] for order in [rng.permutation(N)]
            for i in range(N // batch_size + 1)],
                "where `batch_size` divides N, there is an empty batch at the end."),
        Mistake("reshaped", lambda N, batch_size, rng: (
            rng.permutation(N).reshape(-1, batch_size)),
                "`reshape` needs rows of equal length; the last batch may be shorter. Cut with "
                "slices."),
        Mistake("array-of-batches", lambda N, batch_size, rng: np.array(
            _minibatches(N, batch_size, rng)),
                "batches of different lengths make no array; keep them in a list."),
        Mistake("equal-parts", lambda N, batch_size, rng: np.array_split(
            rng.permutation(N), -(-N // batch_size)),
                EQUAL_PARTS),
        Mistake("equal-parts", lambda N, batch_size, rng: np.array_split(
            rng.permutation(N), N // batch_size), EQUAL_PARTS),
        Mistake("equal-parts", lambda N, batch_size, rng: np.array_split(
            rng.permutation(N), max(1, N // batch_size)), EQUAL_PARTS),
        Mistake("size-for-number", lambda N, batch_size, rng: np.array_split(
            rng.permutation(N), batch_size),
                "there are `batch_size` batches; there should be `batch_size` samples in a "
                "batch."),
        Mistake("dealt-like-cards", lambda N, batch_size, rng: [
            order[i::-(-N // batch_size)] for order in [rng.permutation(N)]
            for i in range(-(-N // batch_size))],
                "the permutation is dealt out like cards, one sample to each batch in turn. Cut "
                "it into pieces that follow each other."),
        *(Mistake("another-generator", wrong_batches(
            draw=lambda N, rng, seed=seed: np.random.default_rng(seed).permutation(N)), OWN_ORDER)
          for seed in (0, 1, 42)),
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
    hint="one `permutation(N)` of the `rng` that is handed over (`np.random` is another), then "
         "slices of it that begin at 0, batch_size, 2·batch_size.",
    unlocks="Each sample is seen once in an epoch, and in new company in the next.",
)


def _joined(batches, batch_size):
    if len(batches) > 1 and len(batches[-1]) < batch_size:
        batches = [*batches[:-2], np.concatenate(batches[-2:])]
    return batches


# 06-train

def _train_network(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    velocity = {k: np.zeros(w.shape) for k, w in params.items()}
    losses = [float(cross_entropy_of(X, Y, params))]
    for _ in range(epochs):
        for batch in _minibatches(len(X), batch_size, rng):
            slopes = gradients(X[batch], Y[batch], params)
            for k in params:
                velocity = {**velocity, k: mu * velocity[k] - learning_rate * slopes[k]}
            params = each(np.add, params, velocity)
        losses.append(float(cross_entropy_of(X, Y, params)))
    return params, {"loss": losses}


def _zeros(params):
    return each(np.zeros_like, params)


def _plain_velocity(velocity, grads, rate, mu):
    return {k: mu * velocity[k] - rate * grads[k] for k in grads}


def _mean_loss(X, Y, params, batch_losses):
    return float(cross_entropy_of(X, Y, params))


def _of_batch(X, Y, batch, params, first):
    return wrong_gradients()(X[batch], Y[batch], params)


def wrong_training(
        start=_zeros, batches=_minibatches, gradient=_of_batch, velocity_of=_plain_velocity,
        move=lambda params, old, new: each(np.add, params, new), at_epoch=lambda v, params: v,
        at_batch=lambda v: v, loss=_mean_loss, log=lambda losses: losses,
        rounds=lambda epochs: epochs, seen_after=False,
        hand_back=lambda params, first, v, history: (params, history)):
    """Return a training loop with one part exchanged."""
    def train_network(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
        first, velocity = params, start(params)
        losses, seen = [loss(X, Y, params, [])], []
        for _ in range(rounds(epochs)):
            velocity, seen = at_epoch(velocity, params), []
            for batch in batches(len(X), batch_size, rng):
                before = params
                grads = gradient(X, Y, batch, params, first)
                new = velocity_of(at_batch(velocity), grads, learning_rate, mu)
                params, velocity = move(params, velocity, new), new
                seen.append(float(cross_entropy_of(
                    X[batch], Y[batch], params if seen_after else before)))
            losses.append(loss(X, Y, params, seen))
        return hand_back(params, first, velocity, {"loss": log(losses)})
    return train_network


def _one_order(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    """Draw the batches once, before the loop over the epochs."""
    kept = _minibatches(len(X), batch_size, rng)
    return wrong_training(batches=lambda *ignored: kept)(
        X, Y, params, learning_rate, mu, batch_size, epochs, rng)


def _unshuffled(N, batch_size, rng):
    return [np.arange(N)[i:i + batch_size] for i in range(0, N, batch_size)]


def _full_batches(N, batch_size, rng):
    return [b for b in _minibatches(N, batch_size, rng) if len(b) == batch_size]


def _first_batches(N, batch_size, rng):
    return _minibatches(N, batch_size, rng)[:1]


def _labels_in_order(X, Y, batch, params, first):
    return wrong_gradients()(X[batch], Y[:len(batch)], params)


def _own_order(*args, seed):
    """Draw the order of every epoch with a generator made inside the loop."""
    return wrong_training(batches=lambda N, batch_size, rng: _minibatches(
        N, batch_size, np.random.default_rng(seed)))(*args)


def _over_all_N(X, Y, batch, params, first):
    return {k: g * len(batch) / len(X) for k, g in wrong_gradients()(
        X[batch], Y[batch], params).items()}


def _over_batch_size(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    """Divide the gradient of the shorter last batch by the full batch size."""
    return wrong_training(gradient=lambda X, Y, batch, params, first: {
        k: g * len(batch) / batch_size for k, g in wrong_gradients()(
            X[batch], Y[batch], params).items()})(
                X, Y, params, learning_rate, mu, batch_size, epochs, rng)


def _summed(X, Y, batch, params, first):
    return {k: g * len(batch) for k, g in wrong_gradients()(X[batch], Y[batch], params).items()}


def _batch_loss(X, Y, params, seen):
    return seen[-1] if seen else float(cross_entropy_of(X, Y, params))


def _batches_mean(X, Y, params, seen):
    return float(np.mean(seen)) if seen else float(cross_entropy_of(X, Y, params))


def _train_cases():
    cases = []
    for seed, sizes, rate, mu, batch_size, epochs in (
            (1, (13, 3, 5, 4), 0.7, 0.8, 5, 3), (2, (17, 4, 6, 3), 1.3, 0.5, 7, 4)):
        X, Y, params = network(seed, *sizes)
        cases.append((X, Y, params, rate, mu, batch_size, epochs, np.random.default_rng(seed)))
    return cases


EITHER_ORDER = (lambda Y, Y_hat: Y_hat - Y, lambda Y, Y_hat: Y - Y_hat)
UPHILL = ("the weights move uphill. There is one minus in all, and it stands in `update_momentum`: "
          "either the velocity is subtracted here, or the learning rate is handed over with a "
          "minus of its own.")

train = Exercise(
    id="06-train",
    name="train_network",
    truth=_train_network,
    cases=_train_cases,
    returns=("params", "history"),
    data=DATA | {"learning_rate", "mu", "batch_size", "epochs"},
    uses=(hidden_layer, output_layer, cross_entropy, compute_gradients, update_momentum,
          update_params, minibatches),
    integers=(),
    more=(
        Mistake("uphill", wrong_training(move=lambda params, old, new: each(
            np.subtract, params, new)),
                UPHILL),
        Mistake("uphill", wrong_training(velocity_of=lambda v, g, rate, mu: _plain_velocity(
            v, g, -rate, mu)),
                UPHILL),
        Mistake("never-updated", wrong_training(move=lambda params, old, new: params),
                "the parameters never change: is what `update_momentum` or `update_params` returns "
                "thrown away? Both return new dicts: give them the names that the next step uses."),
        Mistake("gradient-for-velocity", wrong_training(velocity_of=lambda v, g, rate, mu: g),
                "the gradients themselves are added to the parameters: uphill, and without a rate. "
                "`update_params` takes the velocity."),
        Mistake("rate-divided", wrong_training(gradient=lambda X, Y, batch, params, first: each(
            lambda g: g / len(X), wrong_gradients()(X[batch], Y[batch], params))),
                "the steps are divided by the number of samples. The gradient is a mean already."),
        Mistake("rate-divided", wrong_training(gradient=lambda X, Y, batch, params, first: each(
            lambda g: g / len(batch), wrong_gradients()(X[batch], Y[batch], params))),
                "the steps are divided by the size of the batch. The gradient is a mean already."),
        *(Mistake("numbers-written-in", wrong_training(
            velocity_of=lambda v, g, rate, mu, own=own: _plain_velocity(v, g, *own(rate, mu))),
                  "the notebook's rate of 5 or its momentum of 0.5 is used. Both come from the "
                  "arguments, `learning_rate` and `mu`.")
          for own in (lambda rate, mu: (5.0, 0.5), lambda rate, mu: (5.0, mu),
                      lambda rate, mu: (rate, 0.5))),
        Mistake("momentum-missing", wrong_training(
            velocity_of=lambda v, g, rate, mu: _plain_velocity(v, g, rate, 0.0)),
                "the velocity forgets everything at each step: this is plain gradient descent. "
                "Hand the last velocity on."),
        Mistake("velocity-reset-every-epoch", wrong_training(
            at_epoch=lambda v, params: _zeros(params)),
                "the velocity starts from zero in every epoch. It is made once, before the first "
                "epoch."),
        Mistake("one-velocity-for-all", wrong_training(start=lambda params: dict.fromkeys(
            params, np.zeros_like(params["W1"]))),
                "all parameters share one velocity, of the shape of `W1`. Each needs its own, of "
                "its own shape."),
        Mistake("old-velocity-used", wrong_training(
            move=lambda params, old, new: each(np.add, params, old)),
                "the parameters move with the velocity of the step before: update the velocity "
                "first, then the parameters."),
        Mistake("moved-before-velocity", lambda *args: _in_another_way("moved first", *args),
                "in each step the parameters move first, with the velocity of the step before: "
                "compute the new velocity first."),
        Mistake("moved-once-an-epoch", lambda *args: _in_another_way("once an epoch", *args),
                "the parameters move only at the end of an epoch. Every batch makes a step: the "
                "line belongs into the inner loop."),
        Mistake("steps-lost", lambda *args: _in_another_way("lost", *args),
                "each step starts from the first parameters again. Give the new ones the name that "
                "the next step uses: `params = ...`."),
        Mistake("loss-after-every-step", lambda *args: _in_another_way("every loss", *args),
                "the loss is noted after every batch; note it after each epoch, outside the inner "
                "loop."),
        Mistake("velocity-starts-as-parameters", wrong_training(start=lambda params: params),
                "the velocity begins as the parameters; it begins as zeros of their shapes."),
        *(Mistake("another-generator", lambda *args, seed=seed: _train_network(
            *args[:-1], np.random.default_rng(seed)),
                  "a generator made inside draws the orders; use the `rng` that is handed over.")
          for seed in (0, 1, 42)),
        *(Mistake("another-generator", lambda *args, seed=seed: _own_order(*args, seed=seed),
                  OWN_ORDER) for seed in (0, 1, 42)),
        Mistake("batch-size-and-N-swapped", wrong_training(
            batches=lambda N, batch_size, rng: _minibatches(batch_size, N, rng)),
                "`minibatches` got the batch size and the number of samples in the wrong order: it "
                "is `minibatches(N, batch_size, rng)`."),
        Mistake("mu-ignored", wrong_training(
            velocity_of=lambda v, g, rate, mu: _plain_velocity(v, g, rate, 0.9)),
                "the momentum is always 0.9, whatever `mu` says: use the argument."),
        Mistake("rate-and-mu-swapped", wrong_training(
            velocity_of=lambda v, g, rate, mu: _plain_velocity(v, g, mu, rate)),
                "`learning_rate` and `mu` have changed places in a call."),
        Mistake("order-drawn-once", _one_order,
                "the batches are drawn once and serve in every epoch. Draw them anew, inside the "
                "loop over the epochs."),
        Mistake("not-shuffled", wrong_training(batches=_unshuffled),
                "the samples come in their own order: use `minibatches`."),
        Mistake("last-batch-dropped", wrong_training(batches=_full_batches),
                "the last, shorter batch of an epoch is left out; its samples count too."),
        Mistake("first-batch-only", wrong_training(batches=_first_batches),
                "only one step is made in an epoch, with its first batch: go through all of "
                "them."),
        Mistake("gradient-of-everything", wrong_training(
            gradient=lambda X, Y, batch, params, first: wrong_gradients()(X, Y, params)),
                "each step uses the gradient of all samples: `X[batch]` and `Y[batch]` are the "
                "rows of the batch."),
        *(Mistake("rows-of-one-only", wrong_training(
            gradient=lambda X, Y, batch, params, first, error=error, rows=rows: wrong_gradients(
                error)(*rows(X, Y, batch), params)),
                  "one of `X` and `Y` came with the rows of the batch alone, the other with all. "
                  "`X[batch]` meets `Y[batch]`.")
          for error in EITHER_ORDER
          for rows in (lambda X, Y, batch: (X[batch], Y), lambda X, Y, batch: (X, Y[batch]))),
        *(Mistake("classes-for-rows", wrong_training(
            gradient=lambda X, Y, batch, params, first, error=error: wrong_gradients(error)(
                X[batch], Y[batch].argmax(axis=1), params)),
                  "the labels of a batch came as class numbers, (N,). `compute_gradients` takes "
                  "one-hot rows, (N, K), as they stand in `Y`; only `cross_entropy` wants "
                  "classes.")
          for error in EITHER_ORDER),
        Mistake("samples-and-labels-swapped", wrong_training(
            gradient=lambda X, Y, batch, params, first: wrong_gradients()(
                Y[batch], X[batch], params)),
                "the labels went through the network: have samples and labels changed places in a "
                "call?"),
        Mistake("velocity-and-gradient-swapped", wrong_training(
            velocity_of=lambda v, g, rate, mu: _plain_velocity(g, v, rate, mu)),
                "velocity and gradient have changed places in the call of `update_momentum`: the "
                "velocity comes first."),
        Mistake("divided-by-all-samples", wrong_training(gradient=_over_all_N),
                "the gradient of a batch is divided by the number of all samples. It is the mean "
                "over the batch."),
        Mistake("divided-by-batch-size", _over_batch_size,
                "right but for the last, shorter batch: its gradient is the mean over as many "
                "samples as it has."),
        Mistake("gradient-summed", wrong_training(gradient=_summed),
                "the gradient of a batch is added up, not averaged: every step is as many times "
                "too long as the batch has samples."),
        Mistake("labels-in-order", wrong_training(gradient=_labels_in_order),
                "the samples are shuffled and the labels are not: take the same rows of both, "
                "`X[batch]` and `Y[batch]`."),
        Mistake("gradient-of-first-parameters", wrong_training(
            gradient=lambda X, Y, batch, params, first: wrong_gradients()(
                X[batch], Y[batch], first)),
                "every step uses the gradient at the first parameters: compute it anew, at the "
                "current ones."),
        Mistake("gradient-once-an-epoch", lambda *args: _gradients_ahead(*args),
                "the gradients of all batches of an epoch are taken at its first parameters. "
                "Compute each when its turn comes."),
        Mistake("gradient-once-an-epoch", lambda *args: _in_another_way("one gradient", *args),
                "one gradient of all samples serves every batch of an epoch. Compute it for each "
                "batch, on its own rows."),
        Mistake("classes-of-columns", lambda X, Y, *others: Y[np.arange(Y.shape[1]),
                                                              Y.argmax(axis=0)],
                "`argmax(axis=0)` finds a sample for each class. The class of each sample is "
                "`Y.argmax(axis=1)`."),
        Mistake("first-entry-missing", wrong_training(log=lambda losses: losses[1:]),
                "the history has one entry too few: note the loss once before the first step as "
                "well."),
        Mistake("last-entry-missing", wrong_training(log=lambda losses: losses[:-1]),
                "the history has one entry too few: the losses are noted before the epochs, and "
                "the one after the last is missing."),
        Mistake("loss-of-last-batch", wrong_training(loss=_batch_loss),
                "the parameters are right; the history holds the loss of the last batch. Note "
                "the loss on all of `X` and `Y`."),
        Mistake("loss-of-last-batch", wrong_training(loss=_batch_loss, seen_after=True),
                "the parameters are right; the history holds the loss of the last batch. Note "
                "the loss on all of `X` and `Y`."),
        Mistake("loss-of-batches-averaged", wrong_training(loss=_batches_mean, seen_after=True),
                "the parameters are right; the history holds the mean of the batches' losses. "
                "Note the loss on all of `X` and `Y`, after the epoch."),
        Mistake("loss-of-batches-averaged", wrong_training(loss=_batches_mean),
                "the parameters are right; the history holds the mean of the batches' losses, "
                "each from before its step. Note the loss on all of `X` and `Y`, after the "
                "epoch."),
        Mistake("loss-summed", wrong_training(
            loss=lambda X, Y, params, seen: float(cross_entropy_of(X, Y, params)) * len(X)),
                "the parameters are right; the losses are sums, N times the mean."),
        Mistake("epoch-missing", wrong_training(rounds=lambda epochs: epochs - 1),
                "one epoch too few has been run; `range(epochs)` runs `epochs` times."),
        Mistake("epoch-too-many", wrong_training(rounds=lambda epochs: epochs + 1),
                "one epoch too many has been run; `range(epochs)` runs `epochs` times."),
        Mistake("one-epoch-only", wrong_training(rounds=lambda epochs: 1),
                "the loop ends after one epoch. Is the `return` indented too far, inside the "
                "loop?"),
        Mistake("first-parameters-returned", wrong_training(
            hand_back=lambda params, first, v, history: (first, history)),
                "the history is right, but the parameters that come back are those that came "
                "in."),
        Mistake("velocity-returned", wrong_training(
            hand_back=lambda params, first, v, history: (v, history)),
                "the velocity comes back in place of the parameters."),
        Mistake("history-a-list", wrong_training(
            hand_back=lambda params, first, v, history: (params, history["loss"])),
                "the history is a list; make it a dict with the key `loss`."),
        Mistake("parameters-only", wrong_training(
            hand_back=lambda params, first, v, history: params),
                "the parameters are right; return the history with them."),
        Mistake("order-of-results", wrong_training(
            hand_back=lambda params, first, v, history: (history, params)),
                "parameters and history have changed places in the `return` line."),
    ),
    sizes=lambda X, *others: {"N": len(X)},
    hint="velocity of zeros once; in each epoch fresh `minibatches`; for each batch gradients, "
         "velocity, parameters; after each epoch the loss on everything.",
    unlocks="This loop, with other layers inside, trains every network of this course.",
)


def _in_another_way(way, X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    """Train with the lines of the loop in another place."""
    first, velocity = params, _zeros(params)
    losses = [float(cross_entropy_of(X, Y, params))]
    for _ in range(epochs):
        of_all = wrong_gradients()(X, Y, params)
        for batch in _minibatches(len(X), batch_size, rng):
            if way == "moved first":
                params = each(np.add, params, velocity)
            at = first if way == "lost" else params
            grads = of_all if way == "one gradient" else wrong_gradients()(X[batch], Y[batch], at)
            velocity = _plain_velocity(velocity, grads, learning_rate, mu)
            if way in ("lost", "every loss", "one gradient"):
                params = each(np.add, at, velocity)
            if way == "every loss":
                losses.append(float(cross_entropy_of(X, Y, params)))
        if way == "once an epoch":
            params = each(np.add, params, velocity)
        if way != "every loss":
            losses.append(float(cross_entropy_of(X, Y, params)))
    return params, {"loss": losses}


def _gradients_ahead(X, Y, params, learning_rate, mu, batch_size, epochs, rng):
    velocity, losses = _zeros(params), [float(cross_entropy_of(X, Y, params))]
    for _ in range(epochs):
        batches = _minibatches(len(X), batch_size, rng)
        for grads in [wrong_gradients()(X[b], Y[b], params) for b in batches]:
            velocity = _plain_velocity(velocity, grads, learning_rate, mu)
            params = each(np.add, params, velocity)
        losses.append(float(cross_entropy_of(X, Y, params)))
    return params, {"loss": losses}
