"""Write the page of all mistakes, ids and messages: ``python -m helpers.checks.page``."""

from __future__ import annotations

import importlib
from pathlib import Path

from helpers.checks.exercise import exercises

HERE = Path(__file__).parent
PAGE = HERE / "MISTAKES.md"
GENERAL = {
    "not-a-function": "a value came where the function itself was wanted",
    "wrong-number-of-functions": "a check of several functions got too few or too many",
    "wrong-signature": "the function does not take the exercise's arguments",
    "no-notebook": "`mine`: no notebook in this folder has the exercise",
    "cannot-be-read": "`mine`: the function cannot be loaded from its notebook",
    "no-solutions": "`skip`: the folder with the solutions is not there",
    "uses-…": "an earlier function, which this one calls, is not right (its exercise follows)",
    "uses-notebook-data": "the function reads data of the notebook instead of its arguments",
    "shadowed-name": "a variable of the notebook hides `sum`, `np` or another name",
    "endless": "a loop or a recursion never ends and was stopped",
    "too-deep": "a recursion that ends with smaller arguments is too deep for Python",
    "table-not-run": "the cell with a table of functions has not been run",
    "table-entry-wrong": "a table of functions holds another function or an older one",
    "xor": "`^` was meant as a power",
    "call-for-product": "a value is called: a `*`, square brackets or a method's name is missing",
    "optimizer-for-loss": "PyTorch: the optimizer stands where the loss function belongs",
    "index-not-whole": "an index array is not made of whole numbers",
    "index-lengths": "two index arrays differ in length",
    "dict-unpacked": "the keys of a dict, which are text, are used as arrays",
    "one-truth-for-an-array": "`max`, `if`, `and`, `or` or `not` got an array",
    "mixed-dtypes": "PyTorch: float32 and float64 meet",
    "detach-missing": "PyTorch: `numpy()` of a tensor that has a gradient",
    "no-graph": "PyTorch: no way back from the loss to a parameter",
    "graph-used-twice": "PyTorch: `backward()` twice through one graph",
    "grad-is-none": "PyTorch: a `.grad` is None",
    "backward-of-a-number": "PyTorch: `backward` of what is no tensor",
    "with-without-call": "`with` of a class: parentheses are missing",
    "super-init-missing": "PyTorch: a module without `super().__init__()`",
    "state-mismatch": "PyTorch: an array of a state has another shape than the layer's",
    "bias-not-in-state": "PyTorch: a layer waits for a bias that the state has not",
    "own-names-in-state": "PyTorch: a state with the names of `params`",
    "layers-not-found": "PyTorch: the network has no layer of the name in the state",
    "state-names": "PyTorch: the names in the state are not those of the layers",
    "arrays-in-state": "PyTorch: arrays where a state wants tensors",
    "in-place-on-leaf": "PyTorch: a parameter changed in place while it records",
    "math-of-an-array": "`float` or a function of `math` got an array",
    "array-for-dict": "an array is indexed with a name or a decimal number",
    "no-dict": "`.items()` of something that is no dict",
    "none-to-go-through": "`None` came where a list or several values are wanted",
    "not-subscriptable": "square brackets stand behind a number, a function or `None`",
    "function-for-array": "a function stands where an array is wanted",
    "local-name": "a value inside a function has the name of a function that is called there",
    "shape-in-two": "a shape of two numbers is handed over as two arguments",
    "parameter-computed": "PyTorch: what the optimizer gets is computed from a parameter",
    "key-missing": "a key is in another dict at hand, and not in this one",
    "key-spelt": "a key is spelt with other capitals or underscores",
    "one-for-several": "one thing came for several names on the left of `=` or after `for`",
    "array-for-node": "a number computed from plain arrays came where a node is wanted",
    "keepdims": "`keepdims` is written without its s",
    "append-returns-none": "what `append` returns, `None`, is given the name of the list",
    "returns-none": "nothing is returned",
    "part-is-none": "a part of what is returned is `None`",
    "returns-list": "a list came where an array was wanted",
    "wrong-type": "something other than a number or an array came",
    "wrong-number-of-values": "too few or too many values are returned",
    "missing-key": "a key is missing in a returned dict",
    "not-a-dict": "no dict came where one was wanted",
    "not-a-list": "no list came where a list of arrays was wanted",
    "wrong-number-of-arrays": "a list of arrays is too long or too short",
    "wrong-dtype": "the dtype differs",
    "float32": "the result is float32",
    "complex": "the result is complex",
    "cannot-be-compared": "looking at the result raised an error",
    "nearly-right": "right to some digits: rounded, float32 inside, or measured",
    "all-zero": "zero everywhere",
    "sign-flipped": "−1 times the right values",
    "times-…, divided-by-…, times-2, halved, minus-…": "times or divided by a size",
    "constant-factor": "the right values times another number",
    "transposed": "the transpose of the right array",
    "rows-permuted, columns-permuted": "the right rows or columns in another order",
    "one-row-only, one-column-only": "zero but for one row or column, which is right",
    "changes-arguments": "the values are right, but an argument is changed",
    "not-repeatable": "a second call with the same arguments gives something else",
    "leaves-marks": "a second call on the same object does: the first has left something in it",
    "integer-input": "right for floats, wrong for the same numbers as integers",
}


def page() -> str:
    """Return the page as Markdown: the general mistakes, then those of each exercise."""
    lines = ["# What the checks say", "",
             "Every mistake that the checks know, by its id. Generated by",
             "`python -m helpers.checks.page`; do not edit. Where the general part finds one,",
             "its words depend on the values; below is what it means.", "",
             "## In general", "", *_table(GENERAL.items())]
    for path in sorted(HERE.glob("lesson_*.py")):
        lines += ["", f"## Lesson {path.stem[-2:]}"]
        for exercise in exercises(importlib.import_module(f"helpers.checks.{path.stem}")):
            for part in exercise.parts:
                lines += ["", f"### {exercise.id}: `{part.name}`", "",
                          *_table((m.id, m.message) for m in part.mistakes)]
    return "\n".join(lines) + "\n"


def _table(rows):
    unique = dict.fromkeys((name, text.replace("|", "\\|")) for name, text in rows)
    return ["| id | message |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in unique)]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
