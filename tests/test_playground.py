"""The playground without a browser: its trainings, mistakes, missions and messages."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import nbformat
import numpy as np
import pytest

from helpers import views
from helpers.checks.catalogue import mistakes
from helpers.checks.sandbox import Guard, TimeUp
from helpers.views import base, missions, play, training

ROOT = Path(__file__).parents[1]
CALM = {**play.BEGIN, "noise": 0.2, "points": 100, "penalty": 0.0}


@pytest.fixture(scope="module")
def functions():
    """Return the solution's functions, as a student who has written all of them has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT / "solutions")
        return views.your_functions()


@pytest.fixture(scope="module")
def team(functions):
    return training.team(functions)


@pytest.fixture
def playground(team):
    return play.Playground(training.Team(dict(team.functions)), play.BEGIN)


def train(team, steps, beside=None, **settings):
    gradients = {"right": team.functions["backprop"]}
    if beside:
        units = settings.get("units", CALM["units"])
        gradients[beside] = training.usable_mistakes(gradients["right"], units)[beside].wrong
    made = training.Training(team.functions, {**CALM, **settings}, gradients)
    for _ in range(steps):
        made.step()
    return made


# data

@pytest.mark.parametrize("name", training.DATA_SETS)
def test_a_data_set_has_two_classes_and_comes_again(name):
    X, y = training.data_set(name, 100, 0.1, 3)
    assert X.shape == (100, 2) and set(y) == {0, 1} and y.dtype.kind == "i"
    assert 30 < y.sum() < 70 and np.abs(X).max() < 4
    again, other = (training.data_set(name, 100, 0.1, seed)[0] for seed in (3, 4))
    assert np.array_equal(X, again) and not np.array_equal(X, other)


def test_another_data_set_is_a_clear_error():
    with pytest.raises(ValueError, match="'squares' came, one of moons, circles"):
        training.data_set("squares")


# trainings

def test_a_training_is_the_plain_loop_of_the_same_functions(team):
    made, use = train(team, 60, rate=0.7, penalty=0.01), team.functions
    X, y = training.data_set("moons", 100, 0.2, 0)
    params, losses = use["initialise"](2, 4, 2, np.random.default_rng(0)), []
    for _ in range(60):
        losses.append(use["loss"](X, y, params, 0))
        params = use["sgd_step"](params, use["backprop"](X, y, params, 0.01), 0.7)
    run = made.runs[0]
    assert all(np.array_equal(run.params[key], params[key]) for key in params)
    assert np.allclose(run.train[:-1], losses) and run.train[-1] == use["loss"](X, y, params, 0)


def test_momentum_and_batches_are_those_of_lesson_06(team):
    made, use = train(team, 25, momentum=0.9, batch=20, rate=0.1), team.functions
    X, y = training.data_set("moons", 100, 0.2, 0)
    rng, params = np.random.default_rng(0), use["initialise"](2, 4, 2, np.random.default_rng(0))
    velocity = {key: np.zeros_like(value) for key, value in params.items()}
    for _ in range(5):
        for rows in use["minibatches"](100, 20, rng):
            grads = use["backprop"](X[rows], y[rows], params, 0.0)
            velocity = use["update_momentum"](velocity, grads, 0.1, 0.9)
            params = use["update_params"](params, velocity)
    assert all(np.array_equal(made.runs[0].params[key], params[key]) for key in params)


@pytest.mark.parametrize("settings", [
    {}, {"momentum": 0.9, "rate": 0.1}, {"batch": 20}, {"data": "spiral", "penalty": 0.01}])
def test_the_code_on_the_screen_does_what_is_on_the_screen(team, settings, capsys):
    made = train(team, 40, **settings)
    exec(compile(training.as_cell(made), "cell", "exec"), {})
    assert capsys.readouterr().out == f"loss {made.loss(made.runs[0]):.4f}\n"


def test_the_code_holds_no_solution_where_a_function_is_borrowed(team, capsys):
    made = train(team, 5)
    code = training.as_cell(made, ["backprop", "loss"])
    assert 'backprop = skip("05-backprop")' in code and "def backprop" not in code
    assert "def initialise" in code and "SOLUTION" not in code
    exec(compile(code, "cell", "exec"), {})
    assert f"loss {made.loss(made.runs[0]):.4f}" in capsys.readouterr().out


@pytest.mark.parametrize("borrowed", [(), ("backprop",)])
def test_the_mistake_in_the_code_trains_where_it_is_called(team, capsys, borrowed):
    made = train(team, 5, beside="sign-flipped")
    known = training.usable_mistakes(team.functions["backprop"], 4)["sign-flipped"]
    code = training.as_cell(made, borrowed, known)
    assert ("SOLUTION" in code, "skip(" in code) == (False, bool(borrowed))
    code = code.replace("grads = backprop(", "grads = mistaken_backprop(")
    exec(compile(code, "cell", "exec"), {})
    assert f"loss {made.loss(made.runs[1]):.4f}" in capsys.readouterr().out


def test_the_losses_kept_are_few_and_evenly_spaced(team):
    made = train(team, 3 * training.KEPT, points=50)
    run = made.runs[0]
    assert made.every == 4 and len(run.train) == len(run.test) <= training.KEPT
    assert len(run.recent) == training.RECENT
    assert np.isclose(run.train[-1], made.loss(run))


def test_a_change_of_the_rate_goes_on_and_is_said_in_the_code(team):
    made = train(team, 10)
    made.change(rate=0.5, momentum=0, batch="all", penalty=0.0)
    assert made.steps == 10 and not made.runs[0].recent
    assert "changed on the way" in training.as_cell(made)


# mistakes

def test_the_mistakes_train_and_are_none_of_the_right_ones(team):
    found = training.usable_mistakes(team.functions["backprop"], 4)
    assert len(found) > 40 and len({one.id for one in found.values()}) > 20
    assert "sign-flipped" in found and "biases-not-summed" not in found
    for name in found:
        made = train(team, 3, beside=name, penalty=0.01)
        assert training.compare(made, made.runs[1], made.start)[1] > 1e-6 or "penal" in name, name
        assert not made.runs[0].error


@pytest.mark.parametrize("units", [1, 2, 8])
def test_what_has_no_right_shape_is_not_offered(team, units):
    known = mistakes("05-backprop", "backprop")
    found = training.usable_mistakes(team.functions["backprop"], units)
    assert 0 < len(found) < len(known)


def test_both_begin_at_the_same_point_and_see_the_same_batches(team):
    made = train(team, 0, beside="sign-flipped", batch=20)
    first, second = made.runs
    assert all(np.array_equal(first.params[key], second.params[key]) for key in made.start)
    second.backprop = first.backprop
    for _ in range(12):
        made.step()
    assert all(np.array_equal(first.params[key], second.params[key]) for key in made.start)


# what goes wrong stands still and says so

def wrong_gradient(kind, right):
    def backprop(X, y, params, reg):
        grads = right(X, y, params, reg)
        if kind == "raises":
            raise KeyError("W3")
        if kind == "shape":
            grads = {**grads, "b1": np.zeros((len(X), len(grads["b1"])))}
        if kind == "keys":
            grads = {"W1": grads["W1"]}
        if kind == "tuple":
            grads = tuple(grads.values())
        if kind == "nan":
            grads = {key: value * np.nan for key, value in grads.items()}
        return grads
    return backprop


@pytest.mark.parametrize("kind, words", [
    ("raises", "step 1: KeyError: 'W3'"),
    ("shape", r"step 1: ValueError: backprop: b1 of shape (100, 4) came, (4,) was wanted"),
    ("keys", "step 1: ValueError: backprop: W1 came, a dict of W1, b1, W2, b2 was wanted"),
    ("tuple", "step 1: ValueError: backprop: tuple came, a dict of W1, b1, W2, b2 was wanted"),
    ("nan", "step 1: FloatingPointError: the loss is nan: the weights have grown beyond all "
            "numbers"),
])
def test_a_gradient_that_fails_stands_still_beside_the_right_one(team, kind, words):
    right = team.functions["backprop"]
    made = training.Training(team.functions, CALM,
                             {"right": right, "wrong": wrong_gradient(kind, right)})
    for _ in range(30):
        made.step()
    assert made.runs[1].error == words
    assert not made.runs[0].error and made.loss(made.runs[0]) < 0.5


def test_an_endless_gradient_is_stopped_once(team):
    def endless(X, y, params, reg):
        while True:
            pass

    made = training.Training(team.functions, CALM,
                             {"right": team.functions["backprop"], "wrong": endless})
    call = Guard(0.2).call(made.step, ())
    assert call.endless and made.steps == 1
    made.step()
    assert made.runs[1].error == f"step 2: {training.ENDLESS}"
    assert made.steps == 2 and not made.runs[0].error


# whose functions

def test_all_functions_are_found_and_are_the_students_own(functions, team):
    assert set(functions) == {"backprop", "loss", "initialise", "sgd_step", "update_momentum",
                              "update_params", "minibatches"}
    assert not team.borrowed and not team.cards and team.suspect is None


def test_what_is_missing_is_borrowed_and_said_and_what_comes_later_is_locked(functions):
    made = training.team({"backprop": functions["backprop"]})
    assert made.borrowed == ["sgd_step", "loss", "initialise"]
    view = play.Playground(made, play.BEGIN)
    data = view.respond(view.controls())
    assert data["whose"] == "Yours: backprop. Borrowed: sgd_step, loss, initialise."
    names = [one["name"] for one in data["controls"]]
    assert "penalty" in names and "momentum" not in names and "batch" not in names
    assert [one["id"] for one in data["locked"]] == ["06-momentum", "06-minibatches"]
    data = view.respond({**view.controls(), "borrow": "06-momentum"})
    assert [one["id"] for one in data["locked"]] == ["06-minibatches"]
    label, = [one["label"] for one in data["controls"] if one["name"] == "momentum"]
    assert label == "momentum (borrowed)"


def test_with_nothing_in_the_folder_all_is_borrowed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert views.your_functions() == {}
    assert set(training.team({}).borrowed) == {"backprop", "loss", "initialise", "sgd_step"}


def test_a_wrong_backprop_trains_beside_the_right_one_with_its_card(functions):
    wrong = next(one.wrong for one in mistakes("05-backprop", "backprop")
                 if one.id == "activation-derivative-missing")
    view = play.Playground(training.team({**functions, "backprop": wrong}), play.BEGIN)
    data = view.respond(view.controls())
    assert [run["name"] for run in data["runs"]] == ["right", play.YOURS]
    assert data["mistakes"][0] == play.YOURS and "cosine" in data["mistake"]["cosine"]
    card, = data["cards"]
    assert "Not yet · 05-backprop" in card and "derivative of tanh" in card
    assert "Borrowed: backprop." in data["whose"]
    for _ in range(200):
        view.training.step()
    right, yours = view.training.runs
    assert not np.allclose(right.params["W1"], yours.params["W1"])


@pytest.mark.parametrize("name, exercise", [
    ("loss", "05-loss"), ("sgd_step", "04-sgd-step"), ("minibatches", "06-minibatches")])
def test_another_wrong_function_shows_its_card_and_is_not_used(functions, name, exercise):
    made = training.team({**functions, name: lambda *args: 1 / 0})
    assert [one for one, _ in made.cards] == [exercise]
    assert (name in made.borrowed) == (name != "minibatches")


def test_a_forward_without_its_cache_is_not_used(functions):
    made = training.team({**functions, "forward": lambda X, params: X})
    assert set(made.functions["forward"](np.ones((3, 2)), made.functions["initialise"](
        2, 4, 2, np.random.default_rng(0)))) >= {"A1", "Y_hat"}


# missions

def test_mission_one_three_units_part_the_circles_and_two_do_not(team):
    setup = missions.MISSIONS[0].setup
    assert not missions.Missions().look(train(team, 900, **{**setup, "units": 2}))[0]
    assert missions.Missions().look(train(team, 900, **{**setup, "units": 3}))[0]


def test_mission_two_a_calm_rate_and_one_that_swings(team):
    seen, setup = missions.Missions(), missions.MISSIONS[1].setup
    assert not seen.look(train(team, 300, **{**setup, "rate": 5.0}))[1]  # nothing calm yet
    calm = train(team, 300, **{**setup, "rate": 1.5})
    assert not seen.look(calm)[1]
    assert "calm so far: rate 1.5" in seen.notes(calm)
    assert not any(seen.notes(train(team, 0, **{**setup, "data": "circles"})))  # counts there alone
    assert not seen.look(train(team, 300, **{**setup, "rate": 5.0}))[1]  # more than twice as large
    assert seen.look(train(team, 300, **{**setup, "rate": 2.5}))[1]


def test_mission_three_overfit_and_mend(team):
    seen, setup = missions.Missions(), {**missions.MISSIONS[2].setup, "units": 8}
    assert not seen.look(train(team, 1500, **{**setup, "penalty": 0.01}))[2]
    overfit = train(team, 2500, **setup)
    assert not seen.look(overfit)[2]
    assert "overfitting seen" in seen.notes(overfit)[2]
    assert seen.look(train(team, 1500, **{**setup, "penalty": 0.01}))[2]


def test_mission_four_two_mistakes_that_pass(team):
    seen, setup = missions.Missions(), missions.MISSIONS[3].setup
    assert not seen.look(train(team, 700, beside="sign-flipped", **setup))[3]
    passes = train(team, 700, beside="output-factor 1", **setup)
    assert not seen.look(passes)[3]
    assert seen.notes(passes)[3] == "so far: output-factor 1"
    assert seen.look(train(team, 700, beside="reshape-for-transpose", **setup))[3]


@pytest.mark.parametrize("name, reached", [
    ("N-missing", True), ("hidden-derivative 4", True), ("sign-flipped", False),
    ("pre-activation-used", False)])
def test_mission_five_a_good_direction_and_a_bad_end(team, name, reached):
    setup = missions.MISSIONS[4].setup
    assert missions.Missions().look(train(team, 600, beside=name, **setup))[4] is reached


# the view

def plain(data):
    return json.loads(json.dumps(base.packed(data), default=lambda raw: raw.hex(),
                                 allow_nan=False))


def test_what_travels_to_the_page_is_plain_and_small(playground):
    controls = {**playground.controls(), "points": 500, "units": 8, "beside": "N-missing"}
    data = playground.respond(controls)
    for _ in range(300):
        playground.work({**controls, "playing": True, "speed": "fast"})
    data = plain(playground.respond(controls))
    assert data["runs"][0]["map"]["shape"] == [1600]
    assert data["network"]["units"]["shape"] == [8, 256]
    assert len(data["runs"][0]["train"]["bytes"]) // 8 == data["at"]["shape"][0] <= play.CURVE
    assert len(json.dumps(data)) < 100_000


@pytest.mark.parametrize("name", [*play.CONTROLS, "beside", "step", "reset", "shown"])
def test_every_control_changes_the_picture(playground, name):
    start = {**playground.controls(), "beside": "sign-flipped"}
    playground.respond(start)
    for _ in range(20):
        playground.training.step()
    before = plain(playground.respond(start))
    value = play.CONTROLS[name][1][-2] if name in play.CONTROLS else {
        "beside": "labels-missing 1", "step": 1, "reset": 1, "shown": 1}[name]
    playground.respond({**start, name: value})
    if name in play.GOING:
        playground.training.step()
    assert plain(playground.respond({**start, name: value})) != before


def test_the_speed_says_how_many_steps_lie_between_two_pictures(playground):
    controls = {**playground.controls(), "playing": True, "speed": "medium"}
    playground.respond(controls)
    for _ in range(25):
        playground.work(controls)
    assert playground.training.steps == play.SPEEDS["medium"]


def test_a_chosen_mistake_is_shown_with_its_line_and_its_message(playground):
    data = playground.respond({**playground.controls(), "beside": "hidden-derivative 4"})
    assert [one["right"] for one in data["mistake"]["lines"]] == [True, False]
    assert "derivative of tanh" in data["mistake"]["message"]
    assert data["mistake"]["cosine"].startswith("At the start: cosine")
    data = playground.respond({**playground.controls(), "beside": "penalty-missing", "penalty": 0.0,
                               "reset": 1})
    assert "it is none" in data["mistake"]["cosine"]


def test_a_mistake_whose_training_was_stopped_before_it_began_trains_the_next_time(
        playground, monkeypatch):
    def stopped(*args):
        raise TimeUp

    controls = {**playground.controls(), "beside": "sign-flipped", "reset": 1}
    with monkeypatch.context() as patch, pytest.raises(TimeUp):
        patch.setattr(play, "Training", stopped)
        playground.respond(controls)
    assert [run.name for run in playground.training.runs] == ["right"]
    assert len(playground.respond(controls)["runs"]) == 2
    controls = {**controls, "reset": 2}
    with monkeypatch.context() as patch:
        patch.setattr(play, "compare", stopped)
        assert playground.respond(controls)["mistake"]["cosine"] == ""
    before = playground.training
    data = playground.respond({**controls, "step": 1})
    assert playground.training is before and data["runs"][1]["error"].endswith(training.ENDLESS)


def test_the_code_appears_when_it_is_asked_for_and_goes_with_a_new_training(playground):
    controls = playground.controls()
    assert playground.respond(controls)["code"] == ""
    assert "def backprop" in playground.respond({**controls, "code": 1})["code"]
    assert playground.respond({**controls, "code": 1, "seed": 3})["code"] == ""


def test_the_short_form_has_fewer_controls_and_no_missions(team):
    view = play.Playground(team, play.BEGIN, short=True)
    data = view.respond(view.controls())
    assert [one["name"] for one in data["controls"]] == list(play.SHORT)
    assert data["missions"] == [] and data["locked"] == []


@pytest.mark.skipif(importlib.util.find_spec("anywidget") is None, reason="anywidget is missing")
def test_the_view_stays_alive_after_an_endless_backprop(functions, monkeypatch):
    def backprop(X, y, params, reg):
        while len(X) == 500:
            pass
        return functions["backprop"](X, y, params, reg)

    monkeypatch.setattr(base, "SECONDS", 0.3)
    monkeypatch.setattr(base, "FIRST", 2)
    view = views.playground({**functions, "backprop": backprop}, points=500)
    assert str(view) == play.NO_STILL and view.widget.data["runs"]
    view.widget.controls = {**view.widget.controls, "step": 1}
    assert view.widget.data["error"] == base.ENDLESS
    view.widget.controls = {**view.widget.controls, "points": 100, "step": 2}
    assert view.widget.data["error"] == "" and view.widget.data["points"]["shape"] == [100, 2]
    view.close()


@pytest.mark.skipif(importlib.util.find_spec("anywidget") is None, reason="anywidget is missing")
def test_the_still_twin_is_a_picture_with_its_text(functions):
    view = views.playground(functions)
    bundle = view._repr_mimebundle_()
    assert "<img alt=" in bundle["text/html"] and len(bundle["image/png"]) > 10_000
    assert bundle["text/plain"].startswith("A playground: a network of two inputs and 4 hidden")
    view.close()


def test_the_notebook_is_linked_and_holds_the_twin_without_a_widget():
    notebook = nbformat.read(ROOT / "solutions" / "playground.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert code[-1].metadata["tags"] == ["nbval-ignore-output"]
    assert "<img alt=" in str(code[-1].outputs) and "widget" not in str(code[-1].outputs)
    text = "".join(cell.source for cell in notebook.cells)
    assert text.count("<details>") == len(missions.MISSIONS)
    assert all(mission.name in text for mission in missions.MISSIONS)
    assert "](notebooks/playground.ipynb)" in (ROOT / "README.md").read_text(encoding="utf-8")


# the short form of lesson 03

@pytest.fixture(scope="module")
def lesson_03():
    """Return names and functions of the solution of lesson 03."""
    from helpers.memory.answers import SKIPPED, SOLUTIONS, Loader, find_exercise

    loader, found = Loader(), {}
    for one in ("03-patterns", "03-log-loss", "03-forward", "03-backprop", "03-train"):
        exercise = find_exercise(one)
        functions = loader.functions(exercise, SOLUTIONS, SKIPPED)
        found.update(zip([part.name for part in exercise.parts], functions, strict=True))
    return found


@pytest.fixture
def patterns_view(lesson_03):
    from helpers.views.patterns import PatternPlayground

    shapes = {"diamond": lesson_03["diamond"], "circle": lesson_03["circle"]}
    return PatternPlayground(shapes, lesson_03["forward"], lesson_03["backprop"],
                             lesson_03["log_loss"], data="circle")


def test_the_short_playground_trains_what_lesson_03_trains(patterns_view, lesson_03):
    made = patterns_view.training
    for _ in range(40):
        made.step()
    rng = np.random.default_rng(0)
    params = {"W1": rng.uniform(-1, 1, size=(3, 4)), "W2": rng.uniform(-1, 1, size=(4, 1))}
    X = np.random.default_rng(0).uniform(-1, 1, size=(500, 2))
    X_b, y = np.hstack([np.ones((500, 1)), X]), lesson_03["circle"](X)[:, None].astype(float)
    params, _ = lesson_03["train"](X_b, y, params, made.settings["rate"], 40)
    wanted = lesson_03["log_loss"](y, lesson_03["forward"](X_b, params)["Y_hat"])
    assert np.isclose(made.loss(made.runs[0]), wanted, rtol=1e-12)


def test_the_short_playground_has_its_patterns_and_its_own_mistakes(patterns_view):
    controls = patterns_view.controls()
    data = patterns_view.respond(controls)
    assert [c["name"] for c in data["controls"]] == ["data", "units", "rate"]
    assert data["controls"][0]["values"] == ["diamond", "circle"]
    assert "not-divided" in patterns_view.mistakes and len(patterns_view.mistakes) > 10
    data = patterns_view.respond({**controls, "beside": "not-divided"})
    assert len(data["runs"]) == 2 and data["mistake"]["message"] in {
        one.message for one in mistakes("03-backprop", "backprop") if one.id == "not-divided"}
    assert 'patterns["circle"]' in patterns_view.respond({**controls, "code": 1})["code"]
    json.dumps(base.packed(patterns_view.respond(controls)), default=lambda v: len(v))
