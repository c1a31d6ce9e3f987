"""What the views show: plain data, checked without a browser."""

from __future__ import annotations

import asyncio
import base64
import gc
import html
import json
import operator
import re
import shutil
import subprocess
import threading
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from helpers import datasets, views
from helpers.checks import lesson_02
from helpers.checks.graph_fixtures import Node, in_order
from helpers.checks.truth import income_gradients, income_network
from helpers.views import base, step, surface

SOURCES = sorted(base.HERE.glob("*.js"))


def net(seed=1, n=2):
    rng = np.random.default_rng(seed)
    X_b = np.hstack([np.ones((n, 1)), rng.normal(size=(n, 2))])
    return X_b, rng.normal(size=(n, 1)), rng.normal(size=(3, 4)), rng.normal(size=(5, 1))


def loss(y, Y_hat):
    return ((y - Y_hat) ** 2).sum() / 2


def steps(X_b, y, W1, W2, backprop=income_gradients):
    view = views.step_backprop(X_b, y, W1, W2, income_network, lesson_02.hidden_delta.truth,
                               backprop, loss)
    return {one["name"]: one for one in view.data["stories"]}


def value(text):
    return float(text.replace("−", "-"))


# what travels

def test_arrays_are_packed_with_their_bytes_and_come_back():
    data = base.packed({"a": np.arange(6.0).reshape(2, 3), 1: [np.uint8([255]), np.float64(0.5)],
                        "n": np.arange(3), "text": "δ"})
    assert data["a"]["dtype"] == "float32" and data["a"]["shape"] == [2, 3]
    assert np.array_equal(np.frombuffer(data["a"]["bytes"], np.float32), np.arange(6))
    assert data["1"] == [{"dtype": "uint8", "shape": [1], "bytes": b"\xff"}, 0.5]
    assert data["n"]["dtype"] == "int32" and data["text"] == "δ"
    assert base.packed(data) == data


def test_a_recorded_view_is_whole_in_itself_and_has_a_twin():
    view = views.step_through({"1": views.network_story([0.5], [1.0], layers())})
    bundle = view._repr_mimebundle_()
    assert bundle["text/plain"] == repr(view) == view.twin.alt
    frame, twin = bundle["text/html"].split("</iframe>")
    page = frame.split("srcdoc='")[1].split("' style=")[0]
    assert frame.count("srcdoc='") == 1 and "'" not in page
    assert not re.search(r"(src|href)=|import |fetch\(|https?://(?!www.w3.org)", frame)
    assert "forward: h1" in twin and view.twin.alt in twin


def layers(**changed):
    hidden = {"W": np.ones((1, 2)), "b": np.zeros(2), "Z": np.full(2, 0.5), "A": np.full(2, 0.6)}
    last = {"W": np.ones((2, 1)), "b": np.zeros(1), "Z": np.full(1, 1.2), "A": np.full(1, 1.2)}
    return [{**hidden, **changed}, last]


# step

def test_a_story_tells_what_the_functions_returned():
    X_b, y, W1, W2 = net()
    dW1, dW2 = income_gradients(X_b[1:], y[1:], W1, W2)
    story = steps(X_b, y, W1, W2)["2"]
    told = {edge["id"]: edge["gradient"] for edge in story["edges"]}
    for (at, dW) in ((0, dW1), (1, dW2)):
        for row, to in np.ndindex(dW.shape):
            assert np.isclose(told[f"e{at}_{row - 1}_{to}"], dW[row, to], rtol=1e-12)
    assert not any(part.get("wrong") for part in story["edges"] + story["nodes"])
    assert not any("returned" in frame["numbers"] for frame in story["frames"])


def test_a_story_is_what_differences_measure():
    X_b, y, W1, W2 = net(n=1)
    story = steps(X_b, y, W1, W2)["1"]
    for edge in story["edges"]:
        at, unit, to = map(int, edge["id"][1:].split("_"))
        moved = []
        for sign in (1, -1):
            W = [W1.copy(), W2.copy()]
            W[at][unit + 1, to] += sign * 1e-6
            moved.append(loss(y, income_network(X_b, *W)[2]))
        assert np.isclose(edge["gradient"], (moved[0] - moved[1]) / 2e-6, atol=1e-7)


def test_every_line_of_a_story_adds_up():
    story = steps(*net(3))["1"]
    for frame in story["frames"]:
        left, equals, right = frame["numbers"].partition(" = ")
        if frame["title"].startswith("gradient"):
            made = eval(left.replace("−", "-").replace("·", "*"))
            assert np.isclose(made, value(right), rtol=2e-3)


def test_only_what_is_wrong_is_marked():
    def wrong(X_b, y, W1, W2):
        dW1, dW2 = income_gradients(X_b, y, W1, W2)
        dW1[0, 1] *= 2
        return dW1, dW2

    story = steps(*net(), backprop=wrong)["1"]
    assert [edge["id"] for edge in story["edges"] if edge["wrong"]] == ["e0_-1_1"]
    assert sum("but your function returned" in f["numbers"] for f in story["frames"]) == 1


def test_a_gradient_of_another_shape_is_told():
    with pytest.raises(ValueError, match=r"dW2: shape \(1, 5\) came, \(5, 1\) was wanted"):
        steps(*net(), backprop=lambda *args: (args[2], args[3].T))


def test_numbers_that_are_none_reach_the_page_as_text():
    data = views.step_through({"1": views.network_story(
        [0.5], [1.0], layers(A=np.array([np.nan, np.inf])))}).data
    json.dumps(data, allow_nan=False)
    assert [n["value"] for n in data["stories"][0]["nodes"]].count("nan") == 1


def test_a_chain_ends_with_what_the_function_returned():
    rows = [("a", "x²", lambda x: x**2, "2x", lambda x: 2 * x),
            ("b", "sin a", np.sin, "cos a", np.cos), ("c", "exp b", np.exp, "exp b", np.exp)]
    for x in (1.2, 0.0, -0.7):
        right = lesson_02.chain_rule.truth(x)
        story = views.chain_story(x, rows, returned=right)
        assert story["frames"][-1]["numbers"].endswith("✓ the same")
        assert np.isclose(story["nodes"][0]["gradient"], right[1])
    story = views.chain_story(1.2, rows, returned=(right[0], 0.5))
    assert story["frames"][-1]["numbers"].endswith("✗ not the same")


def test_numbers_are_short_and_have_a_real_minus():
    assert [step.number(v) for v in (-0.123456, 0, 1e-17, 1234.5, -2e-7)] == [
        "−0.1235", "0", "0", "1234", "−2e−07"]


# graph

def made(name, function, *parents):
    return Node(None, parents, function, name)


def graph():
    x, y = Node(2.0, name="x"), Node(-3.0, name="y")
    product = made("product", np.multiply, x, y)
    total = made("sum", np.add, product, x)
    return made("square", np.multiply, total, total), {x: "x", y: "y"}


def backward(output, order=in_order, combine=np.add):
    grads = {output: np.ones_like(output.value)}
    for node in reversed(order(output)):
        for parent, piece in zip(node.parents, node.pull_back(grads[node]), strict=True):
            grads[parent] = combine(grads[parent], piece) if parent in grads else piece
    return grads


def told(story):
    return {node["label"]: node["states"][-1][1] for node in story["nodes"] if "states" in node}


def test_a_graph_tells_who_passes_on_what_and_when():
    output, names = graph()
    story = views.graph_story(output, backward, names)
    assert (told(story)["x"], told(story)["y"]) == ("16", "−16")
    assert [wrong for node in story["nodes"] for _, _, wrong in node["states"]] == [False] * 5
    assert not any("✗" in frame["formula"] for frame in story["frames"])
    assert sum(f["title"].startswith("back: ") for f in story["frames"]) == 4
    assert all("pull_back" not in vars(node) for node in in_order(output))


def test_who_passes_on_too_early_is_seen_and_so_are_wrong_sums():
    def by_meeting(output):
        met = [output]
        for node in met:
            met += [parent for parent in reversed(node.parents) if parent not in met]
        return met[::-1]

    x = Node(2.0, name="x")
    twice = made("twice", np.add, x, x)
    output = made("end", np.multiply, made("late", np.square, twice), twice)
    for combine in (np.add, operator.iadd):  # a sum may grow in place
        story = views.graph_story(output, lambda out, combine=combine: backward(
            out, by_meeting, combine), {x: "x", twice: "twice"})
        early = [i for i, f in enumerate(story["frames"]) if f["formula"].startswith("✗ too early")]
        states, = [node["states"] for node in story["nodes"] if node["label"] == "twice"]
        assert states == [[early[0], "16", True], [len(story["frames"]) - 1, "48", False]]
    output, names = graph()
    story = views.graph_story(output, lambda out: backward(out, combine=lambda a, b: b), names)
    assert {node["label"] for node in story["nodes"] if node["states"][-1][2]} >= {"x", "y"}


# scrub

def scrubbed(**more):
    rng = np.random.default_rng(1)
    X, params = rng.normal(size=(50, 2)), {"W1": rng.normal(size=(2, 3)), "b1": np.zeros(3)}
    return views.scrub_training(
        {0: params, 9: {**params, "b1": np.ones(3)}},
        more.pop("predict", lambda P, p: 1 / (1 + np.exp(-P[:, 0] - p["b1"][0]))), X,
        X[:, 0] > 0, {"loss": np.linspace(1, 0.1, 10)}, lines=True,
        hidden=lambda P, p: np.tanh(P @ p["W1"] + p["b1"]), **more)


def array(packed):
    return np.frombuffer(packed["bytes"], packed["dtype"]).reshape(packed["shape"])


def test_maps_are_what_the_functions_return_row_by_row_from_the_top():
    data = scrubbed().data
    maps, (x0, x1, _, _) = array(data["maps"]).reshape(2, 40, 40), data["extent"]
    wanted = 255 / (1 + np.exp(-np.linspace(x0, x1, 40)))
    assert np.abs(maps[0] - wanted).max() <= 0.51 and (maps[1] >= maps[0]).all()
    assert array(data["hidden"]).shape == (2, 3, 400)
    assert array(data["hidden"]).min(axis=(0, 2)).tolist() == [0, 0, 0]
    assert np.allclose(array(data["lines"])[1][:, 2], 1)
    assert data["positions"] == [0, 9] and data["captions"] == ["loss 1.0000", "loss 0.1000"]


def test_a_scrub_has_a_picture_and_is_not_large():
    view = scrubbed()
    bundle = view._repr_mimebundle_()
    assert len(bundle["text/html"]) < 150_000
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "from step 0 to 9" in view.twin.alt


def test_a_prediction_of_another_shape_is_told():
    with pytest.raises(ValueError, match=r"predict: shape \(1600, 1\) came back"):
        scrubbed(predict=lambda P, p: P[:, :1])


# attention

def causal(T=4, heads=2):
    rng = np.random.default_rng(1)
    A = np.tril(rng.uniform(0.1, 1, size=(heads, T, T)))
    return A / A.sum(axis=-1, keepdims=True)


def test_attention_maps_are_handed_over_with_what_is_masked_and_where_the_curves_stand():
    last = np.stack([np.eye(4), np.eye(4)[[0, 0, 1, 2]]])
    view = views.attention({0: causal(), 100: last}, "abcd", {"train": [2, 1, 0.5]},
                           exact={"test": [0, 0.5, 1]}, steps=[0, 50, 100], rows=range(4))
    data = view.data
    maps = array(data["maps"])
    assert maps.shape == (2, 2, 4, 4) and np.abs(maps[0] / 255 - causal()).max() < 0.003
    assert np.array_equal(array(data["masked"]).reshape(4, 4), np.triu(np.ones((4, 4)), 1))
    assert (data["positions"], data["rows"], data["tokens"]) == ([0, 2], list("0123"), list("abcd"))
    assert data["captions"] == ["loss 2.0000, exact 0.0 %", "loss 0.5000, exact 100.0 %"]
    assert [chart["name"] for chart in data["charts"]] == ["loss", "exact answers in %"]
    assert view.twin.png and repr(view).endswith("head 1: 1 2 3 4; head 2: 1 1 2 3.")


def test_one_map_needs_no_curve():
    view = views.attention({0: np.full((3, 3), 1 / 3)}, "abc", captions=["evenly"])
    assert view.data["charts"] == [] and "attention: – – –" in repr(view)


@pytest.mark.parametrize("error, A, more", [
    (r"snapshots\[0\]: shape \(3, 4\) came, \(4, 4\) or", np.ones((3, 4)), {}),
    ("from 0 to 1", np.full((4, 4), 2), {}),
    ("rows: 2 came, 4 were wanted", causal(), {"rows": "ab"}),
    ("heads: 1 came, 2 were wanted", causal(), {"heads": ["one"]}),
    ("losses and exact: 1 came, 2 were wanted", causal(), {"exact": {"test": [1]}})])
def test_an_attention_that_does_not_fit_is_told(error, A, more):
    with pytest.raises(ValueError, match=error):
        views.attention({0: A}, "abcd", {"train": [1, 0.5]}, **more)


# digit

def test_a_digit_is_read_as_the_dataset_says():
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    right = views.digit_probabilities(X, datasets.digit_network()).argmax(axis=1) == y
    assert right.mean() > 0.97
    view = views.draw_digit(datasets.digit_network(), examples=X[:3])
    assert f"it reads a {y[0]}" in view.twin.alt and view.twin.png


def test_a_network_that_does_not_fit_is_told():
    with pytest.raises(ValueError, match=r"b2: shape \(\) came, \(10,\) was wanted"):
        views.draw_digit({"W1": np.ones((64, 3)), "b1": np.ones(3), "W2": np.ones((3, 10)),
                          "b2": 1.0})


# you draw it

def test_a_guess_is_set_beside_the_truth():
    guess = views.sketch([1, 2, 4], xlabel="width", ylabel="accuracy")
    assert guess.reveal([0.5, 0.7, 0.9]).twin.alt.startswith("You drew nothing")
    guess.view.widget.controls = {"guess": [0.5, None, 0.6]}
    shown = guess.reveal([0.5, 0.7, 0.9])
    assert "off by 0.15 on average, most at width = 4, by 0.3." in shown.twin.alt
    with pytest.raises(ValueError, match=r"truth: shape \(2,\) came"):
        guess.reveal([1, 2])
    with pytest.raises(ValueError, match="two or more were wanted"):
        views.sketch([1], xlabel="", ylabel="")


# live

def forward_of(answer):
    X_b, _, W1, W2 = net(n=1)
    calls = []

    def forward(X_b, W1, W2):
        calls.append(X_b)
        return income_network(X_b, W1, W2) if len(calls) < 3 else answer(X_b)

    view = views.step_forward(forward, X_b[0, 1:], W1, W2)
    before = view.widget.data
    values = view.widget.controls["values"]
    view.widget.controls = {"values": [values[0] + 1, *values[1:]]}
    return view, before


def test_a_live_view_shows_what_the_function_returns_for_the_controls():
    view, before = forward_of(lambda X_b: income_network(X_b, np.zeros((3, 4)), np.ones((5, 1))))
    story = view.widget.data["stories"][0]
    assert view.widget.data["error"] == ""
    assert story["nodes"][-1]["value"] == "3" and "at first" in story["frames"][-1]["title"]
    assert before["stories"][0]["nodes"][-1]["value"] != "3"
    slots = [part["slot"] for part in story["nodes"] + story["edges"] if "slot" in part]
    assert sorted(slots) == list(range(2 + 12 + 5))


@pytest.mark.parametrize("answer, message", [
    (lambda X_b: 1 / 0, "ZeroDivisionError: division by zero"),
    (lambda X_b: (X_b, X_b, X_b), "ValueError: Z1: shape"),
    (lambda X_b: [a * np.nan for a in income_network(X_b, np.ones((3, 4)), np.ones((5, 1)))],
     "your function returned nan or inf"),
    (lambda X_b: endless(), base.ENDLESS)])
def test_a_bad_function_is_told_and_the_view_lives_on(answer, message, monkeypatch):
    monkeypatch.setattr(base, "SECONDS", 0.2)
    view, before = forward_of(answer)
    assert view.widget.data["error"].startswith(message)
    assert view.widget.data["stories"]
    view.respond = lambda controls: {"stories": []}
    view.draw()
    assert view.widget.data["error"] == ""


def noisy(*args):
    print("a print")
    plt.figure()
    raise ArithmeticError("at once")


def softmax_of(Z):
    return np.exp(Z) / np.exp(Z).sum()


BEGUN = {  # view -> how it is made with a function of the student's
    "step_forward": lambda f: views.step_forward(f, np.ones(2), np.ones((3, 4)), np.ones((5, 1))),
    "logits": lambda f: views.logits(f, lambda y, P: 1.0, [2, 1, 0]),
    "cross_entropy": lambda f: views.logits(softmax_of, f, [2, 1, 0]),
    "loss": lambda f: views.loss_surface(f, lambda u, v: (u, v), (-1, 1, -1, 1), (1, 1)),
    "gradient": lambda f: views.loss_surface(lambda u, v: 1 + u * u, f, (-1, 1, -1, 1), (1, 1)),
    "digit": lambda f: views.draw_digit(f)}


@pytest.mark.parametrize("name", BEGUN)
@pytest.mark.parametrize("answer, message", [
    (noisy, "ArithmeticError: at once"), (lambda *args: endless(), base.ENDLESS),
    (lambda *args: np.full((7, 2, 3), 0.5), "Error: "), (lambda *args: None, "Error: "),
    (lambda *args: np.nan, "Error: ")])
def test_a_view_begins_with_a_bad_function_and_says_so(name, answer, message, monkeypatch, capsys):
    monkeypatch.setattr(base, "SECONDS", 0.1)
    monkeypatch.setattr(base, "FIRST", 0.1)
    view = BEGUN[name](answer)
    assert message in view.widget.data["error"] and view.twin.alt
    assert plt.get_fignums() == [] and capsys.readouterr().out == ""


def test_what_never_ends_before_a_recorded_view_is_there_is_stopped(monkeypatch):
    monkeypatch.setattr(base, "FIRST", 0.1)
    with pytest.raises(TimeoutError, match="never ends"):
        views.measured_slope(lambda *args: endless(), lambda x: 0.0, lambda x: 0.0, low=0, high=1,
                             x=0)


def endless():
    while True:
        pass


def playing(frames, seen=True, work=lambda controls: None):
    """Play a view for some frames in an event loop; return it and what was left of the loop."""
    drawn = []

    def respond(controls):
        drawn.append(1)
        return {"n": len(drawn), "noise": np.zeros(1000)}

    async def run():
        view = base.live("digit", respond, {"playing": False}, "a view", work=work)
        if seen:
            view.widget.observe(lambda change: view._heard(None, {}, []), "data")
        view.widget.controls = {"playing": True}
        await asyncio.sleep(0)
        while len(drawn) < frames and view.task and not view.task.done():
            await asyncio.sleep(0.005)
        view.widget.controls = {**view.widget.controls, "playing": False}
        await asyncio.sleep(0.1)
        return view, [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]

    return asyncio.run(run())


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_a_thousand_pictures_leave_no_task_thread_figure_or_memory(monkeypatch):
    monkeypatch.setattr(base, "SLICE", 0.0)
    sleep = asyncio.sleep
    monkeypatch.setattr(asyncio, "sleep", lambda seconds: sleep(seconds / 20))
    playing(100)
    threads, figures, memory = threading.active_count(), plt.get_fignums(), resident()
    view, tasks = playing(1000)
    assert view.widget.data["n"] >= 1000 and tasks == [] and view.task.done()
    assert threading.active_count() == threads and plt.get_fignums() == figures
    assert resident() < 1.05 * memory


def resident():
    """Return the memory that this process takes, in pages."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1])


def test_playing_ends_when_nobody_looks_and_when_the_work_fails(monkeypatch):
    monkeypatch.setattr(base, "PATIENCE", 5)
    view, tasks = playing(50, seen=False)
    assert tasks == [] and "nobody was looking" in view.widget.data["error"]
    assert view.widget.controls["playing"] is False

    def fails(controls):
        raise RuntimeError("no")

    view, tasks = playing(50, work=fails)
    assert tasks == [] and view.widget.data["error"] == "RuntimeError: no"
    assert view.widget.controls["playing"] is False


def test_what_comes_at_once_is_answered_once():
    drawn = []

    async def run():
        view = base.live("digit", lambda controls: drawn.append(controls) or {}, {"pixels": 0}, "")
        for pixels in range(1, 4):
            view.widget.controls = {"pixels": pixels}
        await asyncio.sleep(0)

    asyncio.run(run())
    assert [one["pixels"] for one in drawn] == [0, 3]


def test_a_closed_view_works_no_more():
    async def run():
        view = base.live("digit", lambda controls: {}, {"playing": False}, "", work=lambda c: None)
        view.widget.controls = {"playing": True}
        await asyncio.sleep(0.05)
        view.close()
        await asyncio.sleep(0.05)
        return view.task.done()

    assert asyncio.run(run())


def test_without_anywidget_the_twin_and_one_sentence_appear(monkeypatch):
    monkeypatch.setattr(base.importlib.util, "find_spec", lambda name: None)
    X_b, _, W1, W2 = net(n=1)
    bundle = views.step_forward(income_network, X_b[0, 1:], W1, W2)._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain", "image/png"}
    assert base.MISSING in bundle["text/html"] and "<img" in bundle["text/html"]


# the loss surface

def test_a_descent_on_a_surface_arrives_swings_or_flies_off():
    def loss(u, v):
        return 1 + u**2 + v**2

    def gradient(u, v):
        return 2 * u, 2 * v

    ends = {rate: surface.descend(gradient, (1, -2), rate)[-1] for rate in (0.3, 1, 1.5)}
    assert np.allclose(ends[0.3], 0, atol=1e-9) and np.allclose(ends[1], (1, -2))
    assert np.abs(ends[1.5]).max() > 1e9
    view = views.loss_surface(loss, gradient, (-3, 2, -3, 2), (1, -2), pictured=(0.3,))
    assert "from 6 to 1.8, and ends at 1, 1." in repr(view) and view.twin.png
    data = view.respond({"start": [0.5, 0], "rate": surface.RATES.index(1)})
    assert data["path"][:3].tolist() == [[0.5, 0], [-0.5, 0], [0.5, 0]]
    corner = data["map"].reshape(surface.GRID, surface.GRID)[-1, 0]
    assert corner == 255 and data["losses"][0] == 1.25 and "ends at 1.25, 1.25" in data["said"]


def test_slopes_are_measured_by_the_students_own_function_and_an_eps_can_be_too_small():
    def measure(f, W, eps):
        return np.array([(f(W + eps) - f(W - eps)) / (2 * eps)])

    view = views.measured_slope(measure, lambda x: float(x[0] ** 3), lambda x: 3 * x**2,
                                low=-1, high=3, x=2.02)
    data = view.data
    assert (data["x"][data["start"]], data["rule"][data["start"]]) == (2.0, pytest.approx(12))
    off = np.abs(np.array(data["measured"][data["start"]]) - 12)
    np.testing.assert_allclose(off[:5], np.array(data["eps"][:5]) ** 2, rtol=1e-5)  # eps squared
    assert off.argmin() not in (0, len(off) - 1) and off[-1] > 1e6 * off.min()
    assert "secant" in view.twin.alt and view.twin.png
    with pytest.raises(ValueError, match=r"measure: shape \(\) came, \(1,\) was wanted"):
        views.measured_slope(lambda f, W, eps: 1.0, lambda x: 0.0, lambda x: 0.0,
                             low=0, high=1, x=0)


# logits

def plain_softmax(Z):
    return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


def plain_cross_entropy(y, P):
    return -np.mean(np.log(P[np.arange(len(y)), y]))


def test_the_gap_from_a_bar_to_its_goal_is_the_measured_gradient():
    view = views.logits(plain_softmax, plain_cross_entropy, [2, 1, 0], true=1)
    data, eps = view.respond({"z": [2, 1, 0], "true": 1, "all": 0}), 1e-6
    for k, told in enumerate(data["gradient"]):
        up, down = (view.respond({"z": list(np.array([2, 1, 0]) + step * np.eye(3)[k]), "true": 1,
                                  "all": 10})["loss"] for step in (eps, -eps))
        assert np.isclose(told, (up - down) / (2 * eps), atol=1e-8)
    assert view.widget.data["p"] == data["p"] and np.isclose(sum(data["p"]), 1)
    assert "0.665, 0.245, 0.090" in repr(view) and "0.936, 0.047, 0.017" in repr(view)
    assert view.twin.png


@pytest.mark.parametrize("softmax, error", [
    (lambda Z: plain_softmax(Z)[0], r"ValueError: softmax: shape (3,) came, (1, 3) was wanted"),
    (lambda Z: plain_softmax(Z) * np.nan, "ValueError: no numbers came back"),
    (lambda Z: 1 / 0, "ZeroDivisionError")])
def test_a_softmax_that_fails_is_told_in_the_view(softmax, error):
    assert views.logits(softmax, plain_cross_entropy, [2, 1, 0]).widget.data["error"].startswith(
        error)


# sizes by layer

def test_sizes_are_handed_over_as_powers_of_ten_and_the_slider_begins_at_one():
    pair = np.array([1e-40, 1.0]), np.array([1e-3, 0.0, 1e5])
    view = views.drag_spread({"ReLU": [pair] * 3}, (0.5, 1, 2))
    data = view.data
    assert data["begin"] == 1 and data["names"] == ["ReLU"]
    signal, = data["signal"]
    assert signal["shape"] == [3, 2]
    powers = np.frombuffer(data["gradient"][0]["bytes"], np.float32)[:3]
    np.testing.assert_allclose(powers, [-3, -300, 5], rtol=1e-6)
    assert "image/png" in view._repr_mimebundle_()


def test_sizes_of_another_number_of_factors_are_told():
    with pytest.raises(ValueError, match="2 came, 1 were wanted"):
        views.drag_spread({"tanh": [(np.ones(2), np.ones(3))] * 2}, (1,))


# the pages' own code

def test_a_recorded_view_is_given_the_code_of_today_and_keeps_its_data():
    page = base.Recorded("scrub", {"it's": "<b>"}, "a view", 100)._repr_mimebundle_()["text/html"]
    old = page.replace("function settle()", "function earlier()")
    assert old != page and base.renewed(old) == page and base.renewed("<p>srcdoc</p>") == (
        "<p>srcdoc</p>")


@pytest.mark.parametrize("path", sorted((base.HERE.parents[1] / "solutions").glob("*.ipynb")),
                         ids=lambda path: path.name)
def test_no_recorded_view_in_a_notebook_holds_code_of_an_earlier_version(path):
    known = [base.code(source.stem) for source in SOURCES]
    stale = [cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
             for output in cell.get("outputs", [])
             for page in re.findall(r"srcdoc='([^']*)'", "".join(
                 output.get("data", {}).get("text/html", [])))
             if not any(code in html.unescape(page) for code in known)]
    assert not stale, f"release this lesson (--no-run will do): {', '.join(stale)}"


GIVES_AWAY = {  # view that marks mistakes or shows right code -> what the student is to find before
    "step_backprop": ("02-hidden-delta", "02-backprop"), "chain_story": ("02-chain-rule",),
    "pattern_playground": ("03-backprop",), "playground": ("05-backprop", "05-loss"),
    "graph_story": ("07-topological-order", "07-backward")}


def test_no_view_stands_before_an_exercise_that_it_gives_away():
    met, shown = [], set()
    for path in sorted((base.HERE.parents[1] / "solutions").glob("[0-9]*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            met.append(cell["metadata"].get("nbgrader", {}).get("grade_id"))
            for view in re.findall(r"views\.(\w+)\(", "".join(cell["source"])):
                assert set(GIVES_AWAY.get(view, ())) <= set(met), (path.name, view)
                shown.add(view)
    assert shown >= set(GIVES_AWAY)


def test_the_code_of_the_views_is_small_and_says_its_purpose():
    lines = [path.read_text(encoding="utf-8").splitlines() for path in SOURCES]
    assert sum(map(len, lines)) < 1500
    assert all(one[0].startswith("// ") and len(one[0]) > 40 for one in lines)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node is installed here")
@pytest.mark.parametrize("name", [p.stem for p in SOURCES if p.stem not in ("shared", "live")])
def test_the_code_of_a_view_can_be_read(name, tmp_path):
    path = tmp_path / "view.mjs"
    path.write_text(base.code("live", name), encoding="utf-8")
    run = subprocess.run(["node", "--check", path], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
