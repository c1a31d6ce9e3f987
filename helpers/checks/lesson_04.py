"""Lesson 04: from scalars to matrices, tanh, a stable loss, an update that makes a new dict."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit

from helpers.checks.exercise import Exercise, Mistake
from helpers.checks.lesson_01 import DATA, ones_first, sigmoid
from helpers.checks.lesson_03 import accuracy
from helpers.checks.truth import rings_gradients, rings_network

PARAMS = DATA | {"params", "grads", "cache", "params_start", "params_end", "history", "legacy",
                 "learning_rate", "steps", "Z2", "b1", "b2"}
DATA_ON_THE_LEFT = "samples are rows: the data stands on the left of the product."
BACK_THROUGH_W2 = ("`dZ2` is (N, 1), so it needs a matrix (1, H) to its right. Going back from the "
                   "output takes `W2`, not `W1`, and as `W2` is (H, 1), its transpose.")
W1_FOR_W2 = "here stands `W1`; going back from the output goes through `W2`."
STAR_FOR_AT = ("`*` multiplies entry by entry; in the gradient of a weight matrix the samples are "
               "summed over, which takes a matrix product.")
ROWS_DO_NOT_FIT = ("an array of N rows stands on either side of `@`, which does not fit. The "
                   "derivative of tanh is multiplied entry by entry, `*`; for the gradient of "
                   "`W2`, `A1` is transposed.")
BUILT_FROM_DZ2 = ('`grads["W1"]` is built from `dZ2`, the error of the output layer; the hidden '
                  "layer has an error of its own, `dZ1`.")
BUILT_FROM_DZ1 = ('`grads["W2"]` is built from `dZ1`, the error of the hidden layer; the output '
                  "layer has an error of its own, `dZ2`.")
FORWARD_ONCE = ("the parameters are right; the history repeats its first entry: `forward` has to "
                "run anew in each step, inside the loop.")
ARITHMETIC_WITH_DICTS = ("a dict cannot be multiplied or subtracted; the arrays in it can. Go "
                         "through the keys.")
LABELS_FIRST = "the accuracy takes the probabilities for labels: in its call the labels come first."
UNDECIDED = ("the accuracy compares probabilities with labels; a probability above 0.5 counts as a "
             "1. Use your `accuracy`, the labels first in its call.")
MEASURED = ("right to some digits only, as a measured derivative is. Here it is to be computed by "
            "the chain rule, which needs no eps and is exact.")


def params_case(seed, *shapes):
    """Return a dict W1, b1, W2, b2, … of generic numbers for layers of these (in, out) shapes."""
    rng = np.random.default_rng(seed)
    params = {}
    for layer, (before, after) in enumerate(shapes, 1):
        params[f"W{layer}"] = rng.normal(size=(before, after))
        params[f"b{layer}"] = rng.normal(size=after)
    return params


def rings_case(seed, N, D, H, K=1):
    """Return X (N, D), y (N, K) of zeros and ones in any order, params: all sizes different."""
    rng = np.random.default_rng(seed + 100)
    y = rng.permuted(np.repeat([[0.0], [1.0]], [N // 2, N - N // 2], axis=0) + np.zeros(K), axis=0)
    return rng.normal(size=(N, D)), y, params_case(seed, (D, H), (H, K))


def sure_of_itself(case, factor=300.0):
    """Return a case with logits so large that sigmoid is exactly 0 or 1 for most samples."""
    X, y, params = case
    return X, y, {**params, "W2": factor * params["W2"], "b2": factor * params["b2"]}


def keys(params):
    """Return W1, b1, W2, b2."""
    return params["W1"], params["b1"], params["W2"], params["b2"]


# 04-forward

def _forward(X, params):
    return dict(zip(("Z1", "A1", "Z2", "Y_hat"), rings_network(X, params), strict=True))


def wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1 + b1, activation=np.tanh,
                  into_output=lambda Z1, A1: A1, output=lambda A, W2, b1, b2: A @ W2 + b2,
                  squash=expit, finish=lambda cache: cache):
    """Return a forward pass with one part exchanged."""
    def forward(X, params):
        W1, b1, W2, b2 = keys(params)
        Z1 = hidden(X, W1, b1, b2)
        A1 = activation(Z1)
        Z2 = output(into_output(Z1, A1), W2, b1, b2)
        return finish({"Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": squash(Z2)})
    return forward


def _biases_late(late):
    """Return a forward pass that adds the biases of these layers after the activation."""
    def forward(X, params):
        W1, b1, W2, b2 = keys(params)
        Z1 = X @ W1 + (0 if "1" in late else b1)
        A1 = np.tanh(Z1) + (b1 if "1" in late else 0)
        Z2 = A1 @ W2 + (0 if "2" in late else b2)
        return {"Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": expit(Z2) + (b2 if "2" in late else 0)}
    return forward


forward = Exercise(
    id="04-forward",
    name="forward",
    truth=_forward,
    cases=lambda: [(X, params) for X, _, params in (
        rings_case(1, 7, 4, 5, 1), rings_case(2, 11, 3, 6, 2), rings_case(3, 9, 5, 4, 3))],
    returns=("cache",),
    data=PARAMS,
    uses=(sigmoid,),
    integers=("X",),
    more=(
        Mistake("sigmoid-for-tanh", wrong_forward(activation=expit),
                "`A1` is sigmoid(`Z1`), as in lesson 03; the hidden units of this lesson use "
                "tanh."),
        Mistake("earlier-pass", wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1, activation=expit,
                                              output=lambda A, W2, b1, b2: A @ W2),
                "this is lesson 03's pass: add the biases `b1` and `b2`, and let the hidden units "
                "use tanh."),
        Mistake("earlier-pass", wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1,
                                              activation=expit),
                "the hidden layer is still lesson 03's: add the bias `b1`, and let it use tanh."),
        Mistake("earlier-pass", wrong_forward(activation=expit,
                                              output=lambda A, W2, b1, b2: A @ W2),
                "this is still lesson 03's pass in two places: add the bias `b2`, and let the "
                "hidden units use tanh."),
        Mistake("no-activation", wrong_forward(activation=lambda Z1: Z1),
                "`A1` equals `Z1`: tanh is missing, and without it two layers are no more than "
                "one."),
        Mistake("relu", wrong_forward(activation=lambda Z1: np.maximum(Z1, 0)),
                "`A1` is max(0, `Z1`); the hidden units of this lesson use tanh."),
        Mistake("hidden-bias-missing", wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1),
                "`b1` is missing from `Z1`. In the notebook it starts as zeros, so nothing would "
                "show there."),
        Mistake("output-bias-missing", wrong_forward(output=lambda A, W2, b1, b2: A @ W2),
                "`b2` is missing from `Z2`. In the notebook it starts as zero, so nothing would "
                "show there."),
        Mistake("biases-missing", wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1,
                                                output=lambda A, W2, b1, b2: A @ W2),
                "both biases are missing. In the notebook they start as zeros, so nothing would "
                "show there."),
        Mistake("bias-subtracted", wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1 - b1,
                                                 output=lambda A, W2, b1, b2: A @ W2 - b2),
                "the biases are subtracted; they are added."),
        Mistake("biases-swapped", wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1 + b2,
                                                output=lambda A, W2, b1, b2: A @ W2 + b1),
                "`b1` and `b2` have changed places: `b1` belongs to the hidden units, `b2` to the "
                "outputs."),
        Mistake("biases-swapped", wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1 + b2),
                "`b2` is added to `Z1`; it belongs to the outputs, and `b1` to the hidden units."),
        Mistake("biases-swapped", wrong_forward(output=lambda A, W2, b1, b2: A @ W2 + b1),
                "`b1` is added to `Z2`; it belongs to the hidden units, and `b2` to the outputs."),
        Mistake("bias-after-activation", _biases_late("1"),
                "`b1` is added after tanh; it belongs to the weighted sum `Z1`, before tanh."),
        Mistake("bias-after-activation", _biases_late("2"),
                "`b2` is added after the sigmoid; it belongs to the logit `Z2`, before the "
                "sigmoid."),
        Mistake("bias-after-activation", _biases_late("12"),
                "the biases are added after tanh and after the sigmoid; they belong to the "
                "weighted sums, `Z1` and `Z2`."),
        Mistake("pre-activation-used", wrong_forward(into_output=lambda Z1, A1: Z1),
                "the output layer was fed `Z1`, from before tanh; it takes `A1`."),
        Mistake("activated-twice", wrong_forward(into_output=lambda Z1, A1: np.tanh(A1)),
                "the output layer was fed tanh(`A1`): `A1` has been through it already."),
        Mistake("output-not-activated", wrong_forward(squash=lambda Z2: Z2),
                "`Y_hat` equals `Z2`: the logit still has to go through the sigmoid to become a "
                "probability."),
        Mistake("tanh-at-the-output", wrong_forward(squash=np.tanh),
                "`Y_hat` is tanh(`Z2`), which runs from −1 to 1; a probability comes from the "
                "sigmoid."),
        Mistake("sigmoid-twice", wrong_forward(squash=lambda Z2: expit(expit(Z2))),
                "`Y_hat` has been through the sigmoid twice."),
        Mistake("logit-lost", wrong_forward(finish=lambda c: {**c, "Z2": c["Y_hat"]}),
                "`Z2` in the cache is the probability; it is to be the logit, from before the "
                "sigmoid: the loss needs it."),
        Mistake("logit-lost", wrong_forward(finish=lambda c: {
            **c, "Z2": c["Y_hat"], "Y_hat": expit(c["Y_hat"])}),
                "`Z2` has been through the sigmoid already, before it is stored, and `Y_hat` "
                "twice. `Z2` is the weighted sum itself."),
        Mistake("tanh-lost", wrong_forward(finish=lambda c: {**c, "Z1": c["A1"]}),
                "`Z1` in the cache is what comes out of tanh; it is to be the weighted sum, from "
                "before."),
        Mistake("entries-swapped", wrong_forward(finish=lambda c: {
            **c, "Z1": c["A1"], "A1": c["Z1"]}),
                "`Z1` and `A1` have changed places in the cache."),
        Mistake("tuple-for-dict", wrong_forward(finish=lambda c: tuple(c.values())),
                "the right arrays without their names: as in lesson 03, `forward` hands back a "
                "dict, `{\"Z1\": ..., ...}`."),
        Mistake("only-prediction", wrong_forward(finish=lambda c: c["Y_hat"]),
                "the prediction is right; hand back the whole dict, the way back needs it."),
        Mistake("only-prediction", wrong_forward(finish=lambda c: {"Y_hat": c["Y_hat"]}),
                "the prediction is right; the other three arrays belong into the dict too, the "
                "way back needs them."),
        Mistake("flattened", wrong_forward(finish=lambda c: {
            **c, "Z2": c["Z2"].ravel(), "Y_hat": c["Y_hat"].ravel()}),
                "`Z2` and `Y_hat` stand in one row, as in the published lesson; here they stay "
                "columns, one row for each sample."),
        Mistake("bias-column-habit", wrong_forward(
            hidden=lambda X, W1, b1, b2: ones_first(X) @ W1),
                "a column of ones is still added to `X`. The bias is `b1` now, and `W1` has one "
                "row for each input and no more."),
        Mistake("bias-column-habit", wrong_forward(
            output=lambda A, W2, b1, b2: ones_first(A) @ W2),
                "a column of ones is still added to `A1`. The bias is `b2` now, and `W2` has one "
                "row for each hidden unit and no more."),
        *(Mistake("first-bias-only", wrong_forward(
            hidden=lambda X, W1, b1, b2, first=first: X @ W1 + (b1[0] if "1" in first else b1),
            output=lambda A, W2, b1, b2, first=first: A @ W2 + (b2[0] if "2" in first else b2)),
                  "the first entry of a bias has been added to every unit. Each unit has a bias of "
                  "its own: add the whole array.") for first in ("1", "2", "12")),
        *(Mistake("summed-to-a-row", wrong_forward(output=output),
                  "`Z2` is summed to one row, (N,), and its column is lost. It is (N, K), one "
                  "column for each output, which the matrix product gives by itself.")
          for output in (lambda A, W2, b1, b2: (A @ W2 + b2).sum(axis=1),
                         lambda A, W2, b1, b2: (A @ W2).sum(axis=1) + b2,
                         lambda A, W2, b1, b2: (A * W2.T).sum(axis=1) + b2,
                         lambda A, W2, b1, b2: A @ W2[:, 0] + b2,
                         lambda A, W2, b1, b2: (A @ W2).ravel() + b2)),
        Mistake("source-layout", wrong_forward(hidden=lambda X, W1, b1, b2: X @ W1.T + b1),
                "`W1` is transposed. The source's U is (H, D) and needs that; our `W1` is (D, H) "
                "already."),
        Mistake("factors-swapped", wrong_forward(hidden=lambda X, W1, b1, b2: W1 @ X + b1),
                DATA_ON_THE_LEFT),
        Mistake("factors-swapped", wrong_forward(output=lambda A, W2, b1, b2: W2 @ A + b2),
                DATA_ON_THE_LEFT),
        Mistake("star-for-at", wrong_forward(hidden=lambda X, W1, b1, b2: X * W1 + b1),
                "`*` multiplies entry by entry; a sum over an index is a matrix product, `@`."),
        Mistake("bias-as-column", wrong_forward(
            hidden=lambda X, W1, b1, b2: X @ W1 + b1.reshape(-1, 1)),
                "`b1` has been made a column. As it is, (H,), it is added to every row by "
                "itself."),
    ),
    sizes=lambda X, params: {"N": len(X)},
    hint="compute `Z1`, `A1`, `Z2`, `Y_hat` one after the other and look at each shape.",
    unlocks="Every array has its name, and the biases stand on their own.",
)


# 04-logistic-cross-entropy

def _cross_entropy(y, z):
    terms = np.where(y == 1, log_expit(z), np.where(y == 0, log_expit(-z), (
        y * log_expit(z) + (1 - y) * log_expit(-z))))
    return -float(sum(map(float, terms.ravel()))) / len(terms)


def published_losses(y, Y_hat):
    """Return the loss of each sample from probabilities, as the source's code has it."""
    return -y * np.log(Y_hat) - (1 - y) * np.log(1 - Y_hat)


def softplus(z):
    """Return log(1 + exp(z)) without overflow."""
    return np.logaddexp(0, z)


def wrong_loss(terms=lambda y, z: softplus(z) - y * z, finish=np.mean):
    """Return a loss with one part exchanged."""
    return lambda y, z: finish(terms(y, z))


def _two_terms(part):
    """Return the loss made of a wrong log(1 + exp(z))."""
    return lambda y, z: y * part(-z) + (1 - y) * part(z)


def _loss_cases():
    rng = np.random.default_rng(5)
    def labels(N):
        return (rng.permutation(N)[:, None] % 2 == 0).astype(float)
    return [(labels(7), 2 * rng.normal(size=(7, 1))), (labels(11), 4 * rng.normal(size=(11, 1))),
            (np.array([[1.0], [0.0], [0.0], [1.0], [0.0]]),
             np.array([[41.0], [-44.0], [-2.5], [-0.75], [39.0]])),
            (np.array([[1.0], [0.0], [1.0], [0.0], [1.0], [0.0]]),
             np.array([[1000.0], [-1000.0], [-1000.0], [1000.0], [0.5], [700.0]]))]


OVERFLOW = ("right for logits of ordinary size; at ±1000 it becomes inf or nan, because exp(1000) "
            "is inf and log(0) is −inf. Let no exponent be positive: use −|z| in it and take the "
            "rest out of the logarithm.")
CLIPPED = ("the loss is taken of probabilities that were clipped or shifted by a tiny number. That "
           "hides the infinity and is no longer the loss: a wrong sample at z = 1000 costs 1000, "
           "not a few dozen. Compute it from `z`.")
TINY = (1e-16, np.finfo(float).eps, 1e-15, 1e-14, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6)


def _clipped(tiny):
    return wrong_loss(lambda y, z: published_losses(y, np.clip(expit(z), tiny, 1 - tiny)))


def _shifted(tiny):
    return wrong_loss(lambda y, z: (
        -y * np.log(expit(z) + tiny) - (1 - y) * np.log(1 - expit(z) + tiny)))


logistic_cross_entropy = Exercise(
    id="04-logistic-cross-entropy",
    name="logistic_cross_entropy",
    truth=_cross_entropy,
    cases=_loss_cases,
    returns=("loss",),
    data=PARAMS,
    uses=(sigmoid,),
    integers=("y",),
    tolerance=1e-10,
    more=(
        Mistake("from-probabilities", wrong_loss(lambda y, z: published_losses(y, expit(z))),
                "the formula is right, but it goes through the probability, which is exactly 1 "
                "from z = 37 on: log(1 − 1) is −inf, and 0 · inf is nan. (So it is in the "
                "published code.) Write it with the logit `z`."),
        Mistake("overflow", wrong_loss(lambda y, z: (
            y * np.log(1 + np.exp(-z)) + (1 - y) * np.log(1 + np.exp(z)))),
                OVERFLOW),
        Mistake("overflow", wrong_loss(lambda y, z: np.log(1 + np.exp(z)) - y * z),
                OVERFLOW),
        Mistake("overflow", wrong_loss(lambda y, z: np.log(1 + np.exp(-z)) + (1 - y) * z),
                OVERFLOW),
        Mistake("absolute-value-missing", wrong_loss(lambda y, z: (
            np.maximum(z, 0) - y * z + np.log1p(np.exp(-z)))),
                "the exponent is −z, which is right for positive z only: it is −|z|."),
        Mistake("absolute-value-missing", wrong_loss(lambda y, z: (
            np.maximum(z, 0) - y * z + np.log1p(np.exp(z)))),
                "the exponent is z, which is right for negative z only: it is −|z|."),
        Mistake("exponent-sign", wrong_loss(lambda y, z: (
            np.maximum(z, 0) - y * z + np.log1p(np.exp(np.abs(z))))),
                "the exponent is |z|; it is −|z|, never positive."),
        Mistake("maximum-missing", wrong_loss(lambda y, z: (
            y * np.log1p(np.exp(-np.abs(z))) + (1 - y) * np.log1p(np.exp(-np.abs(z))))),
                "log(1 + exp(−|z|)) is only a part of log(1 + exp(z)): max(z, 0) is to be added."),
        Mistake("clipped", _clipped(1e-12), CLIPPED),
        *(Mistake("clipped", make(tiny), CLIPPED) for tiny in TINY
          for make in (_clipped, _shifted)),
        *(Mistake("clipped", wrong_loss(lambda y, z, far=far: (
            softplus(np.clip(z, -far, far)) - y * np.clip(z, -far, far))),
                  "the logit itself has been clipped; a wrong sample at z = 1000 costs 1000.")
          for far in (10, 20, 30, 36, 50, 100, 500, 700, 709)),
        Mistake("nan-hidden", wrong_loss(
            lambda y, z: np.nan_to_num(published_losses(y, expit(z)))),
                "nan and inf have been replaced after the fact (0 for nan, 1.8e308 for inf). "
                "Compute the loss from `z` in such a way that they never arise."),
        Mistake("nan-hidden", wrong_loss(
            lambda y, z: published_losses(y, expit(z)), finish=np.nanmean),
                "samples that give nan are left out of the mean. Compute the loss from `z` in such "
                "a way that nan never arises."),
        Mistake("sum-for-mean", wrong_loss(finish=np.sum),
                "this is the sum; the loss of this lesson is the mean over the samples."),
        Mistake("not-averaged", wrong_loss(finish=lambda terms: terms),
                "there is one loss for each sample; return their mean."),
        Mistake("averaged-over-samples-only", wrong_loss(finish=lambda t: t.mean(axis=0)),
                "the mean is an array with one entry; return one number (`np.mean` without "
                "`axis`)."),
        Mistake("sign-flipped", wrong_loss(finish=lambda t: -np.mean(t)),
                "the sign is flipped: a loss is not negative. The minus of the log loss has gone "
                "into the formula with the logit already."),
        Mistake("halved", wrong_loss(finish=lambda t: np.mean(t) / 2),
                "this is half the mean; nothing is halved here."),
        Mistake("labels-swapped", wrong_loss(lambda y, z: softplus(z) - (1 - y) * z),
                "the two labels have changed places: a label of 1 goes with log(1 + exp(−z)). Or "
                "the maximum inside takes −z where it is max(z, 0)."),
        Mistake("first-term-only", wrong_loss(lambda y, z: y * softplus(-z)),
                "only samples with label 1 cost something; the term with (1 − y) is missing."),
        Mistake("second-term-only", wrong_loss(lambda y, z: (1 - y) * softplus(z)),
                "only samples with label 0 cost something; the term with y is missing."),
        Mistake("label-unused", wrong_loss(lambda y, z: softplus(z) + 0 * y),
                "this is the loss as if every label were 0: the term with y is missing, or it "
                "takes z where −z belongs."),
        Mistake("label-unused", wrong_loss(lambda y, z: softplus(-z) + 0 * y),
                "this is the loss as if every label were 1: the term with (1 − y) is missing, or "
                "it takes −z where z belongs."),
        Mistake("labels-plus-minus-one", wrong_loss(lambda y, z: softplus(-y * z)),
                "this is log(1 + exp(−y z)), a formula for labels of −1 and 1. Ours are 0 and 1."),
        Mistake("log-of-negative", wrong_loss(published_losses),
                "a logarithm is taken of a negative number, which gives nan. `z` is a logit, any "
                "number, and no probability: inside the logarithm stands 1 plus an exponential."),
        Mistake("squared-error", wrong_loss(lambda y, z: (expit(z) - y) ** 2),
                "this is the mean squared error of the probabilities; the loss of this lesson is "
                "the logistic cross-entropy."),
        Mistake("other-base", wrong_loss(finish=lambda t: np.mean(t) / np.log(2)),
                "this is the logarithm to base 2; `np.log1p` and `np.log` are the natural one."),
        Mistake("other-base", wrong_loss(finish=lambda t: np.mean(t) / np.log(10)),
                "this is the logarithm to base 10; `np.log1p` and `np.log` are the natural one."),
        Mistake("labels-flattened", wrong_loss(lambda y, z: softplus(z) - y.ravel() * z),
                "one side has shape (N,) and the other (N, 1): together they give (N, N), every "
                "sample with the label of every other. Keep both as columns."),
        Mistake("arguments-swapped", lambda y, z: wrong_loss()(z, y),
                "`y` and `z` have changed places: labels come first."),
        *(Mistake("one-sample-only", lambda y, z, N=N: wrong_loss()(y[-1:], z[-1:]) / N(y),
                  "this is the share of the last sample alone: add up, do not overwrite.")
          for N in (lambda y: 1, len)),
        *(Mistake("one-sample-only", lambda y, z, N=N: wrong_loss()(y[:1], z[:1]) / N(y),
                  "this is the share of the first sample alone. Is the `return` indented too far, "
                  "inside the loop?") for N in (lambda y: 1, len)),
        Mistake("probability-for-logit", wrong_loss(
            lambda y, z: softplus(expit(z)) - y * expit(z)),
                "`z` has been through a sigmoid and is used as the logit. It is the logit as it "
                "comes: leave the sigmoid out."),
        *(Mistake("logit-for-probability", wrong_loss(
            lambda y, z, tiny=tiny: published_losses(y, np.clip(z, tiny, 1 - tiny))),
                  "the logit is handed to a loss of probabilities, as `log_loss` of lesson 03 is. "
                  "`z` may be any number: write the form with the logit.") for tiny in TINY),
        Mistake("precedence", wrong_loss(lambda y, z: y * softplus(-z) + 1 - y * softplus(z)),
                "in `1 - y * ...` the product comes first: put `(1 - y)` in parentheses."),
        Mistake("minus-between-the-terms", wrong_loss(
            lambda y, z: y * softplus(-z) - (1 - y) * softplus(z)),
                "the two terms are subtracted: a minus stands between them where both kinds of "
                "samples add to the loss."),
        Mistake("minus-outside", wrong_loss(lambda y, z: -y * softplus(z) + (1 - y) * softplus(z)),
                "the minus stands before log(1 + exp(z)) where it belongs inside, to the z."),
        *(Mistake(name, wrong_loss(_two_terms(part)), message) for name, part, message in (
            ("exponent-sign", lambda z: np.maximum(z, 0) + np.log1p(np.exp(np.abs(z))),
             "the exponent is |z|; it is −|z|, never positive."),
            ("absolute-value-missing", lambda z: np.maximum(z, 0) + np.log1p(np.exp(-z)),
             "the exponent is −z, which is right for positive z only: it is −|z|."),
            ("absolute-value-missing", lambda z: np.maximum(z, 0) + np.log1p(np.exp(z)),
             "the exponent is z, which is right for negative z only: it is −|z|."),
            ("one-plus-missing", lambda z: np.maximum(z, 0) + np.log(np.exp(-np.abs(z))),
             "the 1 of log(1 + exp(−|z|)) is missing: `np.log1p(s)` adds it, `np.log(s)` does "
             "not."),
            ("one-plus-twice", lambda z: np.maximum(z, 0) + np.log1p(1 + np.exp(-np.abs(z))),
             "a 1 is added twice: `np.log1p(s)` is log(1 + s) already."),
            ("largest-of-all", lambda z: np.max(z, 0) + np.log1p(np.exp(-np.abs(z))),
             "`np.max(z, 0)` is the largest entry along axis 0; `np.maximum(z, 0)` goes entry by "
             "entry."),
            ("minimum-for-maximum", lambda z: np.minimum(z, 0) + np.log1p(np.exp(-np.abs(z))),
             "the smaller of z and 0 has been added; it is the larger, max(z, 0)."))),
    ),
    hint="write log(1 + exp(z)) as max(z, 0) + log(1 + exp(−|z|)), in a small function of its "
         "own, and use it for z and for −z.",
    unlocks="However sure the network is, this number stays exact.",
)


# 04-backprop

def wrong_backprop(residual=lambda y, Y_hat, Z2: (Y_hat - y) / len(y),
                   back=lambda dZ2, W2: dZ2 @ W2.T,
                   through=lambda dA1, Z1, A1: dA1 * (1 - A1 ** 2),
                   into_output=lambda Z1, A1: A1, bias=lambda dZ: dZ.sum(axis=0),
                   hidden_bias=None, output_bias=None, finish=lambda grads, N: grads):
    """Return a backpropagation with one part exchanged."""
    def backprop(X, y, params):
        Z1, A1, Z2, Y_hat = rings_network(X, params)
        dZ2 = residual(y, Y_hat, Z2)
        dA1 = back(dZ2, params["W2"])
        dZ1 = through(dA1, Z1, A1)
        return finish({"W1": X.T @ dZ1, "b1": (hidden_bias or bias)(dZ1),
                       "W2": into_output(Z1, A1).T @ dZ2, "b2": (output_bias or bias)(dZ2)},
                      len(X))
    return backprop


def _scaled(**factors):
    """Return a `finish` that multiplies single gradients by factor(N)."""
    return lambda grads, N: {key: grads[key] * factors.get(key, lambda N: 1)(N) for key in grads}


def _all(factor):
    return _scaled(W1=factor, b1=factor, W2=factor, b2=factor)


def _hidden(factor):
    return _scaled(W1=factor, b1=factor)


def _output(factor):
    return _scaled(W2=factor, b2=factor)


def _through(derivative):
    return wrong_backprop(through=lambda dA1, Z1, A1: dA1 * derivative(Z1, A1))


def _times_N(N):
    return N


def _per_N(N):
    return 1 / N


def _one_sample(of, share):
    def backprop(X, y, params):
        return wrong_backprop(finish=_all(lambda N: share(len(X))))(X[of], y[of], params)
    return backprop


def _moved_output_weights(rate):
    def backprop(X, y, params):
        dW2 = wrong_backprop()(X, y, params)["W2"]
        return wrong_backprop(back=lambda dZ2, W2: dZ2 @ (W2 - rate * dW2).T)(X, y, params)
    return backprop


def _gradient_for_weight(X, y, params):
    dW2 = wrong_backprop()(X, y, params)["W2"]
    return wrong_backprop(back=lambda dZ2, W2: dZ2 @ dW2.T)(X, y, params)


def _bias_before_activation(X, y, params):
    before = wrong_backprop(through=lambda dA1, Z1, A1: dA1)(X, y, params)
    return {**wrong_backprop()(X, y, params), "b1": before["b1"]}


def _weights_before_activation(X, y, params):
    before = wrong_backprop(through=lambda dA1, Z1, A1: dA1)(X, y, params)
    return {**wrong_backprop()(X, y, params), "W1": before["W1"]}


def _from(W1=lambda X, A1, dZ1, dZ2: X.T @ dZ1, W2=lambda X, A1, dZ1, dZ2: A1.T @ dZ2,
          back=lambda params: params["W2"].T):
    """Return a backpropagation with another product at its end, or another way back."""
    def backprop(X, y, params):
        _, A1, _, Y_hat = rings_network(X, params)
        dZ2 = (Y_hat - y) / len(y)
        dZ1 = dZ2 @ back(params) * (1 - A1 ** 2)
        return {"W1": W1(X, A1, dZ1, dZ2), "b1": dZ1.sum(axis=0),
                "W2": W2(X, A1, dZ1, dZ2), "b2": dZ2.sum(axis=0)}
    return backprop


def _without(key):
    return wrong_backprop(finish=lambda grads, N: {k: g for k, g in grads.items() if k != key})


def _backprop_cases():
    return [rings_case(1, 7, 4, 5), rings_case(2, 11, 3, 6), rings_case(3, 13, 5, 4),
            sure_of_itself(rings_case(4, 9, 2, 7))]


N_TWICE = ("the gradients are divided by the number of samples twice: once is in `dZ2`, and from "
           "there it reaches everything.")
ONE_SAMPLE = ("this is the share of one sample alone: the loop overwrites the gradient where it "
              "should add to it, `+=`, or it returns too early.")
BIAS_AXIS = ("a bias collects the errors of all samples: sum over the rows, `axis=0`. That leaves "
             "one number for each unit.")

backprop = Exercise(
    id="04-backprop",
    name="backprop",
    truth=lambda X, y, params: rings_gradients(X, y, params),
    cases=_backprop_cases,
    returns=("grads",),
    data=PARAMS | {"dZ1", "dZ2", "dA1"},
    uses=(forward, sigmoid),
    integers=("y",),
    tolerance=1e-12,
    rounding=1e-7,  # measured derivatives are no better here
    more=(
        Mistake("sign-flipped", wrong_backprop(residual=lambda y, Y_hat, Z2: (
            (y - Y_hat) / len(y))),
                "every gradient has the wrong sign: the derivative of the loss by the logit is "
                "ŷ − y, not y − ŷ."),
        Mistake("hidden-sign-flipped", wrong_backprop(finish=_hidden(lambda N: -1)),
                "`W2` and `b2` are right; `W1` and `b1` have the wrong sign: there is a minus too "
                "many on the way through the hidden layer."),
        Mistake("measured-not-derived", wrong_backprop(finish=_all(lambda N: 1 + 3e-10)),
                MEASURED),
        Mistake("mean-missing", wrong_backprop(residual=lambda y, Y_hat, Z2: Y_hat - y),
                "every gradient is N times too large: the loss is a mean, so the 1/N belongs "
                "into `dZ2`."),
        Mistake("divided-by-N-twice", wrong_backprop(finish=_all(_per_N)), N_TWICE),
        Mistake("hidden-divided-by-N-twice", wrong_backprop(finish=_hidden(_per_N)),
                "`W2` and `b2` are right; `W1` and `b1` are divided by N once more. The 1/N is in "
                "`dZ2` already and travels back with it."),
        Mistake("output-divided-by-N-twice", wrong_backprop(finish=_output(_per_N)),
                "`W1` and `b1` are right; `W2` and `b2` are divided by N once more. The 1/N is "
                "in `dZ2` already."),
        Mistake("weights-divided-by-N-twice", wrong_backprop(
            finish=_scaled(W1=_per_N, W2=_per_N)),
                "the biases are right; the weights are divided by N once more. The 1/N is in "
                "`dZ2` already."),
        Mistake("hidden-mean-missing", wrong_backprop(finish=_hidden(_times_N)),
                "`W2` and `b2` are right; `W1` and `b1` are N times too large: send back the same "
                "`dZ2`, with its 1/N, that the output weights use."),
        Mistake("output-mean-missing", wrong_backprop(finish=_output(_times_N)),
                "`W1` and `b1` are right; `W2` and `b2` are N times too large: they use the same "
                "`dZ2`, with its 1/N."),
        Mistake("bias-mean-missing", wrong_backprop(finish=_scaled(b1=_times_N, b2=_times_N)),
                "the weights are right; the biases are N times too large: their 1/N is missing."),
        Mistake("weight-mean-missing", wrong_backprop(finish=_scaled(W1=_times_N, W2=_times_N)),
                "the biases are right; the weights are N times too large: their 1/N is missing."),
        Mistake("bias-averaged", wrong_backprop(bias=lambda dZ: dZ.mean(axis=0)),
                "the weights are right; the biases are divided by N twice: `mean` divides again "
                "what has its 1/N already. Use the sum."),
        Mistake("output-bias-averaged", wrong_backprop(finish=_scaled(b2=_per_N)),
                "only `b2` is wrong, divided by N twice: use the sum, the 1/N is in `dZ2` "
                "already."),
        Mistake("hidden-bias-averaged", wrong_backprop(finish=_scaled(b1=_per_N)),
                "only `b1` is wrong, divided by N twice: use the sum, the 1/N is in `dZ1` "
                "already."),
        Mistake("hard-coded-size", wrong_backprop(finish=_all(lambda N: N / 500)),
                "every gradient is divided by 500, the number of points in the notebook: take it "
                "from `X`."),
        Mistake("factor-2", wrong_backprop(finish=_all(lambda N: 2)),
                "every gradient is twice too large: nothing is squared here, so no 2 appears."),
        Mistake("factor-half", wrong_backprop(finish=_all(lambda N: 0.5)),
                "every gradient is half of what it should be: this loss has no ½."),
        Mistake("learning-rate-inside", wrong_backprop(finish=_all(lambda N: 0.1)),
                "every gradient is 0.1 times the right one: is a learning rate in it? It belongs "
                "to the update."),
        Mistake("learning-rate-inside", wrong_backprop(finish=_all(lambda N: 0.01)),
                "every gradient is 0.01 times the right one: is a learning rate in it? It belongs "
                "to the update."),
        Mistake("activation-derivative-missing", _through(lambda Z1, A1: 1),
                "`W2` and `b2` are right; on the way to `W1` and `b1` the derivative of tanh is "
                "missing."),
        Mistake("derivative-of-activated", _through(lambda Z1, A1: 1 - np.tanh(A1) ** 2),
                "`W2` and `b2` are right; behind them tanh is applied to `A1`, which has been "
                "through it already: it is 1 − A1², or 1 − tanh²(Z1)."),
        Mistake("derivative-of-sum", _through(lambda Z1, A1: 1 - Z1 ** 2),
                "`W2` and `b2` are right; behind them stands 1 − Z1². The formula takes what "
                "comes out of tanh, `A1`."),
        Mistake("sigmoid-derivative", _through(lambda Z1, A1: A1 * (1 - A1)),
                "`W2` and `b2` are right; behind them stands A1 · (1 − A1), the derivative of the "
                "sigmoid. The hidden units use tanh."),
        Mistake("sigmoid-derivative", _through(lambda Z1, A1: expit(Z1) * (1 - expit(Z1))),
                "`W2` and `b2` are right; behind them stands the derivative of the sigmoid. The "
                "hidden units use tanh."),
        Mistake("square-missing", _through(lambda Z1, A1: 1 - A1),
                "`W2` and `b2` are right; behind them stands 1 − A1: the square is missing."),
        Mistake("square-outside", _through(lambda Z1, A1: (1 - A1) ** 2),
                "`W2` and `b2` are right; behind them stands (1 − A1)²: only `A1` is squared."),
        Mistake("plus-for-minus", _through(lambda Z1, A1: 1 + A1 ** 2),
                "`W2` and `b2` are right; behind them stands 1 + A1²: it is a minus."),
        Mistake("derivative-sign", _through(lambda Z1, A1: A1 ** 2),
                "`W2` and `b2` are right; behind them stands A1² where 1 − A1² belongs."),
        Mistake("precedence", wrong_backprop(through=lambda dA1, Z1, A1: dA1 * 1 - A1 ** 2),
                "`W2` and `b2` are right; in `dA1 * 1 - A1**2` the product comes first: put "
                "`(1 - A1**2)` in parentheses."),
        Mistake("activation-for-derivative", _through(lambda Z1, A1: A1),
                "`W2` and `b2` are right; behind them the way back multiplies by `A1` itself, "
                "where the derivative of tanh belongs."),
        Mistake("bias-before-activation", _bias_before_activation,
                "only `b1` is wrong: it is summed before the derivative of tanh. It belongs to "
                "`Z1`, like `W1`, so it collects `dZ1`."),
        Mistake("weights-before-activation", _weights_before_activation,
                "only `W1` is wrong: it is made of the error before the derivative of tanh, "
                "`dA1`. It belongs to `Z1`, like `b1`, so it takes `dZ1`."),
        Mistake("biases-swapped", wrong_backprop(
            finish=lambda grads, N: {**grads, "b1": grads["b2"], "b2": grads["b1"]}),
                "`b1` and `b2` have changed places: `b1` collects `dZ1`, `b2` collects `dZ2`."),
        Mistake("weights-swapped", wrong_backprop(
            finish=lambda grads, N: {**grads, "W1": grads["W2"], "W2": grads["W1"]}),
                "`W1` and `W2` have changed places in the dict."),
        Mistake("output-derivative-extra", wrong_backprop(
            residual=lambda y, Y_hat, Z2: (Y_hat - y) * Y_hat * (1 - Y_hat) / len(y)),
                "there is a derivative of the sigmoid too many at the output: in ŷ − y it has "
                "been cancelled by the logarithm already."),
        Mistake("squared-error-gradient", wrong_backprop(
            residual=lambda y, Y_hat, Z2: 2 * (Y_hat - y) * Y_hat * (1 - Y_hat) / len(y)),
                "this is the gradient of the mean squared error; the loss of this lesson is the "
                "cross-entropy."),
        Mistake("divides-by-probability", wrong_backprop(residual=lambda y, Y_hat, Z2: (
            ((1 - y) / (1 - Y_hat) - y / Y_hat) * Y_hat * (1 - Y_hat) / len(y))),
                "right as long as no probability is exactly 0 or 1; there it divides by zero and "
                "gives nan. On paper the fractions cancel: use what is left, ŷ − y."),
        Mistake("derivative-by-probability", wrong_backprop(residual=lambda y, Y_hat, Z2: (
            ((1 - y) / (1 - Y_hat) - y / Y_hat) / len(y))),
                "`dZ2` is the derivative by the probability; the step from the probability back "
                "to the logit, through the sigmoid, is missing. Together they are ŷ − y."),
        Mistake("logit-for-probability", wrong_backprop(
            residual=lambda y, Y_hat, Z2: (Z2 - y) / len(y)),
                "the label is subtracted from the logit `Z2`; it is subtracted from the "
                "probability `Y_hat`."),
        Mistake("decision-for-probability", wrong_backprop(
            residual=lambda y, Y_hat, Z2: ((Y_hat > 0.5) - y) / len(y)),
                "the label is subtracted from the decision (0 or 1); it is subtracted from the "
                "probability itself."),
        Mistake("labels-plus-minus-one", wrong_backprop(
            residual=lambda y, Y_hat, Z2: (Y_hat - (2 * y - 1)) / len(y)),
                "the labels are used as −1 and 1; they are 0 and 1."),
        Mistake("labels-unused", wrong_backprop(
            residual=lambda y, Y_hat, Z2: Y_hat / len(y)),
                "the labels play no part: `dZ2` is the probability minus the label."),
        Mistake("labels-flattened", wrong_backprop(
            residual=lambda y, Y_hat, Z2: (Y_hat - y.ravel()) / len(y)),
                "(N, 1) and (N,) together give (N, N), every sample against every other: keep `y` "
                "and `Y_hat` as columns."),
        Mistake("labels-flattened", wrong_backprop(
            residual=lambda y, Y_hat, Z2: (Y_hat.ravel() - y) / len(y)),
                "(N, 1) and (N,) together give (N, N), every sample against every other: keep `y` "
                "and `Y_hat` as columns."),
        Mistake("precedence", wrong_backprop(residual=lambda y, Y_hat, Z2: Y_hat - y / len(y)),
                "only `y` is divided by N: a division comes before a minus. Put the difference "
                "in parentheses."),
        Mistake("divided-by-inputs", wrong_backprop(finish=lambda grads, N: {
            key: g * N / len(grads["W1"]) for key, g in grads.items()}),
                "every gradient is divided by the number of inputs; the mean runs over the "
                "samples. `X.shape[0]`, or `len(X)`, counts the rows."),
        *(Mistake(name, wrong_backprop(**{which: of}), f"`{key}` " + message)
          for key, which in (("b1", "hidden_bias"), ("b2", "output_bias"))
          for name, of, message in (
              ("bias-not-summed", lambda dZ: dZ, "has one gradient for each sample; " + BIAS_AXIS),
              ("bias-wrong-axis", lambda dZ: dZ.sum(axis=1),
               "is summed over the units; " + BIAS_AXIS),
              ("bias-row-kept", lambda dZ: dZ.sum(axis=0, keepdims=True),
               "has the right numbers in a row: `keepdims` has kept an axis that it does not "
               "have. A gradient has the shape of what it belongs to."))),
        Mistake("bias-summed-over-everything", wrong_backprop(hidden_bias=np.sum),
                "`b1` is one number, the sum over samples and units; " + BIAS_AXIS),
        *(Mistake("bias-column-habit", wrong_backprop(finish=lambda grads, N, keys=keys: {
            **grads, **{f"W{k}": np.vstack([grads[f"b{k}"], grads[f"W{k}"]]) for k in keys}}),
                  "a column of ones still stands in the product: the gradient of a weight matrix "
                  "has a row too many, that of the bias, which has a name of its own now.")
          for keys in ("1", "2", "12")),
        Mistake("overwritten", wrong_backprop(into_output=lambda Z1, A1: A1 ** 2),
                "only `W2` is wrong: it is computed from A1². Does `A1 *= A1` overwrite `A1` "
                "before it is needed?"),
        *(Mistake("star-for-at", lambda X, y, params, turn=turn: turn(X) * np.zeros(
            (len(X), len(params["b1"]))), STAR_FOR_AT) for turn in (np.asarray, np.transpose)),
        Mistake("star-for-at", wrong_backprop(back=lambda dZ2, W2: dZ2 * W2),
                "`*` wants shapes that fit entry by entry; (N, 1) and (H, 1) make (N, H) as a "
                "matrix product, with `W2` turned."),
        Mistake("bias-not-summed", wrong_backprop(bias=lambda dZ: dZ),
                "there is one bias gradient for each sample; " + BIAS_AXIS),
        Mistake("bias-wrong-axis", wrong_backprop(bias=lambda dZ: dZ.sum(axis=1)),
                "the bias gradients are summed over the units; " + BIAS_AXIS),
        Mistake("bias-summed-over-everything", wrong_backprop(bias=np.sum),
                "the bias gradients are one number each, the sum over samples and units. `b1` "
                "has one entry for each unit and `b2` one entry: " + BIAS_AXIS),
        Mistake("output-bias-as-number", wrong_backprop(
            finish=lambda grads, N: {**grads, "b2": grads["b2"].sum()}),
                "`b2` is a plain number, as in the published lesson; here it is an array of one "
                "entry, and a gradient has the shape of what it belongs to."),
        Mistake("bias-row-kept", wrong_backprop(bias=lambda dZ: dZ.sum(axis=0, keepdims=True)),
                "the numbers are right; `keepdims` has made the bias gradients rows, (1, H). A "
                "gradient has the shape of what it belongs to, and `b1` is (H,)."),
        Mistake("output-forgets-hidden", wrong_backprop(
            back=lambda dZ2, W2: dZ2 @ np.ones(W2.T.shape)),
                "`W2` and `b2` are right; on the way back the output weights `W2` are missing."),
        Mistake("transpose-missing", wrong_backprop(back=lambda dZ2, W2: dZ2 @ W2),
                BACK_THROUGH_W2),
        Mistake("transpose-missing", _from(back=lambda params: params["W1"].T), BACK_THROUGH_W2),
        Mistake("other-weights", _from(back=lambda params: params["W1"]), W1_FOR_W2),
        *(Mistake("bias-row-dropped", wrong_backprop(back=lambda dZ2, W2: dZ2 @ W2[1:].T,
                                                     through=through),
                  "the first row of `W2` is left out, as in lesson 02. The output's bias is `b2` "
                  "here, on its own: all rows of `W2` belong to hidden units.")
          for through in (lambda dA1, Z1, A1: dA1 * (1 - A1 ** 2),
                          lambda dA1, Z1, A1: (1 - A1 ** 2) * dA1)),
        Mistake("other-error", _from(W1=lambda X, A1, dZ1, dZ2: X.T @ dZ2), BUILT_FROM_DZ2),
        Mistake("other-error", _from(W2=lambda X, A1, dZ1, dZ2: A1.T @ dZ1), BUILT_FROM_DZ1),
        Mistake("other-input", _from(W1=lambda X, A1, dZ1, dZ2: A1.T @ dZ1),
                '`grads["W1"]` is built from `A1`, which comes out of the hidden layer; what went '
                "into it is `X`."),
        Mistake("rows-do-not-fit", wrong_backprop(through=lambda dA1, Z1, A1: (
            dA1 @ (1 - A1 ** 2))), ROWS_DO_NOT_FIT),
        Mistake("rows-do-not-fit", _from(W2=lambda X, A1, dZ1, dZ2: A1 @ dZ2),
                ROWS_DO_NOT_FIT),
        Mistake("pre-activation-used", wrong_backprop(into_output=lambda Z1, A1: Z1),
                "only `W2` is wrong: it is computed from `Z1`. What went into the output layer "
                "is `A1`."),
        Mistake("activated-twice", wrong_backprop(into_output=lambda Z1, A1: np.tanh(A1)),
                "only `W2` is wrong: it is computed from tanh(`A1`). What went into the output "
                "layer is `A1`."),
        Mistake("gradient-for-weight", _gradient_for_weight,
                "`W2` and `b2` are right; on the way back the *gradient* of `W2` is used where "
                "`W2` itself belongs."),
        Mistake("output-weights-moved", _moved_output_weights(1.0),
                "`W2` and `b2` are right; on the way back an already updated `W2` is used. All "
                "gradients belong to the same moment."),
        Mistake("one-sample-only", _one_sample(slice(-1, None), _per_N), ONE_SAMPLE),
        Mistake("one-sample-only", _one_sample(slice(-1, None), lambda N: 1), ONE_SAMPLE),
        Mistake("one-sample-only", _one_sample(slice(0, 1), _per_N), ONE_SAMPLE),
        Mistake("source-layout", wrong_backprop(
            finish=lambda grads, N: {**grads, "W1": grads["W1"].T}),
                "`W1` is the right gradient of the source's U, which is (H, D). Ours is (D, H), "
                "its transpose."),
        Mistake("source-layout", wrong_backprop(
            finish=lambda grads, N: {**grads, "W2": grads["W2"].T}),
                "`W2` has the right numbers in a row, (1, H), because the factors of its product "
                "stand the other way round. Ours is a column, (H, 1)."),
        Mistake("source-layout", wrong_backprop(
            finish=lambda grads, N: {**grads, "W1": grads["W1"].T, "W2": grads["W2"].T}),
                "both weight gradients stand in the source's layout, (out, in). Ours is (in, "
                "out), the transpose."),
        Mistake("output-weights-flattened", wrong_backprop(
            finish=lambda grads, N: {**grads, "W2": grads["W2"].ravel()}),
                "`W2` is right but flat, (H,), as in the published lesson; here it is (H, 1)."),
        Mistake("outer-for-product", wrong_backprop(
            finish=lambda grads, N: {**grads, "W2": np.zeros((N * len(grads["W2"]), N))}),
                "`np.outer` lays both arrays flat and multiplies every entry by every entry. A "
                "sum over the samples is a matrix product."),
        Mistake("samples-not-summed", lambda X, y, params: X @ np.ones((len(X), 1)),
                "for `W1` the sum runs over the samples, the rows of `X`: they have to be the "
                "inner length of the product, so transpose `X`."),
        Mistake("bias-missing", _without("b1"),
                "the gradient of `b1` is missing from the dict."),
        Mistake("bias-missing", _without("b2"),
                "the gradient of `b2` is missing from the dict."),
        Mistake("bias-missing", wrong_backprop(
            finish=lambda grads, N: {"W1": grads["W1"], "W2": grads["W2"]}),
                "the gradients of the biases are missing from the dict."),
        Mistake("other-keys", wrong_backprop(
            finish=lambda grads, N: {f"d{key}": g for key, g in grads.items()}),
                "the values are right; the keys are to be those of `params`, without a d, so that "
                "the update can pair them."),
        Mistake("tuple-for-dict", wrong_backprop(finish=lambda grads, N: tuple(grads.values())),
                "the right arrays without their names: return a dict with the keys of `params`."),
        Mistake("loss-returned-too", wrong_backprop(finish=lambda grads, N: (grads, 0.0)),
                "two things are returned, the gradients and, as in the published lesson, "
                "something else. Return the dict of gradients alone."),
    ),
    sizes=lambda X, y, params: {"N": len(X)},
    hint="first `forward`, then `dZ2` with its 1/N, then back through `W2` and through tanh to "
         "`dZ1`; then two products and two sums.",
    unlocks="Every gradient has its number and its shape, even where a probability is exactly 1.",
)


# 04-sgd-step

def _sgd_step(params, grads, learning_rate):
    new = {}
    for key, W in params.items():
        new[key] = np.empty(W.shape)
        for at in np.ndindex(W.shape):
            new[key][at] = W[at] - learning_rate * grads[key][at]
    return new


def wrong_step(update=lambda W, dW, rate: W - rate * dW, of=list, others=False):
    """Return an update with one part exchanged; `others`: keys left out keep their old values."""
    def sgd_step(params, grads, learning_rate):
        new = dict(params) if others else {}
        for key in of(params):
            new[key] = update(params[key], grads[key], learning_rate)
        return new
    return sgd_step


def _weights(params):
    return [key for key in params if key.startswith("W")]


def _biases(params):
    return [key for key in params if key.startswith("b")]


sgd_step = Exercise(
    id="04-sgd-step",
    name="sgd_step",
    truth=_sgd_step,
    cases=lambda: [
        (params_case(1, (2, 5), (5, 3)), params_case(11, (2, 5), (5, 3)), 0.3),
        (params_case(2, (4, 3), (3, 1)), params_case(12, (4, 3), (3, 1)), 1.7),
        (params_case(3, (3, 4), (4, 6), (6, 2)), params_case(13, (3, 4), (4, 6), (6, 2)), 0.07)],
    returns=("params",),
    data=PARAMS,
    tolerance=1e-12,
    integers=(),
    more=(
        Mistake("uphill", wrong_step(lambda W, dW, rate: W + rate * dW),
                "the parameters move with the gradient, uphill. It points to where the loss rises: "
                "subtract the step."),
        Mistake("learning-rate-missing", wrong_step(lambda W, dW, rate: W - dW),
                "the whole gradient is subtracted; the step is the learning rate times the "
                "gradient."),
        Mistake("learning-rate-ignored", wrong_step(lambda W, dW, rate: W - 0.1 * dW),
                "the rate is the same number in every call, whatever `learning_rate` says: use "
                "the argument."),
        Mistake("learning-rate-ignored", wrong_step(lambda W, dW, rate: W - 0.01 * dW),
                "the rate is the same number in every call, whatever `learning_rate` says: use "
                "the argument."),
        Mistake("learning-rate-squared", wrong_step(lambda W, dW, rate: W - rate ** 2 * dW),
                "the step has been multiplied by the learning rate twice; once is enough."),
        Mistake("learning-rate-divides", wrong_step(lambda W, dW, rate: W - dW / rate),
                "the gradient is divided by the learning rate: a smaller rate would take larger "
                "steps. Multiply."),
        Mistake("precedence", wrong_step(lambda W, dW, rate: (W - rate) * dW),
                "the rate is subtracted first and the result multiplied by the gradient: leave "
                "the parentheses out, so that the product comes first."),
        Mistake("sum-for-product", wrong_step(lambda W, dW, rate: W - (rate + dW)),
                "rate and gradient have been added; the step is their product."),
        Mistake("weight-for-gradient", wrong_step(lambda W, dW, rate: W - rate * W),
                "the step is made of the parameter itself; it is made of its gradient, from "
                "`grads`."),
        Mistake("gradient-for-weight", wrong_step(lambda W, dW, rate: dW - rate * W),
                "`params` and `grads` have changed places: the step is subtracted from the "
                "parameter."),
        Mistake("step-only", wrong_step(lambda W, dW, rate: rate * dW),
                "this is the step alone; return what the parameters are after it."),
        Mistake("step-only", wrong_step(lambda W, dW, rate: -rate * dW),
                "this is the step alone; return what the parameters are after it."),
        Mistake("stepped-twice", wrong_step(lambda W, dW, rate: W - 2 * rate * dW),
                "the step has been taken twice; one call takes one step."),
        Mistake("never-updated", wrong_step(lambda W, dW, rate: W),
                "the parameters come back as they went in. A new array has to be stored under "
                "its key: `W = W - ...` in a loop only gives a new meaning to the name `W`."),
        Mistake("gradients-returned", wrong_step(lambda W, dW, rate: dW),
                "these are the gradients; return the parameters after the step."),
        Mistake("biases-not-updated", wrong_step(of=_weights, others=True),
                "the weights move and the biases stay: every key takes the step."),
        Mistake("weights-not-updated", wrong_step(of=_biases, others=True),
                "the biases move and the weights stay: every key takes the step."),
        Mistake("biases-forgotten", wrong_step(of=_weights),
                "the new dict holds the weights only: every key of `params` belongs into it."),
        Mistake("first-key-only", wrong_step(of=lambda params: list(params)[:1]),
                "the new dict holds the first key only. Is the `return` indented too far, inside "
                "the loop?"),
        Mistake("first-key-only", wrong_step(
            of=lambda params: list(params)[:1], others=True),
                "only the first parameter has been updated. Is the `return` indented too far, "
                "inside the loop?"),
        Mistake("last-key-only", wrong_step(of=lambda params: list(params)[-1:]),
                "the new dict holds the last key only: make it once, before the loop, and add a "
                "key in every round."),
        Mistake("hard-coded-keys",
                wrong_step(of=lambda params: ("W1", "b1", "W2", "b2")),
                "only `W1`, `b1`, `W2` and `b2` are there. Another network has other keys: go "
                "through those that `params` has."),
        Mistake("hard-coded-keys", wrong_step(
            of=lambda params: ("W1", "b1", "W2", "b2"), others=True),
                "only `W1`, `b1`, `W2` and `b2` are updated. Another network has other keys: go "
                "through those that `params` has."),
        Mistake("key-in-quotes", lambda params, grads, learning_rate: {
            "key": list(wrong_step()(params, grads, learning_rate).values())[-1]},
                "everything is stored under the text \"key\". Without quotes, `key` is the name "
                "that changes from round to round."),
        Mistake("key-in-quotes", lambda params, grads, learning_rate: params["key"],
                "\"key\" in quotes is that text. Without quotes, `key` is the name that changes "
                "from round to round."),
        Mistake("other-keys", lambda params, grads, learning_rate: [
            grads["d" + key] for key in params],
                "`grads` has the keys of `params`, without a d."),
        Mistake("arithmetic-with-dicts",
                lambda params, grads, learning_rate: params - learning_rate * grads,
                ARITHMETIC_WITH_DICTS),
        *(Mistake("keys-lost", lambda params, grads, learning_rate, kind=kind: kind(
            params[key] - learning_rate * grads[key] for key in params),
                "these are the right arrays without their keys: return a dict, "
                "`{key: ... for key in params}`.") for kind in (list, tuple)),
    ),
    sizes=lambda params, grads, learning_rate: {},
    hint="for every key of `params`: old array minus learning rate times gradient, stored in a new "
         "dict.",
    unlocks="Whoever holds the old parameters still has them.",
)


# 04-train

def _accuracy(y, Y_hat):
    return float(sum((a > 0.5) == (b > 0.5) for a, b in zip(
        y.ravel(), Y_hat.ravel(), strict=True)) / y.size)


def _train(X, y, params, learning_rate, steps):
    history = {"loss": [], "accuracy": []}
    for _ in range(steps):
        Z1, A1, Z2, Y_hat = rings_network(X, params)
        history["loss"].append(_cross_entropy(y, Z2))
        history["accuracy"].append(_accuracy(y, Y_hat))
        params = _sgd_step(params, rings_gradients(X, y, params), learning_rate)
    return params, history


def wrong_train(step=lambda params, grads, rate: wrong_step()(params, grads, rate),
                gradients=lambda X, y, params, first: wrong_backprop()(X, y, params),
                rounds=lambda steps: steps, rate=lambda learning_rate, at: learning_rate,
                log_after=False, loss=lambda y, Z2, Y_hat: float(wrong_loss()(y, Z2)),
                score=lambda y, Y_hat: float(np.mean((Y_hat > 0.5) == (y > 0.5))),
                hand_back=lambda params, history: (params, history)):
    """Return a training loop with one part exchanged."""
    def train(X, y, params, learning_rate, steps):
        history, first = {"loss": [], "accuracy": []}, params

        def log():
            _, _, Z2, Y_hat = rings_network(X, params)
            history["loss"].append(loss(y, Z2, Y_hat))
            history["accuracy"].append(score(y, Y_hat))

        for at in range(rounds(steps)):
            if not log_after:
                log()
            params = step(params, gradients(X, y, params, first), rate(learning_rate, at))
            if log_after:
                log()
        return hand_back(params, history)
    return train


def _layer_by_layer(X, y, params, learning_rate, steps):
    """Update one parameter, and compute the gradient of the next with it."""
    history = {"loss": [], "accuracy": []}
    for _ in range(steps):
        _, _, Z2, Y_hat = rings_network(X, params)
        history["loss"].append(_cross_entropy(y, Z2))
        history["accuracy"].append(_accuracy(y, Y_hat))
        for key in params:
            grads = wrong_backprop()(X, y, params)
            params = {**params, key: params[key] - learning_rate * grads[key]}
    return params, history


def _updates_lost(X, y, params, learning_rate, steps):
    """Take every step from the first parameters."""
    new, history = wrong_train(step=lambda params, grads, rate: params)(
        X, y, params, learning_rate, steps)
    return _sgd_step(params, wrong_backprop()(X, y, params), learning_rate), history


def _forward_once(X, y, params, learning_rate, steps):
    new, history = wrong_train()(X, y, params, learning_rate, steps)
    return new, {key: values[:1] * steps for key, values in history.items()}


def _train_cases():
    return [(*rings_case(1, 7, 4, 5), 0.4, 4), (*rings_case(2, 11, 3, 6), 1.3, 6),
            (*sure_of_itself(rings_case(4, 9, 2, 7), 100.0), 0.8, 3)]


train = Exercise(
    id="04-train",
    name="train",
    truth=_train,
    cases=_train_cases,
    returns=("params", "history"),
    data=PARAMS,
    uses=(forward, logistic_cross_entropy, backprop, sgd_step, accuracy, sigmoid),
    integers=("y",),
    more=(
        Mistake("uphill", wrong_train(rate=lambda rate, at: -rate),
                "the parameters move with the gradient, uphill; `sgd_step` takes the step "
                "downhill."),
        Mistake("never-updated", wrong_train(step=lambda params, grads, rate: params),
                "the parameters never change: `sgd_step` returns a new dict, so give it the name "
                "`params`."),
        Mistake("updates-lost", _updates_lost,
                "every step starts from the first parameters again. Give the new dict the name "
                "that the next step uses, `params`."),
        Mistake("first-params-returned", lambda *args: (args[2], _train(*args)[1]),
                "the history is right, but the parameters that come back are those that came "
                "in."),
        Mistake("gradient-of-first-params", wrong_train(
            gradients=lambda X, y, params, first: wrong_backprop()(X, y, first)),
                "every step uses the gradient of the first parameters: compute it anew in each "
                "step, inside the loop."),
        Mistake("layer-by-layer", _layer_by_layer,
                "one parameter is updated before the gradient of the next is computed. All "
                "gradients belong to the same moment: one `backprop`, then one `sgd_step`."),
        Mistake("stepped-twice", wrong_train(rate=lambda rate, at: 2 * rate),
                "every step is twice as long as it should be."),
        Mistake("learning-rate-ignored", wrong_train(rate=lambda rate, at: 1.0),
                "the rate is always 1, whatever `learning_rate` says: use the argument."),
        Mistake("learning-rate-ignored", wrong_train(rate=lambda rate, at: 0.1),
                "the rate is always 0.1, whatever `learning_rate` says: use the argument."),
        Mistake("learning-rate-squared", wrong_train(rate=lambda rate, at: rate ** 2),
                "the learning rate acts twice; it belongs to `sgd_step` alone."),
        Mistake("learning-rate-decays", wrong_train(rate=lambda rate, at: rate / (at + 1)),
                "the rate becomes smaller from step to step; it stays as it comes."),
        Mistake("gradient-averaged", wrong_train(
            gradients=lambda X, y, params, first: wrong_backprop(finish=_all(_per_N))(
                X, y, params)),
                "the gradient is divided by the number of samples once more; the 1/N is in "
                "`backprop` already."),
        Mistake("gradient-summed", wrong_train(
            gradients=lambda X, y, params, first: wrong_backprop(finish=_all(_times_N))(
                X, y, params)),
                "the gradient is that of a sum, N times too large; use your `backprop` as it is."),
        Mistake("logged-after-update", wrong_train(log_after=True),
                "loss and accuracy are noted after the step. Note them before it, so that the "
                "first entry belongs to the parameters that came in."),
        Mistake("step-missing", wrong_train(rounds=lambda steps: steps - 1),
                "one step too few has been taken; `range(steps)` runs `steps` times."),
        Mistake("step-too-many", wrong_train(rounds=lambda steps: steps + 1),
                "one step too many has been taken; `range(steps)` runs `steps` times."),
        Mistake("final-state-logged", lambda X, y, params, learning_rate, steps: (
            _train(X, y, params, learning_rate, steps)[0],
            _train(X, y, params, learning_rate, steps + 1)[1]),
                "the history has one entry too many: the state after the last step is not noted."),
        Mistake("steps-ignored", wrong_train(rounds=lambda steps: 1),
                "the loop ends after one step. Is the `return` indented too far, inside the "
                "loop?"),
        Mistake("steps-ignored", wrong_train(rounds=lambda steps: 1000),
                "1000 steps have been taken, whatever `steps` says: use the argument."),
        Mistake("every-so-often", wrong_train(hand_back=lambda params, history: (
            params, {key: values[::50] for key, values in history.items()})),
                "the history is noted every so often; note every step. (Print every so often, if "
                "you like.)"),
        Mistake("last-entry-only", wrong_train(hand_back=lambda params, history: (
            params, {key: values[-1:] for key, values in history.items()})),
                "the history has one entry: make its lists once, before the loop, and append in "
                "every step."),
        Mistake("last-entry-only", wrong_train(hand_back=lambda params, history: (
            params, {key: values[-1] for key, values in history.items()})),
                "the history holds numbers, those of the last step: `history[\"loss\"] = ...` "
                "replaces the list, where `append` adds to it."),
        *(Mistake("last-entry-only", wrong_train(hand_back=lambda params, history, key=key: (
            params, {**history, key: history[key][-1]})),
                  f"`{key}` is a number, that of the last step: `history[\"{key}\"] = ...` "
                  "replaces the list, where `append` adds to it.") for key in ("loss", "accuracy")),
        Mistake("history-empty", wrong_train(hand_back=lambda params, history: (
            params, {"loss": [], "accuracy": []})),
                "the lists of the history are empty: append to them in every step."),
        Mistake("published-loss", wrong_train(
            loss=lambda y, Z2, Y_hat: published_losses(y, Y_hat).mean()),
                "the parameters are right; the loss is taken of the probabilities and turns into "
                "nan where they are exactly 0 or 1. Hand `Z2` to your `logistic_cross_entropy`."),
        *(Mistake("clipped-loss", wrong_train(
            loss=lambda y, Z2, Y_hat, tiny=tiny: _clipped(tiny)(y, Z2)),
                  "the parameters are right; the loss is the clipped one of lesson 03, taken of "
                  "`Y_hat`. Hand `Z2` to your `logistic_cross_entropy`.") for tiny in TINY),
        Mistake("probability-for-logit", wrong_train(
            loss=lambda y, Z2, Y_hat: _cross_entropy(y, Y_hat)),
                "the parameters are right; the loss is given `Y_hat` and takes it for a logit: "
                "hand over `Z2`."),
        Mistake("arguments-swapped", wrong_train(
            loss=lambda y, Z2, Y_hat: _cross_entropy(Z2, y)),
                "the parameters are right; in the call of the loss `y` and `Z2` have changed "
                "places: labels come first."),
        Mistake("loss-summed", wrong_train(
            loss=lambda y, Z2, Y_hat: len(y) * _cross_entropy(y, Z2)),
                "the parameters are right; the losses in the history are sums. Use your "
                "`logistic_cross_entropy`, a mean."),
        Mistake("accuracy-in-percent", wrong_train(
            score=lambda y, Y_hat: 100 * _accuracy(y, Y_hat)),
                "the accuracy is noted in percent; note it as a share between 0 and 1."),
        Mistake("accuracy-as-count", wrong_train(
            score=lambda y, Y_hat: y.size * _accuracy(y, Y_hat)),
                "the right answers are counted; the accuracy is their share, between 0 and 1."),
        Mistake("accuracy-for-error", wrong_train(
            score=lambda y, Y_hat: 1 - _accuracy(y, Y_hat)),
                "this is the share of wrong answers; the accuracy is the share of right ones."),
        Mistake("accuracy-of-probabilities", wrong_train(
            score=lambda y, Y_hat: float(np.mean(Y_hat == y))),
                UNDECIDED),
        *(Mistake("accuracy-arguments", wrong_train(
            score=lambda y, Y_hat, label=label: float(np.mean((y > 0.5) == label(Y_hat)))),
                  LABELS_FIRST)
          for label in (lambda Y_hat: Y_hat == 1, lambda Y_hat: Y_hat != 0)),
        Mistake("accuracy-of-logits", wrong_train(score=lambda y, Y_hat: float(np.mean(
            (np.log(Y_hat) - np.log1p(-Y_hat) > 0.5) == (y > 0.5)))),
                "the accuracy is taken of the logits `Z2`, for which one half is not the border: "
                "hand over `Y_hat`."),
        Mistake("forward-outside-the-loop", _forward_once,
                FORWARD_ONCE),
        Mistake("accuracy-of-flattened", wrong_train(
            score=lambda y, Y_hat: float(np.mean((Y_hat > 0.5) == (y.ravel() > 0.5)))),
                "the accuracy compares (N, 1) with (N,), every sample with every other: keep both "
                "as columns."),
        Mistake("lists-swapped", wrong_train(hand_back=lambda params, history: (
            params, {"loss": history["accuracy"], "accuracy": history["loss"]})),
                "`loss` and `accuracy` have changed places in the history."),
        Mistake("history-missing", wrong_train(hand_back=lambda params, history: params),
                "the parameters are right; return the history with them: `return params, "
                "history`."),
        Mistake("order-of-results", wrong_train(
            hand_back=lambda params, history: (history, params)),
                "parameters and history have changed places in the `return` line."),
        Mistake("losses-for-history", wrong_train(
            hand_back=lambda params, history: (params, history["loss"])),
                "the losses are right; the history is a dict with two lists, `loss` and "
                "`accuracy`."),
        Mistake("cache-for-logit", lambda X, y, params, learning_rate, steps: (
            np.asarray(_forward(X, params)) * y),
                "`forward` returns a dict; the loss takes its `Z2`, the accuracy its `Y_hat`."),
        Mistake("step-arguments", lambda *args: args[3]["W1"],
                "a number stands where a dict is wanted: are the arguments of `sgd_step` in its "
                "order, parameters, gradients, learning rate?"),
        Mistake("step-arguments", wrong_train(
            step=lambda params, grads, rate: wrong_step()(grads, params, rate)),
                "`params` and `grads` have changed places in the call of `sgd_step`."),
        Mistake("steps-not-a-range", lambda *args: [None for _ in args[4]],
                "`steps` is a number; `range(steps)` is what a loop runs over."),
    ),
    sizes=lambda X, y, params, learning_rate, steps: {"N": len(X)},
    hint="in each step: `forward`, append loss and accuracy, `backprop`, `sgd_step`.",
    unlocks="Every step is on record, and the caller's parameters stay as they were.",
)
