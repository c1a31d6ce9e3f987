"""Lesson 03: patterns in the plane, log loss, and training a classifier."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit

from helpers.checks.exercise import Exercise, Group, no_sizes
from helpers.checks.lesson_01 import ones_first, sigmoid
from helpers.checks.lesson_02 import sigmoid_prime
from helpers.checks.truth import complex_gradients, complex_step, dense

SMALLEST = 1e-12  # how near to 0 and 1 a probability may come


# Of each shape at least one point lies exactly on the border, which does not belong to it.
ON_THE_BORDER = np.array([
    [0.0, -0.3], [-0.4, 0.0], [0.75, 0.0], [0.0, -0.75], [0.5, 0.1], [-0.25, -0.5], [-0.5, -0.7],
    [0.25, 0.5], [0.5, 0.5], [0.75, -0.25], [0.9, -0.1], [-0.1, 0.9], [-0.9, -0.9], [0.3, 0.4]])


def _pattern(name, rule, hint):
    """Return the part of 03-patterns for one function; `rule` takes the two numbers of a point."""
    return Exercise(
        "03-patterns", name, truth=lambda X: np.array([bool(rule(*point)) for point in X.tolist()]),
        sizes=no_sizes,
        cases=lambda: [(np.random.default_rng(1).uniform(-1, 1, size=(60, 2)),),
                       (np.random.default_rng(2).uniform(-1.3, 1.3, size=(150, 2)),),
                       (ON_THE_BORDER,)],
        hint=f"{hint} Return the comparison itself, `True` or `False` for each point.")


diamond = _pattern("diamond", lambda a, b: abs(a) + abs(b) < 1,
                   "add |x₁| and |x₂| of each point, and compare the sum with 1.")
circle = _pattern("circle", lambda a, b: math.hypot(a, b) < 0.75,
                  "the distance of a point from the centre is √(x₁² + x₂²).")
centred_square = _pattern("centred_square", lambda a, b: max(abs(a), abs(b)) < 0.5,
                          "a point is inside when the larger of |x₁| and |x₂| is below 0.5.")
thick_angle = _pattern("thick_angle", lambda a, b: -0.5 < max(a, b) < 0.5,
                       "the larger of x₁ and x₂ lies between −0.5 and 0.5: two comparisons.")
thin_angle = _pattern("thin_angle", lambda a, b: 0 < max(a, b) < 0.5,
                      "the larger of x₁ and x₂ lies between 0 and 0.5: two comparisons.")

patterns = Group("03-patterns", (diamond, circle, centred_square, thick_angle, thin_angle),
                 unlocks="Five shapes, and no straight line cuts any of them out.")


def _log_loss(y, Y_hat):
    inside = np.minimum(np.maximum(Y_hat, SMALLEST), 1 - SMALLEST)
    terms = [-math.log(p) if label else -math.log1p(-p)
             for label, p in zip(y.ravel(), inside.ravel().tolist(), strict=True)]
    return math.fsum(terms) / len(terms)


def _at_the_limit(args, loss):
    """Return a loss as with the limit 1e-12, if it is right for one between 1e-16 and 1e-6."""
    y, Y_hat = args
    wrong = np.mean(np.abs(y - Y_hat) == 1)  # the share of samples that are sure and wrong
    want = _log_loss(y, Y_hat)
    limit = SMALLEST * math.exp((want - loss) / wrong) if wrong else 0
    return want if 0.999e-16 < limit < 1.001e-6 else loss


def _probabilities(seed, N):
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(N, 1)) < 0.4).astype(float)
    y[:2] = [[1.0], [0.0]]
    return y, expit(1.5 * rng.normal(size=(N, 1)))


def _certain():
    """Return labels and probabilities of exactly 0, of exactly 1, and of both, right and wrong."""
    y = np.array([[1.0], [0.0], [1.0], [0.0], [1.0]])
    return [(y, np.array([[p] for p in P])) for P in (
        (0.2, 0.0, 0.0, 0.9, 0.3), (1.0, 0.1, 0.4, 1.0, 0.3), (1.0, 0.0, 0.0, 1.0, 0.3))]


log_loss = Exercise(
    "03-log-loss", "log_loss", truth=_log_loss, returns=("loss",),
    tolerance=1e-5, rounding=1e-5,  # 1 − p and log lose some digits at 1e-12 from the ends
    view=_at_the_limit,
    cases=lambda: [_probabilities(1, 7), _probabilities(2, 12), *_certain(),
                   (_probabilities(3, 9)[0].astype(np.uint8), _probabilities(3, 9)[1])],
    hint="keep the probabilities away from 0 and 1; where y is 1, take −log(p), where it is 0, "
         "−log(1 − p); then the mean.",
    unlocks="A sure and wrong prediction now costs a lot, but not infinitely much.")


def classifier(X_b, params):
    """Return Z1, A1 (N, H), Z2, Y_hat (N, 1) of the classifier, for complex weights too."""
    Z1 = dense(X_b, params["W1"])
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = dense(A1, params["W2"])
    return {"Z1": Z1, "A1": A1, "Z2": Z2, "Y_hat": 1 / (1 + np.exp(-Z2))}


def classifier_case(seed, N, D, H):
    """Return X_b (N, D+1), y (N, 1) of zeros and ones, params with W1 (D+1, H) and W2 (H, 1)."""
    rng = np.random.default_rng(seed)
    y = (rng.uniform(size=(N, 1)) < 0.45).astype(float)
    y[:2] = [[0.0], [1.0]]
    return (ones_first(rng.normal(size=(N, D))), y,
            {"W1": rng.normal(size=(D + 1, H)), "W2": rng.normal(size=(H, 1))})


def _cases():
    return [classifier_case(1, 11, 3, 5), classifier_case(2, 7, 2, 6), classifier_case(3, 13, 4, 3)]


forward = Exercise(
    "03-forward", "forward", truth=classifier, returns=("cache",), uses=(sigmoid,),
    cases=lambda: [(X_b, params) for X_b, _, params in _cases()],
    hint="weighted sum, sigmoid, weighted sum, sigmoid; keep all four under their names.",
    unlocks="The cache keeps every intermediate value for the way back.")


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


output_delta = Exercise(
    "03-output-delta", "output_delta", truth=_output_delta, returns=("dZ2",), tolerance=1e-12,
    cases=lambda: [_probabilities(4, 7), _probabilities(5, 12), _probabilities(6, 5),
                   _certain()[-1]],
    hint="derivative of the loss with respect to p, times the derivative of p with respect to "
         "the weighted sum; much of it cancels. Then the mean.",
    unlocks="No exponential, no division by p: nothing in it can overflow.")


def _gradients(X_b, y, params):
    return complex_gradients(lambda p: mean_log_loss(y, classifier(X_b, p)["Y_hat"]), params)


backprop = Exercise(
    "03-backprop", "backprop", truth=_gradients, returns=("grads",),
    uses=(forward, output_delta, sigmoid_prime, sigmoid), cases=_cases,
    hint="dZ2 from `output_delta`; back through `W2` and the hidden sigmoid; then (layer's "
         "input)ᵀ times (layer's error) for each layer.",
    unlocks="One pass forward, one pass back, and every weight knows its share.")


def _accuracy(y, Y_hat):
    hits = [int(label == (1 if p > 0.5 else 0))
            for label, p in zip(y.ravel().tolist(), Y_hat.ravel().tolist(), strict=True)]
    return sum(hits) / len(hits)


def _accuracy_case(seed, N):
    y, Y_hat = _probabilities(seed, N)
    return y, np.where(np.arange(N)[:, None] % 3 > 0, 0.5 + (y - 0.5) * Y_hat, Y_hat)


accuracy = Exercise(
    "03-accuracy", "accuracy", truth=_accuracy, returns=("accuracy",),
    cases=lambda: [_accuracy_case(1, 7), _accuracy_case(2, 13), _accuracy_case(5, 24),
                   _certain()[-1]],
    hint="decide (above one half or not), compare with the label, take the mean of the truth "
         "values.",
    unlocks="Always read it beside the base rate, the share of the larger class.")


def _train(X_b, y, params, learning_rate, iterations):
    history = {"loss": [], "accuracy": []}
    for _ in range(iterations):
        Y_hat = classifier(X_b, params)["Y_hat"]
        history["loss"].append(_log_loss(y, Y_hat))
        history["accuracy"].append(_accuracy(y, Y_hat))
        grads = _gradients(X_b, y, params)
        params = {name: params[name] - learning_rate * grads[name] for name in params}
    return params, history


train = Exercise(
    "03-train", "train", truth=_train, returns=("params", "history"),
    uses=(backprop, forward, log_loss, accuracy, output_delta),
    cases=lambda: [(*classifier_case(1, 11, 3, 5), 0.7, 5), (*classifier_case(2, 7, 2, 6), 2.5, 4),
                   (*classifier_case(3, 13, 4, 3), 1.3, 1)],
    hint="in each iteration: forward, record loss and accuracy, backprop, new params.",
    unlocks="From here on, everything is an experiment.")


repair = Exercise(
    "03-repair", "repaired_forward", truth=lambda X_b, params: classifier(X_b, params)["Y_hat"],
    returns=("Y_hat",), uses=(sigmoid, forward),
    cases=lambda: [(X_b, params) for X_b, _, params in _cases()],
    hint="every name on the right-hand sides has to come from the arguments.",
    unlocks="A function that reads only its arguments can be tested; that is how it was found out.")
