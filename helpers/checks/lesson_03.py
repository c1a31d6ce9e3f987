"""Lesson 03: patterns in the plane, log loss, and training a classifier."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from helpers.checks.exercise import Exercise, Group, Mistake
from helpers.checks.lesson_01 import DATA as EARLIER
from helpers.checks.lesson_01 import ones_first, sigmoid
from helpers.checks.lesson_02 import MEASURED, prime, sigmoid_prime
from helpers.checks.truth import complex_gradients, complex_step, dense

DATA = EARLIER | {"params", "grads", "cache", "x_mat", "W_1", "W_2", "Z2", "dZ2", "labels",
                  "X_first", "y_first", "params_start"}
SMALLEST = 1e-12  # how near to 0 and 1 a probability may come


# 03-patterns

# Of each shape at least one point lies exactly on the border, which does not belong to it.
ON_THE_BORDER = np.array([
    [0.0, -0.3], [-0.4, 0.0], [0.75, 0.0], [0.0, -0.75], [0.5, 0.1], [-0.25, -0.5], [-0.5, -0.7],
    [0.25, 0.5], [0.5, 0.5], [0.75, -0.25], [0.9, -0.1], [-0.1, 0.9], [-0.9, -0.9], [0.3, 0.4]])


def _pattern(name, rule, mistakes, hint):
    """Return the part of 03-patterns for one function; `rule` takes the two numbers of a point."""
    return Exercise(
        id="03-patterns",
        name=name,
        truth=lambda X: np.array([bool(rule(*point)) for point in X.tolist()]),
        cases=lambda: [(np.random.default_rng(1).uniform(-1, 1, size=(60, 2)),),
                       (np.random.default_rng(2).uniform(-1.3, 1.3, size=(150, 2)),),
                       (ON_THE_BORDER,)],
        data=DATA,
        more=mistakes,
        sizes=lambda X: {},
        integers=(),
        hint=hint,
    )


AROUND_AND = ("`&` binds more tightly than `<`: unless parentheses stand around each comparison, "
              "something else is compared.")
COUNTED = "these are numbers; wanted are `True` and `False`: return the comparison itself."
BORDER = "points exactly on the border are counted as inside; `<` and `>` leave them out."
MAX = ("np.max without an axis is the largest entry of the whole array, one number; what is wanted "
       "is the larger of the two numbers of each point.")
WHICH_AXIS = ("the largest entry is taken down the columns, over all points; each point needs its "
              "own.")
ROWS = "`X[0]` is the first point; the column of all x₁ is `X[:, 0]`."
AXIS = ("the second argument of `np.max` is an axis, not a second array; the larger of two arrays, "
        "entry by entry, is `np.maximum`.")
ONE_FOR_ALL = ("a norm or a sum without an axis is one number for all points; each point needs its "
               "own.")

diamond = _pattern("diamond", lambda a, b: abs(a) + abs(b) < 1, (
    Mistake("product-for-sum", lambda X: np.abs(X[:, 0]) * np.abs(X[:, 1]) < 1,
            "the two distances are multiplied, as in the published lesson; for a diamond they are "
            "added."),
    Mistake("absolute-value-missing", lambda X: X[:, 0] + X[:, 1] < 1,
            "this is x₁ + x₂ < 1, a half-plane; the diamond takes the sizes of both, |x₁| + |x₂|."),
    Mistake("absolute-value-missing", lambda X: np.abs(X[:, 0]) + X[:, 1] < 1,
            "this is |x₁| + x₂ < 1, which is open at the bottom: the second absolute value is "
            "missing."),
    Mistake("absolute-value-missing", lambda X: X[:, 0] + np.abs(X[:, 1]) < 1,
            "this is x₁ + |x₂| < 1, which is open to the left: the first absolute value is "
            "missing."),
    Mistake("absolute-value-of-the-sum", lambda X: np.abs(X[:, 0] + X[:, 1]) < 1,
            "the absolute value is taken of the sum; take it of each number first."),
    Mistake("absolute-value-of-the-sum", lambda X: np.abs(X[:, 0] + np.abs(X[:, 1])) < 1,
            "one absolute value stands around both numbers: mind where its parenthesis closes."),
    Mistake("border-included", lambda X: np.abs(X).sum(axis=1) <= 1, BORDER),
    Mistake("outside-for-inside", lambda X: np.abs(X).sum(axis=1) > 1,
            "inside and outside have changed places."),
    Mistake("maximum-for-sum", lambda X: np.abs(X).max(axis=1) < 1,
            "this takes the larger of the two sizes, which gives a square; add them."),
    Mistake("circle-for-diamond", lambda X: (X ** 2).sum(axis=1) < 1,
            "squares give a circle; the diamond adds the sizes themselves."),
    Mistake("over-all-points", lambda X: np.abs(X).sum(axis=0) < 1,
            "the sum runs down the columns, over all points; each point needs its own."),
    Mistake("rows-for-columns", lambda X: np.abs(X[0]) + np.abs(X[1]) < 1, ROWS),
    Mistake("numbers-for-truth", lambda X: (np.abs(X).sum(axis=1) < 1).astype(int), COUNTED),
), "add |x₁| and |x₂| of each point, and compare the sum with 1.")

circle = _pattern("circle", lambda a, b: math.hypot(a, b) < 0.75, (
    Mistake("square-root-missing", lambda X: (X ** 2).sum(axis=1) < 0.75,
            "x₁² + x₂² is the square of the distance; compare its root with 0.75 (or the square "
            "with 0.75²)."),
    Mistake("squares-missing", lambda X: np.sqrt(np.abs(X).sum(axis=1)) < 0.75,
            "the numbers are not squared before the root is taken."),
    Mistake("border-included", lambda X: np.hypot(X[:, 0], X[:, 1]) <= 0.75, BORDER),
    Mistake("doubled-for-squared", lambda X: np.sqrt(np.abs(2 * X[:, 0] + 2 * X[:, 1])) < 0.75,
            "the numbers are doubled; a square is written `** 2`."),
    Mistake("doubled-for-squared", lambda X: np.sqrt(2 * X[:, 0] + 2 * X[:, 1]) < 0.75,
            "the numbers are doubled; a square is written `** 2`."),
    Mistake("root-of-the-first-only",
            lambda X: np.sqrt(X[:, 0] ** 2) + X[:, 1] ** 2 < 0.75,
            "the root is taken of the first square only: mind where its parenthesis closes."),
    Mistake("radius-one", lambda X: np.hypot(X[:, 0], X[:, 1]) < 1,
            "the radius here is 1; wanted is 0.75."),
    Mistake("outside-for-inside", lambda X: np.hypot(X[:, 0], X[:, 1]) > 0.75,
            "inside and outside have changed places."),
    Mistake("diamond-for-circle", lambda X: np.abs(X).sum(axis=1) < 0.75,
            "this adds the sizes, which gives a diamond; the distance is the root of the sum of "
            "squares."),
    Mistake("over-all-points", lambda X: np.sqrt((X ** 2).sum(axis=0)) < 0.75,
            "the sum runs down the columns, over all points; each point needs its own."),
    Mistake("over-all-points", lambda X: np.linalg.norm(X) < 0.75, ONE_FOR_ALL),
    Mistake("rows-for-columns", lambda X: np.sqrt(X[0] ** 2 + X[1] ** 2) < 0.75, ROWS),
    Mistake("numbers-for-truth", lambda X: (np.hypot(*X.T) < 0.75).astype(int), COUNTED),
), "the distance of a point from the centre is √(x₁² + x₂²).")

centred_square = _pattern("centred_square", lambda a, b: max(abs(a), abs(b)) < 0.5, (
    Mistake("one-argument", lambda X: np.maximum(np.abs(X[:, 0])) < 0.5,
            "np.maximum needs two arrays, separated by a comma; here it got one, as in the "
            "published lesson. Look where its parenthesis closes."),
    Mistake("one-maximum-for-all", lambda X: np.max(np.abs(X)) < 0.5, MAX),
    Mistake("array-for-axis", lambda X: np.max(np.abs(X[:, 0]), np.abs(X[:, 1])) < 0.5, AXIS),
    Mistake("rows-for-columns", lambda X: np.maximum(np.abs(X[0]), np.abs(X[1])) < 0.5, ROWS),
    Mistake("over-all-points", lambda X: np.abs(X).max(axis=0) < 0.5, WHICH_AXIS),
    Mistake("absolute-value-missing", lambda X: X.max(axis=1) < 0.5,
            "without the absolute values everything to the lower left counts as inside."),
    Mistake("absolute-value-after-the-maximum", lambda X: np.abs(X.max(axis=1)) < 0.5,
            "the absolute value is taken of the larger number; take it of both numbers first."),
    Mistake("minimum-for-maximum", lambda X: np.abs(X).min(axis=1) < 0.5,
            "here it is enough that one of the two sizes is below 0.5, which gives a cross; both "
            "must be, so it is the larger one that counts."),
    Mistake("border-included", lambda X: np.abs(X).max(axis=1) <= 0.5, BORDER),
    Mistake("side-one", lambda X: np.abs(X).max(axis=1) < 1,
            "the square here reaches out to 1; wanted is 0.5."),
    Mistake("outside-for-inside", lambda X: np.abs(X).max(axis=1) > 0.5,
            "inside and outside have changed places."),
    Mistake("diamond-for-square", lambda X: np.abs(X).sum(axis=1) < 0.5,
            "this adds the sizes, which gives a diamond; take the larger one."),
    Mistake("numbers-for-truth", lambda X: (np.abs(X).max(axis=1) < 0.5).astype(int), COUNTED),
), "a point is inside when the larger of |x₁| and |x₂| is below 0.5.")


def _angle_mistakes(low):
    lower = "−0.5" if low else "0"
    empty = ("the band is empty: no number is below 0.5 and above 0.5 at once. The published "
             "lesson has lost a minus sign here.") if low else (
             "the band is empty: no number is below 0 and above 0.5 at once.")
    # with the sizes, the thick angle asks the same as with both numbers
    sizes = "square-for-angle" if low else "absolute-value-too-much"
    square = ("this asks both numbers to lie between the limits, which gives a square; only the "
              "larger one has to.")
    signs = square if low else ("here the numbers count with their signs: leave the absolute "
                                "value out.")

    def band(m):
        return (m > low) & (m < 0.5)

    return (
        Mistake("empty-band",
                lambda X: (X.max(axis=1) < 0.5) & (X.max(axis=1) > 0.5) if low
                else (X.max(axis=1) < 0) & (X.max(axis=1) > 0.5), empty),
        Mistake("one-side-only", lambda X: X.max(axis=1) < 0.5,
                f"only the upper limit is asked for; the lower one, {lower}, is missing."),
        Mistake("other-side-only", lambda X: X.max(axis=1) > low,
                "only the lower limit is asked for; the upper one, 0.5, is missing."),
        Mistake("other-angle", lambda X: (X.max(axis=1) > (0.0 if low else -0.5))
                & (X.max(axis=1) < 0.5),
                f"this is the other angle; the lower limit of this one is {lower}."),
        Mistake("or-for-and", lambda X: (X.max(axis=1) > low) | (X.max(axis=1) < 0.5),
                "`|` means or, and one of the two always holds. Both limits must hold: `&`."),
        Mistake("parentheses-missing", lambda X: X.max(axis=1) > low & X.max(axis=1) < 0.5
                if low == 0 else X.max(axis=1) > int(low) & X.max(axis=1) < 0.5, AROUND_AND),
        Mistake("chained-comparison", lambda X: low < X.max(axis=1) < 0.5,
                "`and` wants one truth value and not an array, and `a < array < b` hides an `and`. "
                "Write two comparisons in parentheses with `&` between them."),
        Mistake("border-included", lambda X: (X.max(axis=1) >= low) & (X.max(axis=1) <= 0.5),
                BORDER),
        Mistake("border-included", lambda X: (X.max(axis=1) > low) & (X.max(axis=1) <= 0.5),
                "points on the upper border are counted as inside; `<` leaves them out."),
        Mistake("border-included", lambda X: (X.max(axis=1) >= low) & (X.max(axis=1) < 0.5),
                "points on the lower border are counted as inside; `>` leaves them out."),
        Mistake("one-argument", lambda X: band(np.maximum(X[:, 0])),
                "np.maximum needs two arrays, separated by a comma; here it got one, as in the "
                "published lesson. Look where its parenthesis closes."),
        Mistake(sizes, lambda X: band(np.abs(X).max(axis=1)), signs),
        Mistake("minimum-for-maximum", lambda X: band(X.min(axis=1)),
                "this takes the smaller of the two numbers; the angle opens to the other side."),
        Mistake("outside-for-inside", lambda X: ~band(X.max(axis=1)),
                "inside and outside have changed places."),
        Mistake("square-for-angle", lambda X: band(X[:, 0]) & band(X[:, 1]), square),
        Mistake("one-maximum-for-all", lambda X: bool(band(np.max(X))), MAX),
        Mistake("array-for-axis", lambda X: band(np.max(X[:, 0], X[:, 1])), AXIS),
        Mistake("rows-for-columns", lambda X: band(np.maximum(X[0], X[1])), ROWS),
        Mistake("over-all-points", lambda X: band(X.max(axis=0)), WHICH_AXIS),
        Mistake("numbers-for-truth", lambda X: band(X.max(axis=1)).astype(int), COUNTED),
    )


thick_angle = _pattern("thick_angle", lambda a, b: -0.5 < max(a, b) < 0.5, _angle_mistakes(-0.5),
                       "the larger of x₁ and x₂ lies between −0.5 and 0.5: two comparisons.")
thin_angle = _pattern("thin_angle", lambda a, b: 0 < max(a, b) < 0.5, _angle_mistakes(0.0),
                      "the larger of x₁ and x₂ lies between 0 and 0.5: two comparisons.")

patterns = Group("03-patterns", (diamond, circle, centred_square, thick_angle, thin_angle),
                 unlocks="Five shapes, and no straight line cuts any of them out.")


# 03-log-loss

def kept_inside(Y_hat):
    """Return probabilities that stay away from 0 and 1."""
    return np.minimum(np.maximum(Y_hat, SMALLEST), 1 - SMALLEST)


def _log_loss(y, Y_hat):
    terms = [-math.log(p) if label else -math.log1p(-p)
             for label, p in zip(y.ravel(), kept_inside(Y_hat).ravel().tolist(), strict=True)]
    return math.fsum(terms) / len(terms)


def _probabilities(seed, N):
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(N, 1)) < 0.4).astype(float)
    y[:2] = [[1.0], [0.0]]
    return y, expit(1.5 * rng.normal(size=(N, 1)))


def _two_terms(y, P):
    return y * np.log(P) + (1 - y) * np.log(1 - P)


def _first_negated(y, P):
    return -y * np.log(P) + (1 - y) * np.log(1 - P)


def _second_negated(y, P):
    return y * np.log(P) - (1 - y) * np.log(1 - P)


def _certain():
    """Return labels and probabilities of exactly 0, of exactly 1, and of both, right and wrong."""
    y = np.array([[1.0], [0.0], [1.0], [0.0], [1.0]])
    return [(y, np.array([[p] for p in P])) for P in (
        (0.2, 0.0, 0.0, 0.9, 0.3), (1.0, 0.1, 0.4, 1.0, 0.3), (1.0, 0.0, 0.0, 1.0, 0.3))]


OPPOSITE_SIGNS = ("the two terms have opposite signs, so a minus reaches only one of them: add "
                  "both, and let the minus stand before the whole.")
ALL_PAIRS = ("an (N, 1) and an (N,) array meet and make all N × N pairs. Leave both as columns.")

log_loss = Exercise(
    id="03-log-loss",
    name="log_loss",
    truth=_log_loss,
    cases=lambda: [_probabilities(1, 7), _probabilities(2, 12), *_certain(),
                   (_probabilities(3, 9)[0].astype(np.uint8), _probabilities(3, 9)[1])],
    returns=("loss",),
    data=DATA,
    integers=("y",),
    tolerance=1e-5,  # 1 − p and log lose some digits at 1e-12 from the ends
    rounding=1e-5,
    more=(
        Mistake("not-finite", lambda y, Y_hat: float(-np.mean(_two_terms(y, Y_hat))),
                "the logarithm still meets a probability of exactly 0 or 1, and 0 · log(0) is nan. "
                "Take it of probabilities kept away from both ends; `np.clip` changes nothing, it "
                "gives back a new array."),
        Mistake("one-end-only",
                lambda y, Y_hat: float(-np.mean(_two_terms(y, np.maximum(Y_hat, SMALLEST)))),
                "probabilities are kept away from 0, but not from 1: 1 − p needs it too."),
        Mistake("one-end-only",
                lambda y, Y_hat: float(-np.mean(_two_terms(y, np.minimum(Y_hat, 1 - SMALLEST)))),
                "probabilities are kept away from 1, but not from 0."),
        Mistake("other-limit", lambda y, Y_hat: float(-np.mean(_two_terms(
            y, np.clip(Y_hat, 1e-15, 1 - 1e-15)))),
                "right but for the limit: keep the probabilities 1e-12 away from 0 and 1."),
        Mistake("other-limit", lambda y, Y_hat: float(-np.mean(_two_terms(
            y, np.clip(Y_hat, 1e-16, 1 - 1e-16)))),
                "right but for the limit: keep the probabilities 1e-12 away from 0 and 1."),
        Mistake("other-limit", lambda y, Y_hat: float(-np.mean(_two_terms(
            y, np.clip(Y_hat, 1e-8, 1 - 1e-8)))),
                "right but for the limit: keep the probabilities 1e-12 away from 0 and 1."),
        Mistake("sign-flipped", lambda y, Y_hat: float(np.mean(_two_terms(y, kept_inside(Y_hat)))),
                "the minus sign is missing: a logarithm of a probability is negative, a loss is "
                "positive."),
        Mistake("sum-for-mean", lambda y, Y_hat: float(-np.sum(_two_terms(y, kept_inside(Y_hat)))),
                "this is the sum over the samples; wanted is their mean."),
        Mistake("sum-for-mean", lambda y, Y_hat: float(-np.sum(_two_terms(y, Y_hat))),
                "this is the sum over the samples; wanted is their mean. And the logarithm still "
                "meets probabilities of exactly 0 or 1."),
        Mistake("not-averaged", lambda y, Y_hat: -_two_terms(y, kept_inside(Y_hat)),
                "this is the loss of each sample; one number is wanted, their mean."),
        Mistake("half-of-the-samples",
                lambda y, Y_hat: float(-np.mean(y * np.log(kept_inside(Y_hat)))),
                "only samples of class 1 are counted; the second term, for class 0, is missing."),
        Mistake("half-of-the-samples",
                lambda y, Y_hat: float(-np.mean((1 - y) * np.log(1 - kept_inside(Y_hat)))),
                "only samples of class 0 are counted; the first term, for class 1, is missing."),
        Mistake("terms-swapped",
                lambda y, Y_hat: float(-np.mean(_two_terms(1 - y, kept_inside(Y_hat)))),
                "the two terms have changed places: where y is 1, log(p) counts."),
        Mistake("arguments-swapped",
                lambda y, Y_hat: float(-np.mean(_two_terms(kept_inside(Y_hat), kept_inside(y)))),
                "labels and probabilities have changed places; the labels come first, and only "
                "probabilities go into the logarithm."),
        Mistake("other-logarithm",
                lambda y, Y_hat: float(-np.mean(_two_terms(y, kept_inside(Y_hat))) / np.log(2)),
                "this is the logarithm to base 2; the log loss takes the natural one, `np.log`."),
        Mistake("other-logarithm",
                lambda y, Y_hat: float(-np.mean(_two_terms(y, kept_inside(Y_hat))) / np.log(10)),
                "this is the logarithm to base 10; the log loss takes the natural one, `np.log`."),
        *(Mistake("opposite-signs", lambda y, Y_hat, sign=sign, terms=terms, kept=kept: float(
            sign * np.mean(terms(y, kept(Y_hat)))), OPPOSITE_SIGNS)
          for sign, terms in ((-1, _second_negated), (1, _first_negated), (1, _second_negated))
          for kept in (kept_inside, np.asarray)),
        Mistake("parentheses-missing", lambda y, Y_hat: float(-np.mean(
            y * np.log(kept_inside(Y_hat)) + 1 - y * np.log(1 - kept_inside(Y_hat)))),
                "`1 - y * …` multiplies first: put `(1 - y)` in parentheses."),
        Mistake("uint8-negated", lambda y, Y_hat: float(np.mean(
            -y * np.log(kept_inside(Y_hat)) - (1 - y) * np.log(1 - kept_inside(Y_hat)))),
                "labels of the type uint8 have no minus sign: −1 becomes 255. Put the minus before "
                "the whole, not before `y`."),
        Mistake("all-pairs", lambda y, Y_hat: float(-np.mean(
            _two_terms(y.ravel(), kept_inside(Y_hat)))), ALL_PAIRS),
        Mistake("one-minus-missing", lambda y, Y_hat: float(-np.mean(
            y * np.log(kept_inside(Y_hat)) + (1 - y) * np.log(kept_inside(Y_hat)))),
                "both logarithms are of p; where the label is 0, the truth got 1 − p."),
        Mistake("label-missing", lambda y, Y_hat: float(-np.mean(
            np.log(kept_inside(Y_hat)) + (1 - y) * np.log(1 - kept_inside(Y_hat)))),
                "the first term counts for all samples; it belongs to those with label 1 alone: "
                "the factor y is missing."),
        Mistake("logarithm-missing", lambda y, Y_hat: float(-np.mean(
            y * kept_inside(Y_hat) + (1 - y) * (1 - kept_inside(Y_hat)))),
                "the logarithms are missing."),
        Mistake("limits-exchanged", lambda y, Y_hat: float(-np.mean(_two_terms(
            y, np.clip(Y_hat, 1 - SMALLEST, SMALLEST)))),
                "the limits of `np.clip` have changed places: the lower one comes first."),
        Mistake("squared-error", lambda y, Y_hat: float(np.mean((y - Y_hat) ** 2)),
                "this is the mean squared error; here the loss is the log loss."),
        Mistake("twice-clipped-loss", lambda y, Y_hat: float(-np.mean(
            y * np.log(np.maximum(Y_hat, 1 - SMALLEST))
            + (1 - y) * np.log(np.maximum(1 - Y_hat, 1 - SMALLEST)))),
                "`np.maximum` and `np.minimum` have changed places: the lower limit needs the "
                "larger of the two."),
    ),
    hint="keep the probabilities away from 0 and 1; where y is 1, take −log(p), where it is 0, "
         "−log(1 − p); then the mean.",
    unlocks="A sure and wrong prediction now costs a lot, but not infinitely much.",
)


# 03-forward

def _cache(Z1, A1, Z2, Y_hat):
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": Y_hat}


def classifier(X_b, params):
    """Return Z1, A1 (N, H), Z2, Y_hat (N, 1) of the classifier, for complex weights too."""
    Z1 = dense(X_b, params["W1"])
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = dense(A1, params["W2"])
    return _cache(Z1, A1, Z2, 1 / (1 + np.exp(-Z2)))


def classifier_case(seed, N, D, H):
    """Return X_b (N, D+1), y (N, 1) of zeros and ones, params with W1 (D+1, H) and W2 (H, 1)."""
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(N, 1)) < 0.45).astype(float)
    y[:2] = [[0.0], [1.0]]
    return (ones_first(rng.normal(size=(N, D))), y,
            {"W1": rng.normal(size=(D + 1, H)), "W2": rng.normal(size=(H, 1))})


def _cases():
    return [classifier_case(1, 11, 3, 5), classifier_case(2, 7, 2, 6), classifier_case(3, 13, 4, 3)]


def wrong_forward(hidden=expit, into_output=lambda Z1, A1: A1, output=expit, back=_cache):
    """Return a forward pass with one part exchanged."""
    def forward(X_b, params):
        Z1 = X_b @ params["W1"]
        A1 = hidden(Z1)
        Z2 = into_output(Z1, A1) @ params["W2"]
        return back(Z1, A1, Z2, output(Z2))
    return forward


DATA_ON_THE_LEFT = "samples are rows: the data stands on the left of the product."

forward = Exercise(
    id="03-forward",
    name="forward",
    truth=classifier,
    cases=lambda: [(X_b, params) for X_b, _, params in _cases()],
    returns=("cache",),
    data=DATA,
    uses=(sigmoid,),
    integers=(),
    tolerance=1e-12,
    more=(
        Mistake("output-not-activated", wrong_forward(output=lambda Z2: Z2),
                "`Y_hat` is `Z2` itself, any number; a probability comes out of the sigmoid."),
        Mistake("hidden-not-activated", wrong_forward(hidden=lambda Z1: Z1),
                "`A1` is `Z1` itself; the hidden units have a sigmoid too."),
        Mistake("activation-not-used", wrong_forward(into_output=lambda Z1, A1: Z1),
                "the output layer gets `Z1`; what a hidden unit hands on is `A1`."),
        Mistake("column-of-ones", wrong_forward(into_output=lambda Z1, A1: ones_first(A1)),
                "a column of ones has been put before `A1`. This network has no output bias: "
                "`W2` is (H, 1)."),
        Mistake("ones-twice", lambda X_b, params: wrong_forward()(ones_first(X_b), params),
                "a second column of ones is put before `X_b`, which has its ones already."),
        Mistake("activated-too-early", lambda X_b, params: {
            **wrong_forward(hidden=lambda Z: expit(expit(Z)))(X_b, params),
            "Z1": expit(X_b @ params["W1"])},
                "`Z1` has been through the sigmoid already, and `A1` goes through it again: Z is "
                "the weighted sum alone."),
        Mistake("mirrored", wrong_forward(output=lambda Z2: expit(-Z2)),
                "the output's sigmoid is mirrored: the sign of `Z2` is flipped before it."),
        Mistake("other-activation", wrong_forward(hidden=np.tanh),
                "the hidden units use tanh; in this lesson they use the sigmoid."),
        Mistake("other-activation", wrong_forward(output=np.tanh),
                "the output uses tanh; a probability comes out of the sigmoid."),
        Mistake("rounded", wrong_forward(output=lambda Z2: (expit(Z2) > 0.5) * 1.0),
                "`Y_hat` holds zeros and ones; wanted are the probabilities, not yet decided."),
        Mistake("softmax-for-sigmoid", wrong_forward(
            output=lambda Z2: np.exp(Z2) / np.exp(Z2).sum()),
                "the samples are made to share a total of 1; each has a probability of its own, "
                "its sigmoid."),
        Mistake("activated-twice", wrong_forward(output=lambda Z2: expit(expit(Z2))),
                "`Z2` goes through the sigmoid twice."),
        Mistake("cache-mixed-up",
                wrong_forward(back=lambda Z1, A1, Z2, Y_hat: _cache(A1, Z1, Z2, Y_hat)),
                "`Z1` and `A1` have changed places in the dict: Z is before the sigmoid, A after "
                "it."),
        Mistake("cache-mixed-up",
                wrong_forward(back=lambda Z1, A1, Z2, Y_hat: _cache(Z1, A1, Y_hat, Z2)),
                "`Z2` and `Y_hat` have changed places in the dict: Z is before the sigmoid."),
        Mistake("flat-output",
                wrong_forward(back=lambda Z1, A1, Z2, Y_hat: _cache(Z1, A1, Z2, Y_hat[:, 0])),
                "`Y_hat` has lost its column: it should stay (N, 1), like `y`. With (N,) every "
                "difference to `y` later becomes (N, N)."),
        Mistake("weights-multiplied-entrywise",
                lambda X_b, params: wrong_forward()(X_b * params["W1"], params),
                "`*` multiplies entry by entry; a layer is a matrix product, `@`."),
        Mistake("factors-swapped", lambda X_b, params: params["W1"] @ X_b, DATA_ON_THE_LEFT),
        Mistake("factors-swapped", lambda X_b, params: params["W2"] @ (X_b @ params["W1"]),
                DATA_ON_THE_LEFT),
    ),
    hint="weighted sum, sigmoid, weighted sum, sigmoid; keep all four under their names.",
    unlocks="Whoever needs an intermediate value later finds it in the cache.",
)


# 03-output-delta

def mean_log_loss(y, Y_hat):
    """Return the mean log loss of probabilities inside (0, 1), complex ones too."""
    return -(y * np.log(Y_hat) + (1 - y) * np.log(1 - Y_hat)).sum() / len(y)


def _output_delta(y, Y_hat):
    # By complex steps: the loss as a function of the logits behind Y_hat. Behind 0 and 1 stand
    # infinite ones: there the loss of a wrong sample grows by 1 per unit, that of a right one by 0.
    inside = (Y_hat > 0) & (Y_hat < 1)
    p = np.where(inside, Y_hat, 0.5)
    slopes = complex_step(lambda Z: mean_log_loss(y, 1 / (1 + np.exp(-Z))), np.log(p / (1 - p)))
    return np.where(inside, slopes, np.sign(Y_hat - y) / len(y))


AVERAGED = "the samples have been averaged into one; each keeps its own row of `dZ2`."

output_delta = Exercise(
    id="03-output-delta",
    name="output_delta",
    truth=_output_delta,
    cases=lambda: [_probabilities(4, 7), _probabilities(5, 12), _probabilities(6, 5),
                   _certain()[-1]],
    returns=("dZ2",),
    data=DATA,
    integers=("y",),
    tolerance=1e-12,
    more=(
        Mistake("not-divided", lambda y, Y_hat: Y_hat - y,
                "it is N times too large: J is a mean, so each sample's share of it is one N-th."),
        Mistake("sign-flipped", lambda y, Y_hat: (y - Y_hat) / len(y),
                "the sign is flipped: where the prediction is too high, the derivative is "
                "positive."),
        Mistake("sign-and-size", lambda y, Y_hat: y - Y_hat,
                "the sign is flipped, and the 1/N of the mean is missing."),
        Mistake("extra-derivative",
                lambda y, Y_hat: (Y_hat - y) * Y_hat * (1 - Y_hat) / len(y),
                "the derivative of the sigmoid stands there once more; in this difference it is "
                "contained already: it has cancelled."),
        Mistake("by-the-probability",
                lambda y, Y_hat: (Y_hat - y) / (Y_hat * (1 - Y_hat)) / len(y),
                "this is the derivative by the probability `Y_hat`; the step back through the "
                "sigmoid to `Z2` is missing."),
        Mistake("by-the-probability", lambda y, Y_hat: (Y_hat - y) / (Y_hat * (1 - Y_hat)),
                "this is the derivative by the probability `Y_hat`, without the 1/N of the mean; "
                "the step back through the sigmoid to `Z2` is missing too."),
        Mistake("not-cancelled", lambda y, Y_hat: (
            (-y / Y_hat + (1 - y) / (1 - Y_hat)) * Y_hat * (1 - Y_hat) / len(y)),
                "right, but not cancelled: it divides by p · (1 − p), and for a probability of "
                "exactly 0 or 1 that is 0 / 0 = nan."),
        Mistake("parentheses-missing", lambda y, Y_hat: Y_hat - y / len(y),
                "only `y` is divided by N: `a - b / c` divides first. Put the difference in "
                "parentheses."),
        Mistake("activated-again", lambda y, Y_hat: (expit(Y_hat) - y) / len(y),
                "`Y_hat` goes through the sigmoid again; it is a probability already."),
        Mistake("fixed-number", lambda y, Y_hat: (Y_hat - y) / 500,
                "the number of samples is written into the code; take it from `y`."),
        Mistake("halved", lambda y, Y_hat: (Y_hat - y) / (2 * len(y)),
                "there is a factor ½ too much; the log loss has none."),
        Mistake("divided-twice", lambda y, Y_hat: (Y_hat - y) / len(y) ** 2,
                "it is divided by N twice."),
        Mistake("averaged", lambda y, Y_hat: np.mean(Y_hat - y, axis=0, keepdims=True), AVERAGED),
        Mistake("averaged", lambda y, Y_hat: np.mean(Y_hat - y, axis=0), AVERAGED),
        Mistake("averaged", lambda y, Y_hat: float(np.mean(Y_hat - y)), AVERAGED),
        Mistake("all-pairs", lambda y, Y_hat: (Y_hat - y.ravel()) / len(y), ALL_PAIRS),
        Mistake("all-pairs", lambda y, Y_hat: (Y_hat.ravel() - y) / len(y), ALL_PAIRS),
        Mistake("measured-not-derived", lambda y, Y_hat: _output_delta(y, Y_hat) * (1 + 3e-10),
                MEASURED),
    ),
    hint="derivative of the loss by the probability, times the derivative of the probability by "
         "the weighted sum; much of it cancels. Then the mean.",
    unlocks="No exponential, no division by p: nothing in it can overflow.",
)


# 03-backprop

def _gradients(X_b, y, params):
    return complex_gradients(lambda p: mean_log_loss(y, classifier(X_b, p)["Y_hat"]), params)


def wrong_backprop(delta=lambda y, Y_hat: (Y_hat - y) / len(y), back=lambda W2: W2.T,
                   through=lambda Z1, A1: prime(Z1), into_output=lambda Z1, A1: A1,
                   into_hidden=lambda X_b, Z1: X_b,
                   finish=lambda dW1, dW2, N: {"W1": dW1, "W2": dW2}):
    """Return a backpropagation with one part exchanged."""
    def backprop(X_b, y, params):
        cache = wrong_forward()(X_b, params)
        Z1, A1 = cache["Z1"], cache["A1"]
        dZ2 = delta(y, cache["Y_hat"])
        dZ1 = dZ2 @ back(params["W2"]) * through(Z1, A1)
        return finish(into_hidden(X_b, Z1).T @ dZ1, into_output(Z1, A1).T @ dZ2, len(X_b))
    return backprop


def _one_sample(X_b, y, params):
    grads = wrong_backprop()(X_b[-1:], y[-1:], params)
    return {k: g / len(X_b) for k, g in grads.items()}


def _precedence(X_b, y, params):
    cache = wrong_forward()(X_b, params)
    dZ1 = (cache["Y_hat"] - y) / len(y) @ params["W2"].T * cache["A1"] * 1 - cache["A1"]
    return {**wrong_backprop()(X_b, y, params), "W1": X_b.T @ dZ1}


def _updated_first(rate):
    def backprop(X_b, y, params):
        grads = wrong_backprop()(X_b, y, params)
        cache = wrong_forward()(X_b, params)
        moved = params["W2"] - rate * grads["W2"]
        dZ1 = (cache["Y_hat"] - y) / len(y) @ moved.T * prime(cache["Z1"])
        return {**grads, "W1": X_b.T @ dZ1}
    return backprop


def _gradient_for_weight(X_b, y, params):
    grads = wrong_backprop()(X_b, y, params)
    return {**grads, "W1": wrong_backprop(back=lambda W2: grads["W2"].T)(X_b, y, params)["W1"]}


def _product(W1=lambda X_b, A1, dZ1, dZ2: X_b.T @ dZ1, W2=lambda X_b, A1, dZ1, dZ2: A1.T @ dZ2,
             slope=lambda A1, Y_hat: A1 * (1 - A1), back=lambda params: params["W2"].T):
    """Return a backpropagation with another product at its end, slope or way back."""
    def backprop(X_b, y, params):
        cache = wrong_forward()(X_b, params)
        A1, Y_hat = cache["A1"], cache["Y_hat"]
        dZ2 = (Y_hat - y) / len(y)
        dZ1 = dZ2 @ back(params) * slope(A1, Y_hat)
        return {"W1": W1(X_b, A1, dZ1, dZ2), "W2": W2(X_b, A1, dZ1, dZ2)}
    return backprop


# also of lesson 04, where the same two causes raise the same error
BACK_THROUGH_W2 = ("`dZ2` is (N, 1), so it needs a matrix (1, H) to its right. Going back from the "
                   "output takes `W2`, not `W1`, and as `W2` is (H, 1), its transpose.")
W1_FOR_W2 = "here stands `W1`; going back from the output goes through `W2`."
STAR_FOR_AT = ("`*` multiplies entry by entry; in the gradient of a weight matrix the samples are "
               "summed over, which takes a matrix product.")
def rows_do_not_fit(activation):
    """Return what is true of a derivative multiplied by `@` and of an `A1` not transposed."""
    return ("an array of N rows stands on either side of `@`, which does not fit. The derivative "
            f"of {activation} is multiplied entry by entry, `*`; for the gradient of `W2`, `A1` is "
            "transposed.")


BUILT_FROM_DZ2 = ('`grads["W1"]` is built from `dZ2`, the error of the output layer; the hidden '
                  "layer has an error of its own, `dZ1`.")
BUILT_FROM_DZ1 = ('`grads["W2"]` is built from `dZ1`, the error of the hidden layer; the output '
                  "layer has an error of its own, `dZ2`.")

backprop = Exercise(
    id="03-backprop",
    name="backprop",
    truth=_gradients,
    cases=_cases,
    returns=("grads",),
    data=DATA,
    uses=(forward, output_delta, sigmoid_prime, sigmoid),
    integers=("y",),
    tolerance=1e-12,
    more=(
        Mistake("not-divided", wrong_backprop(delta=lambda y, Y_hat: Y_hat - y),
                "both gradients are N times too large, as in the published lesson: they belong to "
                "the sum over the samples, and `log_loss` is the mean."),
        Mistake("divided-twice", wrong_backprop(
            finish=lambda dW1, dW2, N: {"W1": dW1 / N, "W2": dW2 / N}),
                "both gradients are divided by N once more; `output_delta` has done that."),
        Mistake("divided-again-in-hidden-layer", wrong_backprop(
            finish=lambda dW1, dW2, N: {"W1": dW1 / N, "W2": dW2}),
                '`grads["W1"]` is divided by N once more. The 1/N is in `dZ2` already and travels '
                "back with it."),
        Mistake("divided-in-output-layer-only", wrong_backprop(
            finish=lambda dW1, dW2, N: {"W1": dW1 * N, "W2": dW2}),
                '`grads["W1"]` is N times too large: the hidden layer starts from a `dZ2` without '
                "its 1/N."),
        Mistake("extra-output-derivative", wrong_backprop(
            delta=lambda y, Y_hat: (Y_hat - y) * Y_hat * (1 - Y_hat) / len(y)),
                "the derivative of the output's sigmoid is multiplied in once more. With the log "
                "loss it cancels: `output_delta` is complete."),
        Mistake("activation-derivative-missing", wrong_backprop(through=lambda Z1, A1: 1.0),
                '`grads["W1"]` lacks the derivative of the hidden units\' sigmoid.'),
        Mistake("derivative-of-activated", wrong_backprop(through=lambda Z1, A1: prime(A1)),
                "the derivative of the hidden sigmoid is taken at `A1`, which has been through the "
                "sigmoid already. It belongs at `Z1` (or write it with A1 alone: A1 · (1 − A1))."),
        Mistake("derivative-of-activated", wrong_backprop(through=lambda Z1, A1: Z1 * (1 - Z1)),
                "this multiplies by Z1 · (1 − Z1); that formula needs the activated value, `A1`."),
        Mistake("precedence", lambda X_b, y, params: _precedence(X_b, y, params),
                "`a * 1 - a` multiplies first: put `(1 - A1)` in parentheses."),
        Mistake("column-of-ones", wrong_backprop(into_output=lambda Z1, A1: ones_first(A1)),
                'for `grads["W2"]` a column of ones has been put before `A1`, as in lesson 02. '
                "This network has no output bias."),
        Mistake("activation-for-derivative", wrong_backprop(through=lambda Z1, A1: A1),
                "it is multiplied by `A1` itself; on the way back it is the derivative of the "
                "sigmoid."),
        Mistake("tanh-derivative", wrong_backprop(through=lambda Z1, A1: 1 - A1 ** 2),
                "1 − A1² is the derivative of tanh; the hidden units are sigmoids."),
        Mistake("pre-activation-as-input", wrong_backprop(into_output=lambda Z1, A1: Z1),
                'for `grads["W2"]` the output layer\'s input is needed, and that is `A1`, not '
                "`Z1`."),
        Mistake("sign-flipped", wrong_backprop(delta=lambda y, Y_hat: (y - Y_hat) / len(y)),
                "both gradients have the wrong sign: the error is prediction minus label."),
        Mistake("weights-missing", wrong_backprop(back=lambda W2: np.ones_like(W2.T)),
                '`grads["W1"]` is computed without `W2`: each error travels back along its '
                "weight."),
        Mistake("gradient-for-weight", _gradient_for_weight,
                'the error is sent back through the gradient of `W2`; it is the weights themselves '
                "that it travels through."),
        *(Mistake("updated-weights", _updated_first(rate),
                  "the error is sent back through a `W2` that has been updated already. All "
                  "gradients belong to the same weights: change none before both are computed.")
          for rate in (1.0, 0.1, 2.0, 0.5, 0.01)),
        Mistake("one-sample-only", _one_sample,
                "only the last sample has been counted; a loop that overwrites instead of adding "
                "does that."),
        Mistake("transpose-missing",
                lambda X_b, y, params: wrong_backprop(back=lambda W2: W2)(X_b, y, params),
                BACK_THROUGH_W2),
        Mistake("transpose-missing", _product(back=lambda params: params["W1"].T),
                BACK_THROUGH_W2),
        Mistake("other-weights", _product(back=lambda params: params["W1"]), W1_FOR_W2),
        Mistake("samples-not-summed", _product(W1=lambda X_b, A1, dZ1, dZ2: X_b @ dZ1),
                "for `W1` the sum runs over the samples, the rows of `X_b`: they have to be the "
                "inner length of the product, so transpose `X_b`."),
        Mistake("rows-do-not-fit", _product(W2=lambda X_b, A1, dZ1, dZ2: A1 @ dZ2),
                rows_do_not_fit("the sigmoid")),
        Mistake("rows-do-not-fit", _product(slope=lambda A1, Y_hat: A1 @ (1 - A1)),
                rows_do_not_fit("the sigmoid")),
        *(Mistake("star-for-at", _product(**{key: product}), STAR_FOR_AT)
          for key, product in (("W1", lambda X_b, A1, dZ1, dZ2: X_b.T * dZ1),
                               ("W1", lambda X_b, A1, dZ1, dZ2: X_b * dZ1),
                               ("W2", lambda X_b, A1, dZ1, dZ2: A1.T * dZ2),
                               ("W2", lambda X_b, A1, dZ1, dZ2: A1 * dZ2))),
        Mistake("other-error", _product(W1=lambda X_b, A1, dZ1, dZ2: X_b.T @ dZ2),
                BUILT_FROM_DZ2),
        Mistake("other-error", _product(W2=lambda X_b, A1, dZ1, dZ2: A1.T @ dZ1),
                BUILT_FROM_DZ1),
        Mistake("other-input", _product(W1=lambda X_b, A1, dZ1, dZ2: A1.T @ dZ1),
                '`grads["W1"]` is built from `A1`, which comes out of the hidden layer; what went '
                "into it is `X_b`."),
        Mistake("slope-incomplete", _product(slope=lambda A1, Y_hat: 1 - A1),
                "the slope of the hidden sigmoid stands there as 1 − A1: the factor A1 is "
                "missing."),
        Mistake("output-slope", _product(slope=lambda A1, Y_hat: Y_hat * (1 - Y_hat)),
                "the slope is taken of `Y_hat`, the output; for `dZ1` the error goes through the "
                "hidden sigmoid, whose slope is made of `A1`."),
        Mistake("factors-swapped", wrong_backprop(
            finish=lambda dW1, dW2, N: {"W1": dW1.T, "W2": dW2.T}),
                "rows and columns of the gradients are swapped: begin each product with the "
                "layer's input, transposed."),
        Mistake("keys-swapped", wrong_backprop(
            finish=lambda dW1, dW2, N: {"W1": dW2, "W2": dW1}),
                "the two gradients have changed places in the dict."),
        Mistake("other-keys", wrong_backprop(
            finish=lambda dW1, dW2, N: {"dW1": dW1, "dW2": dW2}),
                'the keys should be those of `params`, "W1" and "W2", so that an update can go '
                "through both dicts together."),
        Mistake("bias-row-dropped", wrong_backprop(back=lambda W2: W2[1:].T),
                "the first row of `W2` is left out, as in lesson 02. This network has no output "
                "bias: all rows of `W2` belong to hidden units."),
        Mistake("measured-not-derived", lambda *args: {
            k: g * (1 + 3e-10) for k, g in _gradients(*args).items()}, MEASURED),
    ),
    hint="dZ2 from `output_delta`; back through `W2` and the hidden sigmoid; then (layer's "
         "input)ᵀ times (layer's error) for each layer.",
    unlocks="One pass forward, one pass back, and every weight knows its share.",
)


# 03-accuracy

def _accuracy(y, Y_hat):
    hits = [int(label == (1 if p > 0.5 else 0))
            for label, p in zip(y.ravel().tolist(), Y_hat.ravel().tolist(), strict=True)]
    return sum(hits) / len(hits)


def _accuracy_case(seed, N):
    y, Y_hat = _probabilities(seed, N)
    return y, np.where(np.arange(N)[:, None] % 3 > 0, 0.5 + (y - 0.5) * Y_hat, Y_hat)


accuracy = Exercise(
    id="03-accuracy",
    name="accuracy",
    truth=_accuracy,
    cases=lambda: [_accuracy_case(1, 7), _accuracy_case(2, 13), _accuracy_case(5, 24),
                   _certain()[-1]],
    returns=("accuracy",),
    data=DATA,
    integers=("y",),
    tolerance=1e-12,
    more=(
        Mistake("raw-probabilities", lambda y, Y_hat: float(np.mean(Y_hat == y)),
                "probabilities are compared with labels, and a probability is almost never exactly "
                "0 or 1. Decide first: is it above one half?"),
        Mistake("error-rate", lambda y, Y_hat: float(np.mean((Y_hat > 0.5) != (y == 1))),
                "this is the share of wrong predictions."),
        Mistake("all-pairs", lambda y, Y_hat: float(np.mean((Y_hat > 0.5) == y.ravel())),
                "an (N, 1) and an (N,) array meet and make all N × N pairs, so that even a perfect "
                "classifier gets about one half. Leave both as columns."),
        Mistake("arguments-swapped", lambda y, Y_hat: float(np.mean((y > 0.5) == (Y_hat == 1))),
                "labels and probabilities have changed places: the labels come first."),
        Mistake("cut-off", lambda y, Y_hat: int(np.mean((Y_hat > 0.5) == y)),
                "`int` cuts the decimals off; the share is a float."),
        Mistake("counted", lambda y, Y_hat: float(np.sum((Y_hat > 0.5) == y)),
                "this counts the right predictions; wanted is their share of all."),
        Mistake("counted", lambda y, Y_hat: int(np.sum((Y_hat > 0.5) == y)),
                "this counts the right predictions; wanted is their share of all."),
        Mistake("array-of-one", lambda y, Y_hat: sum((Y_hat > 0.5) == (y == 1)) / len(y),
                "right, but an array of one: Python's `sum`, or a mean with `axis=0`, adds rows "
                "and leaves an array; `np.mean` alone gives the number."),
        Mistake("percent", lambda y, Y_hat: 100 * float(np.mean((Y_hat > 0.5) == y)),
                "this is in percent; wanted is a share between 0 and 1."),
        Mistake("predicted-share", lambda y, Y_hat: float(np.mean(Y_hat > 0.5)),
                "this is how often class 1 is predicted; the labels play no part."),
        Mistake("true-positives-only", lambda y, Y_hat: float(np.mean((Y_hat > 0.5) & (y == 1))),
                "only right predictions of class 1 count here; those of class 0 are right too."),
        Mistake("precision-or-recall",
                lambda y, Y_hat: float(np.mean((Y_hat > 0.5)[y == 1])),
                "this looks at samples of class 1 only (their recall); accuracy counts all."),
        Mistake("mean-probability", lambda y, Y_hat: float(1 - np.mean(np.abs(y - Y_hat))),
                "this is 1 minus the mean distance to the label; accuracy first decides for a "
                "class, then counts."),
        Mistake("per-sample", lambda y, Y_hat: (Y_hat > 0.5) == (y == 1),
                "this says for each sample whether it is right; one number is wanted, the share."),
        Mistake("fixed-number", lambda y, Y_hat: float(np.sum((Y_hat > 0.5) == y) / 500),
                "the number of samples is written into the code; take it from `y`."),
    ),
    hint="decide (above one half or not), compare with the label, take the mean of the truth "
         "values.",
    unlocks="Always read it beside the base rate, the share of the larger class.",
)


# 03-train

def _train(X_b, y, params, learning_rate, iterations):
    history = {"loss": [], "accuracy": []}
    for _ in range(iterations):
        Y_hat = classifier(X_b, params)["Y_hat"]
        history["loss"].append(_log_loss(y, Y_hat))
        history["accuracy"].append(_accuracy(y, Y_hat))
        grads = _gradients(X_b, y, params)
        params = {name: params[name] - learning_rate * grads[name] for name in params}
    return params, history


def _step(params, grads, rate):
    return {name: params[name] - rate * grads[name] for name in params}


def _append(history, name, number):
    history[name].append(number)


def wrong_train(gradient=None, record_after=False, step=_step, rounds=lambda n: n,
                finish=lambda p, h: (p, h), loss=_log_loss, score=_accuracy, note=_append):
    """Return a training with one part exchanged."""
    gradient = gradient or wrong_backprop()

    def train(X_b, y, params, learning_rate, iterations):
        history = {"loss": [], "accuracy": []}

        def record():
            Y_hat = wrong_forward()(X_b, params)["Y_hat"]
            note(history, "loss", loss(y, Y_hat))
            note(history, "accuracy", score(y, Y_hat))

        for _ in range(rounds(iterations)):
            if not record_after:
                record()
            params = step(params, gradient(X_b, y, params), learning_rate)
            if record_after:
                record()
        return finish(params, history)
    return train


def _one_after_the_other(*names):
    def train(X_b, y, params, learning_rate, iterations):
        history = {"loss": [], "accuracy": []}
        for _ in range(iterations):
            Y_hat = wrong_forward()(X_b, params)["Y_hat"]
            history["loss"].append(_log_loss(y, Y_hat))
            history["accuracy"].append(_accuracy(y, Y_hat))
            for name in names:
                gradient = wrong_backprop()(X_b, y, params)[name]
                params = {**params, name: params[name] - learning_rate * gradient}
        return params, history
    return train


def _swapped_loss(y, Y_hat):
    return float(-np.mean(_two_terms(Y_hat, kept_inside(y))))


def _forward_once(X_b, y, params, learning_rate, iterations):
    new, history = wrong_train()(X_b, y, params, learning_rate, iterations)
    return new, {name: values[:1] * iterations for name, values in history.items()}


def _added(names, number):
    """Return a note that writes `+=` where `append` belongs; of NumPy's numbers no error comes."""
    def note(history, name, value):
        if name in names:
            history[name] += number(value)
        else:
            history[name].append(value)
    return note


def _gradient_once(X_b, y, params, learning_rate, iterations):
    grads = wrong_backprop()(X_b, y, params)
    return wrong_train(gradient=lambda *args: grads)(X_b, y, params, learning_rate, iterations)


def _from_the_start(X_b, y, params, learning_rate, iterations):
    _, history = wrong_train(step=lambda p, g, rate: p)(X_b, y, params, learning_rate, iterations)
    return wrong_train()(X_b, y, params, learning_rate, 1)[0], history


FORWARD_ONCE = ("the parameters are right; the history repeats its first entry: `forward` has to "
                "run anew in each step, inside the loop.")
ARITHMETIC_WITH_DICTS = ("a dict cannot be multiplied or subtracted; the arrays in it can. Go "
                         "through the keys.")
LABELS_FIRST = "the accuracy takes the probabilities for labels: in its call the labels come first."
UNDECIDED = ("the accuracy compares probabilities with labels; a probability above 0.5 counts as a "
             "1. Use your `accuracy`, the labels first in its call.")
# what exchanged arguments come to, for three ways in which a right accuracy may treat its labels
SWAPPED_SCORES = tuple(
    (name, lambda y, Y_hat, label=label: float(np.mean((y > 0.5) == label(Y_hat))), message)
    for name, label, message in (
        ("accuracy-arguments", lambda Y_hat: Y_hat == 1, LABELS_FIRST),
        ("accuracy-arguments", lambda Y_hat: Y_hat != 0, LABELS_FIRST),
        ("accuracy-of-probabilities", lambda Y_hat: Y_hat, UNDECIDED)))

train = Exercise(
    id="03-train",
    name="train",
    truth=_train,
    cases=lambda: [(*classifier_case(1, 11, 3, 5), 0.7, 5), (*classifier_case(2, 7, 2, 6), 2.5, 4),
                   (*classifier_case(3, 13, 4, 3), 1.3, 1)],
    returns=("params", "history"),
    data=DATA,
    uses=(backprop, forward, log_loss, accuracy, output_delta),
    integers=("y",),
    tolerance=1e-8,
    rounding=1e-7,
    more=(
        Mistake("recorded-after-the-step", wrong_train(record_after=True),
                "loss and accuracy are noted after the update; the first entry should belong to "
                "the weights that came in."),
        Mistake("returned-in-the-loop", lambda X_b, y, params, learning_rate, iterations: (
            wrong_train()(X_b, y, params, learning_rate, 1)),
                "it returns after the first iteration: the `return` line is indented into the "
                "loop."),
        Mistake("arguments-swapped", wrong_train(loss=_swapped_loss),
                "the loss is called with the predictions first; the labels come first."),
        *(Mistake(name, wrong_train(score=score), message)
          for name, score, message in SWAPPED_SCORES),
        *(Mistake("arguments-swapped", wrong_train(loss=_swapped_loss, score=score),
                  "loss and accuracy are called with the predictions first; in both the labels "
                  "come first.") for _, score, _ in SWAPPED_SCORES),
        Mistake("forward-outside-the-loop", _forward_once, FORWARD_ONCE),
        Mistake("arithmetic-with-dicts", wrong_train(step=lambda p, g, rate: p - rate * g),
                ARITHMETIC_WITH_DICTS),
        Mistake("arithmetic-with-dicts", wrong_train(step=lambda p, g, rate: p - g * rate),
                ARITHMETIC_WITH_DICTS),
        Mistake("added-to-the-list", wrong_train(note=_added(("loss",), float)),
                "`+=` joins a list with another one and takes in no single number: use `append`."),
        *(Mistake("history-empty", wrong_train(note=_added(names, np.float64)),
                  "nothing has arrived in the list: `append` a number in each iteration. (`+=` "
                  "joins two lists; a single number of NumPy's gets lost that way.)")
          for names in (("loss",), ("accuracy",), ("loss", "accuracy"))),
        Mistake("rate-written-in", lambda X_b, y, params, learning_rate, iterations: (
            wrong_train()(X_b, y, params, 2.0, iterations)),
                "the learning rate 2.0 is written into the code; it is an argument."),
        Mistake("uphill", wrong_train(step=lambda p, g, rate: {n: p[n] + rate * g[n] for n in p}),
                "the steps go uphill: the gradient points to larger losses, so it is subtracted."),
        Mistake("rate-missing", wrong_train(step=lambda p, g, rate: {n: p[n] - g[n] for n in p}),
                "the learning rate plays no part in the update."),
        Mistake("one-matrix-only", wrong_train(
            step=lambda p, g, rate: {**p, "W2": p["W2"] - rate * g["W2"]}),
                "only `W2` is updated; `W1` stays as it came."),
        Mistake("one-matrix-only", wrong_train(
            step=lambda p, g, rate: {**p, "W1": p["W1"] - rate * g["W1"]}),
                "only `W1` is updated; `W2` stays as it came."),
        Mistake("one-after-the-other", _one_after_the_other("W1", "W2"),
                "the gradient of `W2` is computed after `W1` has moved. Both belong to the same "
                "moment: call `backprop` once per iteration."),
        Mistake("one-after-the-other", _one_after_the_other("W2", "W1"),
                "the gradient of `W1` is computed after `W2` has moved. Both belong to the same "
                "moment: call `backprop` once per iteration."),
        Mistake("gradient-computed-once", _gradient_once,
                "the gradient is computed once, before the loop; after each step it is another "
                "one."),
        Mistake("no-progress-kept", _from_the_start,
                "each iteration starts from the weights that came in: the update does not go back "
                "into `params`."),
        Mistake("not-trained", wrong_train(step=lambda p, g, rate: p),
                "the weights that came in are returned: no step has been made."),
        Mistake("one-iteration-less", wrong_train(rounds=lambda n: max(n - 1, 1)),
                "one iteration is missing."),
        Mistake("one-iteration-less", wrong_train(rounds=lambda n: n - 1),
                "one iteration is missing."),
        Mistake("one-iteration-more", wrong_train(rounds=lambda n: n + 1),
                "there is one iteration too many."),
        Mistake("gradient-of-the-sum",
                wrong_train(gradient=wrong_backprop(delta=lambda y, Y_hat: Y_hat - y)),
                "the steps are N times too long: they use the gradient of the sum, not of the "
                "mean."),
        Mistake("divided-again", wrong_train(gradient=wrong_backprop(
            finish=lambda dW1, dW2, N: {"W1": dW1 / N, "W2": dW2 / N})),
                "the gradient is divided by the number of samples once more; `backprop` has done "
                "that."),
        Mistake("last-entries-only", wrong_train(finish=lambda p, h: (
            p, {name: values[-1:] for name, values in h.items()})),
                "the history holds the last entry only; it should have one entry per iteration."),
        Mistake("last-entries-only", wrong_train(finish=lambda p, h: (
            p, {name: values[-1] for name, values in h.items()})),
                "the history holds the last number only; it should have one entry per iteration."),
        Mistake("order-of-results", wrong_train(finish=lambda p, h: (h, p)),
                "the weights and the history have changed places in the `return` line."),
        Mistake("history-only", wrong_train(finish=lambda p, h: h),
                "only the history is returned; the trained weights are needed too."),
        Mistake("params-only", wrong_train(finish=lambda p, h: p),
                "only the weights are returned; the history is needed too."),
        Mistake("history-swapped", wrong_train(finish=lambda p, h: (
            p, {"loss": h["accuracy"], "accuracy": h["loss"]})),
                "loss and accuracy have changed places in the history."),
    ),
    hint="in each iteration: forward, note loss and accuracy, backprop, new params.",
    unlocks="From here on, everything is an experiment.",
)


# 03-repair

repair = Exercise(
    id="03-repair",
    name="repaired_forward",
    truth=lambda X_b, params: classifier(X_b, params)["Y_hat"],
    cases=lambda: [(X_b, params) for X_b, _, params in _cases()],
    returns=("Y_hat",),
    data=DATA,
    uses=(sigmoid, forward),
    integers=(),
    tolerance=1e-12,
    more=(
        Mistake("flat-output", lambda X_b, params: wrong_forward()(X_b, params)["Y_hat"][:, 0],
                "`Y_hat` has shape (N,); with labels (N, 1) every difference would become (N, N). "
                "Leave it (N, 1)."),
        Mistake("cache-returned", lambda X_b, params: wrong_forward()(X_b, params),
                "the whole cache is returned; wanted are the predictions alone."),
        Mistake("output-not-activated",
                lambda X_b, params: wrong_forward()(X_b, params)["Z2"],
                "the output's sigmoid has been lost on the way."),
        Mistake("hidden-not-activated",
                lambda X_b, params: wrong_forward(hidden=lambda Z: Z)(X_b, params)["Y_hat"],
                "the hidden layer's sigmoid has been lost on the way."),
        Mistake("rounded", lambda X_b, params: np.round(wrong_forward()(X_b, params)["Y_hat"]),
                "these are decided classes; wanted are the probabilities."),
        Mistake("ones-twice",
                lambda X_b, params: wrong_forward()(ones_first(X_b), params)["Y_hat"],
                "a second column of ones is put before `X_b`, which has its ones already."),
        Mistake("weights-swapped",
                lambda X_b, params: expit(expit(X_b @ params["W2"]) @ params["W1"]),
                "`W1` and `W2` have changed places."),
    ),
    hint="every name on the right-hand sides has to come from the arguments.",
    unlocks="A function that reads only its arguments can be tested; that is how it was found out.",
)
