"""Lesson 07: an autograd of one's own: rules, order, accumulation."""

from __future__ import annotations

import math

import numpy as np

from helpers.checks.compare import Count
from helpers.checks.exercise import Exercise, Group, Mistake
from helpers.checks.graph_fixtures import (
    Node,
    gradients,
    in_order,
    made,
    named_gradients,
    order_facts,
)
from helpers.checks.lesson_01 import DATA as EARLIER
from helpers.checks.truth import complex_step

DATA = EARLIER | {"params", "grads", "x", "a", "b", "c", "upstream", "rows", "dW1", "dW2", "reg"}
MEASURED = ("right to some digits only, as a measured derivative is. Here it is to be computed by "
            "the chain rule, which needs no eps and is exact.")


def no_sizes(*args):
    """Return no sizes: N plays no part in a rule."""
    return {}


# 07-by-hand

def _by_hand(x, y):
    def f(x, y):
        return (x * y + x) ** 2

    return f(x, y), f(complex(x, 1e-30), y).imag / 1e-30, f(x, complex(y, 1e-30)).imag / 1e-30


def wrong_by_hand(value=lambda b: b * b, outer=lambda b: 2 * b, into_a=lambda b_bar: b_bar,
                  x_bar=lambda a_bar, b_bar, x, y: a_bar * y + b_bar,
                  y_bar=lambda a_bar, b_bar, x, y: a_bar * x):
    """Return the three results with one part exchanged."""
    def by_hand(x, y):
        b = x * y + x
        b_bar = outer(b)
        a_bar = into_a(b_bar)
        return value(b), x_bar(a_bar, b_bar, x, y), y_bar(a_bar, b_bar, x, y)
    return by_hand


by_hand = Exercise(
    id="07-by-hand",
    name="by_hand",
    truth=_by_hand,
    cases=lambda: [(2.0, -3.0), (0.7, 1.9), (-1.3, 0.4)],
    returns=("c", "x_bar", "y_bar"),
    more=(
        Mistake("direct-path-forgotten",
                wrong_by_hand(x_bar=lambda a_bar, b_bar, x, y: a_bar * y),
                "`x_bar` holds only what comes back through a = x · y. The `+ x` is a second way "
                "from x to c: what comes back on it is added."),
        Mistake("path-through-a-forgotten",
                wrong_by_hand(x_bar=lambda a_bar, b_bar, x, y: b_bar),
                "`x_bar` holds only what comes back through the `+ x`. The way through "
                "a = x · y is missing; the two are added."),
        Mistake("paths-multiplied",
                wrong_by_hand(x_bar=lambda a_bar, b_bar, x, y: a_bar * y * b_bar),
                "the two ways back to x have been multiplied. Along a way the factors are "
                "multiplied; different ways are added."),
        Mistake("paths-subtracted",
                wrong_by_hand(x_bar=lambda a_bar, b_bar, x, y: a_bar * y - b_bar),
                "what comes back on one way to x is subtracted; different ways are added."),
        Mistake("paths-averaged",
                wrong_by_hand(x_bar=lambda a_bar, b_bar, x, y: (a_bar * y + b_bar) / 2),
                "the two ways back to x have been averaged; they are added."),
        Mistake("x-and-y-swapped",
                wrong_by_hand(x_bar=lambda a_bar, b_bar, x, y: a_bar * x + b_bar,
                              y_bar=lambda a_bar, b_bar, x, y: a_bar * y),
                "in a = x · y the derivative by x is y, and the derivative by y is x; here they "
                "have changed places."),
        Mistake("own-factor", wrong_by_hand(
            x_bar=lambda a_bar, b_bar, x, y: a_bar * x + b_bar),
                "the derivative of x · y by x is y, the *other* factor; here `x_bar` has x."),
        Mistake("own-factor", wrong_by_hand(y_bar=lambda a_bar, b_bar, x, y: a_bar * y),
                "the derivative of x · y by y is x, the *other* factor; here `y_bar` has y."),
        Mistake("square-derivative", wrong_by_hand(outer=lambda b: b),
                "the derivative of b² is 2b; here it is taken as b."),
        Mistake("square-derivative", wrong_by_hand(outer=lambda b: 2.0),
                "the derivative of b² is 2b; here it is taken as 2."),
        Mistake("square-derivative", wrong_by_hand(outer=lambda b: 2 * b * b),
                "the derivative of b² is 2b; here it is 2b², twice the value itself."),
        Mistake("square-derivative", wrong_by_hand(outer=lambda b: b * b),
                "the derivative of b² is 2b; here b² itself stands in its place."),
        Mistake("seed-is-value", wrong_by_hand(outer=lambda b: b * b * 2 * b),
                "the way back starts with the value of c. It starts with 1, the derivative of c by "
                "itself."),
        Mistake("seed-is-zero", wrong_by_hand(outer=lambda b: 0 * b),
                "both gradients are 0: there is a factor 0 somewhere. The way back starts with "
                "`c_bar = 1`."),
        Mistake("upstream-ignored", wrong_by_hand(outer=lambda b: 1.0),
                "what comes back from c = b² is missing: the gradient of b is 2b, and everything "
                "before it is multiplied by that."),
        Mistake("square-missing", wrong_by_hand(value=lambda b: b),
                "the gradients are right; the value is that of b. The last step squares it."),
        Mistake("order-of-results", lambda x, y: (
            wrong_by_hand()(x, y)[0], *wrong_by_hand()(x, y)[:0:-1]),
                "`x_bar` and `y_bar` have changed places in the `return` line."),
        Mistake("gradients-only", lambda x, y: wrong_by_hand()(x, y)[1:],
                "the gradients are right; return the value `c` before them."),
        Mistake("measured-not-derived", lambda x, y: (
            _by_hand(x, y)[0], *(g * (1 + 3e-10) for g in _by_hand(x, y)[1:])), MEASURED),
    ),
    sizes=no_sizes,
    tolerance=1e-12,
    rounding=1e-7,
    integers=(),
    data=frozenset({"a", "b", "c"}),
    hint="forward: a, b, c. Back: c_bar = 1, then b_bar, a_bar, y_bar; x gets one part from a and "
         "one from b.",
    unlocks="Everything else in this lesson does this by itself.",
)


# the rules

def pulled(function, upstream, *inputs):
    """Return the gradient of sum(upstream · function) by each input, from complex steps."""
    def by(place):
        def weighted(v):
            return (upstream * function(*inputs[:place], v, *inputs[place + 1:])).sum()
        return complex_step(weighted, inputs[place])

    found = tuple(by(place) for place in range(len(inputs)))
    return found if len(found) > 1 else found[0]


def rule_cases(function, *shapes, seeds=(1, 2), ready=lambda v: v):
    """Return a function that makes cases (upstream, inputs, output) of these shapes of inputs."""
    def cases():
        made_here = []
        for seed in seeds:
            for shape in shapes:
                rng = np.random.default_rng([seed, *np.ravel(shape)])
                several = shape if isinstance(shape, list) else [shape]
                inputs = [ready(rng.normal(size=s)) for s in several]
                output = function(*inputs)
                made_here.append((rng.normal(size=output.shape), *inputs, output))
        return made_here
    return cases


PAIRS = ([(4, 3), (4, 3)], [(5,), (5,)])
UPSTREAM = ("`upstream` plays no part in it. It is what comes back from the rest of the graph; "
            "every rule multiplies by it.")
IGNORED = "upstream-ignored"


IN_ONE = ("`upstream` is a factor of one of the two gradients only; both are multiplied by what "
          "arrives.")


def _product_cases():
    a, b = np.array([0.0, 1.5, -0.7]), np.array([1.2, 0.0, 0.4])
    return [*rule_cases(np.multiply, *PAIRS)(), (np.array([0.6, -1.1, 0.3]), a, b, a * b)]


def _pair(name, function, mistakes, hint, cases=None):
    return Exercise(
        id="07-pair-rules", name=name,
        truth=lambda upstream, a, b, output: pulled(function, upstream, a, b),
        cases=cases or rule_cases(function, *PAIRS), returns=("da", "db"), more=mistakes,
        sizes=no_sizes, tolerance=1e-12, integers=(), data=DATA, hint=hint)


add_rule = _pair("add_rule", lambda a, b: a + b, (
    Mistake(IGNORED, lambda upstream, a, b, output: (np.ones_like(a), np.ones_like(b)),
            UPSTREAM),
    Mistake(IGNORED, lambda upstream, a, b, output: (1.0, 1.0), UPSTREAM),
    Mistake("upstream-in-one", lambda upstream, a, b, output: (upstream, np.ones_like(b)), IN_ONE),
    Mistake("upstream-in-one", lambda upstream, a, b, output: (np.ones_like(a), upstream), IN_ONE),
    Mistake("upstream-in-one", lambda upstream, a, b, output: (upstream, 1), IN_ONE),
    Mistake("rule-of-the-product", lambda upstream, a, b, output: (upstream * b, upstream * a),
            "this is the rule of the product. A sum passes on what arrives, unchanged, to both "
            "of its inputs."),
    Mistake("times-own-value", lambda upstream, a, b, output: (upstream * a, upstream * b),
            "what arrives is multiplied by the inputs' values. The derivative of a + b by a is "
            "1, whatever a is."),
    Mistake("times-output", lambda upstream, a, b, output: (upstream * output, upstream * output),
            "what arrives is multiplied by the output. The derivative of a + b by a is 1."),
    Mistake("one-input-only",
            lambda upstream, a, b, output: (upstream, np.zeros_like(upstream)),
            "the second input gets nothing; the sum depends on both."),
    Mistake("shared-out", lambda upstream, a, b, output: (upstream / 2, upstream / 2),
            "each input gets half. A gradient is not shared out: each input gets all of it."),
    Mistake("one-gradient-for-two", lambda upstream, a, b, output: upstream,
            "there are two inputs, so return two gradients, `da, db`."),
    Mistake("summed", lambda upstream, a, b, output: (upstream.sum(), upstream.sum()),
            "the entries are added up. Here a and b have the shape of the output; "
            "`unbroadcast` does the rest later."),
), "what is the derivative of a + b by a? Multiply it by what arrives.")

mul_rule = _pair("mul_rule", lambda a, b: a * b, (
    Mistake(IGNORED, lambda upstream, a, b, output: (b, a), UPSTREAM),
    Mistake("upstream-in-one", lambda upstream, a, b, output: (upstream * b, a), IN_ONE),
    Mistake("upstream-in-one", lambda upstream, a, b, output: (b, upstream * a), IN_ONE),
    Mistake("one-factor-in-both", lambda upstream, a, b, output: (upstream * b, upstream * b),
            "both gradients have the factor b. The derivative by b is a."),
    Mistake("one-factor-in-both", lambda upstream, a, b, output: (upstream * a, upstream * a),
            "both gradients have the factor a. The derivative by a is b."),
    Mistake("upstream-overwritten",
            lambda upstream, a, b, output: (upstream * b, upstream * b * a),
            "`db` has the factor b too: is `upstream` overwritten before `db` is computed? It is "
            "needed twice; give `da` a name of its own."),
    Mistake("divides-by-input",
            lambda upstream, a, b, output: (upstream * output / a, upstream * output / b),
            "the output is divided by an input: right until that input is 0, where 0/0 gives "
            "`nan`. What is left after the division is the other factor; use that."),
    Mistake("own-factor", lambda upstream, a, b, output: (upstream * a, upstream * b),
            "each input gets its own value as a factor; the derivative of a · b by a is b, the "
            "*other* one."),
    Mistake("output-for-input",
            lambda upstream, a, b, output: (upstream * output, upstream * output),
            "what arrives is multiplied by the output, a · b. The factor is one of the inputs "
            "only."),
    Mistake("rule-of-the-sum", lambda upstream, a, b, output: (upstream, upstream),
            "this is the rule of the sum. In a product, the derivative by one factor is the other "
            "factor."),
    Mistake("one-input-only",
            lambda upstream, a, b, output: (upstream * b, np.zeros_like(upstream)),
            "the second input gets nothing; the product depends on both."),
    Mistake("matrix-product", lambda upstream, a, b, output: (upstream @ b.T, a.T @ upstream),
            "this is the rule of `@`. `*` multiplies entry by entry, and so does its rule."),
), "the derivative of a · b by a is b, and by b it is a; multiply each by what arrives.",
    _product_cases)

div_rule = _pair("div_rule", lambda a, b: a / b, (
    Mistake(IGNORED, lambda upstream, a, b, output: (1 / b, -a / b**2), UPSTREAM),
    Mistake("upstream-in-one",
            lambda upstream, a, b, output: (upstream / b, -a / b**2), IN_ONE),
    Mistake("upstream-in-one",
            lambda upstream, a, b, output: (1 / b, -upstream * a / b**2), IN_ONE),
    Mistake("order-of-results",
            lambda upstream, a, b, output: (-upstream * a / b**2, upstream / b),
            "`da` and `db` have changed places."),
    Mistake("precedence",
            lambda upstream, a, b, output: (upstream / b, -upstream * a / b * 2),
            "`/ b*2` divides by b and then multiplies by 2. A square is written `b**2`."),
    Mistake("precedence",
            lambda upstream, a, b, output: (upstream / b, -upstream * a / b * b),
            "no division by b is left in `db`: `/ b*b` divides and then multiplies again. A "
            "square is written `b**2`."),
    Mistake("sign-missing",
            lambda upstream, a, b, output: (upstream / b, upstream * a / b**2),
            "the sign of `db` is wrong: a larger denominator makes the quotient smaller (for "
            "positive numbers), so there is a minus."),
    Mistake("square-missing",
            lambda upstream, a, b, output: (upstream / b, -upstream * a / b),
            "`db` lacks a division by b: the derivative of 1/b is −1/b², so a / b, the output, is "
            "divided by b once more."),
    Mistake("output-for-input",
            lambda upstream, a, b, output: (upstream / b, -upstream * output / b**2),
            "in `db` the output stands where the input a is needed. With the output, a / b, one "
            "division by b is done already."),
    Mistake("numerator-missing",
            lambda upstream, a, b, output: (upstream / b, -upstream / b**2),
            "`db` lacks the numerator a."),
    Mistake("rule-of-the-product", lambda upstream, a, b, output: (upstream * b, upstream * a),
            "this is the rule of the product; a / b is a · (1/b)."),
    Mistake("only-numerator",
            lambda upstream, a, b, output: (upstream / b, np.zeros_like(upstream)),
            "the denominator gets nothing; the quotient depends on it too."),
    Mistake("times-b", lambda upstream, a, b, output: (upstream * b, -upstream * a / b**2),
            "`da` is multiplied by b; the derivative of a / b by a is 1 / b."),
), "a / b has the derivatives 1/b (by a) and −a/b² (by b).")

pair_rules = Group("07-pair-rules", (add_rule, mul_rule, div_rule),
                   unlocks="Three rules: the sum passes on, the product crosses over.")


def _power(x, exponent):
    return x**exponent


def _relu(x):
    return np.where(np.real(x) > 0, x, 0)


def _unary(name, function, mistakes, hint, cases=None):
    return Exercise(
        id="07-unary-rules", name=name,
        truth=lambda upstream, x, output: pulled(function, upstream, x),
        cases=cases or rule_cases(function, (4, 3), (5,)), returns=("dx",), more=mistakes,
        sizes=no_sizes, tolerance=1e-12, integers=(), data=DATA, hint=hint)


exp_rule = _unary("exp_rule", np.exp, (
    Mistake(IGNORED, lambda upstream, x, output: output, UPSTREAM),
    Mistake("input-for-output", lambda upstream, x, output: upstream * x,
            "the derivative of exp is exp itself, which is the output; here the input stands in "
            "its place."),
    Mistake("taken-at-output", lambda upstream, x, output: upstream * np.exp(output),
            "exp has been applied to the output, so the input has gone through exp twice."),
    Mistake("derivative-missing", lambda upstream, x, output: upstream,
            "what arrives is handed on as it is; multiply it by the derivative of exp."),
    Mistake("power-rule", lambda upstream, x, output: upstream * x * np.exp(x - 1),
            "exp has been differentiated like a power. The derivative of exp is exp."),
    Mistake("times-input-too", lambda upstream, x, output: upstream * x * output,
            "there is a factor x too many: the derivative of exp is exp alone."),
    Mistake("upstream-added", lambda upstream, x, output: upstream + output,
            "what arrives is added to the derivative; the chain rule multiplies them."),
), "the derivative of exp is exp, and its value is the output that the forward pass has kept.")

log_rule = _unary("log_rule", np.log, (
    Mistake(IGNORED, lambda upstream, x, output: 1 / x, UPSTREAM),
    Mistake("output-for-input", lambda upstream, x, output: upstream / output,
            "it divides by the output, log x. The derivative of log is 1/x: divide by the input."),
    Mistake("multiplied", lambda upstream, x, output: upstream * x,
            "it multiplies by x; the derivative of log is 1/x."),
    Mistake("derivative-missing", lambda upstream, x, output: upstream,
            "what arrives is handed on as it is; multiply it by the derivative of log."),
    Mistake("not-a-derivative", lambda upstream, x, output: upstream * output,
            "it multiplies by log x itself, not by its derivative."),
    Mistake("upstream-below", lambda upstream, x, output: 1 / upstream * x,
            "`1 / upstream * x` divides by `upstream` and multiplies by x; it is the other way "
            "round."),
    Mistake("squared", lambda upstream, x, output: -upstream / x**2,
            "−1/x² is the derivative of 1/x; that of log is 1/x itself."),
), "the derivative of log is 1/x, with x the input.",
    rule_cases(np.log, (4, 3), (5,), ready=lambda v: np.abs(v) + 0.2))

tanh_rule = _unary("tanh_rule", np.tanh, (
    Mistake(IGNORED, lambda upstream, x, output: 1 - output**2, UPSTREAM),
    Mistake("input-for-output", lambda upstream, x, output: upstream * (1 - x**2),
            "1 − x² has the input where the output is needed: the derivative of tanh is 1 minus "
            "the square of tanh x."),
    Mistake("taken-at-output",
            lambda upstream, x, output: upstream * (1 - np.tanh(output) ** 2),
            "tanh has been applied to the output, so the input has gone through tanh twice."),
    Mistake("sigmoid-derivative", lambda upstream, x, output: upstream * output * (1 - output),
            "this is the derivative of the sigmoid, s · (1 − s); for tanh it is 1 minus a square."),
    Mistake("square-missing", lambda upstream, x, output: upstream * (1 - output),
            "the square is missing: 1 minus the *square* of the output."),
    Mistake("not-a-derivative", lambda upstream, x, output: upstream * output,
            "it multiplies by tanh x itself, not by its derivative."),
    Mistake("derivative-missing", lambda upstream, x, output: upstream,
            "what arrives is handed on as it is; multiply it by the derivative of tanh."),
    Mistake("sign-in-derivative", lambda upstream, x, output: upstream * (1 + output**2),
            "1 *plus* the square stands there; the derivative of tanh is 1 minus it."),
    Mistake("difference-squared", lambda upstream, x, output: upstream * (1 - output) ** 2,
            "the whole difference is squared; only the output is, before it is taken from 1."),
    Mistake("upstream-squared",
            lambda upstream, x, output: 1 - upstream * output**2,
            "`upstream` multiplies the square only; put 1 minus the square in parentheses."),
    Mistake("upstream-squared",
            lambda upstream, x, output: upstream * 1 - output**2,
            "`upstream` multiplies the 1 only; put 1 minus the square in parentheses."),
), "the derivative of tanh is 1 minus the square of its own value, which is the output.")


def _relu_cases():
    cases = rule_cases(_relu, (4, 3), (7,))()
    at_zero = np.array([0.0, -0.5, 0.0, 0.5])
    return [*cases, (np.array([3.0, 5.0, -7.0, 2.0]), at_zero, _relu(at_zero))]


relu_rule = _unary("relu_rule", _relu, (
    Mistake(IGNORED, lambda upstream, x, output: (x > 0).astype(float), UPSTREAM),
    Mistake(IGNORED, lambda upstream, x, output: x > 0, UPSTREAM),
    Mistake("comparison-last", lambda upstream, x, output: upstream * x > 0,
            "the product is taken first and then compared with 0: put `x > 0` in parentheses."),
    Mistake("zero-lets-through", lambda upstream, x, output: upstream * (x >= 0),
            "at x = 0 it lets the gradient through. There are two slopes at that point; the "
            "course, like PyTorch, takes 0."),
    Mistake("zero-lets-through", lambda upstream, x, output: np.where(x < 0, 0, upstream),
            "at x = 0 it lets the gradient through. There are two slopes at that point; the "
            "course, like PyTorch, takes 0."),
    Mistake("half-at-zero", lambda upstream, x, output: upstream * (np.sign(x) + 1) / 2,
            "at x = 0 it lets half the gradient through; the course, like PyTorch, takes 0."),
    Mistake("times-output", lambda upstream, x, output: upstream * output,
            "what arrives is multiplied by the output. Where x is positive, the slope is 1, "
            "whatever x is."),
    Mistake("upstream-cut", lambda upstream, x, output: np.maximum(upstream, 0),
            "the gradient is cut off where the *gradient* is negative. What decides is the sign "
            "of the input."),
    Mistake("derivative-missing", lambda upstream, x, output: upstream,
            "everything is let through; where the input is negative, nothing passes."),
    Mistake("mask-reversed", lambda upstream, x, output: upstream * (x < 0),
            "it lets through where the input is negative, and stops where it is positive: the "
            "other way round."),
    Mistake("sign-of-input", lambda upstream, x, output: upstream * np.sign(x),
            "where x is negative it multiplies by −1 (that is the slope of |x|); the slope of "
            "ReLU there is 0."),
), "where x is positive the slope is 1, elsewhere 0.", _relu_cases)


def _power_cases():
    cases = []
    for seed, (shape, exponent) in enumerate((((4, 3), 2), ((5,), 3), ((3, 2), 4), ((6,), 1))):
        rng = np.random.default_rng(seed + 20)
        x = rng.normal(size=shape)
        cases.append((rng.normal(size=shape), x, x**exponent, exponent))
    rng = np.random.default_rng(30)
    x, zero = np.abs(rng.normal(size=7)) + 0.3, np.array([0.0, -0.8, 1.4])
    cases.append((np.array([0.9, 0.2, -1.3]), zero, zero**2, 2))
    return [*cases, (rng.normal(size=7), x, x**-2.0, -2), (rng.normal(size=7), x, x**0.5, 0.5)]


power_rule = Exercise(
    id="07-unary-rules", name="power_rule",
    truth=lambda upstream, x, output, exponent: pulled(
        lambda v: v**exponent, upstream, x),
    cases=_power_cases, returns=("dx",), sizes=no_sizes, tolerance=1e-12, integers=(), data=DATA,
    hint="the derivative of xⁿ is n · xⁿ⁻¹; `exponent` is n.",
    more=(
        Mistake(IGNORED,
                lambda upstream, x, output, exponent: exponent * x ** (exponent - 1.0), UPSTREAM),
        Mistake("exponent-not-lowered",
                lambda upstream, x, output, exponent: upstream * exponent * output,
                "the power is not lowered by one: it is the output where x to the power n − 1 is "
                "needed."),
        Mistake("factor-missing",
                lambda upstream, x, output, exponent: upstream * x ** (exponent - 1.0),
                "the factor n in front is missing: the derivative of xⁿ is n · xⁿ⁻¹."),
        Mistake("always-a-square", lambda upstream, x, output, exponent: upstream * 2 * x,
                "this is the rule of the square, whatever `exponent` says."),
        Mistake("factor-lowered", lambda upstream, x, output, exponent: (
            upstream * (exponent - 1) * x ** (exponent - 1.0)),
                "the factor in front is n itself; only the exponent is lowered by one."),
        Mistake("exponential-rule", lambda upstream, x, output, exponent: (
            upstream * output * np.log(np.abs(x))),
                "this is the derivative by the exponent. The exponent is a constant here; x is "
                "what changes."),
        Mistake("exponential-rule", lambda upstream, x, output, exponent: (
            upstream * output * np.log(x)),
                "this is the derivative by the exponent. The exponent is a constant here; x is "
                "what changes."),
        Mistake("divides-by-input", lambda upstream, x, output, exponent: (
            upstream * exponent * output / x),
                "the output is divided by x: right until x is 0, where 0/0 gives `nan`. Take the "
                "power n − 1 of x."),
        Mistake("output-for-input", lambda upstream, x, output, exponent: (
            upstream * exponent * np.asarray(output) ** (exponent - 1.0)),
                "the power is taken of the output; take it of the input x."),
        Mistake("precedence", lambda upstream, x, output, exponent: (
            upstream * exponent * x**exponent - 1),
                "`x**exponent - 1` takes the power first: put `(exponent - 1)` in parentheses."),
    ),
)

unary_rules = Group("07-unary-rules", (exp_rule, log_rule, tanh_rule, relu_rule, power_rule),
                    unlocks="exp and tanh use their output, log, ReLU and powers their input.")


# 07-array-rules

matmul_rule = Exercise(
    id="07-array-rules", name="matmul_rule",
    truth=lambda upstream, a, b, output: pulled(
        lambda a, b: np.einsum("nd,dk->nk", a, b), upstream, a, b),
    cases=rule_cases(lambda a, b: a @ b, [(5, 3), (3, 2)], [(2, 4), (4, 7)], [(3, 3), (3, 3)]),
    returns=("da", "db"), sizes=no_sizes, tolerance=1e-12, integers=(), data=DATA,
    hint="write the shapes under each factor: a (N, D), b (D, K), upstream (N, K). Each gradient "
         "is a product of `upstream` and the other matrix, and only one way of writing it fits.",
    more=(
        Mistake(IGNORED, lambda upstream, a, b, output: (
            np.ones_like(upstream) @ b.T, a.T @ np.ones_like(upstream)), UPSTREAM),
        Mistake(IGNORED, lambda upstream, a, b, output: (b.T, a.T), UPSTREAM),
        Mistake("output-for-upstream", lambda upstream, a, b, output: (
            output @ b.T, a.T @ output),
                "`output` stands where `upstream` belongs: what comes back is `upstream`."),
        Mistake("output-for-upstream", lambda upstream, a, b, output: (
            upstream @ b.T, a.T @ output),
                "in `db`, `output` stands where `upstream`, which comes back, belongs."),
        Mistake("transposes-missing", lambda upstream, a, b, output: (upstream @ b, a @ upstream),
                "the transposes are missing: `upstream` is (N, K) and `b` is (D, K) only after "
                "a transpose."),
        Mistake("one-transpose-missing",
                lambda upstream, a, b, output: (upstream @ b.T, a @ upstream),
                "`db` lacks a transpose: (D, K) comes from (D, N) times (N, K), and `a` is "
                "(N, D)."),
        Mistake("one-transpose-missing",
                lambda upstream, a, b, output: (upstream @ b, a.T @ upstream),
                "`da` lacks a transpose: (N, D) comes from (N, K) times (K, D), and `b` is "
                "(D, K)."),
        Mistake("own-matrix", lambda upstream, a, b, output: (upstream @ a.T, b.T @ upstream),
                "each input gets itself as a factor; as in a product of numbers, it is the "
                "*other* one."),
        Mistake("factors-swapped", lambda upstream, a, b, output: (b.T @ upstream, upstream @ a.T),
                "the factors stand in the wrong order; a matrix product does not commute. Write "
                "the shapes under each factor."),
        Mistake("order-of-results", lambda upstream, a, b, output: (a.T @ upstream, upstream @ b.T),
                "`da` and `db` have changed places."),
        Mistake("results-transposed", lambda upstream, a, b, output: (
            b @ upstream.T, upstream.T @ a),
                "both results are the transposes of the right ones: a gradient has the shape of "
                "what it belongs to."),
        Mistake("one-result-transposed", lambda upstream, a, b, output: (
            upstream @ b.T, upstream.T @ a),
                "`db` is the transpose of the right one: a gradient has the shape of what it "
                "belongs to. Begin with `a`, transposed."),
        Mistake("reshape-for-transpose", lambda upstream, a, b, output: (
            upstream @ b.reshape(b.shape[::-1]), a.reshape(a.shape[::-1]) @ upstream),
                "`reshape` keeps the order of the entries and only breaks the lines elsewhere; "
                "the transpose, `.T`, turns rows into columns."),
        Mistake("star-for-at", lambda upstream, a, b, output: (upstream * b, upstream * a),
                "this is the rule of `*`, which works entry by entry; the output here is a matrix "
                "product."),
        Mistake("averaged", lambda upstream, a, b, output: (
            upstream @ b.T, a.T @ upstream / len(a)),
                "`db` is divided by the number of rows. If the loss is a mean, that factor arrives "
                "with `upstream`."),
        Mistake("one-input-only", lambda upstream, a, b, output: (
            upstream @ b.T, np.zeros_like(b)),
                "the second matrix gets nothing; the product depends on both."),
    ),
)


def _sum_cases():
    cases = []
    settings = (((4, 3), None, False), ((4, 3), 0, False), ((5, 2), 1, False), ((5, 2), 1, True),
                ((2, 6), 0, True), ((3, 3), 1, False), ((3, 3), 0, False), ((3, 4), None, True),
                ((2, 3, 5), 1, False), ((4, 2), -1, False), ((7,), None, False))
    for seed, (shape, axis, keepdims) in enumerate(settings):
        rng = np.random.default_rng(seed + 50)
        x = rng.normal(size=shape)
        output = np.asarray(x.sum(axis=axis, keepdims=keepdims))
        cases.append((rng.normal(size=output.shape) + np.zeros(output.shape), x, output, axis,
                      keepdims))
    return [(np.asarray(upstream), *rest) for upstream, *rest in cases]


def _spread(upstream, x, axis, keepdims):
    if axis is not None and not keepdims:
        upstream = np.expand_dims(upstream, axis)
    return np.broadcast_to(upstream, x.shape).copy()


def _put_back_only(upstream, x, output, axis=None, keepdims=False):
    return upstream if axis is None or keepdims else np.expand_dims(upstream, axis)


PUT_BACK_WHERE = ("the axis is put back where `keepdims=True` has kept it, and not where it is "
                  "gone: it is the other way round.")


def _condition(put_back):
    """Return a rule of the sum that puts the axis back on another condition."""
    def rule(upstream, x, output, axis=None, keepdims=False):
        if put_back(axis, keepdims):
            upstream = np.expand_dims(upstream, axis)
        return np.broadcast_to(upstream, x.shape)
    return rule


def wrong_sum(wrong):
    """Return a wrong rule of the sum from a function of the right gradient and the arguments."""
    return lambda upstream, x, output, axis=None, keepdims=False: wrong(
        _spread(upstream, x, axis, keepdims), upstream, x, axis, keepdims)


sum_rule = Exercise(
    id="07-array-rules", name="sum_rule",
    truth=lambda upstream, x, output, axis=None, keepdims=False: pulled(
        lambda v: v.sum(axis=axis, keepdims=keepdims), upstream, x),
    cases=_sum_cases, returns=("dx",), sizes=no_sizes, tolerance=1e-12, integers=(), data=DATA,
    hint="where an axis was summed away, put it back with `np.expand_dims(upstream, axis)`; then "
         "stretch to the shape of `x`.",
    more=(
        Mistake(IGNORED, wrong_sum(lambda dx, upstream, x, axis, keepdims: np.ones_like(x)),
                UPSTREAM),
        Mistake("not-stretched", lambda upstream, x, output, axis=None, keepdims=False: upstream,
                "what arrives has the shape of the output. The gradient has the shape of the "
                "input: every entry that was added up gets a copy."),
        Mistake("axis-not-put-back", lambda upstream, x, output, axis=None, keepdims=False: (
            np.broadcast_to(upstream, x.shape)),
                "the axis that was summed away has to be put back before stretching; without it, "
                "shapes do not fit, or (a square array) rows and columns change places silently."),
        Mistake("axis-not-put-back", lambda upstream, x, output, axis=None, keepdims=False: (
            upstream * np.ones_like(x)),
                "the axis that was summed away has to be put back before stretching; without it, "
                "shapes do not fit, or (a square array) rows and columns change places silently."),
        Mistake("axis-not-put-back", lambda upstream, x, output, axis=None, keepdims=False: (
            np.full(x.shape, upstream)),
                "the axis that was summed away has to be put back before stretching; without it, "
                "shapes do not fit, or (a square array) rows and columns change places silently."),
        Mistake("divided", wrong_sum(lambda dx, upstream, x, axis, keepdims: (
            dx * (upstream.size / x.size))),
                "it is divided by the number of entries that were added: that is the rule of the "
                "mean. The derivative of a sum by each of its terms is 1."),
        Mistake("divided", wrong_sum(lambda dx, upstream, x, axis, keepdims: dx / x.size),
                "it is divided by the number of all entries: that belongs to the mean. The "
                "derivative of a sum by each of its terms is 1."),
        Mistake("not-stretched", _put_back_only,
                "the axis is put back, but not stretched: the gradient has the shape of the input; "
                "every entry that was added up gets a copy."),
        Mistake("condition-reversed", _condition(lambda axis, keepdims: keepdims), PUT_BACK_WHERE),
        Mistake("condition-reversed", _condition(
            lambda axis, keepdims: axis is not None and keepdims), PUT_BACK_WHERE),
        Mistake("times-input", wrong_sum(lambda dx, upstream, x, axis, keepdims: dx * x),
                "what arrives is multiplied by x; the derivative of a sum by each of its terms is "
                "1."),
        Mistake("keepdims-ignored", lambda upstream, x, output, axis=None, keepdims=False: (
            np.broadcast_to(upstream if axis is None else np.expand_dims(upstream, axis),
                            x.shape)),
                "with `keepdims=True` the axis is still there; put it back only where it is gone."),
        Mistake("axis-always-last", lambda upstream, x, output, axis=None, keepdims=False: (
            np.broadcast_to(upstream if axis is None or keepdims else upstream[..., None],
                            x.shape)),
                "the axis is always put back at the end; it belongs at the place `axis`."),
        Mistake("axis-always-first", lambda upstream, x, output, axis=None, keepdims=False: (
            np.broadcast_to(upstream if axis is None or keepdims else upstream[None],
                            x.shape)),
                "the axis is always put back in front; it belongs at the place `axis`."),
        Mistake("axis-none-forgotten",
                lambda upstream, x, output, axis=None, keepdims=False: np.broadcast_to(
                    upstream if keepdims else np.expand_dims(upstream, axis), x.shape),
                "`axis=None` means that everything was added up; there is no single axis to put "
                "back then, and one number stretches to any shape by itself."),
        Mistake("summed-again",
                wrong_sum(lambda dx, upstream, x, axis, keepdims: np.full(x.shape, upstream.sum())),
                "what arrives is added up once more; each entry only gets the gradient of the sum "
                "it went into."),
    ),
)


def _pick_cases():
    keys = (((5, 3), slice(1, None)), ((4, 6), (np.arange(4), np.array([2, 0, 5, 2]))),
            ((4, 3), 0), ((3, 5), np.array([2, 0, 2, 2])), ((6,), np.array([1, 1, 4])),
            ((4, 7), (slice(None), 2)))
    cases = []
    for seed, (shape, key) in enumerate(keys):
        rng = np.random.default_rng(seed + 80)
        x = rng.normal(size=shape)
        cases.append((rng.normal(size=x[key].shape), x, x[key].copy(), key))
    return cases


def _picked(upstream, x, key, fill=0.0):
    dx = np.full(x.shape, fill)
    dx[key] = upstream
    return dx


def _added(upstream, x, key):
    dx = np.zeros(x.shape)
    np.add.at(dx, key, upstream)
    return dx


pick_rule = Exercise(
    id="07-array-rules", name="pick_rule",
    truth=lambda upstream, x, output, key: pulled(lambda v: v[key], upstream, x),
    cases=_pick_cases, returns=("dx",), sizes=no_sizes, tolerance=1e-12, integers=(), data=DATA,
    hint="zeros of the shape of `x`, and `np.add.at(zeros, key, upstream)`, which adds once for "
         "each time an entry was picked.",
    more=(
        Mistake("overwritten", lambda upstream, x, output, key: _picked(upstream, x, key),
                "an entry that was picked twice gets only the last of its two gradients. "
                "`dx[key] = …` overwrites, and so does `dx[key] += …` with a repeated index; "
                "`np.add.at` adds."),
        Mistake(IGNORED, lambda upstream, x, output, key: _added(1.0, x, key), UPSTREAM),
        Mistake(IGNORED, lambda upstream, x, output, key: _picked(1.0, x, key), UPSTREAM),
        Mistake("not-put-back", lambda upstream, x, output, key: upstream,
                "what arrives has the shape of what was picked. The gradient has the shape of "
                "`x`, with zeros where nothing was picked."),
        Mistake("not-put-back", lambda upstream, x, output, key: upstream[key],
                "the key is used on what arrives. It says which entries *of x* were picked: it "
                "belongs to an array of the shape of `x`."),
        Mistake("ones-elsewhere", lambda upstream, x, output, key: _picked(upstream, x, key, 1.0),
                "entries that were not picked have a gradient of 1; they play no part, so theirs "
                "is 0."),
        Mistake("ones-elsewhere", lambda upstream, x, output, key: 1 + _added(upstream, x, key),
                "the gradient is added to ones: start from zeros."),
        Mistake("value-for-gradient", lambda upstream, x, output, key: _added(output, x, key),
                "the picked values are put back; what comes back is `upstream`."),
        Mistake("values-elsewhere", lambda upstream, x, output, key: np.where(
            _added(1.0, x, key) > 0, _picked(upstream, x, key), x),
                "entries that were not picked still hold the values of x; they play no part, so "
                "their gradient is 0."),
        Mistake("times-value", lambda upstream, x, output, key: _added(upstream * x[key], x, key),
                "what arrives is multiplied by the picked values. Picking has the slope 1."),
        Mistake("added-to-x", lambda upstream, x, output, key: x + _added(upstream, x, key),
                "the gradient is added to the values of `x`: start from zeros."),
    ),
)

array_rules = Group("07-array-rules", (matmul_rule, sum_rule, pick_rule),
                    unlocks="That is every operation of the course's networks.")
# 07-unbroadcast

def _unbroadcast(gradient, shape):
    total = np.zeros(shape)
    for at in np.ndindex(gradient.shape):
        place = at[len(at) - len(shape):]
        total[tuple(0 if n == 1 else i for i, n in zip(place, shape, strict=True))] += gradient[at]
    return total if shape else float(total)


def _leading(gradient, shape, add=np.sum):
    return add(gradient, axis=tuple(range(gradient.ndim - len(shape))))


def _stretched(gradient, shape, keepdims=True, add=np.sum):
    """Sum over the axes of length 1 in `shape`, which has as many axes as the gradient."""
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return add(gradient, axis=axes, keepdims=keepdims) if axes else gradient


def _axis_by_axis(gradient, shape):
    """Sum one axis after the other, and lose each."""
    while gradient.ndim > len(shape):
        gradient = gradient.sum(axis=0)
    for axis, n in enumerate(shape):
        if n == 1:
            gradient = gradient.sum(axis=axis)
    return gradient


def _ones(shape):
    return tuple(i for i, n in enumerate(shape) if n == 1)


def _return_in_the_loop(gradient, shape, front=True):
    gradient = _leading(gradient, shape) if front else gradient
    for axis, n in enumerate(shape):
        if n == 1:
            gradient = gradient.sum(axis=axis, keepdims=True)
        return gradient


def _one_axis_in_front(gradient, shape):
    gradient = gradient.sum(axis=0) if gradient.ndim > len(shape) else gradient
    return gradient.sum(axis=_ones(shape), keepdims=True)


def _behind(gradient, shape):
    gradient = gradient.sum(axis=tuple(range(len(shape), gradient.ndim)))
    return gradient.sum(axis=_ones(shape), keepdims=True)


ALL_USES = "Each use of a value adds its own share to the gradient: take the sum."
RETURN_INSIDE = ("`return` stands inside the loop, so only the first axis is looked at: indent it "
                 "as far as the `for`.")


def _unbroadcast_cases():
    rng = np.random.default_rng(3)
    shapes = (((4, 3), (3,)), ((4, 3), (4, 1)), ((5, 2), (1, 2)), ((4, 3), (4, 3)), ((3, 5), ()),
              ((2, 4, 3), (4, 1)), ((2, 4, 3), (1, 4, 1)), ((3, 3), (3,)), ((3, 3), (3, 1)),
              ((6,), (1,)), ((4, 1), (1,)))
    return [(rng.normal(size=given), wanted) for given, wanted in shapes]


unbroadcast = Exercise(
    id="07-unbroadcast",
    name="unbroadcast",
    truth=_unbroadcast,
    cases=_unbroadcast_cases,
    more=(
        Mistake("not-reduced", lambda gradient, shape: gradient,
                "the gradient is handed back as it came. An entry that broadcasting has used "
                "several times gets the sum of all their gradients."),
        Mistake("mean-for-sum", lambda gradient, shape: _unbroadcast(gradient, shape) * (
            max(1, math.prod(shape)) / gradient.size),
                f"the entries are averaged. {ALL_USES}"),
        Mistake("mean-for-sum",
                lambda gradient, shape: _stretched(_leading(gradient, shape, np.mean), shape),
                f"the axes that broadcasting put in front are averaged. {ALL_USES}"),
        Mistake("mean-for-sum",
                lambda gradient, shape: _stretched(_leading(gradient, shape), shape, add=np.mean),
                f"the axes of length 1 that broadcasting stretched are averaged. {ALL_USES}"),
        Mistake("one-use-only", lambda gradient, shape: (
            gradient[(0,) * (gradient.ndim - len(shape))][
                tuple(slice(0, n) for n in shape)].copy()),
                "only the first of the repeated uses is kept; all of them act on the loss, so "
                "their gradients are added."),
        Mistake("leading-axes-only", _leading,
                "the axes that broadcasting put in front are summed. The axes of length 1 that it "
                "stretched are still long: sum over them too."),
        Mistake("stretched-axes-only",
                lambda gradient, shape: _stretched(
                    gradient, shape) if gradient.ndim == len(shape) else gradient,
                "the axes of length 1 are summed. The axes that broadcasting put in front, which "
                "`shape` does not have at all, are still there."),
        Mistake("keepdims-missing", lambda gradient, shape: _stretched(
            _leading(gradient, shape), shape, keepdims=False),
                "the sums are right, but an axis of length 1 disappears when it is summed: "
                "`keepdims=True` keeps it."),
        Mistake("keepdims-missing",
                lambda gradient, shape: _leading(gradient, shape).sum(axis=_ones(shape)),
                "the sums are right, but an axis of length 1 disappears when it is summed: "
                "`keepdims=True` keeps it."),
        Mistake("front-axes-stay",
                lambda gradient, shape: gradient.sum(axis=_ones(shape), keepdims=True),
                "the axes that broadcasting put in front are still there when those of length 1 "
                "are summed. Sum over them first, and keep what comes out: `gradient.sum(...)` "
                "alone changes nothing."),
        Mistake("return-in-the-loop", _return_in_the_loop, RETURN_INSIDE),
        Mistake("return-in-the-loop", lambda gradient, shape: _return_in_the_loop(
            gradient, shape, False), RETURN_INSIDE),
        Mistake("one-axis-in-front-only", _one_axis_in_front,
                "only one axis in front is summed; there may be several: sum until no more are "
                "left than in `shape`."),
        Mistake("axes-from-the-left", _behind,
                "the axes that are too many are summed at the end. Broadcasting puts new axes in "
                "*front*: sum over the first ones."),
        Mistake("keepdims-missing", _axis_by_axis,
                "the sums are right, but an axis of length 1 disappears when it is summed: "
                "`keepdims=True` keeps it."),
        Mistake("mean-for-sum", lambda gradient, shape: gradient.mean(axis=0),
                f"the entries are averaged. {ALL_USES}"),
        Mistake("reshaped", lambda gradient, shape: gradient.reshape(shape),
                "`reshape` moves entries into another shape and loses none; here several entries "
                "become one: add them up."),
        Mistake("reshaped", lambda gradient, shape: np.resize(gradient, shape),
                "`resize` cuts entries off; here several entries become one: add them up."),
        Mistake("everything-summed", lambda gradient, shape: np.full(shape, gradient.sum()),
                "everything is added up into one number. Only the axes that broadcasting put in "
                "front or stretched are summed."),
        Mistake("first-axis-always", lambda gradient, shape: gradient.sum(axis=0),
                "it always sums over axis 0, whatever the shapes are: compare the two shapes, "
                "axis by axis, beginning at the right."),
        Mistake("first-axis-always",
                lambda gradient, shape: (
                    gradient if gradient.shape == shape else gradient.sum(axis=0)),
                "it sums over axis 0 wherever the shapes differ: compare them axis by axis, "
                "beginning at the right."),
        Mistake("axes-from-the-left", lambda gradient, shape: (
            gradient.sum(axis=tuple(range(len(shape), gradient.ndim)))),
                "the axes that are too many are summed at the end. Broadcasting puts new axes in "
                "*front*: sum over the first ones."),
        Mistake("broadcast-again", lambda gradient, shape: np.broadcast_to(gradient, shape),
                "`np.broadcast_to` stretches; what is needed is the way back, a sum."),
    ),
    sizes=no_sizes,
    tolerance=1e-12,
    integers=(),
    hint="two steps: sum over the axes in front that `shape` does not have; then, with "
         "`keepdims=True`, over those where `shape` has 1.",
    unlocks="Rules may now behave as if all shapes were equal.",
)


RULES = pair_rules.parts + unary_rules.parts + array_rules.parts


# the graphs: only one order goes back through each (but for sides that are alike), so that a
# mistake comes to the same result whichever way the student's order was found

def _product(a, b):
    return a * b


def _total(a):
    return a.sum()


def titled(title, output):
    """Return the output of a graph, with what a card calls it."""
    output.title = title
    return output


def leaf(name, *shape, seed=0):
    """Return a node without parents, with generic values."""
    rng = np.random.default_rng([seed, *map(ord, name)])
    return Node(rng.normal(size=shape) + 0.1, name=name)


def chain_of_three():
    """Return exp(tanh(x))."""
    x = leaf("x")
    return titled("exp(tanh(x))", made("out", np.exp, made("a", np.tanh, x)))


def product_with_itself():
    """Return x · x, and a node beside it that the output does not need."""
    x = leaf("x")
    made("unused", np.exp, x)
    return titled("x * x", made("out", _product, x, x))


def sum_with_itself():
    """Return x + x."""
    x = leaf("x")
    return titled("x + x", made("out", None, x, x))


def diamond(turned=False):
    """Return a + exp(a), a = tanh(x): one way is longer than the other."""
    a = made("a", np.tanh, leaf("x"))
    b = made("b", np.exp, a)
    sides = (b, a) if turned else (a, b)
    return titled("exp(a) * a, a = tanh(x)" if turned else "a * exp(a), a = tanh(x)",
                  made("out", _product, *sides))


def two_diamonds():
    """Return a diamond on top of a diamond, on arrays; the two sides of each are alike."""
    x, y = leaf("x", 3), leaf("y", 3)
    a = made("a", _product, x, y)
    b = made("b", _product, made("a1", np.tanh, a), made("a2", np.tanh, a))
    c = made("c", None, made("b1", np.sin, b), made("b2", np.sin, b))
    return titled("two diamonds in a row", made("out", _total, made("d", _product, c, y)))


def long_way_round(turned=False):
    """Return x · f(f(f(x))) with a step between: a short and a long way from x to the output."""
    x = leaf("x", 2, seed=1)
    way = x
    for k in range(3):
        way = made(f"a{k + 1}", np.tanh, way)
    sides = (way, x) if turned else (x, way)
    return titled("a short and a long way from x to the output",
                  made("out", _total, made("p", _product, *sides)))


def crossing():
    """Return a graph in which a breadth-first walk meets a node too early."""
    x = leaf("x", 2, seed=2)
    a = made("a", np.tanh, x)
    b = made("b", _product, a, x)
    c = made("c", None, made("b1", np.sin, b), a)
    return titled("a graph whose paths cross", made("out", _total, made("d", _product, c, x)))


def with_a_bias():
    """Return sum((x · m + x) + z): three nodes are handed one and the same gradient array."""
    x, m, z = leaf("x", 3), leaf("m", 3), leaf("z", 3)
    p = made("p", None, made("q", _product, x, m), x)
    return titled("sum((x * m + x) + z)", made("out", _total, made("r", None, p, z)))


def long_chain(length=10_000):
    """Return x + c + c + …: every step is a node."""
    x, c = leaf("x"), leaf("c")
    node = x
    for _ in range(length - 1):
        node = made(None, None, node, c)
    return titled(f"x + c + c + … with {length:,} additions", made("out", None, node, c))


GRAPHS = (chain_of_three, product_with_itself, sum_with_itself, diamond, lambda: diamond(True),
          two_diamonds, long_way_round, lambda: long_way_round(True), crossing, with_a_bias,
          long_chain)
_made: list[Node] = []


def _graph_cases():
    if not _made:  # a call of the student's gets copies
        _made.extend(graph() for graph in GRAPHS)
    return [(output,) for output in _made]


def as_met(output, take=-1):
    """Return the nodes as a walk from the output meets them, each once: no topological order."""
    found, waiting = {output: None}, [output]
    while waiting:
        for parent in waiting.pop(take).parents:
            if parent not in found:
                found[parent] = None
                waiting.append(parent)
    return list(found)


def as_taken(output, take=-1, turn=False):
    """Return the nodes as a walk takes them from its list of those waiting."""
    found, waiting = {}, [output]
    while waiting:
        node = waiting.pop(take)
        if node not in found:
            found[node] = None
            waiting.extend(node.parents[::-1] if turn else node.parents)
    return list(found)


def finished(output, early=False, remember=True, parents=lambda node: node.parents):
    """Return the nodes in the order in which all before them are done (right as it stands).

    With `early`, a node counts as seen when it is put on the stack, not when it is taken off.
    """
    order, seen, stack = [], {output} if early else set(), [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif early or node not in seen or not remember:
            seen.add(node)
            stack.append((node, True))
            for parent in parents(node):
                if not (early and parent in seen):
                    stack.append((parent, False))
                    if early:
                        seen.add(parent)
    return order


def by_recursion(output):
    """Return a right order of a small graph."""
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in node.parents:
                visit(parent)
            order.append(node)

    visit(output)
    return order


def _singles_on_the_stack(output):
    order, seen, stack = [], set(), [(output, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend(node.parents)
    return order


NOT_BEFORE = ("some node stands before one of its parents. A node may be listed when *all* its "
              "parents are; the order in which a walk first meets the nodes does not see to that "
              "where paths of different length meet.")

topological_order = Exercise(
    id="07-topological-order",
    name="topological_order",
    truth=in_order,
    cases=_graph_cases,
    returns=("order",),
    view=order_facts,
    sizes=no_sizes,
    integers=(),
    data=DATA,
    more=(
        Mistake("recursive", by_recursion,
                "right on small graphs; a chain of 10,000 operations is too deep for a function "
                "that calls itself. Keep the waiting nodes in a list of your own."),
        Mistake("empty", lambda output: [],
                "the list comes back empty. Is `return` inside the loop? Or is a node that was "
                "opened not put back on the stack, marked as open?"),
        Mistake("pairs-listed", lambda output: [(node, True) for node in finished(output)],
                "the entries of the list are pairs, as on the stack; append the node only."),
        Mistake("singles-on-the-stack", _singles_on_the_stack,
                "nodes without their mark have come onto the stack, and each is taken off as a "
                "pair: put pairs on it, also for the parents."),
        Mistake("reversed", lambda output: finished(output)[::-1],
                "the order is right, the other way round: here the inputs come first and the "
                "output last."),
        Mistake("order-of-meeting", lambda output: as_met(output)[::-1], NOT_BEFORE),
        Mistake("order-of-meeting", lambda output: as_met(output, 0)[::-1], NOT_BEFORE),
        Mistake("order-of-meeting", lambda output: as_taken(output)[::-1], NOT_BEFORE),
        Mistake("order-of-meeting", lambda output: as_taken(output, turn=True)[::-1], NOT_BEFORE),
        Mistake("order-of-meeting", lambda output: as_taken(output, 0)[::-1], NOT_BEFORE),
        Mistake("order-of-meeting-reversed", as_met,
                "these are the nodes as a walk from the output meets them: the output stands "
                "first, and a node does not wait until all its parents are listed. (With a stack: "
                "does it give from its end, `pop()`?)"),
        Mistake("order-of-meeting-reversed", as_taken,
                "these are the nodes as a walk from the output meets them: the output stands "
                "first, and a node does not wait until all its parents are listed. (With a stack: "
                "does it give from its end, `pop()`?)"),
        Mistake("seen-too-early", lambda output: finished(output, early=True),
                "a node counts as seen when it is put on the stack. Another path may need it "
                "earlier: let it count when it is taken *off*."),
        Mistake("listed-again", lambda output: finished(output, remember=False),
                "a node that several others use is listed several times: remember which nodes "
                "have been seen."),
        Mistake("first-parent-only",
                lambda output: finished(output, parents=lambda node: node.parents[:1]),
                "only the first parent of each node is followed."),
        Mistake("first-parent-only",
                lambda output: finished(output, parents=lambda node: node.parents[-1:]),
                "only the last parent of each node is followed."),
        Mistake("output-missing", lambda output: finished(output)[:-1],
                "the output itself is missing; it is the last node."),
        Mistake("leaves-missing",
                lambda output: [node for node in finished(output) if node.parents],
                "the nodes without parents are missing; they come first."),
        Mistake("parents-only", lambda output: [*output.parents, output],
                "only the output and its parents are listed: go on to *their* parents, until "
                "there are none."),
        Mistake("no-list", lambda output: reversed(finished(output)[::-1]),
                "what comes back is no list (`reversed` and `set` give something else): return "
                "a list of the nodes."),
        Mistake("values-listed", lambda output: [node.value for node in finished(output)],
                "these are the values of the nodes; list the nodes themselves."),
    ),
    hint="a node may be listed only after all its parents, and once. Keep the nodes seen in a "
         "`set`: asking whether a *list* holds a node takes longer and longer as it grows.",
    unlocks="It stands on a stack of your own, so no graph is too deep for it.",
)


# 07-backward

def wrong_backward(order=lambda output: finished(output)[::-1], seed=np.ones_like,
                   combine=lambda old, new: old + new, first=lambda g: g,
                   pull=lambda node, g: node.pull_back(g), pairs=zip,
                   hand_back=lambda grads, output: grads):
    """Return a backward pass with one part exchanged."""
    def backward(output):
        grads = {output: seed(output.value)}
        for node in order(output):
            arrived = grads[node]
            for parent, g in pairs(node.parents, pull(node, arrived)):
                grads[parent] = combine(grads[parent], g) if parent in grads else first(g)
        return hand_back(grads, output)
    return backward


def _added_in_place(old, new):
    old += new
    return old


def _everything_again(output):
    """Hand on all that a node has, again for each time that something arrives."""
    grads, waiting = {output: np.ones_like(output.value)}, [output]
    while waiting:
        node = waiting.pop()
        for parent, g in zip(node.parents, node.pull_back(grads[node]), strict=True):
            grads[parent] = grads[parent] + g if parent in grads else g
            if parent.parents:
                waiting.append(parent)
    return grads


def _changed_values(output):
    grads = wrong_backward()(output)
    for node, g in grads.items():
        node.value = g
    return grads


def _recursive_backward(output):
    grads = {}

    def visit(node, arrived):
        grads[node] = grads.get(node, 0.0) + arrived
        for parent, g in zip(node.parents, node.pull_back(arrived), strict=True):
            visit(parent, g)

    visit(output, np.ones_like(output.value))
    return grads


def _recursive_too_early(output):
    grads = {output: np.ones_like(output.value)}

    def visit(node):
        for parent, g in zip(node.parents, node.pull_back(grads[node]), strict=True):
            grads[parent] = grads.get(parent, 0) + g
            visit(parent)

    visit(output)
    return grads


def _seed_like_the_node(output):
    grads = {output: np.ones_like(output)}
    for node in finished(output)[::-1]:
        for parent, g in zip(node.parents, node.pull_back(grads[node]), strict=True):
            grads[parent] = grads[parent] + g if parent in grads else g
    return grads


def _always_the_outputs(output):
    return wrong_backward(pull=lambda node, g: node.pull_back(np.ones_like(output.value)))(output)


def _added_to_the_node(output, fill=False):
    order = finished(output)[::-1]
    grads = {node: np.zeros_like(node.value) for node in order} if fill else {}
    grads[output] = np.ones_like(output.value)
    for node in order:
        for g in node.pull_back(grads[node]):
            grads[node] = grads[node] + g
    return grads


def _added_to_what_the_node_has(always, kept):
    """Return a backward pass that adds a piece to what the node has, and keeps that somewhere."""
    def backward(output):
        grads = {output: np.ones_like(output.value)}
        for node in finished(output)[::-1]:
            for parent, g in zip(node.parents, node.pull_back(grads[node]), strict=True):
                if always or parent in grads:
                    grads[parent if kept == "parent" else node] = grads[node] + g
                else:
                    grads[parent] = g
        return grads
    return backward


def _return_in_outer_loop(output):
    grads = {output: np.ones_like(output.value)}
    for parent, g in zip(output.parents, output.pull_back(grads[output]), strict=True):
        grads[parent] = grads[parent] + g if parent in grads else g
    return grads


def _return_in_inner_loop(output):
    return {output: np.ones_like(output.value),
            output.parents[0]: output.pull_back(np.ones_like(output.value))[0]}


def _no_first_entry(output):
    grads = {output: np.ones_like(output.value)}
    for node in finished(output)[::-1]:
        for parent, g in zip(node.parents, node.pull_back(grads[node]), strict=True):
            grads[parent] = grads[parent] + g
    return grads


def _no_seed(output):
    grads = {}
    for node in finished(output)[::-1]:
        for parent, g in zip(node.parents, node.pull_back(grads[node]), strict=True):
            grads[parent] = grads[parent] + g if parent in grads else g
    return grads


def _all_pieces_to_each(output):
    grads = {output: np.ones_like(output.value)}
    for node in finished(output)[::-1]:
        pieces = node.pull_back(grads[node])
        for parent in node.parents:
            grads[parent] = grads.get(parent, 0) + pieces
    return grads


BEFORE_COMPLETE = ("a node hands its gradient on before all of it has arrived, where paths meet. "
                   "It may do so only after every node that uses it: walk through "
                   "`topological_order(output)` backwards.")

backward = Exercise(
    id="07-backward",
    name="backward",
    truth=gradients,
    cases=_graph_cases,
    returns=("grads",),
    view=named_gradients,
    sizes=no_sizes,
    integers=(),
    data=DATA,
    uses=(topological_order,),
    tolerance=1e-12,
    more=(
        Mistake("overwritten", wrong_backward(combine=lambda old, new: new),
                "where a node is used twice, the second gradient overwrites the first. What comes "
                "back on different paths is added up."),
        Mistake("first-path-only", wrong_backward(combine=lambda old, new: old),
                "where a node is used twice, only the gradient that arrives first is kept. What "
                "comes back on different paths is added up."),
        Mistake("first-piece-twice", wrong_backward(first=lambda g: g + g),
                "the first piece that arrives at a node is added to itself. Where nothing has "
                "arrived yet, begin with 0."),
        Mistake("starts-at-one", wrong_backward(first=lambda g: 1 + g),
                "every node begins with 1. Only the output does; the others begin with 0."),
        Mistake("pieces-multiplied", wrong_backward(combine=lambda old, new: old * new),
                "the pieces that arrive at a node are multiplied. Along a path factors are "
                "multiplied; what comes back on different paths is added."),
        Mistake("pieces-averaged", wrong_backward(combine=lambda old, new: (old + new) / 2),
                "the pieces that arrive at a node are averaged; they are added."),
        Mistake("value-for-gradient",
                wrong_backward(pull=lambda node, g: node.pull_back(node.value)),
                "every node pulls back its value. It is to pull back the gradient that has "
                "arrived at it."),
        Mistake("always-the-outputs", _always_the_outputs,
                "every node pulls back the gradient of the output. It is to pull back the gradient "
                "that has arrived at it: `grads` of the node in turn."),
        Mistake("seed-like-the-node", _seed_like_the_node,
                "the walk starts with `np.ones_like` of the node, which is no array of numbers: "
                "take it of the node's value."),
        Mistake("added-to-the-node", _added_to_the_node,
                "no piece arrives at this node. Each piece belongs to one of the *parents* of the "
                "node that pulls back, and is stored there."),
        Mistake("added-to-the-node", lambda output: _added_to_the_node(output, fill=True),
                "each piece is added to the node that pulls back, and its parents get nothing. A "
                "piece belongs to one of the *parents*."),
        Mistake("added-to-the-node", _added_to_what_the_node_has(False, "node"),
                "where a parent has a gradient already, the next piece is added to the node that "
                "pulls back. It belongs to that parent."),
        *(Mistake("added-to-the-node", _added_to_what_the_node_has(always, "parent"),
                  "a piece is added to the gradient of the node that it comes from. Add it to "
                  "what the *parent* has.") for always in (True, False)),
        Mistake("return-in-the-loop", _return_in_outer_loop,
                "only the output has handed on: is `return` inside the loop?"),
        Mistake("return-in-the-loop", _return_in_inner_loop,
                "only one piece has been handed on: is `return` inside the inner loop?"),
        Mistake("repeated-parent-once", wrong_backward(
            pairs=lambda parents, pulled: dict(zip(parents, pulled, strict=True)).items()),
                "a node that stands twice among the parents (x * x, x + x) gets only one of its "
                "two gradients: a dict or a set of parents holds it once."),
        Mistake("added-in-place", wrong_backward(combine=_added_in_place),
                "`+=` changes an array in place, and a sum hands one and the same array to both "
                "its parents: adding to the gradient of one changes that of the other. Make a new "
                "array: `old + new`."),
        Mistake("upstream-ignored",
                wrong_backward(pull=lambda node, g: node.pull_back(np.ones_like(node.value))),
                "every node pulls back ones. It is to pull back the gradient that has arrived at "
                "it."),
        Mistake("seed-is-value", wrong_backward(seed=lambda value: value),
                "the walk starts with the output's value. The derivative of the output by itself "
                "is 1, whatever its value."),
        Mistake("seed-is-zero", wrong_backward(seed=np.zeros_like),
                "the walk starts with 0, and everything before it is multiplied by that. The "
                "derivative of the output by itself is 1."),
        Mistake("seed-missing", _no_seed,
                "when the walk begins, the output has no gradient in the dict yet. Put it there "
                "first: the derivative of the output by itself is 1."),
        Mistake("pieces-not-paired", _all_pieces_to_each,
                "`pull_back` returns a list with one piece for each parent, and the whole list "
                "goes to each of them: go through parents and pieces together, with `zip`."),
        Mistake("keys-are-no-nodes", wrong_backward(hand_back=lambda grads, output: {
            id(node): g for node, g in grads.items()}),
                "the keys of the dict are not the nodes. Use the node itself as the key, "
                "`grads[node]`."),
        Mistake("order-of-meeting", wrong_backward(order=as_met), BEFORE_COMPLETE),
        Mistake("order-of-meeting", wrong_backward(order=lambda o: as_met(o, 0)),
                BEFORE_COMPLETE),
        Mistake("order-of-meeting", wrong_backward(order=as_taken), BEFORE_COMPLETE),
        Mistake("order-of-meeting", wrong_backward(order=lambda o: as_taken(o, turn=True)),
                BEFORE_COMPLETE),
        Mistake("order-not-reversed", wrong_backward(order=finished),
                "the walk starts at the inputs, where no gradient has arrived yet. It goes from "
                "the output back: reverse the order."),
        Mistake("order-not-reversed", wrong_backward(order=in_order),
                "the walk starts at the inputs, where no gradient has arrived yet. It goes from "
                "the output back: reverse the order."),
        Mistake("first-arrival-forgotten", _no_first_entry,
                "when the first gradient arrives at a node, the dict has no entry for it yet: "
                "look with `if parent in grads`, or `grads.get`."),
        Mistake("handed-on-again", _everything_again,
                "a node that is reached twice hands on the whole of its gradient twice. Each node "
                "hands on once, when all has arrived."),
        Mistake("recursive", _recursive_backward,
                "right on small graphs; a chain of 10,000 operations is too deep for a function "
                "that calls itself. Walk through `topological_order(output)` backwards."),
        Mistake("recursive-too-early", _recursive_too_early, BEFORE_COMPLETE),
        Mistake("output-only", lambda output: {output: np.ones_like(output.value)},
                "only the output has a gradient: walk on, through all nodes."),
        Mistake("leaves-only", wrong_backward(hand_back=lambda grads, output: {
            node: g for node, g in grads.items() if not node.parents}),
                "the gradients of the nodes in between are missing: the dict has an entry for "
                "every node."),
        Mistake("output-missing", wrong_backward(hand_back=lambda grads, output: {
            node: g for node, g in grads.items() if node is not output}),
                "the output itself is missing; its gradient is the seed, 1."),
        Mistake("leaves-missing", wrong_backward(hand_back=lambda grads, output: {
            node: g for node, g in grads.items() if node.parents}),
                "the nodes without parents are missing; theirs are the gradients that training "
                "needs."),
        Mistake("values-changed", _changed_values,
                "the gradients are right, but the nodes' values have changed. The values are what "
                "the forward pass has saved; leave them alone."),
    ),
    hint="start with {output: ones}; go through `topological_order(output)` backwards; let each "
         "node pull back what has arrived, and add each piece to the parent it belongs to.",
    unlocks="This is what `loss.backward()` does.",
)


# 07-value-and-grad

class Numbers(np.ndarray):
    """An array, also a complex one, with the methods of a Tensor. It keeps no graph."""

    @property
    def value(self):
        """The plain array."""
        return np.asarray(self.real)

    def exp(self):
        """Return exp of each entry."""
        return np.exp(self)

    def log(self):
        """Return the logarithm of each entry."""
        return np.log(self)

    def tanh(self):
        """Return tanh of each entry."""
        return np.tanh(self)

    def relu(self):
        """Return each entry where it is positive, else 0."""
        return np.where(self.real > 0, self, 0).view(Numbers)

    def sum(self, *args, **settings):
        """Return the sum, still with the methods of a Tensor."""
        return np.asarray(np.asarray(self).sum(*args, **settings)).view(Numbers)

    def mean(self, *args, **settings):
        """Return the mean, still with the methods of a Tensor."""
        return np.asarray(np.asarray(self).mean(*args, **settings)).view(Numbers)


def numbers(value):
    """Return a value as `Numbers`."""
    return np.asarray(value).view(Numbers)


def _value_and_grad(loss, params):
    def at(name, value):
        found = loss({**{k: numbers(v) for k, v in params.items()}, name: numbers(value)})
        return complex(np.asarray(found))

    first = next(iter(params))
    grads = {name: complex_step(lambda v, name=name: at(name, v), np.asarray(value, dtype=float))
             for name, value in params.items()}
    return float(at(first, params[first]).real), grads


def _small_loss():
    def loss(params):
        """The expression x * x + 3 * x - y / x."""
        x, y = params["x"], params["y"]
        return x * x + 3 * x - y / x
    return loss, {"x": np.array(1.7), "y": np.array(-0.6)}


def _network_loss():
    """Return the loss of a network with tanh, softmax and L2, and its parameters."""
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(7, 3)), rng.integers(0, 4, 7)

    def loss(params):
        """The cross-entropy of a network, with L2."""
        A1 = (X @ params["W1"] + params["b1"]).tanh()
        Z2 = A1 @ params["W2"] + params["b2"]
        shift = Z2.value.max(axis=1, keepdims=True)
        size = (Z2 - shift).exp().sum(axis=1).log() + shift[:, 0]
        squares = (params["W1"] ** 2).sum() + (params["W2"] * params["W2"]).sum()
        return (size - Z2[np.arange(7), y]).mean() + 0.05 * squares
    return loss, {"W1": rng.normal(size=(3, 5)), "b1": rng.normal(size=5),
                  "W2": rng.normal(size=(5, 4)), "b2": rng.normal(size=4)}


def _relu_loss():
    """Return a loss in which one parameter plays no part, and its parameters."""
    rng = np.random.default_rng(8)
    X, y = rng.normal(size=(6, 2)), rng.normal(size=(6, 1))

    def loss(params):
        """The squared error of a network with ReLU."""
        A1 = (X @ params["W1"] + params["b1"]).relu()
        error = A1 @ params["W2"][1:] + params["W2"][0] - y
        return (error**2).sum() / 2
    return loss, {"unused": rng.normal(size=(2, 2)), "W1": rng.normal(size=(2, 3)),
                  "b1": rng.normal(size=(1, 3)), "W2": rng.normal(size=(4, 1))}


TENSOR = "a Tensor where a number is wanted"


def _value_seen(args, result):
    """Return value and gradients, with the number in place of a Tensor and whether it was one."""
    value, grads = result
    if not isinstance(grads, dict) or not args[1].keys() <= grads.keys():
        return result
    held = hasattr(value, "value") and hasattr(value, "parents")
    count = Count(held, "`value` is a Tensor; one number is wanted.")
    return float(value.value) if held else value, {TENSOR: count, **grads}


def wrong_value_and_grad(change):
    """Return a function that hands back the right results changed."""
    return lambda loss, params: change(*_value_and_grad(loss, params), loss, params)


value_and_grad = Exercise(
    id="07-value-and-grad",
    name="value_and_grad",
    truth=_value_and_grad,
    cases=lambda: [_small_loss(), _network_loss(), _relu_loss()],
    returns=("value", "grads"),
    view=_value_seen,
    sizes=no_sizes,
    integers=(),
    data=DATA,
    uses=(*RULES, unbroadcast, topological_order, backward),
    tables={"RULES": {part.name.removesuffix("_rule"): part for part in RULES}},
    tolerance=1e-12,
    rounding=1e-7,
    more=(
        Mistake("order-of-results",
                wrong_value_and_grad(lambda value, grads, loss, params: (grads, value)),
                "value and gradients have changed places in the `return` line."),
        Mistake("gradients-only",
                wrong_value_and_grad(lambda value, grads, loss, params: grads),
                "the gradients are right; return the value before them."),
        Mistake("value-only",
                wrong_value_and_grad(lambda value, grads, loss, params: value),
                "the value is right; return the gradients after it."),
        Mistake("gradients-in-a-list",
                wrong_value_and_grad(lambda value, grads, loss, params: (
                    value, list(grads.values()))),
                "the gradients come in a list; give them in a dict with the keys of `params`."),
        Mistake("no-parameter-found",
                wrong_value_and_grad(lambda value, grads, loss, params: (
                    value, {name: np.zeros_like(W) for name, W in params.items()})),
                "every gradient is zeros, because no parameter was found. A Tensor made afresh is "
                "another node, even with equal values: look up the very Tensors that you handed "
                "to `loss`."),
        Mistake("looked-up-by-name", lambda loss, params: {}[next(iter(params))],
                "what `backward` returns has nodes as its keys, not names: look up the Tensor that "
                "belongs to the name."),
        Mistake("unused-missing",
                wrong_value_and_grad(lambda value, grads, loss, params: (
                    value, {name: g for name, g in grads.items() if name != "unused"})),
                "a parameter that the loss does not use is missing. It has a gradient: zeros of "
                "its shape."),
        Mistake("unused-has-no-shape",
                wrong_value_and_grad(lambda value, grads, loss, params: (
                    value, {**grads, **({"unused": 0.0} if "unused" in grads else {})})),
                "a parameter that the loss does not use has the gradient 0; give zeros of its "
                "shape."),
        Mistake("unused-is-none",
                wrong_value_and_grad(lambda value, grads, loss, params: (
                    value, {**grads, **({"unused": None} if "unused" in grads else {})})),
                "a parameter that the loss does not use has `None` for a gradient. Give zeros of "
                "its shape (PyTorch gives `None` there, and many an optimizer has stumbled)."),
        Mistake("gradient-times-value",
                wrong_value_and_grad(lambda value, grads, loss, params: (
                    value, {name: value * g for name, g in grads.items()})),
                "every gradient is multiplied by the loss. Begin the way back with 1."),
        Mistake("parameters-returned",
                wrong_value_and_grad(lambda value, grads, loss, params: (
                    value, {name: np.array(W) for name, W in params.items()})),
                "these are the parameters themselves; look their tensors up in what `backward` "
                "returns."),
        Mistake("tensor-returned",
                wrong_value_and_grad(lambda value, grads, loss, params: (Node(value), grads)),
                "the loss comes back as a Tensor, with its whole graph. Its `value`, made a "
                "`float`, is the number."),
        Mistake("value-as-array",
                wrong_value_and_grad(lambda value, grads, loss, params: (np.array([value]), grads)),
                "the value is an array with one entry; a loss is one number: "
                "`float(...)`."),
        Mistake("measured-not-derived",
                wrong_value_and_grad(lambda value, grads, loss, params: (
                    value, {name: g * (1 + 3e-10) for name, g in grads.items()})), MEASURED),
    ),
    hint="make a Tensor of every parameter, call `loss` with the dict of them, walk back from "
         "what it returns. A parameter that plays no part has no entry in what `backward` "
         "returns: its gradient is zeros, of the shape of its array.",
    unlocks="Any loss you can write down now has a gradient.",
)
