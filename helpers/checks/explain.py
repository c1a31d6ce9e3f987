"""A call and what it raised, in words that help."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import linecache
import os
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from helpers.checks.compare import Difference
from helpers.checks.sandbox import TimeUp

GENERAL = Path(__file__).parent / "mistakes" / "general.md"
ROW = re.compile(r"^- \*\*([^*]+)\*\*: (.*?)(?=^- |^  - `|^#|\Z)((?:^  - `[^\n]*\n)*)",
                 re.M | re.S)
SIGN = re.compile(r"^  - `(.+?)`(?: where the line has (.+))?$", re.M)
COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")


@functools.cache
def general_mistakes() -> dict[str, tuple[str, list[tuple[str, list[str]]]]]:
    """Return id -> (sentence, signs) of each mistake on the page `mistakes/general.md`.

    A sign is a part of an error's text, and what the line that raised it has to have besides.
    """
    return {name: (" ".join(text.split()), [(part, re.findall("`(.+?)`", beside))
                                            for part, beside in SIGN.findall(signs)])
            for name, text, signs in ROW.findall(GENERAL.read_text(encoding="utf-8"))}


def says(mistake: str, exercise: Any = None, **values: Any) -> str:
    """Return the sentence of the page `mistakes/general.md` on a mistake.

    A name in curly braces stands for a value, or an attribute of the exercise.
    """
    return re.sub(r"{(\w+)}", lambda name: str(
        values[name[1]] if name[1] in values else getattr(exercise, name[1])),
        general_mistakes()[mistake][0])


def explain(exercise: Any, function: Any, error: BaseException, ended: bool = False) -> Difference:
    """Say what a student's function raised, on which line of whose, and why if that is known.

    `ended` says that calls with other arguments did come to an end.
    """
    if isinstance(error, TimeUp):
        return Difference("raised", says("endless", exercise), "endless")
    frames = _own_frames(function, error)
    other = _other_function(function, frames)
    called = _right_function(exercise, function, frames, other)
    if called:
        frames = frames[:other]  # what is inside a right function is no place to look at
    line = _line_in_cell(function, frames)
    if isinstance(error, RecursionError):
        text = says("too-deep" if ended else "endless-recursion",
                    name=frames[-1][0].f_code.co_name if frames else exercise.name)
        return Difference("raised", text, "too-deep" if ended else "endless", line)
    raised = _raised(error, frames, called, None if called else other)
    mistake, advice = _reason(exercise, function, error, _source(frames))
    if advice:
        raised += f"{'' if raised.endswith(('.', '?', '!')) else '.'} {advice}"
    return Difference("raised", raised, mistake, line)


# Where it was raised.

def _own_frames(function, error):
    """Return (frame, line number) for the student's own frames, the innermost last."""
    code = getattr(function, "__code__", None)
    space = getattr(function, "__globals__", None)
    return [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)
            if frame.f_code is code or (space is not None and frame.f_globals is space)
            or frame.f_globals.get("__name__", "").startswith("notebook ")]


def _source(frames):
    """Return the line on which the last of some frames stands."""
    return linecache.getline(frames[-1][0].f_code.co_filename,
                             frames[-1][1]).strip()[:100] if frames else ""


def _line_in_cell(function, frames):
    """Return the last line that ran in the cell of the function, counted from 1, or None."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    number = next((number for frame, number in reversed(frames)
                   if code and frame.f_code.co_filename == code.co_filename), None)
    if number is None or not os.path.exists(code.co_filename):
        return number  # a cell has numbers of its own
    return number - code.co_firstlineno + 1


def _other_function(function, frames):
    """Return the index of the frame of another function of the notebook that raised, or None."""
    at = len(frames) - 1
    while at > 0 and frames[at][0].f_code.co_name in COMPREHENSIONS:
        at -= 1
    if at < 0 or frames[at][0].f_code is getattr(function, "__code__", None):
        return None
    return at if frames[at][0].f_code.co_name in frames[at][0].f_globals else None


def _right_function(exercise, function, frames, other):
    """Return the call, in words, of an earlier function that raised though it is right, or None."""
    if not other:
        return None
    name = frames[other][0].f_code.co_name
    used = next((used for used in exercise.uses if used.name == name), None)
    its = getattr(function, "__globals__", {}).get(name)
    if used is None or used.judge(its).outcome not in ("correct", "skipped"):
        return None
    return f"{name}({', '.join(inspect.signature(its).parameters)})"


def _raised(error, frames, called, other):
    """Return the sentence on what was raised, and where."""
    text, source = _plainly(_text(error)), _source(frames)
    said, line = f": {text}" if text else "", f" (in the line `{source}`)" if source else ""
    raised = f"It raised {type(error).__name__}"
    if called:
        name = called.split("(")[0]
        return (f"{raised} in a call of `{name}`{said}{line}. Your `{name}` itself is right: does "
                f"the call hand over what it takes, and in its order, `{called}`?")
    if other is None:
        return f"{raised}{said}{line}"
    caller = _source(frames[:other])
    if line and caller and caller != source:
        line = f"{line[:-1]}, called in `{caller}`)"
    return f"{raised} inside your `{frames[other][0].f_code.co_name}`, which it calls{said}{line}"


# Why it was raised.

def _reason(exercise, function, error, source):
    """Return (id, advice), where something is known that leads to such an error."""
    shadowed = _shadowed(function) if isinstance(error, (TypeError, AttributeError)) else None
    if shadowed:
        return "shadowed-name", says("shadowed-name", name=shadowed)
    text = _text(error)
    for mistake, (advice, signs) in general_mistakes().items():
        if any(sign in text and all(_has(source, part) for part in beside)
               for sign, beside in signs):
            return mistake, advice
    if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
        ours = error.name in {used.name for used in exercise.uses} | {"np", "numpy"}
        mistake = "cell-not-run" if ours else "name-not-there"
        return mistake, says(mistake, name=error.name)
    return _nearly_a_key(error) if isinstance(error, KeyError) else (None, "")


def _has(source, part):
    """Whether a line has a sign that stands alone (``**`` is no ``*``).

    An ellipsis stands for anything that closes the parentheses that it opens.
    """
    first, gap = re.escape(part[0]), r"(?:[^()]|\([^()]*\))*?"
    rest = gap.join(map(re.escape, part[1:].split("…")))
    return re.search(rf"(?<!{first}){first}(?!{first}){rest}", source) is not None


def _nearly_a_key(error):
    """Return (id, advice) where a dict at hand has the missing key, perhaps in another spelling."""
    frame, _ = [*traceback.walk_tb(error.__traceback__)][-1]
    missing = error.args[0] if error.args else None
    dicts = {name: value for name, value in frame.f_locals.items() if type(value) is dict}
    for name in frame.f_code.co_varnames[:frame.f_code.co_argcount]:
        if missing in dicts.get(name, ()):
            return "key-missing", says("key-missing", name=name)
    keys = {str(key).replace("_", "").lower(): key for value in dicts.values() for key in value}
    spelt = keys.get(str(missing).replace("_", "").lower())
    return ("key-spelt", says("key-spelt", key=spelt)) if spelt not in (None, missing) else (
        None, "")


def _shadowed(function):
    """Return a name of Python's that the notebook has given to something that cannot be called."""
    space = getattr(function, "__globals__", {})
    return next((name for name in getattr(getattr(function, "__code__", None), "co_names", ())
                 if name in space and hasattr(builtins, name) and not callable(space[name])), None)


def unread_version(function: Any) -> list[str]:
    """Return a sentence where the notebook has a later version that Python could not read."""
    ipython = sys.modules.get("IPython")
    space = getattr(ipython and ipython.get_ipython(), "user_ns", None)
    if space is None or getattr(function, "__globals__", None) is not space:
        return []
    start = re.compile(rf"^\s*def {function.__name__}\b", re.M)
    versions = [cell for cell in space.get("In", []) if start.search(cell)]
    try:
        ast.parse(versions[-1] if versions else "")
    except SyntaxError:
        return [f"This is an older `{function.__name__}`: the last version of its cell has a "
                "syntax error and was not taken."]
    return []


# What errors say.

def same_error(error: BaseException | None, other: BaseException | None) -> bool:
    """Whether two errors are of one type and say the same.

    Of two shapes that do not broadcast it plays no part which one stands first.
    """
    if type(error) is not type(other) or isinstance(error, RecursionError):
        return type(error) is type(other)
    one, two = (_plainly(str(e)).split() for e in (error, other))
    return one == two or "broadcast" in one and sorted(one) == sorted(two)


def _plainly(text):
    """Return an error's text, of lengths that do not fit the same by `@` as by `np.dot`."""
    for lengths in (r".*\(size (?P<b>\d+) is different from (?P<a>\d+)\).*",
                    r".*not aligned: (?P<a>\d+) \(dim \d+\) != (?P<b>\d+) \(dim \d+\).*"):
        text = re.sub(lengths, r"the inner lengths of a matrix product do not fit: \g<a> and \g<b>",
                      text)
    return text


def _text(error):
    """Return what an error says, on one line, without addresses."""
    return re.sub(r"0x[0-9a-fA-F]+", "0x…", " ".join(str(error).split()))[:200]


# The call, in words.

def describe(exercise: Any, args: tuple) -> str:
    """Return the arguments in words: small ones in full, others by their shapes.

    Where that makes more than two or three lines, numbers in full and the others by their names.
    """
    named = list(zip(exercise.parameters, args, strict=False))
    words = ", ".join(f"`{n}` {_brief(a)}" for n, a in named)
    return words if len(words) <= 240 else ", ".join(
        f"`{n}` {_brief(a)}" if isinstance(a, (int, float)) else f"`{n}`" for n, a in named)


def _brief(value):
    words = getattr(value, "in_words", None)
    if isinstance(words, str):
        return f"= {words}"
    if isinstance(value, np.ndarray):
        small = value.size <= (8 if value.dtype.kind in "iu" else 4) and value.ndim <= 1
        return f"= {np.array2string(value, precision=4)}" if small else f"of shape {value.shape}"
    if isinstance(value, Callable):
        words = (value.__doc__ or value.__name__).strip().rstrip(".")
        return f"= {words.replace('The ', 'the ', 1) if words.startswith('The ') else words}"
    if isinstance(value, dict):
        return "with " + ", ".join(
            f"{k} {'a dict' if isinstance(v, dict) else np.shape(v) or 'a number'}"
            for k, v in value.items())
    if isinstance(value, np.random.Generator):
        return "= np.random.default_rng(...)"
    if hasattr(value, "shape"):
        return f"of shape {tuple(value.shape)}"
    return f"= {value:g}" if isinstance(value, float) else f"= {value}"
