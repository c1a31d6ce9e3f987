"""What a student's function raised, in words that help."""

from __future__ import annotations

import builtins
import linecache
import re
import traceback
from typing import Any

import numpy as np

from helpers.checks.compare import Difference
from helpers.checks.guard import TimeUp

# A part of an exception's text, the id of the mistake behind it, what to tell the student.
KNOWN_ERRORS = (
    ("bitwise_xor", "xor", "In Python `^` is no power; a power is written `**`."),
    ("operand type(s) for ^", "xor", "In Python `^` is no power; a power is written `**`."),
    ("object is not callable", "call-for-product",
     "A name with parentheses behind it is a call: is a `*` missing before them?"),
    ("truth value of an array", "one-truth-for-an-array",
     "`max`, `if`, `and`, `or`, `not` and chains such as `a < b < c` or `a > b == c` want one "
     "truth value. For arrays there are `np.maximum`, `&`, `|` and `~`, with parentheses around "
     "each comparison."),
    ("dtype('<U", "dict-unpacked",
     "Text came where numbers are wanted. Unpacking a dict gives its keys, which are text: take "
     "the arrays out by their names, as in `params[\"W1\"]`."),
    ("arrays used as indices must be of integer", "decimal-index",
     "Decimals stand between the brackets of an index, where whole numbers are wanted. If labels "
     "are the index: have labels and predictions changed places in a call? Labels come first."),
    ("keyword argument 'keepdim'", "keepdims", "NumPy's name for it has an s: `keepdims`."),
    ("'NoneType' object has no attribute 'append'", "append-returns-none",
     "`append` changes the list itself and returns `None`: write it without an `=` before it."),
)


def explain(name: str, function: Any, error: BaseException) -> Difference:
    """Say what a student's function raised, on which line of whose, and why if that is known."""
    if isinstance(error, (TimeUp, RecursionError)):
        what = ("did not come to an end" if isinstance(error, TimeUp)
                else "called itself without end")
        return Difference("raised", f"`{name}` {what} and was stopped. Is there a loop "
                          "or a call that never finishes?", "endless")
    line, where = _line_of(function, error)
    text = _safe_text(error)
    shadowed = _shadowed(function) if isinstance(error, (TypeError, AttributeError)) else None
    if shadowed:
        return Difference("raised", f"{type(error).__name__}: {text}{line} The name `{shadowed}` "
                          f"is a variable of yours that hides the real `{shadowed}`: rename it, "
                          "then restart the kernel.", "shadowed-name")
    inside = f" inside your `{where}`, which it calls" if where else ""
    mistake, advice = next(((i, f" {a}") for sign, i, a in KNOWN_ERRORS if sign in text),
                           (None, ""))
    lengths = re.search(r"\(size (\d+) is different from (\d+)\)", text)
    if lengths:
        text = f"the inner lengths of a matrix product do not fit: {lengths[2]} and {lengths[1]}"
    return Difference("raised", f"It raised {type(error).__name__}{inside}: {text}{line}{advice}",
                      mistake)


def _safe_text(error):
    try:
        text = " ".join(str(error).split())
    except BaseException:  # an exception of the student's own making
        text = ""
    return re.sub(r"0x[0-9a-fA-F]+", "0x…", text)[:200]


def _line_of(function, error):
    """Return the student's line on which the error came up, and whose line it is."""
    code = getattr(function, "__code__", None)
    space = getattr(function, "__globals__", None)
    own = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)
           if frame.f_code is code or (space is not None and frame.f_globals is space)
           or frame.f_globals.get("__name__", "").startswith("notebook ")]
    if not own:
        return "", None
    frame, number = own[-1]
    name = frame.f_code.co_name
    where = name if name in frame.f_globals and frame.f_code is not code else None
    source = linecache.getline(frame.f_code.co_filename, number).strip()
    return (f" (in the line `{source[:100]}`)" if source else ""), where


def _shadowed(function):
    code, space = getattr(function, "__code__", None), getattr(function, "__globals__", {})
    for name in getattr(code, "co_names", ()):
        if name in space and hasattr(builtins, name) and not callable(space[name]):
            return name
        if name == "np" and space.get("np", np) is not np:
            return name
    return None
