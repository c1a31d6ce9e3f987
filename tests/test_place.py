"""The place of a mistake: the student's own line, or silence; never a word on a right answer."""

from __future__ import annotations

import ast
import linecache
import textwrap

import numpy as np
import pytest
from answers import RIGHT
from answers.lesson_01 import add_bias_insert as add_bias
from answers.lesson_02 import forward_einsum as forward_02
from answers.lesson_03 import forward_einsum as forward_03
from answers.lesson_04 import forward_einsum as forward_04
from scipy.special import expit
from test_mutants import PARTS, Ticks

from helpers.checks import place
from helpers.checks.instrument import Cut, Program
from helpers.checks.judge import judge

SPACE = {"np": np, "expit": expit, "add_bias": add_bias}

# exercise, what its notebook has too, a wrong answer, part of the line that is to be quoted (None:
# silent), and what is to be said of it. The first eight are cards that people have read.
WRONG = [
    ("04-backprop", {"forward": forward_04}, """
     def backprop(X, y, params):
         cache = forward(X, params)
         dZ2 = (cache['Y_hat'] - y.reshape(-1)) / len(X)
         dZ1 = dZ2 @ params['W2'].T * (1 - cache['A1'] ** 2)
         return {'W1': X.T @ dZ1, 'b1': dZ1.sum(axis=0),
                 'W2': cache['A1'].T @ dZ2, 'b2': dZ2.sum(axis=0)}
     """, "y.reshape(-1)", "shape (7,); wanted (7, 1)"),
    ("03-backprop", {"forward": forward_03}, """
     def backprop(X_b, y, params):
         a_2 = expit(np.dot(X_b, params['W1']))
         error = -y + expit(a_2 @ params['W2'])
         W1 = np.dot(((error @ params['W2'].T) * a_2 * (1 - a_2)).T, X_b).T
         return {'W1': W1, 'W2': np.dot(error.T, a_2).T}
     """, "error = -y + expit", "(N = 11)"),
    ("03-backprop", {"forward": forward_03}, """
     def backprop(X_b, y, params):
         cache = forward(X_b, params)
         error = (cache['Y_hat'] - y) / len(y)
         dZ1 = error @ params['W2'].T * cache['A1'] * (1 - cache['A1'])
         return {'W1': np.dot(error.T, X_b).T,
                 'W2': np.dot(error.T, cache['A1']).T}
     """, "np.dot(error.T, X_b).T", "`dZ1`"),
    ("05-backprop", {}, """
     def backprop(X, y, params, reg):
         A1 = np.tanh(X.dot(params['W1']) + params['b1'])
         Z2 = A1.dot(params['W2']) + params['b2']
         powers = np.exp(Z2 - Z2.max(axis=1, keepdims=True))
         delta3 = powers / powers.sum(axis=1, keepdims=True)
         delta3[range(len(X)), y] -= 1
         delta2 = delta3.dot(params['W2'].T) * (1 - np.power(A1, 4))
         return {'W1': X.T.dot(delta2) / len(X) + reg * params['W1'],
                 'b1': delta2.sum(axis=0) / len(X), 'b2': delta3.sum(axis=0) / len(X),
                 'W2': A1.T.dot(delta3) / len(X) + reg * params['W2']}
     """, "np.power(A1, 4)", "`A1`"),
    ("01-numerical-gradient", {}, """
     def numerical_gradient(f, W, eps=1e-5):
         flat = []
         for direction in np.eye(W.size):
             step = eps * direction.reshape(W.shape)
             flat.append((f(W + step) - f(step - W)) / (2 * eps))
         return np.array(flat).reshape(W.shape)
     """, "f(step - W)", "−1 times"),
    ("01-forward", {}, """
     def forward(X_b, W1, W2):
         Z1 = X_b @ W1
         A1 = expit(Z1)
         Y_hat = W2 @ add_bias(A1)
         return Z1, A1, Y_hat
     """, "Y_hat = W2 @ add_bias(A1)", "It stops"),
    ("09-rate-range", {}, """
     def rate_range(loss, backprop, X, y, params, rng, rates, mu, reg, batch_size):
         losses = []
         velocity = {name: W for name, W in params.items()}
         for rate in rates:
             batch = rng.permutation(len(X))[:batch_size]
             losses.append(loss(X[batch], y[batch], params, 0.0))
             grads = backprop(X[batch], y[batch], params, reg)
             velocity = {k: mu * velocity[k] - rate * grads[k] for k in grads}
             params = {k: params[k] + velocity[k] for k in params}
         return losses
     """, "velocity = {name: W for", "velocity"),
    ("09-initialise", {}, """
     def initialise(sizes, rng):
         params = {}
         for i in range(1, len(sizes)):
             n_in, n_out = sizes[i], sizes[i]
             params[f"b{i}"] = np.zeros(n_out)
             params[f"W{i}"] = rng.normal(size=(n_in, n_out)) * np.sqrt(4 / n_in)
         return params
     """, None, ""),
    ("02-backprop", {"forward": forward_02}, """
     def backprop(X_b, y, W1, W2):  # an error, with its cause in its own line
         Z1, A1, Y_hat = forward(X_b, W1, W2)
         dZ2 = Y_hat - y
         dZ1 = dZ2 @ W2[1:] * A1 * (1 - A1)
         return X_b.T @ dZ1, add_bias(A1).T @ dZ2
     """, "dZ1 = dZ2 @ W2[1:]", "It stops"),
    ("02-backprop", {"forward": forward_02}, """
     def backprop(X_b, y, W1, W2):  # two mistakes
         Z1, A1, Y_hat = forward(X_b, W1, W2)
         dZ2 = (Y_hat - y) * 1.7
         dZ1 = dZ2 @ W2[1:].T * A1 * (1 + A1)
         return X_b.T @ dZ1, add_bias(Z1).T @ dZ2
     """, None, ""),
    ("07-unary-rules/relu_rule", {}, """
     def relu_rule(upstream, x, output):  # an early return
         if x.ndim < 9:
             return upstream * (x < 0)
         return upstream * (x > 0)
     """, "return upstream * (x < 0)", ""),
    ("04-sgd-step", {}, """
     def sgd_step(params, grads, learning_rate):  # a dict, built up
         new = {}
         for key in params:
             new[key] = params[key] + learning_rate * grads[key]
         return new
     """, "new[key] = params[key] +", ""),
    ("06-momentum/update_momentum", {}, """
     def update_momentum(velocity, grads, learning_rate, mu):
         return {name: mu * velocity[name] - grads[name] * mu for name in grads}
     """, "- grads[name] * mu", ""),
    ("03-accuracy", {}, """
     def accuracy(y, Y_hat):
         said = Y_hat < 0.5
         return float(np.mean(said == y))
     """, "said = Y_hat < 0.5", ""),
    ("01-forward", {"sigmoid": expit}, """
     def forward(X_b, W1, W2):  # a term too many
         Z1 = X_b @ W1 + W1[0]
         A1 = sigmoid(Z1)
         return Z1, A1, add_bias(A1) @ W2
     """, "Z1 = X_b @ W1 + W1[0]", ""),
    ("02-hidden-delta", {}, """
     def hidden_delta(dZ2, W2, Z1):
         s = expit(Z1)
         for k in range(dZ2.shape[1]):
             through_k = dZ2[:, [k]] * W2[1:, k]
             dZ1 = through_k * s * (1 - s)
         return dZ1
     """, None, None),
    ("02-backprop", {"forward": forward_02}, """
     def backprop(X_b, y, W1, W2):
         Z1, A1, Y_hat = forward(X_b, W1, W2)
         dZ2 = Y_hat - y
         dW2 = np.zeros_like(W2)
         dW2[1:] = A1.T @ dZ2
         return X_b.T @ (dZ2 @ W2[1:].T * expit(Z1) * (1 - expit(Z1))), dW2
     """, None, None),
    ("02-backprop", {"forward": forward_02}, """
     def back(dZ2, W2, A):  # a function of the same cell is followed
         through = dZ2 @ W2[1:].T
         through = through + 0.3 * A
         return through * A * (1 - A)

     def backprop(X_b, y, W1, W2):
         Z1, A1, Y_hat = forward(X_b, W1, W2)
         return X_b.T @ back(Y_hat - y, W2, A1), add_bias(A1).T @ (Y_hat - y)
     """, "through = through + 0.3 * A", ""),
    ("04-backprop", {"forward": forward_04}, """
     def backprop(X, y, params):  # two at once: of the first it is known what it leads to
         cache = forward(X, params)
         dZ2 = (cache['Y_hat'] - y) / len(X) + 0.01
         dZ1 = dZ2 @ params['W2'].T * (1 - cache['A1'] * 3)
         return {'W1': X.T @ dZ1, 'b1': dZ1.sum(axis=0),
                 'W2': cache['A1'].T @ dZ2, 'b2': dZ2.sum(axis=0)}
     """, "/ len(X) + 0.01", """`grads["W2"]` and `grads["b2"]` will be right; something else"""),
]


def written(source, name=None, **space):
    """Return a function with a source of its own, as a cell of a notebook has."""
    source = textwrap.dedent(source).strip() + "\n"
    file = f"<cell {abs(hash(source))}>"
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file
    own = {**SPACE, **space}
    exec(compile(source, file, "exec", dont_inherit=True), own)
    return own[name or next(node.name for node in ast.parse(source).body
                            if isinstance(node, ast.FunctionDef))]


@pytest.mark.parametrize("key, space, source, quote, said", [
    pytest.param(*row, id=f"{row[0]}:{i}") for i, row in enumerate(WRONG)])
def test_the_line_of_a_mistake_is_quoted(key, space, source, quote, said):
    part = PARTS[key]
    function = written(source, name=part.name, **space)
    assert judge(part, function).outcome == "not yet"
    found = place.find(part, function, seconds=20)
    if quote is None:
        assert found is None
        return
    text = textwrap.dedent(source).strip().splitlines()
    assert found is not None and quote in text[found.line - 1], found
    assert said in " ".join(found.lines)
    assert 2 <= len(found.lines) <= 4


def test_what_is_filled_later_is_not_called_right_and_no_count_is_negated():
    function = written("""
        def embed_back(dX, ids, E, P):
            dE, dP = np.zeros_like(E), np.zeros_like(P)
            np.add.at(dE, ids, dX)
            dP[:ids.shape[1]] = dX.sum(axis=0)
            seen = np.bincount(ids.ravel(), minlength=len(E))
            dE = dE / np.maximum(seen, 1)[:, None]
            return dE, dP
        """)
    found = place.find(PARTS["11-embed/embed_back"], function)
    assert found.line == 6 and "`dP`" not in found.lines[0]


def test_what_is_known_by_its_numbers_alone_has_a_line_too():
    squared_error = written("""
        def squared_error(y, Y_hat):
            gap = y - Y_hat
            return -0.25 * np.sum(gap * gap)
    """)
    verdict = judge(PARTS["01-squared-error"], squared_error)
    assert (verdict.mistake, verdict.line) == ("minus-halved", 3)


@pytest.mark.parametrize("key", PARTS)
def test_right_answers_have_no_place(key):
    deep = key in ("07-topological-order", "07-backward")  # to copy their graphs takes long
    for answer in RIGHT[key][:1] if deep else RIGHT[key]:
        assert place.find(PARTS[key], answer, seconds=20) is None


@pytest.mark.parametrize("function", [None, 3, np.exp, print, type, lambda *args: 1 / 0,
                                      eval("lambda X, params: 1 / 0")])
def test_what_has_no_source_or_cannot_be_called_has_no_place(function):
    assert place.find(PARTS["04-forward"], function) is None


def test_what_mends_one_part_here_and_another_there_mends_none(monkeypatch):
    function = written("""
        def backprop(X, y, params):
            cache = forward(X, params)
            dZ2 = (cache['Y_hat'] - y) / len(X) + 0.01
            return {'b2': dZ2.sum(axis=0)}
        """, forward=forward_04)

    def wrong(search, case, change=None, record=False):
        found(search, case, change, record)
        mended = change and change[0] in search.begins
        return {"W1", "b1"} if not mended else {"b1"} if case else {"W1"}

    found = place._Search.wrong
    monkeypatch.setattr(place._Search, "wrong", wrong)
    assert place.find(PARTS["04-backprop"], function) is None


def test_a_search_ends_in_time_and_in_counted_steps(monkeypatch):
    endless = written("def softmax(Z):\n    while Z.size:\n        pass\n    return Z")
    assert place.find(PARTS["05-softmax"], endless, seconds=0.2) is None
    monkeypatch.setattr(place, "time", Ticks())  # a second for each look at the clock
    slip = written("def softmax(Z):\n    p = np.exp(Z - Z.max(axis=1, keepdims=True))\n"
                   "    return p / (p + 1).sum(axis=1, keepdims=True)")
    assert place.find(PARTS["05-softmax"], slip, seconds=600).line == 3
    assert place.find(PARTS["05-softmax"], slip, seconds=place.time.now / 2) is None
    with pytest.raises(Cut):
        Program(endless).call((np.ones(3),), {}, 500)


def test_a_search_leaves_nothing_behind():
    seen = []
    space = {"seen": seen, "table": {"half": np.array(0.5)}, "forward": forward_04}
    function = written("""
        def accuracy(y, Y_hat):
            global table
            seen.append(1)
            table['half'] += 1
            table = {}
            print('noise')
            said = Y_hat < np.random.uniform(0.5, 0.5)
            return float(np.mean(said == y))
        """, **space)
    before = np.random.get_state()[1].tolist()
    args = [tuple(np.copy(a) for a in case) for case in PARTS["03-accuracy"].cases()]
    place.find(PARTS["03-accuracy"], function)
    assert seen == [] and space["table"]["half"] == 0.5 and "half" in function.__globals__["table"]
    assert np.random.get_state()[1].tolist() == before
    for case, kept in zip(PARTS["03-accuracy"].cases(), args, strict=True):
        assert all(map(np.array_equal, case, kept))


def test_what_reaches_outside_is_not_run_again():
    function = written("def accuracy(y, Y_hat):\n    open('gone', 'w')\n    return 0.0")
    assert place.find(PARTS["03-accuracy"], function) is None
