"""Call a student's function so that nothing it does can hurt the notebook."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import functools
import io
import itertools
import os
import random
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

try:
    import resource
except ImportError:  # Windows
    resource = None

CHANGEABLE = (np.ndarray, dict, list, np.random.Generator)
MEMORY = 4 * 2**30  # bytes, or half of the computer's if that is less, that a call may take
LIBRARIES = tuple(str(Path(file).parents[up]) for file, up in (
    (os.__file__, 0), (np.__file__, 1), (__file__, 1)))  # whose code is never the student's
WATCHED: set[Alarm] = set()  # the alarms that are on
DEEPEST = 50_000  # so many calls may wait for each other, whatever limit a student sets before
TRACED = 100  # so many of the innermost frames are watched for a bare `except:`


class TimeUp(BaseException):
    """The time for a student's function is over (no `except Exception` stops it)."""


@dataclass
class Call:
    """What came of one call: a value or an error, and the arguments as they were left."""

    value: Any = None
    error: BaseException | None = None
    args: tuple = ()
    seconds: float = 0.0  # that it took

    @property
    def endless(self) -> bool:
        return isinstance(self.error, TimeUp)


def fresh(args: tuple) -> tuple:
    """Return copies of the arguments; what two of them share, their copies share."""
    return copy.deepcopy(args)


class Guard:
    """Calls functions with copies of their arguments, muted, for some seconds in all.

    A call may always take twice as long as the longest that has ended: slow is not endless.
    """

    def __init__(self, seconds: float = 1.9):
        self.seconds, self.longest = seconds, 0.005

    def call(self, function: Callable, args: tuple, view: Callable | None = None,
             left: tuple | None = None) -> Call:
        """Return the `Call` that `function(*args)` comes to, as a `view` sees it (see `Exercise`).

        Where `left` gives the arguments as an earlier call has left them, objects are those.
        """
        args = fresh(args) if left is None else tuple(
            a if isinstance(a, CHANGEABLE) else b for a, b in zip(fresh(args), left, strict=True))
        outcome, alarm = Call(args=args), Alarm(max(self.seconds, 2 * self.longest))
        began = time.perf_counter()
        with muted():
            try:
                with alarm:
                    outcome.value = seen(view, args, function(*args))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # SystemExit and TimeUp too: all are the student's
                outcome.error = error.with_traceback(None) if type(error) is TimeUp else error
            finally:
                alarm.off()  # the first time, it may have been interrupted itself
        outcome.seconds = time.perf_counter() - began
        self.seconds -= outcome.seconds
        self.longest = self.longest if outcome.error else max(self.longest, outcome.seconds)
        return outcome


def seen(view: Callable | None, args: tuple, value: Any) -> Any:
    """Return what a view makes of a value, or the value as it came where the view fails."""
    with contextlib.suppress(Exception):  # it is no answer at all: comparing it as it came says so
        return value if view is None or value is None else view(args, value)
    return value


class Alarm:
    """Raises `TimeUp` in the block after some seconds, and every second until the block ends.

    A loop, sleep or recursion in Python is stopped, also inside one bare `except:`; native code
    when its call returns, so that nothing stops ``sum(iter(int, 1))``. Where there is no timer
    signal (Windows, another thread), or the student has taken it away, a thread raises it, once.
    """

    def __init__(self, seconds: float):
        self.seconds, self.lock, self.thread = seconds, threading.Lock(), threading.get_ident()
        self.over = self.rung = self.sent = self.armed = False
        self.signals = hasattr(signal, "setitimer") and (
            threading.current_thread() is threading.main_thread())
        self.deadline = time.monotonic() + seconds + 1.5 * self.signals  # for the other thread

    def __enter__(self) -> Alarm:
        _start_watching()
        WATCHED.add(self)
        if self.signals:
            self.began, self.armed = time.monotonic(), True
            self.handler = signal.signal(signal.SIGALRM, self._ring)
            self.timer = signal.setitimer(signal.ITIMER_REAL, self.seconds, 1.0)
        return self

    def __exit__(self, *error: Any) -> None:
        self.off()

    def off(self) -> None:
        """Disarm it and put the timer back that ran before; a second time does no harm."""
        self.over = True
        with self.lock:  # from here on the other thread does nothing
            WATCHED.discard(self)
        if self.sent:
            with contextlib.suppress(TimeUp):
                time.sleep(0.01)  # what the thread has sent arrives here, if it has not yet
        if self.armed:
            delay, interval = self.timer
            left = max(self.began + delay - time.monotonic(), 0.001) if delay else 0
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self.handler)
            signal.setitimer(signal.ITIMER_REAL, left, interval)
            self.armed = False

    def _ring(self, signum: int, frame: Any) -> None:
        """Raise `TimeUp` where the student's code stands; never inside this module."""
        if self.over or frame is None or frame.f_code.co_filename == __file__:
            return
        self.rung = True
        # A bare `except:` swallows it. The line that runs next, outside the `try`, raises it again.
        for outer, _ in itertools.islice(traceback.walk_stack(frame), TRACED):
            if outer.f_code.co_filename == __file__:
                break
            if not outer.f_code.co_filename.startswith(LIBRARIES):
                outer.f_trace = _raise_again
        sys.settrace(lambda *new: None)  # no new frame is traced, those that have their own go on
        raise TimeUp

    def interrupt(self) -> None:
        """Raise `TimeUp`, from another thread, where no signal has done so."""
        with self.lock:
            if not self.over and not self.rung and time.monotonic() > self.deadline:
                self.rung = self.sent = True
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(self.thread), ctypes.py_object(TimeUp))


@functools.cache
def _start_watching() -> None:
    """Look after all alarms, four times a second, in a thread of its own."""
    def watch():
        while True:
            time.sleep(0.25)
            for alarm in list(WATCHED):
                alarm.interrupt()

    with contextlib.suppress(RuntimeError):  # no threads here, as in a browser
        threading.Thread(target=watch, daemon=True).start()


def _raise_again(frame, event, arg):
    if event == "line":
        raise TimeUp
    return _raise_again


@contextlib.contextmanager
def restored(*, randomness: bool = False):
    """Put back what a student's code changes of the interpreter; a forked child ends here.

    With `randomness` also the states of the global random numbers, which have to go on from call to
    call: of an answer that draws from them, a second call is to give something else. In the block,
    memory has a limit, and so has the depth of a recursion.
    """
    process, states = os.getpid(), []
    for get, put in _settings(randomness):
        with contextlib.suppress(Exception):  # a folder that is no longer there
            states.append((put, get()))
    try:
        _limit_memory()
        sys.setrecursionlimit(min(sys.getrecursionlimit(), DEEPEST))
        yield
    finally:
        if os.getpid() != process:
            os._exit(0)
        for put, state in states:
            with contextlib.suppress(Exception):
                put(state)


def _settings(randomness: bool) -> list[tuple[Callable, Callable]]:
    """Return (how to get it, how to put it back) of each setting."""
    torch = sys.modules.get("torch")
    rows = [(os.getcwd, os.chdir), (sys.getrecursionlimit, sys.setrecursionlimit),
            (sys.gettrace, lambda f: sys.gettrace() is f or sys.settrace(f)),
            (sys.getprofile, lambda f: sys.getprofile() is f or sys.setprofile(f)),
            (lambda: signal.getsignal(signal.SIGINT), lambda h: signal.signal(signal.SIGINT, h)),
            (lambda: resource.getrlimit(resource.RLIMIT_AS),
             lambda limits: resource.setrlimit(resource.RLIMIT_AS, limits))]
    rows += [(vars(module).copy, vars(module).update) for module in (np, np.linalg, np.random)]
    if torch is not None:
        rows += [(torch.is_grad_enabled, torch.set_grad_enabled),
                 (torch.get_default_dtype, torch.set_default_dtype)]
    if randomness:
        rows += [(random.getstate, random.setstate), (np.random.get_state, np.random.set_state)]
        rows += [(torch.get_rng_state, torch.set_rng_state)] if torch else []
    return rows


def _limit_memory() -> None:
    """Let what grows without end, such as ``list(itertools.count())``, end in a MemoryError."""
    with contextlib.suppress(Exception):  # not on Linux: there is no limit
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        if soft != resource.RLIM_INFINITY:
            return
        page, pages = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_PHYS_PAGES")
        used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * page
        resource.setrlimit(resource.RLIMIT_AS, (used + min(MEMORY, page * pages // 2), hard))


@contextlib.contextmanager
def muted():
    """Keep prints, displays, figures and warnings of what runs in the block from the notebook.

    The shell keeps its publisher: another thread of the kernel may be about to use it.
    """
    plt = sys.modules.get("matplotlib.pyplot")
    before = plt.get_fignums() if plt else []
    shell = "IPython" in sys.modules and sys.modules["IPython"].get_ipython()
    publisher, hook = getattr(shell, "display_pub", None), lambda message: None
    with (contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()),
          warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.ExitStack() as after):
        warnings.simplefilter("ignore")
        if hasattr(publisher, "register_hook"):
            publisher.register_hook(hook)  # it takes each message, and gives none back
            after.callback(publisher.unregister_hook, hook)
        after.callback(lambda: [plt.close(number) for number in plt.get_fignums()
                                if number not in before] if plt else None)
        yield
