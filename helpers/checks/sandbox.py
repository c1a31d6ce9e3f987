"""Call a student's function so that nothing it does can hurt the notebook."""

from __future__ import annotations

import contextlib
import copy
import io
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

CHANGEABLE = (np.ndarray, dict, list, np.random.Generator)


class TimeUp(BaseException):
    """The time for a student's function is over (no `except Exception` stops it)."""


@dataclass
class Call:
    """What came of one call: a value or an error, and the arguments as they were left."""

    value: Any = None
    error: BaseException | None = None
    args: tuple = ()

    @property
    def endless(self) -> bool:
        return isinstance(self.error, TimeUp)


def fresh(args: tuple) -> tuple:
    """Return the arguments with copies of all that a call could change.

    That is: arrays, dicts, lists, random generators, and what has a `__deepcopy__` of its own.
    """
    memo: dict = {}  # what two arguments share, their copies share
    return tuple(copy.deepcopy(a, memo)
                 if isinstance(a, CHANGEABLE) or hasattr(a, "__deepcopy__") else a for a in args)


class Guard:
    """Calls functions with copies of their arguments, muted, for a limited time in all.

    Parameters
    ----------
    seconds : float
        Time for all calls together. A Python-level loop, sleep or recursion is stopped then, and
        once a second after that until it ends. Native code stops when its call returns. Where
        there is no timer signal (Windows, another thread) nothing is stopped.
    """

    def __init__(self, seconds: float = 1.9):
        self.seconds = seconds

    def call(self, function: Callable, args: tuple, view: Callable | None = None,
             left: tuple | None = None) -> Call:
        """Return the `Call` that `function(*args)` comes to; `args` stay as they are.

        With a `view` (see `Exercise`), its value is what the view makes of it. Where `left` gives
        the arguments as an earlier call has left them, objects are those, and no copies.
        """
        args = fresh(args) if left is None else tuple(
            a if isinstance(a, CHANGEABLE) else b for a, b in zip(fresh(args), left, strict=True))
        outcome = Call(args=args)
        began = time.perf_counter()
        try:
            with muted(), _alarm(max(self.seconds, 0.01)):
                outcome.value = function(*args)
                outcome.value = seen(view, args, outcome.value)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit and TimeUp too: all are the student's
            outcome.error = error
        self.seconds -= time.perf_counter() - began
        return outcome


def seen(view: Callable | None, args: tuple, value: Any) -> Any:
    """Return what a view makes of a value, or the value as it came where the view fails."""
    if view is None or value is None:
        return value
    try:
        return view(args, value)
    except Exception:  # it is no answer at all: comparing it as it came says so
        return value


@contextlib.contextmanager
def muted():
    """Keep prints, displays, figures and warnings of what runs in the block from the notebook."""
    plt = sys.modules.get("matplotlib.pyplot")
    before = plt.get_fignums() if plt else []
    try:
        with (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()),
              _nothing_displayed(), warnings.catch_warnings(), np.errstate(all="ignore")):
            warnings.simplefilter("ignore")
            yield
    finally:
        for number in plt.get_fignums() if plt else []:
            if number not in before:
                plt.close(number)


@contextlib.contextmanager
def _nothing_displayed():
    """Send what `display` shows in the block to nowhere, where there is an IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        yield
        return
    from IPython.core.displaypub import CapturingDisplayPublisher

    publisher, shell.display_pub = shell.display_pub, CapturingDisplayPublisher()
    try:
        yield
    finally:
        shell.display_pub = publisher


@contextlib.contextmanager
def _alarm(seconds: float):
    """Raise `TimeUp` in the block after `seconds`, and every second from then on."""
    if not hasattr(signal, "setitimer") or (
            threading.current_thread() is not threading.main_thread()):
        yield
        return
    fired, done = [], []
    tracing = sys.gettrace()

    def raise_again(frame, event, arg):
        if event == "line":
            raise TimeUp
        return raise_again

    def stop(signum, frame):
        # A bare `except:` swallows the first one. From the second on, the line that runs next,
        # which is outside the `try`, raises it again.
        if done:
            return
        if fired:
            sys.settrace(raise_again)
            while frame is not None and frame.f_code.co_filename != __file__:
                frame.f_trace = raise_again
                frame = frame.f_back
        fired.append(signum)
        raise TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        yield
    finally:
        try:
            done.append(True)  # from here on the signal does nothing
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if fired:
                sys.settrace(tracing)
