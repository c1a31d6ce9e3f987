"""Nothing that a student's function does hurts the notebook: tried in a real kernel and here."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
import types

import jupyter_client.manager
import numpy as np
import pytest

from helpers.checks import lesson_01, sandbox
from helpers.checks.sandbox import Guard, TimeUp, restored

FIRST = """
import itertools, os, random, signal, sys, time
import numpy as np
from helpers.checks import lesson_01 as check, sandbox
sandbox.MEMORY = 2 ** 28
def verdict(function):
    return check.sigmoid.judge(function).mistake
"""
NEVER_ENDING = {
    "a recursion without a limit": """
sys.setrecursionlimit(10 ** 6)
def f(z): return f(z)
""",
    "a list of all numbers": "def f(z): return list(itertools.count())",
    "an alarm of the student's own": """
def f(z):
    signal.signal(signal.SIGALRM, lambda *args: None)
    while True: pass
""",
    "a timer that is cleared": """
def f(z):
    signal.setitimer(signal.ITIMER_REAL, 0)
    while True: pass
""",
    "a native call in a bare except": """
def f(z):
    while True:
        try: np.linalg.svd(np.ones((200, 200)))
        except: pass
""",
}


@pytest.fixture(scope="module")
def kernel():
    """Return a function that runs a cell in a kernel and returns what it has printed."""
    manager, client = jupyter_client.manager.start_new_kernel(
        kernel_name="python3", env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})

    def run(cell, timeout=60, status="ok"):
        said = []
        reply = client.execute_interactive(
            cell, timeout=timeout,
            output_hook=lambda m: said.append(m["content"].get("text", "")))
        assert reply["content"]["status"] == status, reply["content"].get("traceback")
        return "".join(said)

    run(FIRST)
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("case", NEVER_ENDING)
def test_what_never_ends_is_stopped_and_the_next_cells_live(kernel, case):
    kernel(NEVER_ENDING[case])
    assert kernel("print(verdict(f))").strip() in ("endless", "None")  # a MemoryError has no name
    assert kernel("began = time.time()\nwhile time.time() - began < 1.3: pass\nprint(7)") == "7\n"
    assert kernel("print(signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL))"
                  ).endswith("(0.0, 0.0)\n")


def test_a_kernel_is_as_it_was_before_the_check(kernel):
    kernel("""
def f(z):
    np.random.seed(0), random.seed(0), os.chdir("/"), sys.setrecursionlimit(50_000)
    sys.settrace(lambda *args: None), sys.setprofile(lambda *args: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    np.exp = np.sin
    np.seterr(all="raise")
    return 1 / (1 + np.exp(-z))
def state():
    return (np.random.get_state()[2], random.getstate()[1][-1], os.getcwd(), np.exp, np.geterr(),
            sys.getrecursionlimit(), sys.gettrace(), sys.getprofile(),
            signal.getsignal(signal.SIGINT))
np.random.normal(), random.random()
""")
    assert kernel("a = state(); said = verdict(f); print(a == state())") == "True\n"


def test_a_version_that_python_could_not_read_is_told(kernel):
    kernel("def f(z):\n    return z")
    assert kernel("print('syntax' in ' '.join(check.sigmoid.judge(f).lines))") == "False\n"
    kernel("def f(z):\n    return 1 / (1 + np.exp(-z)", status="error")
    said = kernel("print('\\n'.join(check.sigmoid.judge(f).lines))")
    assert "This is an older `f`: the last version of its cell has a syntax error" in said
    kernel("def f(z):\n    return 1 / (1 + np.exp(-z))")
    assert kernel("print(len(check.sigmoid.judge(f).lines))") == "1\n"


def test_a_forked_child_never_comes_back_from_a_check(kernel):
    kernel("def f(z):\n    if os.fork() == 0:\n        return 0\n    return 1 / (1 + np.exp(-z))")
    assert kernel("print('before'); print(verdict(f))") == "before\nNone\n"


def test_the_guard_stops_a_loop_outside_the_main_thread_too():
    seen = []

    def loop():
        while True:
            pass

    def work():
        seen.append(Guard().call(abs, (-3,)).value)
        seen.append(Guard(0.2).call(loop, ()).endless)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(30)
    assert seen == [3, True]


def test_who_is_slow_is_not_endless(monkeypatch):
    now, limits = [0.0], []

    def alarm(seconds):
        limits.append(round(seconds, 9))
        return real(60)

    real = sandbox.Alarm
    monkeypatch.setattr(sandbox, "Alarm", alarm)
    monkeypatch.setattr(sandbox, "time", types.SimpleNamespace(
        perf_counter=lambda: now[0], monotonic=time.monotonic, sleep=time.sleep))
    guard = Guard(1.0)
    for took in (0.25, 0.5, 0.5, 2.0, 0.0):  # one takes as long as it may, and no longer
        guard.call(lambda took=took: now.__setitem__(0, now[0] + took), ())
    assert limits == [1.0, 0.75, 1.0, 1.0, 4.0]


def test_alarms_stand_inside_one_another():
    def inner():
        return Guard(5).call(time.sleep, (0.3,)).error is None and time.sleep(30)

    assert Guard(1.0).call(inner, ()).endless


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timer signal here")
def test_a_timer_that_ran_before_a_check_goes_on_after_it():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *args: rung.append(True))
    try:
        signal.setitimer(signal.ITIMER_REAL, 600)
        assert Guard(60).call(time.sleep, (0.1,)).error is None and not rung
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] < 600
        signal.raise_signal(signal.SIGALRM)
        assert rung == [True]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_random_states_are_put_back_where_that_is_asked_for():
    np.random.seed(3)
    random.seed(3)
    with restored(randomness=True):
        first = np.random.normal(), random.random()
    with restored():
        assert (np.random.normal(), random.random()) == first
    assert (np.random.normal(), random.random()) != first


def test_names_of_numpy_are_put_back_whatever_stands_in_their_place():
    before = np.exp, np.linalg.norm, np.random.normal
    with restored():
        np.exp, np.linalg.norm, np.random.normal = np.ones(3), np.zeros(2), None
    assert (np.exp, np.linalg.norm, np.random.normal) == before


def test_gradients_of_pytorch_are_recorded_again():
    torch = pytest.importorskip("torch")
    with restored(randomness=True):
        torch.set_grad_enabled(False)
        torch.set_default_dtype(torch.float64)
        first = torch.rand(1)
    assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32
    torch.manual_seed(1)
    with restored(randomness=True):
        first = torch.rand(1)
    assert torch.equal(torch.rand(1), first)


def test_a_check_leaves_no_folder_behind_that_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert lesson_01.sigmoid.judge(lambda z: 1 / (1 + np.exp(-z))).outcome == "correct"


def test_an_interrupt_comes_through_and_an_except_does_not_stop_the_alarm():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Guard().call(interrupted, ())
    assert issubclass(TimeUp, BaseException) and not issubclass(TimeUp, Exception)
    assert sandbox.MEMORY > 2**30
