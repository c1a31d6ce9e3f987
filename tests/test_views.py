"""What the views show: plain data, checked without a browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from helpers import views
from helpers.checks import lesson_02
from helpers.checks.truth import income_gradients, income_network
from helpers.views import base, step

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


# the pages' own code

def test_the_code_of_the_views_is_small_and_says_its_purpose():
    lines = [path.read_text(encoding="utf-8").splitlines() for path in SOURCES]
    assert sum(map(len, lines)) < 1500
    assert all(one[0].startswith("// ") and len(one[0]) > 40 for one in lines)


@pytest.mark.skipif(shutil.which("node") is None, reason="no node is installed here")
@pytest.mark.parametrize("name", [p.stem for p in SOURCES if p.stem != "shared"])
def test_the_code_of_a_view_can_be_read(name, tmp_path):
    path = tmp_path / "view.mjs"
    path.write_text(base.code(name), encoding="utf-8")
    run = subprocess.run(["node", "--check", path], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
