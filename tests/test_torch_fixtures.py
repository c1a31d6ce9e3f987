"""Networks of PyTorch for the checks: every call gets its own, and a missing PyTorch is said."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from answers.lesson_08 import RIGHT

from helpers.checks import lesson_08, torch_fixtures
from helpers.checks.judge import describe
from helpers.checks.sandbox import fresh
from helpers.torch_compare import MissingTorch

PARAMS = lesson_08.weights(1, 3, 5, 2)


def test_what_a_network_and_its_optimizer_share_their_copies_share():
    made = torch_fixtures.made_network(PARAMS, stale=True, training=False)
    copied, optimizer = fresh((made, torch_fixtures.descent(made, 0.1, momentum=0.5)))
    assert optimizer.param_groups[0]["params"][0] is copied.hidden.weight
    assert optimizer.param_groups[0]["momentum"] == 0.5 and not copied.training
    assert (copied.hidden.weight.grad == made.hidden.weight.grad).all()
    optimizer.step()
    assert np.array_equal(made.hidden.weight.detach().numpy(), PARAMS["W1"].T)
    assert not np.array_equal(copied.hidden.weight.detach().numpy(), PARAMS["W1"].T)


def test_half_of_the_units_are_off_while_it_trains_and_passes_are_noted():
    torch = torch_fixtures.loaded_torch()
    made = torch_fixtures.made_network(PARAMS, drops=True)
    X = torch.ones(4, 3, dtype=torch.float64)
    training = made(X)
    with torch.no_grad():
        assert not torch.equal(training, made.eval()(X))
    assert made.passes == [(True, True), (False, False)]


def test_a_card_describes_them_without_addresses():
    text = describe(lesson_08.train, lesson_08.train.cases()[0])
    assert text == ("`model` = a network 3-5-2, `loader` = a DataLoader of 7 samples in batches of "
                    "3, `loss_function` = nn.MSELoss(), `optimizer` = SGD with lr=0.1, "
                    "momentum=0.5, `epochs` = 2")
    assert "`X` of shape (7, 3)" in describe(lesson_08.training_step,
                                             lesson_08.training_step.cases()[0])


def test_without_pytorch_a_check_ends_with_one_clear_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    torch_fixtures.loaded_torch.cache_clear()
    with pytest.raises(MissingTorch, match="PyTorch is not installed"):
        lesson_08.evaluate(lambda model, loader: 0.5)
    assert lesson_08.to_state.judge(lesson_08.to_state.truth).outcome == "correct"


def test_what_is_taken_out_of_the_argument_is_still_wanted_in_the_state():
    def one(params):
        b2 = params.pop("b2", None)
        return {key: W for key, W in right({**params, "b2": b2}).items() if W is not None}

    def all_of_them(params):
        return right({key: params.pop(key) for key in [*params]})

    right = lesson_08.to_state.truth
    for function, gone in ((one, "`b2`"), (all_of_them, "`W1`, `W2`, `b1`, `b2`")):
        verdict = lesson_08.to_state.judge(function)
        assert verdict.lines[1] == f"After the call, `params` lacks {gone}."


def test_what_pytorch_itself_does_not_implement_is_no_stub():
    torch = torch_fixtures.loaded_torch()

    def training_step(model, X, y, loss_function, optimizer):
        return torch.log_softmax(torch.ones(2, 3, dtype=torch.int64), dim=1)

    verdict = lesson_08.training_step.judge(training_step)
    assert verdict.outcome == "not yet" and "NotImplementedError" in verdict.lines[1]


def test_gradients_that_an_earlier_cell_left_off_refuse_no_right_answer():
    torch = torch_fixtures.loaded_torch()
    torch.set_grad_enabled(False)
    try:
        for check in (lesson_08.training_step, lesson_08.evaluate, lesson_08.safe_mse):
            torch.set_grad_enabled(False)
            assert check.judge(RIGHT[check.id][0]).outcome == "correct"
    finally:
        torch.set_grad_enabled(True)


def test_the_page_of_mistakes_is_read_without_pytorch():
    code = ("import sys; sys.modules['torch'] = None; from helpers.checks import exercise, "
            "lesson_08; assert all(part.mistakes for part in exercise.exercises(lesson_08))")
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])
