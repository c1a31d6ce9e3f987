"""Lesson 02: the chain rule, backpropagation, the bug hunt and training."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from helpers.checks.exercise import Exercise, Mistake
from helpers.checks.lesson_01 import (
    DATA,
    forward,
    network_case,
    ones_first,
    ones_last,
    sigmoid,
    squared_error,
)
from helpers.checks.truth import dense, income_gradients, income_network


def _sizes(*args):
    return {"N": len(args[0])}


MEASURED = ("right to some digits only, as a measured derivative is. Here it is to be computed by "
            "the chain rule, which needs no eps and is exact.")


def prime(z):
    """Return the derivative of the sigmoid."""
    return expit(z) * (1 - expit(z))


# 02-chain-rule

def _chain_rule(x):
    # By a complex step: exp, sin and the square are analytic.
    shifted = complex(x, 1e-30)
    value = np.exp(np.sin(shifted * shifted))
    return float(value.real), float(value.imag / 1e-30)


def wrong_chain(value=lambda x: math.exp(math.sin(x * x)), square=lambda x: 2 * x,
                sine=lambda x: math.cos(x * x), exponential=lambda x: math.exp(math.sin(x * x)),
                combine=lambda a, b, c: a * b * c):
    """Return a chain rule with one part exchanged."""
    return lambda x: (value(x), combine(square(x), sine(x), exponential(x)))


chain_rule = Exercise(
    id="02-chain-rule",
    name="chain_rule",
    truth=_chain_rule,
    cases=lambda: [(1.2,), (-0.7,), (2.1,)],
    returns=("value", "derivative"),
    more=(
        Mistake("inner-derivative-missing", wrong_chain(square=lambda x: 1),
                "the derivative of the innermost step, x², is missing from the product."),
        Mistake("middle-derivative-missing", wrong_chain(sine=lambda x: 1),
                "the derivative of the middle step, sin, is missing from the product."),
        Mistake("outer-derivative-missing", wrong_chain(exponential=lambda x: 1),
                "the derivative of the outermost step, exp, is missing from the product."),
        Mistake("evaluated-at-x", wrong_chain(sine=lambda x: math.cos(x)),
                "the derivative of sin is taken at `x`. What goes into sin is x²: take it "
                "there."),
        Mistake("evaluated-at-x", wrong_chain(exponential=lambda x: math.exp(x)),
                "the derivative of exp is taken at `x`. What goes into exp is sin(x²): take it "
                "there."),
        Mistake("evaluated-one-step-early", wrong_chain(exponential=lambda x: math.exp(x * x)),
                "the derivative of exp is taken at x². What goes into exp is sin(x²): take it "
                "there."),
        Mistake("evaluated-one-step-late",
                wrong_chain(sine=lambda x: math.cos(math.sin(x * x))),
                "the derivative of sin is taken at sin(x²), its own output. Take it at what goes "
                "in, x²."),
        Mistake("evaluated-one-step-late",
                wrong_chain(exponential=lambda x: math.exp(math.exp(math.sin(x * x)))),
                "the derivative of exp is taken at its own output. Take it at what goes in, "
                "sin(x²)."),
        Mistake("sum-for-product", wrong_chain(combine=lambda a, b, c: a + b + c),
                "the local derivatives have been added; along a chain they are multiplied."),
        Mistake("sine-sign", wrong_chain(sine=lambda x: -math.cos(x * x)),
                "the derivative of sin is cos, with a plus sign."),
        Mistake("square-derivative", wrong_chain(square=lambda x: x),
                "the derivative of x² is 2x; here it is taken as x."),
        Mistake("square-derivative", wrong_chain(square=lambda x: 2),
                "the derivative of x² is 2x; here it is taken as 2."),
        Mistake("exp-power-rule", wrong_chain(exponential=lambda x: (
            math.sin(x * x) * math.exp(math.sin(x * x) - 1))),
                "exp has been differentiated like a power; the derivative of exp is exp."),
        Mistake("local-derivatives-only", wrong_chain(combine=lambda a, b, c: c),
                "only the last local derivative is returned; multiply all three."),
        Mistake("order-of-results", lambda x: wrong_chain()(x)[::-1],
                "value and derivative have changed places in the `return` line."),
        Mistake("derivative-only", lambda x: wrong_chain()(x)[1],
                "the derivative is right; return the value too: `return value, derivative`."),
        Mistake("measured-not-derived", lambda x: (
            _chain_rule(x)[0], _chain_rule(x)[1] * (1 + 3e-10)),
                MEASURED),
        Mistake("square-of-sine", lambda x: (
            math.exp(math.sin(x) ** 2),
            math.exp(math.sin(x) ** 2) * 2 * math.sin(x) * math.cos(x)),
                "this is the square of sin(x); what is meant is the sine of x²: square first."),
    ),
    sizes=lambda x: {},
    tolerance=1e-12,
    rounding=1e-7,  # measured derivatives are no better here
    integers=(),
    hint="name the steps, a = x², b = sin(a), c = exp(b), and multiply the three local "
         "derivatives, each taken at what goes into its step.",
    unlocks="Backpropagation is this, done for every weight at once.",
)


# 02-sigmoid-prime

def _sigmoid_prime(z):
    return expit(z) * expit(-z)


def _log_form(z):
    return np.exp(-z) / (1 + np.exp(-z)) ** 2


sigmoid_prime = Exercise(
    id="02-sigmoid-prime",
    name="sigmoid_prime",
    truth=_sigmoid_prime,
    cases=lambda: [(np.array([-2.0, 0.0, 2.0]),),
                   (np.random.default_rng(1).normal(size=(4, 3)) * 2,),
                   (np.array([-1000.0, 1000.0]),)],
    data=DATA,
    uses=(sigmoid,),
    more=(
        Mistake("overflow", _log_form,
                "the formula is right, but at z = −1000 it is inf / inf = nan (so it is in the "
                "published lesson). Write the derivative with the sigmoid's own value: "
                "s · (1 − s)."),
        Mistake("overflow", lambda z: np.exp(z) / (1 + np.exp(z)) ** 2,
                "the formula is right, but at z = 1000 it is inf / inf = nan. Write the "
                "derivative with the sigmoid's own value: s · (1 − s)."),
        Mistake("measured-not-derived", lambda z: _sigmoid_prime(z) * (1 + 3e-10), MEASURED),
        Mistake("already-activated", lambda z: z * (1 - z),
                "this is z · (1 − z), right only if `z` had been through the sigmoid already. "
                "Here `z` comes from before it: take s = sigmoid(z) first."),
        Mistake("not-a-derivative", lambda z: expit(z),
                "this is the sigmoid itself, not its derivative."),
        Mistake("one-minus-only", lambda z: 1 - expit(z),
                "this is 1 − s; the factor s is missing."),
        Mistake("sign-flipped", lambda z: expit(z) * (expit(z) - 1),
                "the sign is wrong: the sigmoid rises everywhere, so its derivative is positive: "
                "s · (1 − s)."),
        Mistake("activated-twice", lambda z: prime(expit(z)),
                "the derivative is taken at sigmoid(z), so that `z` goes through the sigmoid "
                "twice."),
        Mistake("tanh-derivative", lambda z: 1 - expit(z) ** 2,
                "1 − s² is the derivative of tanh (with s = tanh); for the sigmoid it is "
                "s · (1 − s)."),
        Mistake("tanh-derivative", lambda z: 1 - np.tanh(z) ** 2,
                "this is the derivative of tanh; the activation here is the sigmoid."),
        Mistake("precedence", lambda z: expit(z) * 1 - expit(z),
                "`s * 1 - s` multiplies first and is zero everywhere: put `(1 - s)` in "
                "parentheses."),
        Mistake("plus-for-minus", lambda z: expit(z) * (1 + expit(z)),
                "there is a plus in the second factor; it is 1 minus s."),
        Mistake("square-for-product", lambda z: expit(z) ** 2,
                "this is s²; the derivative is s · (1 − s)."),
        Mistake("square-missing", lambda z: np.exp(-z) / (1 + np.exp(-z)),
                "the square below the line is missing. The safer way to write it is "
                "s · (1 − s)."),
    ),
    sizes=lambda z: {},
    tolerance=1e-12,
    hint="let s = sigmoid(z); the derivative is s times (1 minus s).",
    unlocks="It is largest, one quarter, at z = 0, and never fails far out.",
)


# 02-hidden-delta

def _hidden_delta(dZ2, W2, Z1):
    return dense(dZ2, W2[1:].T) * _sigmoid_prime(Z1)


def _delta_cases():
    cases = []
    for X_b, y, W1, W2 in _backprop_cases():
        Z1, _, Y_hat = income_network(X_b, W1, W2)
        cases.append((Y_hat - y, W2, Z1))
    return cases


hidden_delta = Exercise(
    id="02-hidden-delta",
    name="hidden_delta",
    truth=_hidden_delta,
    cases=_delta_cases,
    returns=("dZ1",),
    data=DATA | {"dZ2", "dZ1"},
    uses=(sigmoid_prime, sigmoid),
    integers=(),
    more=(
        Mistake("activation-derivative-missing", lambda dZ2, W2, Z1: dZ2 @ W2[1:].T,
                "the derivative of the activation is missing: the error passes through the "
                "sigmoid on its way back, so multiply by `sigmoid_prime(Z1)`, entry by entry."),
        Mistake("activation-for-derivative",
                lambda dZ2, W2, Z1: dZ2 @ W2[1:].T * expit(Z1),
                "it is multiplied by sigmoid(Z1), the activation itself; on the way back it is "
                "the derivative of the activation."),
        Mistake("derivative-of-activated",
                lambda dZ2, W2, Z1: dZ2 @ W2[1:].T * prime(expit(Z1)),
                "the derivative is taken at `A1`, what has been through the sigmoid already. "
                "Take it at `Z1`."),
        Mistake("derivative-of-activated",
                lambda dZ2, W2, Z1: dZ2 @ W2[1:].T * Z1 * (1 - Z1),
                "this multiplies by Z1 · (1 − Z1), which needs the activated value in place of "
                "`Z1`."),
        Mistake("bias-row-kept", lambda dZ2, W2, Z1: dZ2 @ W2.T * prime(Z1),
                "the whole of `W2` is used, its bias row included, so there is one column too "
                "many. The bias node outputs 1 whatever happens: no error flows back through it."),
        Mistake("bias-row-kept", lambda dZ2, W2, Z1: dZ2 @ W2.T * ones_first(prime(Z1)),
                "the result has a column for the bias node. The bias node has no input: no error "
                "flows back through it, so leave out the first row of `W2`."),
        Mistake("wrong-row-dropped", lambda dZ2, W2, Z1: dZ2 @ W2[:-1].T * prime(Z1),
                "the last row of `W2` has been left out. The bias row is the first one."),
        Mistake("transpose-missing", lambda dZ2, W2, Z1: dZ2 @ W2[1:] * prime(Z1),
                "`dZ2` is (N, K), so it needs a matrix (K, H): `W2` without its bias row is "
                "(H, K), and going back takes its transpose."),
        Mistake("reshape-for-transpose", lambda dZ2, W2, Z1: (
            dZ2 @ W2[1:].reshape(W2.shape[1], -1) * prime(Z1)),
                "`reshape` keeps the order of the entries and only breaks the lines elsewhere; "
                "the transpose, `.T`, turns rows into columns."),
        Mistake("at-for-star", lambda dZ2, W2, Z1: (dZ2 @ W2[1:].T) @ prime(Z1),
                "the derivative of the activation is multiplied entry by entry, `*`, the ⊙ of the "
                "formula; `@` is the matrix product."),
        Mistake("star-for-at", lambda dZ2, W2, Z1: dZ2 * W2[1:].T * prime(Z1),
                "going back through the weights is a matrix product, `@`; `*` works entry by "
                "entry."),
        Mistake("star-for-at", lambda dZ2, W2, Z1: dZ2 * (W2[1:].T * prime(Z1)),
                "going back through the weights is a matrix product, `@`; `*` works entry by "
                "entry."),
        Mistake("factors-swapped", lambda dZ2, W2, Z1: W2[1:] @ dZ2.T * prime(Z1),
                "the factors stand the other way round, so that samples have become columns. "
                "Begin with `dZ2`: its rows are the samples."),
        Mistake("sign-flipped", lambda dZ2, W2, Z1: -(dZ2 @ W2[1:].T) * prime(Z1),
                "the sign is flipped; nothing on the way back asks for a minus."),
        Mistake("averaged", lambda dZ2, W2, Z1: dZ2 @ W2[1:].T * prime(Z1) / len(Z1),
                "it is divided by the number of samples; this lesson's loss is a sum, so nothing "
                "is."),
        Mistake("weights-missing",
                lambda dZ2, W2, Z1: dZ2.sum(axis=1, keepdims=True) * prime(Z1),
                "the weights play no part here; each error travels back along its weight."),
        Mistake("summed-over-samples",
                lambda dZ2, W2, Z1: (dZ2 @ W2[1:].T * prime(Z1)).sum(axis=0),
                "the samples have been added up. Each sample keeps its own row of `dZ1`; the sum "
                "comes with the weights' gradient."),
        Mistake("hard-coded-size", lambda dZ2, W2, Z1: dZ2 @ W2[1:4].T * prime(Z1),
                "`W2[1:4]` has the size of one network written into it; `W2[1:]` leaves out the "
                "bias row of any."),
    ),
    sizes=_sizes,
    hint="send `dZ2` back through the weights without the bias row, then through the activation.",
    unlocks="That is the step that gave backpropagation its name.",
)


# 02-backprop

def wrong_backprop(residual=lambda y, Y_hat: Y_hat - y, back=lambda W2: W2[1:].T,
                   through=prime, into_output=lambda Z1, A1: ones_first(A1),
                   finish=lambda dW1, dW2, N: (dW1, dW2)):
    """Return a backpropagation with one part exchanged."""
    def backprop(X_b, y, W1, W2):
        Z1 = X_b @ W1
        A1 = expit(Z1)
        dZ2 = residual(y, ones_first(A1) @ W2)
        dZ1 = dZ2 @ back(W2) * through(Z1)
        return finish(X_b.T @ dZ1, into_output(Z1, A1).T @ dZ2, len(X_b))
    return backprop


def _output_derivative(X_b, y, W1, W2):
    Z1, A1, Y_hat = income_network(X_b, W1, W2)
    dZ2 = (Y_hat - y) * prime(Y_hat)
    return X_b.T @ (dZ2 @ W2[1:].T * prime(Z1)), ones_first(A1).T @ dZ2


def _output_activated(X_b, y, W1, W2):
    Z1, A1, Z2 = income_network(X_b, W1, W2)
    dZ2 = (expit(Z2) - y) * prime(Z2)
    return X_b.T @ (dZ2 @ W2[1:].T * prime(Z1)), ones_first(A1).T @ dZ2


def _one_sample(X_b, y, W1, W2):
    return wrong_backprop()(X_b[-1:], y[-1:], W1, W2)


def _loss_for_residual(X_b, y, W1, W2):
    return wrong_backprop(residual=lambda y, Y_hat: (Y_hat - y) ** 2 / 2)(X_b, y, W1, W2)


def _gradient_for_weight(X_b, y, W1, W2):
    dW2 = wrong_backprop()(X_b, y, W1, W2)[1]
    Z1, _, Y_hat = income_network(X_b, W1, W2)
    return X_b.T @ ((Y_hat - y) @ dW2[1:].T * prime(Z1)), dW2


def _updated_output_weights(rate):
    def backprop(X_b, y, W1, W2):
        dW2 = wrong_backprop()(X_b, y, W1, W2)[1]
        Z1, _, Y_hat = income_network(X_b, W1, W2)
        return X_b.T @ ((Y_hat - y) @ (W2 - rate * dW2)[1:].T * prime(Z1)), dW2
    return backprop


BACKPROP_MISTAKES = (
    Mistake("bias-last", wrong_backprop(into_output=lambda Z1, A1: ones_last(A1)),
            "the rows of `dW2` are in the wrong order: the column of ones was put last, while "
            "`forward` puts it first. Every row then meets the weight of its neighbour."),
    Mistake("sign-flipped", wrong_backprop(residual=lambda y, Y_hat: y - Y_hat),
            "both gradients have the wrong sign: for ½(y − ŷ)² the derivative by ŷ is ŷ − y."),
    Mistake("measured-not-derived",
            wrong_backprop(finish=lambda dW1, dW2, N: (dW1 * (1 + 3e-10), dW2 * (1 + 3e-10))),
            MEASURED),
    Mistake("hidden-sign-flipped", wrong_backprop(back=lambda W2: -W2[1:].T),
            "`dW2` is right and `dW1` has the wrong sign: there is a minus too many on the way "
            "through the hidden layer."),
    Mistake("output-sign-flipped", wrong_backprop(finish=lambda dW1, dW2, N: (dW1, -dW2)),
            "`dW1` is right and `dW2` has the wrong sign."),
    Mistake("divided-by-N", wrong_backprop(finish=lambda dW1, dW2, N: (dW1 / N, dW2 / N)),
            "both gradients are divided by the number of samples. That belongs to a loss that is "
            "a mean; this lesson's loss is a sum."),
    Mistake("hidden-divided-by-N", wrong_backprop(finish=lambda dW1, dW2, N: (dW1 / N, dW2)),
            "`dW1` is divided by the number of samples; this lesson's loss is a sum, so nothing "
            "is."),
    Mistake("output-divided-by-N", wrong_backprop(finish=lambda dW1, dW2, N: (dW1, dW2 / N)),
            "`dW2` is divided by the number of samples; this lesson's loss is a sum, so nothing "
            "is."),
    Mistake("divided-by-N-and-K", lambda X_b, y, W1, W2: tuple(
        d / y.size for d in wrong_backprop()(X_b, y, W1, W2)),
            "both gradients are divided by the number of all entries of `y` (as `np.mean` does); "
            "this lesson's loss is a sum, so nothing is."),
    Mistake("divided-by-N-twice-in-hidden",
            wrong_backprop(finish=lambda dW1, dW2, N: (dW1 / N / N, dW2 / N)),
            "`dW2` is divided by the number of samples once and `dW1` twice; this lesson's loss "
            "is a sum, so nothing is."),
    Mistake("factor-2", wrong_backprop(residual=lambda y, Y_hat: 2 * (Y_hat - y)),
            "both gradients are twice too large: the 2 from the square cancels the ½ of the "
            "loss."),
    Mistake("factor-half", wrong_backprop(residual=lambda y, Y_hat: (Y_hat - y) / 2),
            "both gradients are half of what they should be: the ½ of the loss cancels the 2 from "
            "the square."),
    Mistake("learning-rate-inside",
            wrong_backprop(finish=lambda dW1, dW2, N: (0.05 * dW1, 0.05 * dW2)),
            "both gradients are 0.05 times the right ones: is the learning rate in them? It "
            "belongs to the update."),
    Mistake("learning-rate-inside",
            wrong_backprop(finish=lambda dW1, dW2, N: (0.01 * dW1, 0.01 * dW2)),
            "both gradients are 0.01 times the right ones: is the learning rate in them? It "
            "belongs to the update."),
    Mistake("activation-derivative-missing", wrong_backprop(through=lambda Z1: 1),
            "`dW2` is right; in `dW1` the derivative of the activation is missing: multiply by "
            "`sigmoid_prime(Z1)` on the way back."),
    Mistake("activation-for-derivative", wrong_backprop(through=expit),
            "`dW2` is right; for `dW1` the way back multiplies by the activation `A1` itself, "
            "where its derivative belongs."),
    Mistake("derivative-of-activated", wrong_backprop(through=lambda Z1: prime(expit(Z1))),
            "`dW2` is right; for `dW1` the derivative is taken at `A1`, which has been through "
            "the sigmoid already. `sigmoid_prime` takes `Z1`."),
    Mistake("derivative-of-activated", wrong_backprop(through=lambda Z1: Z1 * (1 - Z1)),
            "`dW2` is right; for `dW1` the derivative is written as Z1 · (1 − Z1). That formula "
            "takes the activated value `A1`."),
    Mistake("output-derivative-extra", _output_derivative,
            "the output error is multiplied by the derivative of a sigmoid. The output unit is "
            "linear: its derivative is 1."),
    Mistake("output-activated", _output_activated,
            "this is the gradient of a network with a sigmoid at its output. Here the output is "
            "linear: ŷ is Z2 itself."),
    Mistake("wrong-row-dropped", wrong_backprop(back=lambda W2: W2[:-1].T),
            "`dW2` is right; for `dW1` the last row of `W2` was left out on the way back. The "
            "bias row is the first."),
    Mistake("bias-row-kept", wrong_backprop(back=lambda W2: W2.T),
            "the whole of `W2` is used on the way back, its bias row included. No error flows "
            "back through the bias node: leave out the first row."),
    Mistake("bias-missing", wrong_backprop(into_output=lambda Z1, A1: A1),
            "`dW2` has one row too few: the hidden layer's bias node is missing from what went "
            "into the output."),
    Mistake("pre-activation-used", wrong_backprop(into_output=lambda Z1, A1: ones_first(Z1)),
            "`dW1` is right; `dW2` is computed from `Z1`, from before the sigmoid. The output "
            "layer was fed `A1`."),
    Mistake("activated-twice", wrong_backprop(into_output=lambda Z1, A1: ones_first(expit(A1))),
            "`dW1` is right; `dW2` is computed from sigmoid(`A1`), which went through the sigmoid "
            "twice."),
    Mistake("bias-node-activated",
            wrong_backprop(into_output=lambda Z1, A1: expit(ones_first(Z1))),
            "the bias node's 1 went through the sigmoid; the first row of `dW2` is too small."),
    Mistake("reshape-for-transpose",
            wrong_backprop(back=lambda W2: W2[1:].reshape(W2.shape[1], -1)),
            "`dW2` is right; for `dW1` the weights were brought to shape with `reshape`, which "
            "only breaks the lines elsewhere; the transpose, `.T`, turns rows into columns."),
    Mistake("gradient-for-weight", _gradient_for_weight,
            "`dW2` is right; for `dW1` the error was sent back through `dW2` in place of `W2`: it "
            "travels along the weights, not along their gradient."),
    Mistake("transpose-missing", wrong_backprop(back=lambda W2: W2[1:]),
            "on the way back `dZ2` is (N, K), so it needs a matrix (K, H): the transpose of `W2` "
            "without its bias row."),
    Mistake("shape-transposed", wrong_backprop(finish=lambda dW1, dW2, N: (dW1.T, dW2.T)),
            "both gradients are transposed: a gradient has the shape of its weights. It is the "
            "layer's input, transposed, times the error: `A.T @ dZ`."),
    Mistake("order-of-results", wrong_backprop(finish=lambda dW1, dW2, N: (dW2, dW1)),
            "`dW1` and `dW2` have changed places in the `return` line."),
    Mistake("one-sample-only", _one_sample,
            "this is the gradient of the last sample alone; the loss adds up all samples, and so "
            "does its gradient."),
    Mistake("loss-for-residual", _loss_for_residual,
            "the way back begins with the loss itself, ½(y − ŷ)². It begins with its derivative, "
            "ŷ − y."),
    Mistake("prediction-for-residual", wrong_backprop(residual=lambda y, Y_hat: Y_hat),
            "the labels play no part: the way back begins with ŷ − y, not with ŷ."),
    Mistake("updated-weights-used", _updated_output_weights(0.05),
            "`dW2` is right; `dW1` is computed with a `W2` that has been updated already (rate "
            "0.05). Both gradients belong to the weights as they came in."),
    Mistake("updated-weights-used", _updated_output_weights(0.01),
            "`dW2` is right; `dW1` is computed with a `W2` that has been updated already (rate "
            "0.01). Both gradients belong to the weights as they came in."),
    Mistake("labels-flattened", wrong_backprop(residual=lambda y, Y_hat: Y_hat - y.ravel()),
            "`y` lost its second axis: (N, 1) − (N,) is (N, N), every sample against every other. "
            "Keep `y` a column."),
    Mistake("hard-coded-size", wrong_backprop(back=lambda W2: W2[1:4].T),
            "`W2[1:4]` has the size of one network written into it; `W2[1:]` leaves out the bias "
            "row of any."),
    Mistake("star-for-at", lambda X_b, y, W1, W2: X_b.T * (X_b @ W1),
            "`*` multiplies entry by entry; the sum over samples is a matrix product, `@`."),
    Mistake("star-for-at", lambda X_b, y, W1, W2: ones_first(X_b @ W1).T * y,
            "`*` multiplies entry by entry; the sum over samples is a matrix product, `@`."),
    Mistake("input-not-transposed", lambda X_b, y, W1, W2: X_b @ (X_b @ W1),
            "the layer's input is not transposed: `X_b.T @ dZ1` sums over the samples and has the "
            "shape of `W1`."),
)


def _backprop_cases():
    return [network_case(1, 11, 4, 6, 3), network_case(2, 13, 3, 5, 1),
            network_case(3, 7, 2, 9, 4)]


backprop = Exercise(
    id="02-backprop",
    name="backprop",
    truth=lambda X_b, y, W1, W2: income_gradients(X_b, y, W1, W2),
    cases=_backprop_cases,
    returns=("dW1", "dW2"),
    data=DATA | {"dZ1", "dZ2", "dW1", "dW2"},
    uses=(forward, sigmoid_prime, hidden_delta),
    integers=("X_b", "y"),
    tolerance=1e-12,
    more=BACKPROP_MISTAKES,
    sizes=_sizes,
    hint="forward first; then `dZ2`, `dZ1`, and each gradient as (input of the layer).T @ error.",
    unlocks="Every weight now knows in which direction the loss falls.",
)

# 02-suspects

def _suspects(dW, dW_num, tolerance=1e-6):
    def off(a, b):
        return not abs(a - b) <= tolerance * max(abs(a), abs(b))

    return np.array([off(float(a), float(b)) for a, b in zip(dW.flat, dW_num.flat, strict=True)]
                    ).reshape(dW.shape)


def _suspect_cases():
    right = np.random.default_rng(1).normal(size=(4, 3))
    wrong = right * (1 + 1e-10)
    wrong[1, 2] *= -1
    wrong[3, 0] *= 1.01
    scales = np.array([[1e4, 0.5, 0.0], [1e4, 1e-9, 2.0]])
    factors = np.array([[1 + 1e-8, 1.01, 1.0], [1.001, -1.0, 1 + 1e-8]])
    broken = np.array([[1.0, np.nan, 3.0, 4.0, np.nan]])
    return [(wrong, right), (scales * factors, scales),
            (broken, np.array([[1.0, 2.0, 3.3, np.nan, np.nan]])),
            (right * 1.01, right, 0.1)]


def _error(dW, dW_num):
    with np.errstate(all="ignore"):
        return np.abs(dW - dW_num) / np.maximum(np.abs(dW), np.abs(dW_num))


NAN_PASSES = ("an entry that is nan was let through: every comparison with nan is `False`. Ask the "
              "other way round: a suspect is what is not within the tolerance, "
              "`~(difference <= limit)`.")

suspects = Exercise(
    id="02-suspects",
    name="suspects",
    truth=_suspects,
    cases=_suspect_cases,
    returns=("suspects",),
    data=DATA | {"dW1", "dW2", "dW1_num", "dW2_num"},
    integers=(),
    more=(
        Mistake("inverted", lambda dW, dW_num, tolerance=1e-6: ~_suspects(dW, dW_num, tolerance),
                "`True` and `False` are the other way round: an entry that agrees is no suspect."),
        Mistake("inverted", lambda dW, dW_num, tolerance=1e-6: (
            np.abs(dW - dW_num) <= tolerance * np.maximum(np.abs(dW), np.abs(dW_num))),
                "`True` and `False` are the other way round: an entry that agrees is no suspect."),
        Mistake("nan-passes", lambda dW, dW_num, tolerance=1e-6: (
            np.abs(dW - dW_num) > tolerance * np.maximum(np.abs(dW), np.abs(dW_num))),
                NAN_PASSES),
        Mistake("nan-passes",
                lambda dW, dW_num, tolerance=1e-6: _error(dW, dW_num) > tolerance,
                NAN_PASSES),
        Mistake("nan-passes",
                lambda dW, dW_num, tolerance=1e-6: (
                    np.abs(dW - dW_num) > tolerance * (np.abs(dW) + np.abs(dW_num))),
                NAN_PASSES),
        Mistake("zero-over-zero",
                lambda dW, dW_num, tolerance=1e-6: ~(_error(dW, dW_num) <= tolerance),
                "two zeros agree, and here they do not. Either 0/0 gives nan (compare with "
                "tolerance × size and do not divide), or `<` stands where `<=` is meant."),
        Mistake("absolute-error",
                lambda dW, dW_num, tolerance=1e-6: np.abs(dW - dW_num) > tolerance,
                "differences are compared with the tolerance as they are. A gradient may be 10 000 "
                "or 0.000000001: measure the difference against the size of the entries."),
        Mistake("absolute-error",
                lambda dW, dW_num, tolerance=1e-6: ~(np.abs(dW - dW_num) <= tolerance),
                "differences are compared with the tolerance as they are. A gradient may be 10 000 "
                "or 0.000000001: measure the difference against the size of the entries."),
        Mistake("absolute-value-missing",
                lambda dW, dW_num, tolerance=1e-6: (
                    dW - dW_num > tolerance * np.maximum(np.abs(dW), np.abs(dW_num))),
                "only entries that are too large are found; take the absolute value of the "
                "difference."),
        Mistake("absolute-value-missing",
                lambda dW, dW_num, tolerance=1e-6: ~(
                    dW - dW_num <= tolerance * np.maximum(np.abs(dW), np.abs(dW_num))),
                "only entries that are too large are found; take the absolute value of the "
                "difference."),
        Mistake("sizes-signed",
                lambda dW, dW_num, tolerance=1e-6: ~(np.abs(dW - dW_num) <= tolerance * dW_num),
                "the size of a negative entry is its absolute value; without it every negative "
                "entry is a suspect."),
        Mistake("tolerance-ignored",
                lambda dW, dW_num, tolerance=1e-6: _suspects(dW, dW_num, 1e-6),
                "the tolerance is always 1e-6, whatever `tolerance` says: use the argument."),
        Mistake("exact-comparison", lambda dW, dW_num, tolerance=1e-6: dW != dW_num,
                "`!=` asks for equality to the last digit, which a numerical gradient never has."),
        Mistake("default-tolerances", lambda dW, dW_num, tolerance=1e-6: ~np.isclose(dW, dW_num),
                "`np.isclose` has tolerances of its own, 1e-5 and 1e-8: hand it yours, and "
                "`atol=0`."),
        Mistake("floor-on-size",
                lambda dW, dW_num, tolerance=1e-6: ~np.isclose(dW, dW_num, rtol=tolerance),
                "very small entries are let through: `np.isclose` adds an absolute tolerance of "
                "1e-8 of its own. Set `atol=0`."),
        Mistake("one-norm-for-all",
                lambda dW, dW_num, tolerance=1e-6: ~(
                    np.abs(dW - dW_num) <= tolerance * np.abs(dW_num).max()),
                "all entries are measured against the largest one, so that an error in a small "
                "entry hides. Measure each against its own size."),
        Mistake("one-answer-for-all",
                lambda dW, dW_num, tolerance=1e-6: bool(_suspects(dW, dW_num, tolerance).any()),
                "there is one answer for the whole matrix; give one for each entry, in an array "
                "of the same shape."),
        Mistake("one-answer-for-all",
                lambda dW, dW_num, tolerance=1e-6: (
                    ~int(np.allclose(dW, dW_num, rtol=tolerance, atol=0))),
                "there is one answer for the whole matrix (`np.allclose`); give one for each "
                "entry, in an array of the same shape."),
        Mistake("errors-returned", lambda dW, dW_num, tolerance=1e-6: _error(dW, dW_num),
                "these are the errors themselves; compare them with the tolerance, so that the "
                "result is `True` or `False`."),
        Mistake("errors-returned", lambda dW, dW_num, tolerance=1e-6: np.abs(dW - dW_num),
                "these are the differences themselves; compare them with the tolerance, so that "
                "the result is `True` or `False`."),
        Mistake("positions-returned",
                lambda dW, dW_num, tolerance=1e-6: np.argwhere(_suspects(dW, dW_num, tolerance)),
                "these are the positions of the suspects; return the array of `True` and `False` "
                "itself."),
    ),
    hint="size of the difference against tolerance × size of the entries, entry by entry.",
    unlocks="Your checker now points at single weights.",
)


# 02-repair

repair = Exercise(
    id="02-repair",
    name="repaired_backprop",
    truth=backprop.truth,
    cases=_backprop_cases,
    returns=backprop.returns,
    data=backprop.data,
    uses=backprop.uses,
    integers=backprop.integers,
    tolerance=backprop.tolerance,
    more=(
        Mistake("still-published", BACKPROP_MISTAKES[0].wrong,
                "this still is the published gradient: the column of ones stands last, and the "
                "rows of `dW2` are rolled by one."),
        Mistake("rolled-the-wrong-way",
                wrong_backprop(finish=lambda dW1, dW2, N: (dW1, np.roll(dW2, 1, axis=0))),
                "the rows of `dW2` are in another wrong order. Look for the place where `forward` "
                "puts the ones, and put them there too."),
        *BACKPROP_MISTAKES[1:],
    ),
    sizes=_sizes,
    hint="compare, line by line, what `forward` feeds into the output layer with what the "
         "published gradient takes for it.",
    unlocks="You have found and mended a bug in a published lesson.",
)


# 02-train

def _train(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    history = {"train_loss": [], "test_loss": [], "predictions": []}
    for _ in range(epochs):
        prediction = income_network(X_b, W1, W2)[2]
        test = income_network(X_b_test, W1, W2)[2]
        history["predictions"].append(prediction)
        history["train_loss"].append(float(((prediction - y) ** 2).sum() / 2))
        history["test_loss"].append(float(((test - y_test) ** 2).sum() / 2))
        dW1, dW2 = income_gradients(X_b, y, W1, W2)
        W1, W2 = W1 - learning_rate * dW1, W2 - learning_rate * dW2
    return W1, W2, history


def _half_squares(y, Y_hat):
    return float(((Y_hat - y) ** 2).sum() / 2)


def wrong_train(update=lambda W1, W2, dW1, dW2, rate: (W1 - rate * dW1, W2 - rate * dW2),
                gradients=lambda X_b, y, W1, W2, first: wrong_backprop()(X_b, y, W1, W2),
                rounds=lambda epochs: epochs, rate=lambda learning_rate: learning_rate,
                test_set=lambda train, test: test, learn_from=lambda train, test: train,
                log_after=False, loss=_half_squares, hand_back=lambda W1, W2, history: (
                    W1, W2, history)):
    """Return a training loop with one part exchanged."""
    def train(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
        history = {"train_loss": [], "test_loss": [], "predictions": []}
        first = W1, W2

        def log():
            prediction = income_network(X_b, W1, W2)[2]
            X_t, y_t = test_set((X_b, y), (X_b_test, y_test))
            history["predictions"].append(prediction)
            history["train_loss"].append(loss(y, prediction))
            history["test_loss"].append(loss(y_t, income_network(X_t, W1, W2)[2]))

        for _ in range(rounds(epochs)):
            if not log_after:
                log()
            data = learn_from((X_b, y), (X_b_test, y_test))
            dW1, dW2 = gradients(*data, W1, W2, first)
            W1, W2 = update(W1, W2, dW1, dW2, rate(learning_rate))
            if log_after:
                log()
        return hand_back(W1, W2, history)
    return train


def _weights_one_by_one(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    """Update W1, and compute the gradient of W2 with the new W1."""
    history = _train(X_b, y, X_b_test, y_test, W1, W2, learning_rate, 0)[2]
    for _ in range(epochs):
        prediction, test = income_network(X_b, W1, W2)[2], income_network(X_b_test, W1, W2)[2]
        history["predictions"].append(prediction)
        history["train_loss"].append(_half_squares(y, prediction))
        history["test_loss"].append(_half_squares(y_test, test))
        W1 = W1 - learning_rate * wrong_backprop()(X_b, y, W1, W2)[0]
        W2 = W2 - learning_rate * wrong_backprop()(X_b, y, W1, W2)[1]
    return W1, W2, history


def squared_error_of_tuple(X_b, y, X_b_test, y_test, W1, W2, learning_rate, epochs):
    """Hand all that `forward` returns to the loss."""
    return 0.5 * np.sum((y - income_network(X_b, W1, W2)) ** 2)


def _train_cases():
    cases = []
    for seed, sizes, rate, epochs in ((1, (7, 3, 5, 1), 0.03, 4), (2, (9, 2, 6, 4), 0.002, 6)):
        X_b, y, W1, W2 = network_case(seed, *sizes)
        X_b_test, y_test, _, _ = network_case(seed + 10, sizes[0] - 2, *sizes[1:])
        cases.append((X_b, y, X_b_test, y_test, W1, W2, rate, epochs))
    return cases


train = Exercise(
    id="02-train",
    name="train",
    truth=_train,
    cases=_train_cases,
    returns=("W1", "W2", "history"),
    data=DATA | {"dW1", "dW2", "learning_rate", "epochs"},
    uses=(forward, squared_error, backprop),
    integers=(),
    more=(
        Mistake("uphill", wrong_train(
            update=lambda W1, W2, dW1, dW2, rate: (W1 + rate * dW1, W2 + rate * dW2)),
                "the weights move with the gradient, uphill. It points to where the loss rises: "
                "subtract it."),
        Mistake("never-updated", wrong_train(
            update=lambda W1, W2, dW1, dW2, rate: (W1, W2)),
                "the weights never change: assign the updated arrays, `W1 = W1 - ...`."),
        Mistake("only-W1-updated", wrong_train(
            update=lambda W1, W2, dW1, dW2, rate: (W1 - rate * dW1, W2)),
                "`W2` never changes; update both."),
        Mistake("only-W2-updated", wrong_train(
            update=lambda W1, W2, dW1, dW2, rate: (W1, W2 - rate * dW2)),
                "`W1` never changes; update both."),
        Mistake("learning-rate-missing", wrong_train(
            update=lambda W1, W2, dW1, dW2, rate: (W1 - dW1, W2 - dW2)),
                "the whole gradient is subtracted: multiply it by the learning rate."),
        Mistake("learning-rate-ignored", wrong_train(rate=lambda learning_rate: 0.05),
                "the rate is always 0.05, whatever `learning_rate` says: use the argument."),
        Mistake("learning-rate-ignored", wrong_train(rate=lambda learning_rate: 0.01),
                "the rate is always 0.01, whatever `learning_rate` says: use the argument."),
        Mistake("gradient-averaged", wrong_train(
            gradients=lambda X_b, y, W1, W2, first: tuple(
                d / len(X_b) for d in wrong_backprop()(X_b, y, W1, W2))),
                "the gradient is divided by the number of samples before the step; this lesson's "
                "loss is a sum."),
        Mistake("gradient-of-first-weights", wrong_train(
            gradients=lambda X_b, y, W1, W2, first: wrong_backprop()(X_b, y, *first)),
                "every step uses the gradient of the first weights: compute it anew in each "
                "epoch, inside the loop."),
        Mistake("weights-one-by-one", _weights_one_by_one,
                "`dW2` is computed after `W1` has been updated. Compute both gradients first, "
                "then update both."),
        Mistake("logged-after-update", wrong_train(log_after=True),
                "the losses are noted after the step. Note them before it, so that the first "
                "entry belongs to the weights that came in."),
        Mistake("trained-on-test", wrong_train(learn_from=lambda train, test: test),
                "the gradient is computed on the test set; that set is only looked at."),
        Mistake("train-loss-for-test", wrong_train(test_set=lambda train, test: train),
                "`test_loss` is the loss on the training set; use `X_b_test` and `y_test`."),
        Mistake("test-labels-wrong", wrong_train(
            test_set=lambda train, test: (test[0], train[1][:len(test[1])])),
                "`test_loss` compares test predictions with training labels; use `y_test`."),
        Mistake("epoch-missing", wrong_train(rounds=lambda epochs: epochs - 1),
                "one epoch too few has been run; `range(epochs)` runs `epochs` times."),
        Mistake("epoch-too-many", wrong_train(rounds=lambda epochs: epochs + 1),
                "one epoch too many has been run; `range(epochs)` runs `epochs` times."),
        Mistake("epochs-ignored", wrong_train(rounds=lambda epochs: 1),
                "the loop ends after one epoch. Is the `return` indented too far, inside the "
                "loop?"),
        Mistake("epochs-ignored", wrong_train(rounds=lambda epochs: 1000),
                "1000 epochs have been run, whatever `epochs` says: use the argument."),
        Mistake("updates-lost", lambda *args: wrong_train(
            update=lambda W1, W2, dW1, dW2, rate: (W1, W2),
            hand_back=lambda W1, W2, history: (
                *(W - args[6] * dW for W, dW in zip(
                    (W1, W2), wrong_backprop()(args[0], args[1], W1, W2), strict=True)),
                history))(*args),
                "every epoch starts from the first weights again. Give the updated matrices the "
                "names that the next epoch uses: `W1 = W1 - ...`."),
        Mistake("weights-replaced", wrong_train(
            update=lambda W1, W2, dW1, dW2, rate: (rate * dW1, rate * dW2)),
                "the weights are replaced by the step. The step is subtracted from them."),
        Mistake("weights-replaced", wrong_train(
            update=lambda W1, W2, dW1, dW2, rate: (-rate * dW1, -rate * dW2)),
                "the weights are replaced by the step. The step is added to what they were."),
        Mistake("loss-averaged", wrong_train(
            loss=lambda y, Y_hat: float(((Y_hat - y) ** 2).mean())),
                "the weights are right; the losses in the history are means: use "
                "`squared_error`."),
        Mistake("loss-averaged", wrong_train(
            loss=lambda y, Y_hat: float(((Y_hat - y) ** 2).mean() / 2)),
                "the weights are right; the losses in the history are means: use "
                "`squared_error`."),
        Mistake("predictions-missing", wrong_train(hand_back=lambda W1, W2, history: (
            W1, W2, {**history, "predictions": []})),
                "`predictions` is empty: append the training predictions in every epoch."),
        Mistake("epochs-not-a-range", lambda *args: [None for _ in args[7]],
                "`epochs` is a number; `range(epochs)` is what a loop runs over."),
        Mistake("whole-forward-used", lambda *args: squared_error_of_tuple(*args),
                "`forward` returns three things, `Z1, A1, Y_hat`; the loss takes the third."),
        Mistake("half-missing", wrong_train(loss=lambda y, Y_hat: 2 * _half_squares(y, Y_hat)),
                "the weights are right; the losses are twice too large: use `squared_error`."),
        Mistake("losses-as-arrays", wrong_train(
            loss=lambda y, Y_hat: ((Y_hat - y) ** 2).sum(axis=0) / 2),
                "each loss in the history is an array of one entry; note a plain number. (The "
                "published lesson fails here on today's NumPy.)"),
        Mistake("first-weights-returned", lambda *args: (
            args[4], args[5], _train(*args)[2]),
                "the history is right, but the weights that come back are those that came in."),
        Mistake("history-missing", wrong_train(
            hand_back=lambda W1, W2, history: (W1, W2)),
                "the weights are right; return the history with them."),
        Mistake("order-of-results", wrong_train(
            hand_back=lambda W1, W2, history: (W2, W1, history)),
                "`W1` and `W2` have changed places in the `return` line."),
        Mistake("final-prediction-only", wrong_train(hand_back=lambda W1, W2, history: (
            W1, W2, {**history, "predictions": history["predictions"][-1]})),
                "`predictions` holds one epoch only; note the predictions of every epoch."),
    ),
    sizes=_sizes,
    hint="in each epoch: forward on both sets, note both losses and the training predictions, "
         "then the gradients, then the update of both matrices.",
    unlocks="You have trained a neural network with nothing but your own code.",
)
