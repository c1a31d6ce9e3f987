"""Lesson 02: the chain rule, backpropagation, the bug hunt and training."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from helpers.checks.exercise import Exercise, no_sizes
from helpers.checks.lesson_01 import forward, network_case, sigmoid, squared_error
from helpers.checks.truth import dense, income_gradients, income_network


def _chain_rule(x):
    # By a complex step: exp, sin and the square are analytic.
    shifted = complex(x, 1e-30)
    value = np.exp(np.sin(shifted * shifted))
    return float(value.real), float(value.imag / 1e-30)


chain_rule = Exercise(
    "02-chain-rule", "chain_rule", truth=_chain_rule, returns=("value", "derivative"),
    sizes=no_sizes, cases=lambda: [(1.2,), (-0.7,), (2.1,)],
    hint="name the steps, a = x², b = sin(a), c = exp(b), and multiply the three local "
         "derivatives, each taken at what goes into its step.",
    unlocks="Backpropagation is this, done for every weight at once.")


def _sigmoid_prime(z):
    return expit(z) * expit(-z)


sigmoid_prime = Exercise(
    "02-sigmoid-prime", "sigmoid_prime", truth=_sigmoid_prime, uses=(sigmoid,), sizes=no_sizes,
    tolerance=1e-12,
    cases=lambda: [(np.array([-2.0, 0.0, 2.0]),),
                   (np.random.default_rng(1).normal(size=(4, 3)) * 2,),
                   (np.array([-1000.0, 1000.0]),)],
    hint="let s = sigmoid(z); the derivative is s times (1 minus s).",
    unlocks="It is largest, one quarter, at z = 0, and never fails far out.")


def _hidden_delta(dZ2, W2, Z1):
    return dense(dZ2, W2[1:].T) * _sigmoid_prime(Z1)


def _delta_cases():
    cases = []
    for X_b, y, W1, W2 in _backprop_cases():
        Z1, _, Y_hat = income_network(X_b, W1, W2)
        cases.append((Y_hat - y, W2, Z1))
    return cases


hidden_delta = Exercise(
    "02-hidden-delta", "hidden_delta", truth=_hidden_delta, returns=("dZ1",),
    uses=(sigmoid_prime, sigmoid), cases=_delta_cases,
    hint="send `dZ2` back through the weights without the bias row, then through the activation.",
    unlocks="That is the step that gave backpropagation its name.")


def _backprop_cases():
    return [network_case(1, 11, 4, 6, 3), network_case(2, 13, 3, 5, 1),
            network_case(3, 7, 2, 9, 4)]


backprop = Exercise(
    "02-backprop", "backprop", truth=lambda X_b, y, W1, W2: income_gradients(X_b, y, W1, W2),
    returns=("dW1", "dW2"), uses=(forward, sigmoid_prime, hidden_delta),
    sizes=lambda X_b, y, W1, W2: {"N": len(X_b), "K": y.shape[1]}, cases=_backprop_cases,
    hint="forward first; then `dZ2`, `dZ1`, and each gradient as (input of the layer).T @ error.",
    unlocks="Every weight now knows in which direction the loss falls.")

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
            (right * 1.01, right, 0.1), (right * 1.105, right, 0.1), (right / 1.105, right, 0.1)]


suspects = Exercise(
    "02-suspects", "suspects", truth=_suspects, returns=("suspects",), cases=_suspect_cases,
    hint="size of the difference against tolerance × size of the entries, entry by entry.",
    unlocks="Your checker now points at single weights.")


repair = Exercise(
    "02-repair", "repaired_backprop", truth=backprop.truth, returns=backprop.returns,
    uses=backprop.uses, cases=_backprop_cases,
    hint="compare, line by line, what `forward` feeds into the output layer with what the "
         "published gradient takes for it.",
    unlocks="You have found and mended a bug in a published lesson.")


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


def _train_cases():
    cases = []
    for seed, sizes, rate, epochs in ((1, (7, 3, 5, 1), 0.03, 4), (2, (9, 2, 6, 4), 0.002, 6)):
        X_b, y, W1, W2 = network_case(seed, *sizes)
        X_b_test, y_test, _, _ = network_case(seed + 10, sizes[0] - 2, *sizes[1:])
        cases.append((X_b, y, X_b_test, y_test, W1, W2, rate, epochs))
    return cases


train = Exercise(
    "02-train", "train", truth=_train, returns=("W1", "W2", "history"),
    uses=(forward, squared_error, backprop), cases=_train_cases,
    hint="in each epoch: forward on both sets, record both losses and the training predictions, "
         "then the gradients, then the update of both matrices.",
    unlocks="You have trained a neural network with nothing but your own code.")
