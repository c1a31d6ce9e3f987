"""The store: answers that passed are kept, whatever happens to the kernel and to the notebook."""

from __future__ import annotations

import json
import linecache
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from test_answers import SIGMOID, STUB, notebook

from helpers.checks import CheckFailed, lesson_01, mine, progress, recall, skip, summary
from helpers.checks.exercise import RECORD
from helpers.memory import store
from helpers.memory.keep import NotKept, source_of

ROOT = Path(__file__).parents[1]


class Kernel(dict):
    """The names of a kernel, in which cells are run as IPython does."""

    def run(self, *cells):
        self.update(__name__="__main__", np=np)
        for source in cells:
            source = textwrap.dedent(source)
            name = f"<cell {len(linecache.cache)} of {id(self)}>"
            self.setdefault("In", []).append(source)
            linecache.cache[name] = (len(source), None, source.splitlines(True), name)
            exec(compile(source, name, "exec", dont_inherit=True), self)
        return self


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a student's folder, in which lesson 01 was never saved."""
    monkeypatch.chdir(tmp_path)
    RECORD.clear()
    store.SAID.clear()
    notebook(tmp_path / "01_forward_pass.ipynb", ["import numpy as np", ("01-sigmoid", STUB)])
    return tmp_path


def check_sigmoid(source=SIGMOID):
    lesson_01.sigmoid(Kernel().run(source)["sigmoid"])


def test_an_answer_that_passes_comes_along_without_a_saved_notebook(folder, capsys):
    check_sigmoid()
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]
    assert "Your own `sigmoid`, as it passed its check." in capsys.readouterr().out
    text = (folder / ".course/answers/01-sigmoid.py").read_text(encoding="utf-8")
    assert text.startswith("# Exercise 01-sigmoid: your answer, as it passed its check on ")
    assert "import numpy as np\n\n\ndef sigmoid(z):" in text


def test_the_newest_version_that_passed_counts(folder, capsys):
    check_sigmoid("def sigmoid(z):\n    'old'\n    return 1 / (1 + np.exp(-z))")
    check_sigmoid("def sigmoid(z):\n    'new'\n    return 1 / (1 + np.exp(-z))")
    with pytest.raises(CheckFailed):
        check_sigmoid("def sigmoid(z):\n    return z")
    assert mine("01-sigmoid").__doc__ == "new"
    capsys.readouterr()
    with pytest.raises(CheckFailed):
        check_sigmoid(STUB)  # the notebook was not saved
    assert 'import mine; sigmoid = mine("01-sigmoid")`' in capsys.readouterr().out


def test_outcomes_and_mistakes_are_counted_and_a_check_of_the_next_day_counts_none_anew(folder):
    mirrored = SIGMOID.replace("-z", "z")
    for source in (mirrored, mirrored, SIGMOID, mirrored, mirrored, STUB):
        try:
            check_sigmoid(source)
        except CheckFailed:
            pass
    row = store.records()["01-sigmoid"]
    assert (row["outcome"], row["last"], row["checks"]) == ("correct", "not attempted", 6)
    assert row["mistakes"] == {"mirrored": 2} and row["time"][:2] == "20"


@pytest.mark.parametrize("cells", [
    ["ONE = 1\nTWO = np.float64(2.0)", "def grow(z):\n    return ONE + np.exp(-z)",
     "def sigmoid(z):\n    return TWO / 2 / grow(z)"],
    ["def grow(z): return np.exp(-z)",
     "TABLE = {'grow': grow, 'abs': np.abs, 'id': lambda z: z, 'rows': [(1,), set(), None]}",
     "def sigmoid(z):\n    return 1 / (1 + TABLE['id'](TABLE['grow'](z)))"],
    ["class Base:\n    one = 1", "class P(Base):\n    def grow(self, z):\n        return exp(-z)",
     "from numpy import exp", "def sigmoid(z):\n    return 1 / (P.one + P().grow(z))"],
    ["import functools", "def say(f):\n    @functools.wraps(f)\n    def g(z):\n"
     "        return f(z)\n    return g", "@say\n" + SIGMOID],
    ["sigmoid = lambda z, one=1: one / (one + np.exp(-z))"],
    ["ONES = np.array([[1.0, np.inf]])",
     "def sigmoid(z):\n    return ONES[0, 0] / (1 + np.exp(-z))"],
    ["def sigmoid(z):\n    return np.exp(-z)\nold = sigmoid",
     "def sigmoid(z):\n    return 1 / (1 + old(z))"],
    ["def fraction(z):\n    return 1 / (1 + np.exp(-z))\nsigmoid = fraction"],
    ["if True:\n    def sigmoid(z):\n        return 1 / (1 + np.exp(-z))"],
    ["def even(n):\n    return n == 0 or odd(n - 1)", "def odd(n):\n    return not even(n)",
     "def sigmoid(z):\n    even(0)\n    return 1 / (1 + np.exp(-z))"],
])
def test_an_answer_is_kept_with_all_that_it_needs(folder, cells):
    lesson_01.sigmoid(Kernel().run(*cells)["sigmoid"])
    text = (folder / ".course/answers/01-sigmoid.py").read_text(encoding="utf-8")
    space = {"__name__": "alone"}
    exec(text, space)
    assert space["sigmoid"](np.zeros(1)).tolist() == [0.5]
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]
    RECORD.clear()
    lesson_01.sigmoid(mine("01-sigmoid"))
    assert (folder / ".course/answers/01-sigmoid.py").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("cells, said", [
    (["ones = np.ones(300)", "def sigmoid(z):\n    return ones[0] / (1 + np.exp(-z))"],
     "it depends on `ones`, which is data of this notebook"),
    (["def make():\n    one = 1\n    def sigmoid(z):\n        return one / (1 + np.exp(-z))\n"
      "    return sigmoid", "sigmoid = make()"], "`sigmoid` was made inside another function"),
    (["class C:\n    def __call__(self, z):\n        return 1 / (1 + np.exp(-z))",
      "sigmoid = C()"], "it is no function written in this notebook"),
    (["class C:\n    def __getattr__(self, name):\n        raise KeyError", "odd = C()",
      "def sigmoid(z):\n    odd\n    return 1 / (1 + np.exp(-z))"],
     "KeyError while it was written"),
    (["rows = []", "rows.append(rows)",
      "def sigmoid(z):\n    rows\n    return 1 / (1 + np.exp(-z))"],
     "RecursionError while it was written"),
])
def test_an_answer_that_depends_on_data_is_not_kept_and_that_is_said_once(
        folder, capsys, cells, said):
    sigmoid = Kernel().run(*cells)["sigmoid"]
    for _ in range(2):
        lesson_01.sigmoid(sigmoid)
    assert capsys.readouterr().out.count(f"Not kept for later lessons: {said}.") == 1
    assert not (folder / ".course/answers/01-sigmoid.py").exists()
    assert store.records()["01-sigmoid"]["outcome"] == "correct"


def test_an_answer_built_on_others_says_where_they_come_from(folder):
    notebook(folder / "02_backpropagation.ipynb", [])
    check_sigmoid()
    kernel = Kernel(sigmoid=mine("01-sigmoid"), forward=skip("01-forward"))
    kernel.run("def sigmoid_prime(z):\n    forward\n    s = sigmoid(z)\n    return s * (1 - s)")
    text = source_of({"sigmoid_prime": kernel["sigmoid_prime"]})
    assert 'sigmoid = _kept("01-sigmoid", "sigmoid")' in text and "np" not in text
    assert 'forward = _borrowed("01-forward", "forward")' in text
    space = {}
    exec(text, space)
    assert space["sigmoid_prime"](np.zeros(1)).tolist() == [0.25]
    assert space["forward"].skipped_exercise == "01-forward"


def test_an_answer_that_was_kept_before_the_course_moved_its_modules_comes_along(folder):
    check_sigmoid()
    store.write(store.answer_file("01-forward", folder / ".course"),
                "# kept\n\nfrom helpers.checks.answers import kept as _kept\n"
                'sigmoid = _kept("01-sigmoid", "sigmoid")\n'
                "def forward(X_b, W1, W2):\n    Z1 = X_b @ W1\n    A1 = sigmoid(Z1)\n"
                "    return Z1, A1, W2[:1] + A1 @ W2[1:]\n")
    assert mine("01-forward")(np.ones((2, 2)), np.ones((2, 1)), np.ones((2, 1)))[2].shape == (2, 1)


def test_a_notebook_that_was_changed_since_is_said(folder, capsys):
    check_sigmoid()
    for source, said in ((SIGMOID, 0), ("def sigmoid(z):\n    return z", 1)):
        notebook(folder / "01_forward_pass.ipynb", ["import numpy as np", ("01-sigmoid", source)])
        os.utime(folder / "01_forward_pass.ipynb", (time.time() + 10,) * 2)
        assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]
        assert capsys.readouterr().out.count("as last saved, holds another version: run") == said


@pytest.mark.parametrize("name", ["solutions", "notebooks", "no-notebook-here", "grader"])
def test_nothing_is_kept_where_nothing_is_to_be_kept(folder, monkeypatch, name):
    (folder / name).mkdir()
    if name != "no-notebook-here":
        notebook(folder / name / "01_forward_pass.ipynb", [])
    if name == "grader":
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    monkeypatch.chdir(folder / name)
    check_sigmoid()
    store.write_record("predictions", "02-angle", dict)
    assert not (folder / name / ".course").exists() and store.records() == {}


def test_where_nothing_can_be_written_that_is_said_once_and_the_check_goes_on(folder, capsys):
    (folder / ".course").write_text("a file in the way")
    check_sigmoid()
    check_sigmoid()
    assert capsys.readouterr().out.count("Nothing can be kept in `.course`") == 1


def test_a_store_of_another_version_is_left_alone_and_that_is_said(folder, capsys):
    (folder / ".course").mkdir()
    (folder / ".course/about.txt").write_text("format 99\n")
    check_sigmoid()
    assert [path.name for path in (folder / ".course").iterdir()] == ["about.txt"]
    assert "another version of the course (format 99)" in capsys.readouterr().out
    with pytest.raises(CheckFailed):
        mine("01-sigmoid")  # the saved notebook holds the stub
    skip("01-sigmoid")


def test_a_store_that_is_deleted_or_damaged_does_no_harm(folder):
    check_sigmoid()
    notebook(folder / "01_forward_pass.ipynb", ["import numpy as np", ("01-sigmoid", SIGMOID)])
    for path in (folder / ".course").rglob("*.*"):
        path.write_bytes(b"\0 def ((" if path.suffix == ".py" else b"")
    (folder / ".course/about.txt").write_bytes(b"")  # as after a loss of power
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]
    for path in sorted((folder / ".course").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (folder / ".course").rmdir()
    check_sigmoid()
    assert store.records()["01-sigmoid"]["outcome"] == "correct"


@pytest.mark.parametrize("text", ["", "[]", '{"outcome": ', "\0"])
def test_records_that_are_damaged_do_no_harm(folder, text):
    check_sigmoid()
    for name in ("progress/01-sigmoid", "progress/99-new", "predictions/a", "recall/01"):
        (folder / ".course" / name).parent.mkdir(exist_ok=True)
        (folder / ".course" / f"{name}.json").write_text(text)
    for ask in (progress, lambda: progress("all"), summary, lambda: recall("02"), check_sigmoid):
        ask()
    assert (folder / "what-i-built.html").exists()


def test_the_summary_is_not_written_over_a_notebook(folder, capsys):
    before = (folder / "01_forward_pass.ipynb").read_bytes()
    summary("01_forward_pass.ipynb")
    assert (folder / "01_forward_pass.ipynb").read_bytes() == before
    assert "must end with .html" in capsys.readouterr().out


def in_process(folder, code):
    return subprocess.Popen([sys.executable, "-c", code], cwd=folder,
                            env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_a_kernel_that_is_killed_while_it_writes_leaves_the_old_answer(folder, monkeypatch):
    file = store.answer_file("01-sigmoid", folder / ".course")
    store.write(file, "old")
    killed = in_process(folder, "import os, signal\nfrom pathlib import Path\n"
                                "from helpers.memory import store\n"
                                "os.replace = lambda *a: os.kill(os.getpid(), signal.SIGKILL)\n"
                                f"store.write(Path({str(file)!r}), 'new')")
    assert killed.wait(60) != 0 and file.read_text() == "old"
    assert len(list(file.parent.glob("*.tmp"))) == 1
    monkeypatch.setattr(store, "STALE", -1)
    store.write(file, "newer")
    assert file.read_text() == "newer" and not list(file.parent.glob("*.tmp"))


def test_two_notebooks_that_write_at_once_do_no_harm(folder):
    code = ("from pathlib import Path\nfrom helpers.memory import store\n"
            "for n in range(200):\n"
            "    store.write(Path('.course/answers/x.py').resolve(), '{0}' * 5000)\n"
            "    store.write_record('progress', 'x', lambda row: {{'n': row.get('n', 0) + 1}})")
    writers = [in_process(folder, code.format(letter)) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        for path in folder.glob(".course/*/x.*"):
            text = path.read_text(encoding="utf-8")
            seen.add(text if path.suffix == ".py" else json.loads(text)["n"] <= 400)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {"a" * 5000, "b" * 5000, True} and not list(folder.rglob("*.tmp"))
    assert json.loads((folder / ".course/progress/x.json").read_text())["n"] == 400


def test_a_kernel_that_is_killed_while_it_counts_holds_nobody_up(folder):
    (folder / ".course/progress").mkdir(parents=True)
    (folder / ".course/progress/.01-sigmoid.lock").touch()
    check_sigmoid()
    assert store.records()["01-sigmoid"]["checks"] == 1
    assert not list(folder.rglob(".*.lock"))


def test_a_write_that_fails_leaves_nothing_behind(folder, monkeypatch):
    def full(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        store.write(folder / ".course/answers/x.py", "new")
    assert not list(folder.rglob("*.tmp"))


def test_a_real_kernel_keeps_what_stands_in_its_cells(folder):
    cells = ["import numpy as np", "class One:\n    one = 1",
             "%time\ndef sigmoid(z):\n    return One.one / (1 + np.exp(-z))",
             "from helpers.checks import lesson_01 as check\ncheck.sigmoid(sigmoid)"]
    document = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(document, kernel_name="python3").execute(cwd=str(folder))
    assert mine("01-sigmoid")(np.zeros(1)).tolist() == [0.5]
    text = (folder / ".course/answers/01-sigmoid.py").read_text(encoding="utf-8")
    assert "class One:" in text and "%time" not in text


def test_what_is_no_function_cannot_be_written_down():
    with pytest.raises(NotKept):
        source_of({"x": 3})
