"""What a student's function raised, in words that help."""

from __future__ import annotations

import builtins
import linecache
import re
import traceback
from collections import Counter
from typing import Any

import numpy as np

from helpers.checks.compare import Difference
from helpers.checks.sandbox import TimeUp

# A part of an exception's text, the id of the mistake behind it, what to tell the student.
KNOWN_ERRORS = (
    ("bitwise_xor", "xor", "In Python `^` is no power; a power is written `**`."),
    ("operand type(s) for ^", "xor", "In Python `^` is no power; a power is written `**`."),
    ("'Descent' object is not callable", "optimizer-for-loss",
     "The optimizer stands where the loss function belongs: is each call handed what it takes, and "
     "in its order, loss function first?"),
    ("object is not callable", "call-for-product",
     "A name with parentheses behind it is a call: is a `*` missing before them, or are square "
     "brackets wanted, or the name of a method?"),
    ("truth value of an array", "one-truth-for-an-array",
     "`max`, `if`, `and`, `or`, `not` and chains such as `a < b < c` or `a > b == c` want one "
     "truth value. For arrays there are `np.maximum`, `np.where`, `&`, `|` and `~`, with "
     "parentheses around each comparison."),
    ("arrays used as indices must be of integer", "index-not-whole",
     "Whole numbers, such as classes, are wanted as indices; decimals came. One-hot rows become "
     "classes by `argmax(axis=1)`. Or have labels and predictions changed places in a call? Labels "
     "come first."),
    ("shape mismatch: indexing arrays", "index-lengths",
     "Two index arrays differ in length: are there as many row numbers as labels, and is there one "
     "label for each sample? One-hot rows become classes by `argmax(axis=1)`."),
    ("can be converted to Python scalars", "math-of-an-array",
     "`float` and the functions of `math` take one number. NumPy's functions of the same name, "
     "such as `np.exp`, take arrays."),
    ("only integers, slices (`:`)", "array-for-dict",
     "An array stands where a dict is wanted, or an index is no whole number. Is each call handed "
     "what it takes, and in its order?"),
    ("object has no attribute 'items'", "no-dict",
     "Something else stands where a dict is wanted. Is each call handed what it takes, and in its "
     "order?"),
    ("dtype('<U", "dict-unpacked",
     "Text came where numbers are wanted. Unpacking a dict gives its keys, which are text: take "
     "the arrays out by their names, as in `params[\"W1\"]`."),
    ("have the same dtype", "mixed-dtypes",
     "One of the two is float64, as NumPy makes them, the other float32, as PyTorch does. In this "
     "course all are float64: `dtype=torch.float64`."),
    ("call numpy() on Tensor that requires grad", "detach-missing",
     "A tensor with a gradient has to leave the graph first: `detach()`."),
    ("does not require grad and does not have a grad_fn", "no-graph",
     "There is no way back from it to a parameter: does one of them have `requires_grad=True`, and "
     "has nothing cut the graph (`detach`, `item`, `no_grad`)?"),
    ("backward through the graph a second time", "graph-used-twice",
     "A graph serves one `backward()`: compute the loss anew for each step."),
    ("'NoneType' object has no attribute 'numpy'", "grad-is-none",
     "A `.grad` is `None` where nothing has come back to a tensor: it plays no part in the loss, "
     "or `backward()` has not run."),
    ("object has no attribute 'backward'", "backward-of-a-number",
     "Only a tensor that remembers its graph has `backward`: call it first, take the number out "
     "afterwards."),
    ("the context manager protocol", "with-without-call",
     "`with` wants what a call makes: `torch.no_grad()`, with its parentheses."),
    ("before Module.__init__() call", "super-init-missing",
     "`super().__init__()` comes first in `__init__`."),
    ("size mismatch for", "state-mismatch",
     "An array of the state has another shape than the layer's own: are the layers made from the "
     "shapes in `params`, inputs first, then outputs, and is each weight (out, in)?"),
    ('Missing key(s) in state_dict: "output.bias"', "bias-not-in-state",
     "This `params` has no `b2`, so the state has no `output.bias`, and the layer waits for one: "
     "`nn.Linear` takes an argument `bias`."),
    ('key(s) in state_dict: "W1"', "own-names-in-state",
     "The state has the names of `params`. Your `to_state` gives the arrays PyTorch's names."),
    (': Unexpected key(s) in state_dict: "hidden', "layers-not-found",
     "The network has no layer `hidden`. Layers are attributes of `self`, none of them in a "
     "list, made in `__init__` (two underscores on either side)."),
    ("key(s) in state_dict", "state-names",
     "The names in the state and those of the layers differ: the layers are called `hidden` and "
     "`output`, and each has a bias where the state has one, and only there."),
    ("Tensor-like object from checkpoint", "arrays-in-state",
     "A state that is loaded holds tensors: `torch.from_numpy` of each array."),
    ("leaf Variable that requires grad", "in-place-on-leaf",
     "A parameter is changed in place while PyTorch is recording: do that under "
     "`torch.no_grad()`."),
    ("'NoneType' object is not iterable", "none-to-go-through",
     "Here `None` came where values are wanted. Functions without `return` give it, and so do "
     "methods that change a list in place: after `order.reverse()`, use `order`; `reversed(order)` "
     "can be gone through at once."),
    ("object is not subscriptable", "not-subscriptable",
     "Square brackets stand behind something that has no entries. Is each call handed what it "
     "takes, and in its order, and does each function return something? (`shuffle` changes in "
     "place and returns `None`; `permutation` returns.)"),
    ("'function' object has no attribute", "function-for-array",
     "A function stands where an array is wanted: is each call handed what it takes, and in its "
     "order?"),
    ("cannot access local variable", "local-name",
     "A name that is given a value inside a function means that value in all its lines. If it is "
     "the name of a function too, call the value something else."),
    ("as a data type", "shape-in-two",
     "A shape of two numbers is one argument: it needs parentheses of its own, as in "
     "`np.zeros((H, K))`."),
    ("can't optimize a non-leaf", "parameter-computed",
     "What is computed from a parameter is none itself. Copy first, `requires_grad_()` last."),
    ("cannot unpack non-iterable", "one-for-several",
     "Several names stand on the left, and what came for them is one thing."),
    ("numpy.float64' object has no attribute 'value'", "array-for-node",
     "A plain number came where a node is wanted: was it computed from arrays, not from nodes?"),
    ("numpy.float64' object has no attribute 'parents'", "array-for-node",
     "A plain number came where a node is wanted: was it computed from arrays, not from nodes?"),
    ("keyword argument 'keepdim'", "keepdims", "NumPy's name for it has an s: `keepdims`."),
    ("'NoneType' object has no attribute 'append'", "append-returns-none",
     "`append` changes the list itself and returns `None`: write it without an `=` before it."),
)


def explain(name: str, function: Any, error: BaseException, ended: bool = False) -> Difference:
    """Say what a student's function raised, on which line of whose, and why if that is known.

    `ended` says that calls with other arguments did come to an end.
    """
    if isinstance(error, TimeUp):
        return Difference("raised", f"`{name}` did not come to an end and was stopped. Is there a "
                          "loop or a call that never finishes?", "endless")
    if isinstance(error, RecursionError):
        who = _most_often(error) or name
        if ended:
            return Difference("raised", f"`{who}` calls itself too deep here: Python stops it "
                              "after some thousand calls inside one another. With smaller "
                              "arguments it came to an end.", "too-deep")
        return Difference("raised", f"`{who}` calls itself again and again, and was stopped. Is "
                          "there a case in which it does not?", "endless")
    line, where = _line_of(function, error)
    text = _safe_text(error)
    shadowed = _shadowed(function) if isinstance(error, (TypeError, AttributeError)) else None
    if shadowed:
        return Difference("raised", f"{type(error).__name__}: {text}{line} The name `{shadowed}` "
                          f"is a variable of yours that hides the real `{shadowed}`: rename it, "
                          "then restart the kernel.", "shadowed-name")
    inside = f" inside your `{where}`, which it calls" if where else ""
    mistake, advice = next(((i, a) for sign, i, a in KNOWN_ERRORS if sign in text),
                           (None, ""))
    lengths = _inner_lengths(text)
    if lengths:
        text = f"the inner lengths of a matrix product do not fit: {lengths[0]} and {lengths[1]}"
    if isinstance(error, KeyError) and error.args and not isinstance(
            error.args[0], (str, int, float, tuple)):
        text = f"the dict has no entry for this {type(error.args[0]).__name__}"
    if isinstance(error, KeyError) and not advice:
        mistake, advice = _nearly_a_key(error)
    raised = f"It raised {type(error).__name__}{inside}{f': {text}' if text else ''}{line}"
    stop = "" if raised.endswith((".", "?", "!")) else "."
    return Difference("raised", f"{raised}{stop} {advice}" if advice else raised, mistake)


def same_error(error: BaseException | None, other: BaseException | None) -> bool:
    """Whether two errors are of one type and say the same.

    `np.dot` and `@` say of lengths that do not fit what the other says in other words; of two
    shapes that do not broadcast it plays no part which one stands first.
    """
    if type(error) is not type(other):
        return False
    if isinstance(error, RecursionError):
        return True
    texts = str(error), str(other)
    lengths, shapes = map(_inner_lengths, texts), map(_shapes, texts)
    return texts[0] == texts[1] or any(a == b and a for a, b in (lengths, shapes))


def _inner_lengths(text):
    """Return the two lengths of which an error of `@` or `np.dot` says that they do not fit."""
    found = re.search(r"\(size (\d+) is different from (\d+)\)", text)
    if found:
        return found[2], found[1]
    found = re.search(r"not aligned: (\d+) \(dim \d+\) != (\d+) \(dim \d+\)", text)
    return found and (found[1], found[2])


def _shapes(text):
    """Return the shapes, in order of size, of which an error says that they do not broadcast."""
    found = re.search(r"broadcast together with shapes ((?:\([\d,]*\) ?)+)", text)
    return found and sorted(found[1].split())


def _nearly_a_key(error):
    """Return (id, advice) where a dict at hand has the missing key in another spelling."""
    last = [frame for frame, _ in traceback.walk_tb(error.__traceback__)][-1:]
    dicts = {name: value for frame in last for name, value in frame.f_locals.items()
             if type(value) is dict}
    missing = error.args[0] if error.args else None
    for name, value in dicts.items():
        if missing in value:
            return "key-missing", (f"`{name}` has that key; the dict in this line has not, or not "
                                   "yet.")
    for key in {key for value in dicts.values() for key in value if isinstance(key, str)}:
        if _plainly(key) and isinstance(missing, str) and _plainly(key) == _plainly(missing):
            return "key-spelt", f"There is a key '{key}': capitals and underscores count."
    return None, ""


def _plainly(key):
    return key.replace("_", "").lower()


def _most_often(error):
    """Return the name of the function that a recursion has called most often."""
    names = Counter(frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__))
    name = names.most_common(1)[0][0] if names else ""
    return name if name.isidentifier() else None


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
    while name in ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>") and frame.f_back:
        name, frame = frame.f_back.f_code.co_name, frame.f_back  # what it stands in
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
