"""Lesson 11: attention and its way back, embeddings, heads, a network that looks."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import softmax as scipy_softmax

from helpers.checks.exercise import Exercise, Group, no_sizes
from helpers.checks.lesson_05 import softmax_delta
from helpers.checks.lesson_07 import case
from helpers.checks.truth import complex_gradients, complex_step


def normal(seed, *shape):
    """Return an array of normal numbers of this seed and shape."""
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def _look_up(q, K, V):
    a = scipy_softmax(np.einsum("td,d->t", K, q))
    return np.einsum("t,tv->v", a, V), a


look_up = Exercise(
    "11-look-up", "look_up", truth=_look_up, returns=("o", "a"),
    sizes=lambda q, K, V: {"T": len(K), "d": len(q)},
    cases=lambda: [*((normal(seed, d), normal(seed + 1, T, d), normal(seed + 2, T, d_v))
                     for seed, T, d, d_v in ((1, 3, 2, 4), (4, 5, 3, 7), (7, 4, 4, 4))),
                   (1e3 * normal(8, 3), normal(9, 5, 3), normal(10, 5, 2))],
    hint="one product for all scores, `K @ q` (T,); their softmax; then the mean of the rows of "
         "`V` with these weights, which is one product too.",
    unlocks="You have looked something up in a table by how alike it is, with a derivative.")


def _softmax_back(dA, A):
    """Return dS by complex steps: scores move A as A·exp(step) over its sum, zeros stay."""
    def total(step):
        moved = A * np.exp(step)
        return (dA * moved / moved.sum(axis=-1, keepdims=True)).sum()

    return complex_step(total, np.zeros(A.shape))


def _softmax_back_cases():
    weights = [np.exp(normal(*shape)) for shape in (
        (1, 3, 5), (2, 2, 4, 4), (3, 2, 3, 5, 7), (4, 6), (4, 3, 4, 4))]
    weights[-1] *= np.tri(4)  # zeros stay zeros
    return [(normal(20 + i, *A.shape) + 0.3, A / A.sum(axis=-1, keepdims=True))
            for i, A in enumerate(weights)]


softmax_back = Exercise(
    "11-softmax-back", "softmax_back", truth=_softmax_back, returns=("dS",),
    sizes=lambda dA, A: {"T": A.shape[-1]}, cases=_softmax_back_cases,
    hint="from each entry of `dA` take the mean of its row, weighted by `A`; then multiply by `A`.",
    unlocks="The whole Jacobian, and you never had to store it.")


def _scores(Q, K):
    return np.einsum("...td,...sd->...ts", Q, K) / math.sqrt(Q.shape[-1])


def _attention(Q, K, V):
    A = scipy_softmax(_scores(Q, K), axis=-1)
    return np.einsum("...ts,...sv->...tv", A, V), A


SIZES = (((3,), 4, 5, 2), ((2, 3), 5, 4, 7), ((), 6, 3, 4))  # leading axes, T, d, width of V


def _queries():
    return [tuple(normal(seed, *lead, T, width) for seed, width in ((1, d), (2, d), (3, d_v)))
            for lead, T, d, d_v in SIZES]


attention = Exercise(
    "11-attention", "attention", truth=_attention, returns=("O", "A"),
    sizes=lambda Q, K, V: {"T": Q.shape[-2], "d": Q.shape[-1]},
    cases=lambda: [*_queries(), (5e3 * normal(4, 4, 3), normal(5, 4, 3), normal(6, 4, 2)),
                   (normal(7, 2, 3, 4), normal(8, 2, 5, 4), normal(9, 2, 5, 3))],
    hint="scores (…, T, T): query t with key s, over √d; the softmax of each row; then the product "
         "with `V`. `K.swapaxes(-1, -2)` turns the last two axes over and leaves the others.",
    unlocks="Three lines. This is the layer that everything since 2017 is built around.")


def _attention_back(dO, Q, K, V, A):
    """Return the gradients by complex steps; A stays 0 where it is 0, whatever the scores."""
    before = _scores(Q, K)

    def total(p):
        moved = A * np.exp(_scores(p["Q"], p["K"]) - before)
        moved = moved / moved.sum(axis=-1, keepdims=True)
        return (dO * np.einsum("...ts,...sv->...tv", moved, p["V"])).sum()

    return tuple(complex_gradients(total, {"Q": Q, "K": K, "V": V}).values())


def _attention_back_cases():
    cases = [(normal(5, *V.shape) + 0.2, Q, K, V, _attention(Q, K, V)[1])
             for Q, K, V in _queries()]
    dO, Q, K, V, A = cases[1]
    A = A * np.tri(A.shape[-1])
    return [*cases, (dO, Q, K, V, A / A.sum(axis=-1, keepdims=True))]


attention_back = Exercise(
    "11-attention-back", "attention_back", truth=_attention_back, returns=("dQ", "dK", "dV"),
    uses=(softmax_back,), sizes=lambda dO, Q, K, V, A: {"T": Q.shape[-2], "d": Q.shape[-1]},
    cases=_attention_back_cases,
    checker="Set a single entry of `dO` to 1 and the others to 0: which rows of dQ, dK and dV may "
            "then differ from 0?",
    hint="the way forward read from its end: `O = A @ V` gives `dA` and `dV`, then `softmax_back`, "
         "the scale, and the scores give `dQ` and `dK`.",
    unlocks="Four products on the way back, and no loop over the tokens.")


def _embed(ids, E, P):
    return np.array([[[E[token, j] + P[t, j] for j in range(E.shape[1])]
                      for t, token in enumerate(row)] for row in ids])


def _embed_back(dX, ids, E, P):
    dE, dP = np.zeros(E.shape), np.zeros(P.shape)
    for n, t in np.ndindex(ids.shape):
        dE[ids[n, t]] += dX[n, t]
        dP[t] += dX[n, t]
    return dE, dP


def _tokens(seed, N, T, V):
    """Return ids (N, T) below V - 1, with a token that stands twice in a row."""
    ids = np.random.default_rng([seed, N, T]).integers(0, V - 1, size=(N, T))
    ids[0, :2] = ids[1, 1] = 1
    return ids


EMBED = ((1, 3, 4, 6, 2, 5), (2, 5, 3, 7, 4, 3), (3, 2, 6, 4, 3, 8))  # seed, N, T, V, d, T_max


def _embed_cases():
    return [(_tokens(seed, N, T, V), normal(seed, V, d), normal(seed + 9, T_max, d))
            for seed, N, T, V, d, T_max in EMBED]


embed_part = Exercise(
    "11-embed", "embed", truth=_embed, returns=("X",), cases=_embed_cases,
    hint="an array of integers as an index takes a row of `E` for each of them; of `P` the first "
         "T rows are wanted, the same for every sequence.")

embed_back = Exercise(
    "11-embed", "embed_back", truth=_embed_back, returns=("dE", "dP"),
    cases=lambda: [(normal(seed + 30, *ids.shape, E.shape[1]), ids, E, P)
                   for seed, (ids, E, P) in enumerate(_embed_cases())],
    hint="zeros like `E` and `P`. `np.add.at(dE, ids, dX)` adds once for every place where a token "
         "stands; a position stands once in every sequence.")

embed = Group("11-embed", (embed_part, embed_back),
              unlocks="Tokens have become points, and the points can learn.")


HEADS = ((2, 5, 12, 3), (3, 4, 6, 2), (2, 3, 7, 7), (4, 5, 3, 1))  # N, T, d, h

split_part = Exercise(
    "11-heads", "split_heads", returns=("X",),
    truth=lambda X, h: np.stack(np.split(X, h, axis=-1), axis=1),
    cases=lambda: [(normal(1, N, T, d), h) for N, T, d, h in HEADS],
    hint="cut only the last axis: (N, T, h, d/h). Then exchange T and h.")

merge_part = Exercise(
    "11-heads", "merge_heads", returns=("X",),
    truth=lambda X: np.concatenate(list(np.moveaxis(X, 1, 0)), axis=-1),
    cases=lambda: [(normal(2, N, h, T, d // h),) for N, T, d, h in HEADS],
    hint="the two steps of `split_heads`, each undone, in the other order.")

heads = Group("11-heads", (split_part, merge_part),
              unlocks="Several questions at once, in one product.")


def network_loss(ids, y, params, h):
    """Return the mean cross-entropy of the lesson's network; params may be complex."""
    X = params["E"][ids] + params["P"][:ids.shape[1]]
    width, O = X.shape[2] // h, np.zeros(X.shape, complex)  # noqa: E741  (the lesson's name)
    for i in range(h):
        part = slice(i * width, (i + 1) * width)
        q, k, v = (np.einsum("ntd,de->nte", X, params[W][:, part]) for W in ("Wq", "Wk", "Wv"))
        sizes = np.exp(_scores(q, k))
        O[..., part] = np.einsum("nts,nse->nte", sizes / sizes.sum(axis=-1, keepdims=True), v)
    Z = np.einsum("ntd,de->nte", X + O, params["W1"]) + params["b1"]
    logits = np.einsum("ntd,de->nte", np.where(Z.real > 0, Z, 0), params["W2"]) + params["b2"]
    right = np.take_along_axis(logits, y[..., None], axis=-1)[..., 0]
    return (np.log(np.exp(logits).sum(axis=-1)) - right).mean()


def network_case(seed, N, T, V, d, h, H, T_max):
    """Return ids, y (N, T), params, h of a network; nothing in it is 0 or 1."""
    ids = _tokens(seed, N, T, V)
    shapes = {"E": (V, d), "P": (T_max, d), "Wq": (d, d), "Wk": (d, d), "Wv": (d, d), "W1": (d, H),
              "b1": (H,), "W2": (H, V), "b2": (V,)}
    params = {name: 0.7 * normal(10 * seed + i, *shape) for i, (name, shape) in enumerate(
        shapes.items())}
    return ids, np.random.default_rng(seed).integers(0, V, size=(N, T)), params, h


backward = Exercise(
    "11-backward", "backward",
    truth=lambda ids, y, params, h: complex_gradients(
        lambda p: network_loss(ids, y, p, h), params),
    returns=("grads",),
    uses=(softmax_delta, softmax_back, attention, attention_back, embed_part, embed_back,
          split_part, merge_part),
    sizes=lambda ids, y, params, h: {"N": len(ids), "T": ids.shape[1]}, tolerance=1e-9,
    cases=lambda: [network_case(1, 3, 4, 5, 6, 2, 7, 5), network_case(2, 4, 3, 7, 5, 1, 4, 3),
                   network_case(3, 2, 5, 4, 6, 3, 8, 7)],
    checker="Run your `check_gradients` on a small network: the parameter nearest to the loss that "
            "is wrong says where the fault begins.",
    hint="from R two ways lead to `X`: around, and through `split_heads`, `attention_back`, "
         "`merge_heads` for each of its three results, and a product with the matrix, turned over. "
         "`flat` both sides for a gradient of a matrix; all that reaches `X` is added before "
         "`embed_back`.",
    unlocks="A network that decides where to look, and every one of its gradients is yours.")


def _max_rule(upstream, x, output, axis=None, keepdims=False):
    """Return dx by the definition: each of the largest entries gets its share of what arrives."""
    lane = np.arange(output.size).reshape(output.shape)  # the entry of the output it belongs to
    lane = lane if keepdims or axis is None else np.expand_dims(lane, axis)
    lane, dx = np.broadcast_to(lane, x.shape), np.zeros(x.shape)
    for i, arrives in enumerate(np.ravel(upstream)):
        winners = (lane == i) & (x == max(x[lane == i]))
        dx[winners] = arrives / np.count_nonzero(winners)
    return dx


def _ties():
    x = normal(6, 4, 3)
    x[0, :2] = x[2] = 3.0
    return x


max_rule = Exercise(
    "11-max-rule", "max_rule", truth=_max_rule, returns=("dx",), sizes=no_sizes,
    cases=lambda: [case(np.max, x, axis=axis, keepdims=keepdims) for x, axis, keepdims in (
        (normal(1, 4, 3), 0, False), (normal(2, 5, 2), 1, False), (normal(3, 2, 3, 5), -1, True),
        (normal(4, 3, 4), None, False), (normal(5, 3, 3), 1, False), (_ties(), 1, False),
        (_ties(), 0, True), (_ties(), None, False), (normal(7, 2, 4, 3), 1, False))],
    hint="put the axis back for `upstream` and for `output`, as in the rule of the sum (not where "
         "`keepdims` has kept it); where `x` equals the largest, the gradient arrives, divided by "
         "the number of those that do.",
    unlocks="The rule of the max: all to the winner, and shared where it is a draw.")
