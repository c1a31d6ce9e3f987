"""Lesson 01: the forward pass, the loss and a numerical gradient."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from helpers.checks.exercise import Exercise, Mistake
from helpers.checks.truth import income_network

DATA = frozenset({"X", "y", "X_b", "X_train", "y_train", "X_test", "y_test", "X_b_train",
                  "X_b_test", "W1", "W2", "Z1", "A1", "Y_hat", "N", "D", "H", "K"})


def ones_first(A):
    """Return `A` (N, M) with a column of ones before it, (N, M + 1)."""
    return np.column_stack([np.ones(len(A)), A])


def ones_last(A):
    """Return `A` (N, M) with a column of ones after it, (N, M + 1)."""
    return np.column_stack([A, np.ones(len(A))])


def network_case(seed, N, D, H, K):
    """Return X_b (N, D+1), y (N, K), W1 (D+1, H), W2 (H+1, K): all sizes different."""
    rng = np.random.default_rng(seed)
    return (ones_first(rng.normal(size=(N, D))), rng.normal(size=(N, K)),
            rng.normal(size=(D + 1, H)), rng.normal(size=(H + 1, K)))


# 01-add-bias

def _add_bias(X):
    return np.array([[1.0, *row] for row in X])


add_bias = Exercise(
    id="01-add-bias",
    name="add_bias",
    truth=_add_bias,
    cases=lambda: [(np.random.default_rng(seed).normal(size=shape),)
                   for seed, shape in ((1, (3, 2)), (2, (7, 4)))],
    data=DATA,
    more=(
        Mistake("ones-last", ones_last,
                "the column of ones stands last; in this course it stands first, so that the "
                "first row of a weight matrix holds the biases."),
        Mistake("zeros-for-ones", lambda X: np.column_stack([np.zeros(len(X)), X]),
                "the new column holds zeros; the bias node always outputs 1."),
        Mistake("added-one", lambda X: X + 1,
                "1 has been added to every entry; what is needed is one more column."),
        Mistake("first-column-overwritten",
                lambda X: np.column_stack([np.ones(len(X)), X[:, 1:]]),
                "the ones have replaced the first input; they are to stand before it."),
        Mistake("row-for-column", lambda X: np.vstack([np.ones(X.shape[1]), X]),
                "the ones form a row at the top, as if they were one more sample; each sample "
                "(row) needs one more entry."),
        Mistake("ones-not-a-column", lambda X: np.hstack([np.ones(len(X)), X]),
                "the ones have shape (N,), and `np.hstack` needs a column, (N, 1): "
                "`np.ones((N, 1))`, or `np.column_stack`, which makes columns itself."),
        Mistake("not-in-a-list", lambda X: np.column_stack(np.ones(len(X)), X),
                "the arrays to be joined go into one list, with brackets: `[ones, X]`."),
        Mistake("not-in-a-list", lambda X: np.hstack(np.ones((len(X), 1)), X),
                "the arrays to be joined go into one list, with brackets: `[ones, X]`."),
        Mistake("ones-of-wrong-length", lambda X: np.column_stack([np.ones(X.shape[1]), X]),
                "there are as many ones as `X` has columns; it needs one for each row, "
                "`X.shape[0]`."),
        Mistake("joined-along-rows", lambda X: np.concatenate([np.ones((len(X), 1)), X]),
                "`np.concatenate` puts one below the other; side by side is `axis=1`."),
        Mistake("added-twice", lambda X: ones_first(ones_first(X)),
                "there are two columns of ones; one is enough."),
        Mistake("ones-only", lambda X: np.ones((len(X), X.shape[1] + 1)),
                "the shape is right, but the inputs themselves are gone."),
    ),
    hint="make a column of `X.shape[0]` ones and put it to the left of `X`.",
    unlocks="A bias is now a weight like any other.",
)


# 01-sigmoid

sigmoid = Exercise(
    id="01-sigmoid",
    name="sigmoid",
    truth=lambda z: expit(np.asarray(z, dtype=float)),
    cases=lambda: [(np.array([-2.0, 0.0, 2.0]),),
                   (np.random.default_rng(1).normal(size=(4, 3)) * 3,),
                   (np.array([-800.0, -10.0, 10.0, 800.0]),)],
    data=DATA,
    more=(
        Mistake("mirrored", lambda z: 1 / (1 + np.exp(z)),
                "the curve falls instead of rising: look at the sign in the exponent."),
        Mistake("mirrored", lambda z: np.exp(-z) / (1 + np.exp(-z)),
                "the curve falls instead of rising: above the line stands 1, not exp(−z)."),
        Mistake("precedence", lambda z: 1 / 1 + np.exp(-z),
                "this comes to 1 + exp(−z): division goes before addition, and `1 / 1 + ...` needs "
                "parentheses around the sum. 1 is *divided* by the whole of it."),
        Mistake("plus-one-missing", lambda z: 1 / np.exp(-z),
                "the `1 +` below the line is missing."),
        Mistake("minus-for-plus", lambda z: 1 / (1 - np.exp(-z)),
                "below the line stands `1 − exp(−z)`; it is a sum."),
        Mistake("tanh", lambda z: np.tanh(z),
                "this is tanh, which runs from −1 to 1; the sigmoid runs from 0 to 1."),
        Mistake("relu", lambda z: np.maximum(z, 0),
                "this is ReLU, max(0, z); the sigmoid is 1 / (1 + exp(−z))."),
        Mistake("derivative", lambda z: expit(z) * (1 - expit(z)),
                "this is the derivative of the sigmoid; here we want the function itself."),
        Mistake("softmax", lambda z: np.exp(z) / np.sum(np.exp(z)),
                "the entries have been divided by their sum; each entry of a sigmoid depends on "
                "its own z alone."),
        Mistake("overflow", lambda z: np.exp(z) / (1 + np.exp(z)),
                "the formula is right, but at z = 800 it is inf / inf = nan. Divide above and "
                "below by exp(z): then only exp(−z) is left, and nothing goes wrong."),
        Mistake("scalar-function", lambda z: _scalar_exp(z),
                "`math.exp` takes one number; `np.exp` takes whole arrays."),
    ),
    sizes=lambda z: {},
    hint="the formula is 1 / (1 + exp(−z)), entry by entry, with `np.exp`.",
    unlocks="Any number goes in; a number between 0 and 1 comes out.",
)


def _scalar_exp(z):
    import math
    return 1 / (1 + math.exp(-z))


# 01-forward

def wrong_forward(activation=expit, into_output=lambda Z1, A1: ones_first(A1),
                  output=lambda Z2: Z2, hand_back=lambda Z1, A1, Y_hat: (Z1, A1, Y_hat)):
    """Return a forward pass with one part exchanged."""
    def forward(X_b, W1, W2):
        Z1 = X_b @ W1
        A1 = activation(Z1)
        return hand_back(Z1, A1, output(into_output(Z1, A1) @ W2))
    return forward


forward = Exercise(
    id="01-forward",
    name="forward",
    truth=income_network,
    cases=lambda: [(X_b, W1, W2) for X_b, _, W1, W2 in
                   (network_case(1, 11, 4, 6, 3), network_case(2, 13, 3, 5, 1),
                    network_case(3, 7, 2, 9, 4))],
    returns=("Z1", "A1", "Y_hat"),
    data=DATA,
    uses=(add_bias, sigmoid),
    integers=("X_b",),
    more=(
        Mistake("bias-last", wrong_forward(into_output=lambda Z1, A1: ones_last(A1)),
                "the hidden layer's column of ones stands last. It must stand first, to meet the "
                "bias row of `W2`, which is its first row."),
        Mistake("bias-missing", wrong_forward(into_output=lambda Z1, A1: A1),
                "`A1` has one column too few for `W2`: the hidden layer's bias node, a column of "
                "ones, is missing."),
        Mistake("bias-without-effect", lambda X_b, W1, W2: (
            X_b @ W1, expit(X_b @ W1), expit(X_b @ W1) @ W2[1:]),
                "the first row of `W2`, the bias of the output, has no effect. The hidden layer's "
                "bias node always outputs 1: give `A1` a column of ones."),
        Mistake("bias-node-activated", wrong_forward(
            into_output=lambda Z1, A1: expit(ones_first(Z1))),
                "the column of ones went through the sigmoid too. Add it to `A1`, after the "
                "activation."),
        Mistake("output-activated", wrong_forward(output=expit),
                "the output went through the sigmoid. Incomes are not limited to (0, 1): the "
                "output unit is linear."),
        Mistake("no-activation", wrong_forward(activation=lambda Z1: Z1),
                "`A1` equals `Z1`: the sigmoid is missing, and without it two layers are no more "
                "than one."),
        Mistake("pre-activation-used", wrong_forward(into_output=lambda Z1, A1: ones_first(Z1)),
                "the output layer was fed `Z1`, from before the sigmoid; it takes `A1`."),
        Mistake("activated-twice", wrong_forward(into_output=lambda Z1, A1: ones_first(expit(A1))),
                "the output layer was fed sigmoid(`A1`): `A1` has been through it already."),
        Mistake("tanh", wrong_forward(activation=np.tanh),
                "`A1` is tanh(`Z1`); this network uses the sigmoid."),
        Mistake("order-of-results", wrong_forward(hand_back=lambda Z1, A1, Y_hat: (A1, Z1, Y_hat)),
                "`Z1` and `A1` have changed places in the `return` line."),
        Mistake("order-of-results", wrong_forward(hand_back=lambda Z1, A1, Y_hat: (Y_hat, Z1, A1)),
                "the right arrays, in another order: return `Z1, A1, Y_hat`."),
        Mistake("returns-with-bias", wrong_forward(
            hand_back=lambda Z1, A1, Y_hat: (Z1, ones_first(A1), Y_hat)),
                "`A1` is returned with its column of ones; return it without."),
        Mistake("only-prediction", wrong_forward(hand_back=lambda Z1, A1, Y_hat: Y_hat),
                "the prediction is right; return `Z1` and `A1` with it, the way back needs them."),
        Mistake("bias-added-to-input", lambda X_b, W1, W2: ones_first(X_b) @ W1,
                "`X_b` has its column of ones already; adding another makes it too wide for `W1`."),
        Mistake("factors-swapped", lambda X_b, W1, W2: W1 @ X_b,
                "samples are rows: it is `X_b @ W1`, the data on the left."),
        Mistake("factors-swapped", lambda X_b, W1, W2: W1.T @ X_b,
                "this is the textbook's Wᵀx for one sample in a column. Our samples are rows: "
                "the data stands on the left, `X_b @ W1`."),
        Mistake("star-for-at", lambda X_b, W1, W2: X_b * W1,
                "`*` multiplies entry by entry; a layer is a matrix product, `@`."),
    ),
    sizes=lambda X_b, W1, W2: {"N": len(X_b)},
    hint="compute `Z1`, `A1` and `Y_hat` one after the other and look at each shape.",
    unlocks="This is the whole network, for any number of samples.",
)


# 01-squared-error

def _squared_error(y, Y_hat):
    return float(sum((a - b) ** 2 for a, b in zip(y.ravel(), Y_hat.ravel(), strict=True)) / 2)


squared_error = Exercise(
    id="01-squared-error",
    name="squared_error",
    truth=_squared_error,
    cases=lambda: [tuple(np.random.default_rng(seed).normal(size=(2, *shape)))
                   for seed, shape in ((1, (5, 1)), (2, (11, 3)), (3, (7, 1)))],
    data=DATA,
    more=(
        Mistake("half-missing", lambda y, Y_hat: np.sum((y - Y_hat) ** 2),
                "the ½ in front of the sum is missing."),
        Mistake("mean-for-sum", lambda y, Y_hat: np.mean((y - Y_hat) ** 2),
                "this is the mean of the squares; this lesson's loss is half their sum."),
        Mistake("half-mean", lambda y, Y_hat: np.mean((y - Y_hat) ** 2) / 2,
                "this is half the mean; this lesson's loss is half the sum over the samples."),
        Mistake("divided-by-N", lambda y, Y_hat: np.sum((y - Y_hat) ** 2) / 2 / len(y),
                "this has been divided by the number of samples; this lesson's loss is half the "
                "sum."),
        Mistake("not-summed", lambda y, Y_hat: (y - Y_hat) ** 2 / 2,
                "there is one loss for each entry; add them all up."),
        Mistake("summed-over-samples-only",
                lambda y, Y_hat: np.sum((y - Y_hat) ** 2, axis=0) / 2,
                "the sum runs over the samples only and leaves one entry for each output. "
                "`axis=0` does that, and so do Python's own `sum` and a loop over the rows; "
                "`np.sum` without `axis` adds up everything."),
        Mistake("one-sample-only", lambda y, Y_hat: np.sum((y[0] - Y_hat[0]) ** 2) / 2,
                "this is the loss of the first sample alone. Is the `return` indented too far, "
                "inside the loop?"),
        Mistake("one-sample-only", lambda y, Y_hat: np.sum((y[-1] - Y_hat[-1]) ** 2) / 2,
                "this is the loss of the last sample alone: add up, do not overwrite."),
        Mistake("one-output-only", lambda y, Y_hat: np.sum((y[:, 0] - Y_hat[:, 0]) ** 2) / 2,
                "only the first column counts here; there may be several outputs, and all of "
                "them count."),
        Mistake("square-missing", lambda y, Y_hat: np.sum(y - Y_hat) / 2,
                "the differences have not been squared, so that plus and minus cancel."),
        Mistake("square-missing", lambda y, Y_hat: np.sum(Y_hat - y) / 2,
                "the differences have not been squared, so that plus and minus cancel."),
        Mistake("absolute-for-square", lambda y, Y_hat: np.sum(np.abs(y - Y_hat)) / 2,
                "this adds up absolute differences; square them."),
        Mistake("squared-after-sum", lambda y, Y_hat: np.sum(y - Y_hat) ** 2 / 2,
                "the sum has been squared; square each difference first, then add up."),
        Mistake("squared-apart", lambda y, Y_hat: np.sum(y ** 2 - Y_hat ** 2) / 2,
                "this is y² − ŷ²; it is the difference that is squared, (y − ŷ)²."),
        Mistake("half-squared", lambda y, Y_hat: np.sum((0.5 * (y - Y_hat)) ** 2),
                "the ½ has been squared too and became ¼; it stands outside the square."),
        Mistake("root-taken", lambda y, Y_hat: np.sqrt(np.sum((y - Y_hat) ** 2)),
                "a square root has been taken (as `np.linalg.norm` does); leave it out."),
        Mistake("root-taken", lambda y, Y_hat: np.linalg.norm(y - Y_hat) / 2,
                "`np.linalg.norm` takes a square root; square it, or use `np.sum`."),
        Mistake("labels-flattened", lambda y, Y_hat: np.sum((y.ravel() - Y_hat) ** 2) / 2,
                "one side has shape (N,) and the other (N, 1): their difference is (N, N), every "
                "sample against every other. Keep both as columns."),
    ),
    sizes=lambda y, Y_hat: {"N": len(y), "K": y.shape[1]},
    hint="difference, square, sum, half, in this order.",
    unlocks="One number now says how wrong the network is.",
)


# 01-numerical-gradient

def _x_squared():
    def f(W):
        """x²"""
        return float(np.sum(W ** 2))
    f.slope = lambda W, eps: 2 * W
    return f


def _toy():
    def f(W):
        """w₀² + 3·w₀·w₁"""
        return float(W[0] ** 2 + 3 * W[0] * W[1])
    f.slope = lambda W, eps: np.array([2 * W[0] + 3 * W[1], 3 * W[0]])
    return f


def _waves(C):
    def f(W):
        """Σ sin(c·w)"""
        return float(np.sum(np.sin(C * W)))
    f.slope = lambda W, eps: np.cos(C * W) * np.sin(C * eps) / eps
    return f


def _fifth_power():
    def f(W):
        """x⁵"""
        return float(np.sum(W ** 5))
    f.slope = lambda W, eps: 5 * W ** 4 + 10 * W ** 2 * eps ** 2 + eps ** 4
    return f


def _numerical_gradient(f, W, eps=1e-5):
    return f.slope(W, eps)  # what central differences come to, in closed form


def _gradient_cases():
    rng = np.random.default_rng(1)
    return [(_x_squared(), np.array([-3.0])), (_toy(), np.array([1.0, -2.0])),
            (_waves(rng.uniform(0.5, 2, size=(4, 3))), rng.normal(size=(4, 3))),
            (_waves(rng.uniform(0.5, 2, size=(2, 5))), rng.normal(size=(2, 5))),
            (_fifth_power(), np.array([2.0, -1.0]), 0.1)]


def wrong_differences(step=None, formula=None, hand_back=lambda gradient: gradient):
    """Return a numerical gradient with one part exchanged.

    step(W, at, eps) returns the two arrays that f is called with; formula(plus, minus, eps, now)
    the entry of the gradient.
    """
    def both_sides(W, at, eps):
        plus, minus = W.copy(), W.copy()
        plus[at] += eps
        minus[at] -= eps
        return plus, minus

    def numerical_gradient(f, W, eps=1e-5):
        gradient = np.zeros(W.shape)
        shifted = W.copy()
        for at in np.ndindex(W.shape):
            plus, minus = (step or both_sides)(shifted, at, eps)
            value = (formula or (lambda p, m, e, now: (p - m) / (2 * e)))
            gradient[at] = value(f(plus), f(minus), eps, f(W))
        return hand_back(gradient)
    return numerical_gradient


def _not_restored(W, at, eps):
    W[at] += eps
    plus = W.copy()
    W[at] -= 2 * eps
    return plus, W.copy()


def _never_taken_back(W, at, eps):
    minus = W.copy()
    W[at] += eps
    minus[at] -= eps
    return W.copy(), minus


def _moved(W, at, step):
    moved = W.copy()
    moved[at] += step
    return moved


def _row_at_a_time(f, W, eps=1e-5):
    gradient = np.zeros(W.shape)
    for i in range(len(W)):
        plus, minus = W.copy(), W.copy()
        plus[i] += eps
        minus[i] -= eps
        gradient[i] = (f(plus) - f(minus)) / (2 * eps)
    return gradient


def _step_never_reset(f, W, eps=1e-5):
    gradient, step = np.zeros(W.shape), np.zeros(W.shape)
    for at in np.ndindex(W.shape):
        step[at] = eps
        gradient[at] = (f(W + step) - f(W - step)) / (2 * eps)
    return gradient


def _two_loops(f, W, eps=1e-5):
    return [[0.0 for j in range(W.shape[1])] for i in range(W.shape[0])]


def _two_indices(f, W, eps=1e-5):
    return W[0, 0]


def _with_eps(eps):
    return lambda f, W, ignored=1e-5: wrong_differences()(f, W, eps)


def _one_entry(f, W, eps=1e-5):
    right = wrong_differences()(f, W, eps)
    first = np.zeros(W.shape)
    first.flat[0] = right.flat[0]
    return first


numerical_gradient = Exercise(
    id="01-numerical-gradient",
    name="numerical_gradient",
    truth=_numerical_gradient,
    cases=_gradient_cases,
    returns=("gradient",),
    tolerance=1e-7,
    rounding=1e-7,
    data=DATA,
    more=(
        Mistake("one-sided", wrong_differences(formula=lambda p, m, e, now: (p - now) / e),
                "this is the one-sided difference, (f(w + eps) − f(w)) / eps. Step to both sides, "
                "w + eps and w − eps, and the error becomes far smaller."),
        Mistake("one-sided", wrong_differences(formula=lambda p, m, e, now: (now - m) / e),
                "this is the one-sided difference, (f(w) − f(w − eps)) / eps. Step to both sides "
                "and the error becomes far smaller."),
        Mistake("two-missing", wrong_differences(formula=lambda p, m, e, now: (p - m) / e),
                "every entry is twice too large: from w − eps to w + eps it is 2·eps."),
        Mistake("half-step", wrong_differences(formula=lambda p, m, e, now: (p - now) / (2 * e)),
                "one side only, but divided by 2·eps: step to both sides."),
        Mistake("half-eps", wrong_differences(
            step=lambda W, at, eps: (_moved(W, at, eps / 2), _moved(W, at, -eps / 2)),
            formula=lambda p, m, e, now: (p - m) / e),
                "the step is eps/2 to each side. Here it is eps to each side, and the distance "
                "2·eps."),
        Mistake("precedence", wrong_differences(formula=lambda p, m, e, now: (p - m) / 2 * e),
                "`/ 2 * eps` divides by 2 and then multiplies by eps: put `(2 * eps)` in "
                "parentheses."),
        Mistake("not-divided", wrong_differences(formula=lambda p, m, e, now: p - m),
                "this is the difference of the two losses; divide it by 2·eps, the distance."),
        Mistake("sign-flipped", wrong_differences(formula=lambda p, m, e, now: (m - p) / (2 * e)),
                "every entry has the wrong sign: it is f(w + eps) minus f(w − eps)."),
        Mistake("no-difference", wrong_differences(step=lambda W, at, eps: (W, W)),
                "zero everywhere: either both calls of `f` were given the same array (`W_plus = W` "
                "makes no copy, `W.copy()` does), or the slopes are never stored, "
                "`gradient[i] = ...`."),
        Mistake("not-restored", wrong_differences(step=_not_restored),
                "after its turn an entry is not put back: all later entries are measured with "
                "the earlier ones still shifted."),
        Mistake("not-restored", wrong_differences(step=_never_taken_back),
                "after its turn an entry keeps its `+ eps`: all later entries are measured with "
                "the earlier ones still shifted. Take a fresh copy of `W` for each entry."),
        Mistake("all-entries-at-once",
                wrong_differences(step=lambda W, at, eps: (W + eps, W - eps)),
                "all entries were shifted together. Shift one at a time, the others stay."),
        Mistake("row-at-a-time", _row_at_a_time,
                "right for one axis; in a matrix, `W[i]` is a whole row, and all its entries are "
                "shifted together. `for i in np.ndindex(W.shape)` visits single entries."),
        Mistake("step-not-reset", _step_never_reset,
                "the step keeps its old entries: from the second one on, several are shifted "
                "together. Make a new step for each entry, inside the loop."),
        Mistake("step-of-one", wrong_differences(
            step=lambda W, at, eps: (_moved(W, at, 1), _moved(W, at, -1))),
                "the entry is moved by 1 and not by eps."),
        Mistake("two-axes-only", _two_loops,
                "two loops fit a matrix only; `W` may have any number of axes, here it has one. "
                "`for i in np.ndindex(W.shape)` fits all."),
        Mistake("two-axes-only", _two_indices,
                "two indices fit a matrix only; `W` may have any number of axes, here it has one. "
                "`for i in np.ndindex(W.shape)` fits all."),
        Mistake("one-entry-only", _one_entry,
                "only the first entry has been filled in; go through all of them. (Is the "
                "`return` indented too far, inside the loop?)"),
        Mistake("flattened", wrong_differences(hand_back=lambda gradient: gradient.ravel()),
                "the numbers are right, but they stand in one row; give the gradient the shape of "
                "`W`."),
        Mistake("eps-ignored", _with_eps(1e-5),
                "the step is always 1e-5, whatever `eps` says: use the argument."),
        Mistake("eps-too-small", _with_eps(1e-12),
                "the step is so small (1e-12) that f(w + eps) and f(w − eps) agree in almost all "
                "their digits, and their difference is mostly rounding. Use `eps` as it comes."),
    ),
    sizes=lambda f, W, eps=1e-5: {},
    hint="for one entry: copy `W`, add eps there, call `f`; copy again, subtract eps, call `f`; "
         "the difference divided by 2·eps goes to the same place of the gradient.",
    unlocks="From now on you can check any gradient of this course yourself.",
)

