"""Lesson 12: a transformer: causal mask, two residual layers, loss on the answer, Adam."""

from __future__ import annotations

import math

import numpy as np

from helpers.checks.exercise import Exercise, Group, no_sizes
from helpers.checks.lesson_10 import EPS, normalise
from helpers.checks.lesson_11 import attention as one_attention
from helpers.checks.truth import complex_step

# The network with an axis more in front: arrays may be stacked, and complex

def _times(X, W):
    """Return X (…, N, T, d) times a matrix, or a stack of matrices (S, d, n)."""
    return np.einsum("...ntd,...dk->...ntk", X, W)


def _row(v):
    return v[..., None, None, :]


def _norm(X, g, t):
    """Return the normalised rows with gain and shift, H and s."""
    return normalise(X, _row(g), _row(t), EPS, -1)[:3]


def _attend(X, p, h):
    """Return the attention layer's output and what it keeps."""
    Y, H, s = _norm(X, p["g1"], p["t1"])
    Q, K, V = (np.stack(np.split(_times(Y, p[name]), h, axis=-1), axis=-3)
               for name in ("Wq", "Wk", "Wv"))
    S = np.einsum("...ti,...si->...ts", Q, K) / math.sqrt(Q.shape[-1])
    powers = np.exp(S - S.real.max(axis=-1, keepdims=True)) * np.tri(S.shape[-1])
    A = powers / powers.sum(axis=-1, keepdims=True)
    O = np.einsum("...ts,...si->...ti", A, V)  # noqa: E741  (the lesson's name)
    M = np.concatenate(list(np.moveaxis(O, -3, 0)), axis=-1)
    return X + _times(M, p["Wo"]), {"H": H, "s": s, "Y": Y, "Q": Q, "K": K, "V": V, "A": A, "M": M}


def _think(X, p):
    """Return the MLP layer's output and what it keeps."""
    Y, H, s = _norm(X, p["g2"], p["t2"])
    Z = _times(Y, p["W1"]) + _row(p["b1"])
    R = np.where(Z.real > 0, Z, 0)
    return X + _times(R, p["W2"]) + _row(p["b2"]), {"H": H, "s": s, "Y": Y, "R": R}


def _forward(ids, params, h):
    X = params["E"][..., ids, :] + params["P"][..., None, :ids.shape[1], :]
    X, attention = _attend(X, params, h)
    X, mlp = _think(X, params)
    Y, H, s = _norm(X, params["g3"], params["t3"])
    return _times(Y, params["W3"]) + _row(params["b3"]), {
        "attention": attention, "mlp": mlp, "norm": {"H": H, "s": s}, "Y": Y}


def _slopes(output, dY, arrays):
    """Return the gradient of the sum of dY · output(arrays) for each array, by complex steps.

    All steps of one array are taken at once, stacked.
    """
    grads = {}
    for name, W in arrays.items():
        stack = np.tile(W.astype(complex), (W.size, *(1,) * W.ndim))
        stack.reshape(W.size, W.size)[np.diag_indices(W.size)] += 1e-30j
        total = (dY * output({**arrays, name: stack})).sum(axis=(-3, -2, -1))
        grads[name] = total.imag.reshape(W.shape) / 1e-30
    return grads


SIZES = (  # seed, N, T, V, d, h, units of the MLP
    (1, 3, 5, 7, 6, 3, 11), (2, 5, 4, 9, 6, 2, 7), (3, 2, 7, 11, 5, 1, 3))


def network(seed, N, T, V, d, h, m):
    """Return params of a small network: nothing is zero, no gain is 1, but one unit is at rest."""
    rng = np.random.default_rng(seed)
    shapes = {"E": (V, d), "P": (T + 2, d), "Wq": (d, d), "Wk": (d, d), "Wv": (d, d),
              "Wo": (d, d), "W1": (d, m), "b1": m, "W2": (m, d), "b2": d, "W3": (d, V), "b3": V,
              **{name + i: d for i in "123" for name in "gt"}}
    params = {name: rng.normal(size=shape) * 0.7 for name, shape in shapes.items()}
    params["W1"][:, 0], params["b1"][0] = 0, 0  # its sums are exactly 0
    return params


def _inputs(seed, N, T, V, d, h, m):
    """Return ids (N, T), X (N, T, d) and what arrives there on the way back."""
    rng = np.random.default_rng(seed + 40)
    ids = rng.integers(V, size=(N, T))
    ids[:, 1] = ids[0, 0]  # some tokens stand twice in a sequence, and in several
    return ids, rng.normal(size=(N, T, d)) + 0.2, rng.normal(size=(N, T, d)) + 0.1


def _pick(params, names):
    return {name: params[name] for name in names.split()}


def _causal_attention(Q, K, V):
    """Let position t read a sequence that ends with it."""
    T = Q.shape[-2]
    parts = [one_attention.truth(Q[..., t:t + 1, :], K[..., :t + 1, :], V[..., :t + 1, :])
             for t in range(T)]
    rows = [np.insert(a, [t + 1] * (T - t - 1), 0, axis=-1) for t, (_, a) in enumerate(parts)]
    return np.concatenate([o for o, _ in parts], axis=-2), np.concatenate(rows, axis=-2)


def _causal_cases():
    cases = []
    for seed, shape, size in ((1, (3, 2, 5, 7), 1), (2, (7, 4), 1), (3, (2, 4, 3, 5), 40)):
        Q, K, V = size * np.random.default_rng(seed).normal(size=(3, *shape))
        cases.append((Q, K, V[..., :-1]))
    return cases


causal_attention = Exercise(
    "12-causal-attention", "causal_attention", truth=_causal_attention, returns=("O", "A"),
    sizes=lambda Q, K, V: {"T": Q.shape[-2]}, cases=_causal_cases,
    hint="scores as in `attention`; those of later positions become −inf; then the softmax.",
    unlocks="No position sees what comes after it.")


mlp_forward = Exercise(
    "12-mlp-layer", "mlp_layer", truth=_think, returns=("X_out", "cache"),
    cases=lambda: [(_inputs(*sizes)[1], _pick(network(*sizes), "g2 t2 W1 b1 W2 b2"))
                   for sizes in SIZES],
    hint="first the norm, then two layers with a ReLU between them; what comes out is added to X.")


def _layer_back(layer, dX_out, params, cache):
    """Return dX and grads of a layer (X, params) -> (X_out, cache), whose cache has H and s."""
    grads = _slopes(lambda p: layer(p["X"], p)[0], dX_out,
                    {"X": cache["H"] * cache["s"], **params})
    return grads.pop("X"), grads


mlp_back = Exercise(
    "12-mlp-layer", "mlp_layer_back",
    truth=lambda dX_out, params, cache: _layer_back(_think, dX_out, params, cache),
    returns=("dX", "grads"),
    cases=lambda: [(_inputs(*sizes)[2], params, _think(_inputs(*sizes)[1], params)[1])
                   for sizes in SIZES
                   for params in [_pick(network(*sizes), "g2 t2 W1 b1 W2 b2")]],
    hint="from the end: W2 and b2, the ReLU, W1 and b1, the norm; then the path around is added.")

mlp_layer = Group("12-mlp-layer", (mlp_forward, mlp_back),
                  unlocks="Half of a block, there and back.")


ATTENTION = "g1 t1 Wq Wk Wv Wo"

attention_forward = Exercise(
    "12-attention-layer", "attention_layer", truth=_attend, returns=("X_out", "cache"),
    uses=(causal_attention,),
    cases=lambda: [(_inputs(*sizes)[1], _pick(network(*sizes), ATTENTION), sizes[5])
                   for sizes in SIZES],
    hint="first the norm; queries, keys and values from its Y, split into heads; attention; the "
         "heads merged, times Wo; what comes out is added to X.")


attention_back = Exercise(
    "12-attention-layer", "attention_layer_back",
    truth=lambda dX_out, params, cache: _layer_back(
        lambda X, p: _attend(X, p, cache["Q"].shape[1]), dX_out, params, cache),
    returns=("dX", "grads"),
    cases=lambda: [(_inputs(*sizes)[2], params, _attend(_inputs(*sizes)[1], params, sizes[5])[1])
                   for sizes in SIZES for params in [_pick(network(*sizes), ATTENTION)]],
    hint="from the end: Wo, the heads split, your `attention_back`, the heads merged; three paths "
         "arrive at Y and are added; then the norm, and the path around.")

attention_layer = Group("12-attention-layer", (attention_forward, attention_back),
                        unlocks="Every arrow of the block has been walked back.")


def _answer_loss(logits, y, w):
    """Return the loss, and its gradient by complex steps."""
    def J(Z):
        Z = Z - Z.real.max(axis=-1, keepdims=True)
        true = np.take_along_axis(Z, y[..., None], axis=-1)[..., 0]
        return (w * (np.log(np.exp(Z).sum(axis=-1)) - true)).sum() / w.sum()

    return float(J(logits)), complex_step(J, logits)


def _loss_cases():
    cases = []
    for seed, N, T, V, size in ((1, 4, 7, 5, 2), (2, 3, 5, 11, 2), (3, 7, 4, 3, 900)):
        rng = np.random.default_rng(seed)
        w = np.zeros((N, T))
        w[:, T // 2:] = 1
        w[0, -1] = w[1, T // 2] = 0  # not the same number of positions in each row
        cases.append((size * rng.normal(size=(N, T, V)), rng.integers(V, size=(N, T)), w))
    return cases


answer_loss = Exercise(
    "12-answer-loss", "answer_loss", truth=_answer_loss, returns=("J", "dlogits"),
    sizes=lambda logits, y, w: {"N": len(y), "T": y.shape[1], "Σw": int(w.sum())},
    cases=_loss_cases,
    hint="minus the log of each true token's probability, times w, added up, divided by the sum "
         "of w; the gradient is that of lesson 05 at each position, times w over that sum.",
    unlocks="The network is asked for the sum, not for the question.")


model_forward = Exercise(
    "12-model", "forward", truth=_forward, returns=("logits", "cache"),
    uses=(causal_attention, attention_forward, mlp_forward),
    cases=lambda: [(_inputs(*sizes)[0], network(*sizes), sizes[5]) for sizes in SIZES],
    hint="`embed`, the two layers of the block, the last norm, and W3 and b3.")


def _backward(ids, dlogits, params, cache):
    h = cache["attention"]["Q"].shape[1]
    return _slopes(lambda p: _forward(ids, p, h)[0], dlogits, params)


def _backward_cases():
    cases = []
    for sizes in SIZES:
        ids, _, _ = _inputs(*sizes)
        params, rng = network(*sizes), np.random.default_rng(sizes[0] + 60)
        logits, cache = _forward(ids, params, sizes[5])
        cases.append((ids, rng.normal(size=logits.shape), params, cache))
    return cases


model_backward = Exercise(
    "12-model", "backward", truth=_backward, returns=("grads",), uses=(attention_back, mlp_back),
    cases=_backward_cases,
    hint="W3 and b3, the last norm, the MLP layer, the attention layer, `embed_back`; the "
         "gradients of all go into one dict.")

model = Group("12-model", (model_forward, model_backward),
              unlocks="That is a transformer, and its gradient; every line is yours.")


def _generate(ids, n, params, h):
    for _ in range(n):
        last = _forward(ids, params, h)[0][:, -1]
        ids = np.array([[*row, max(range(len(z)), key=z.__getitem__)]
                        for row, z in zip(ids, last, strict=True)])
    return ids


generate = Exercise(
    "12-generate", "generate", truth=_generate, returns=("ids",), uses=(model_forward,),
    cases=lambda: [(_inputs(*sizes)[0][:, :length], n, network(*sizes), sizes[5])
                   for sizes, length, n in zip(SIZES, (3, 2, 4), (4, 5, 6), strict=True)],
    hint="n times: forward, the logits of the last position, the largest of them, appended.",
    unlocks="It writes, a token at a time, and reads what it has written.")


def _adam(params, grads, state, rate, b1=0.9, b2=0.99, eps=1e-8):
    step, new, m, v = state["step"] + 1, {}, {}, {}
    for name, g in grads.items():
        m[name] = state["m"][name] + (1 - b1) * (g - state["m"][name])
        v[name] = state["v"][name] + (1 - b2) * (g * g - state["v"][name])
        size = (v[name] / (1 - b2 ** step)) ** 0.5 + eps
        new[name] = params[name] - rate / (1 - b1 ** step) * m[name] / size
    return new, {"step": step, "m": m, "v": v}


def _adam_cases():
    cases = []
    for seed, step, rate, more in ((1, 0, 0.02, ()), (2, 1, 0.3, (0.8, 0.95, 0.1)),
                                   (3, 6, 0.01, (0.7, 0.9, 1e-3))):
        rng = np.random.default_rng(seed)
        params, grads, mean = ({"W": rng.normal(size=(5, 3)), "b": rng.normal(size=4)}
                               for _ in range(3))
        grads["b"][0] = mean["b"][0] = 0  # a token that does not occur has no gradient
        state = {"step": step, "m": {k: a * bool(step) for k, a in mean.items()},
                 "v": {k: a * a * bool(step) * 1.7 for k, a in mean.items()}}
        cases.append((params, dict(reversed(grads.items())), state, rate, *more))
    return cases


adam = Exercise(
    "12-adam", "adam", truth=_adam, returns=("params", "state"), sizes=no_sizes, cases=_adam_cases,
    hint="count the step; the two averages; both divided by what they lack so early; the step.",
    unlocks="Every parameter now has a rate of its own.")
