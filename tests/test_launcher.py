"""The launcher: course.py, installer.py and work_folder.py, in a copy of the course.

Recorders stand in for pip and JupyterLab.
"""

import ast
import errno
import importlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import types
from collections import namedtuple
from pathlib import Path

import pytest
from test_work_folder import RELEASED, alter, checked

import work_folder

ROOT = Path(__file__).parent.parent
LAUNCHER = ("course", "installer", "work_folder")
WINDOWS = os.name == "nt"
posix_only = pytest.mark.skipif(WINDOWS, reason="about signals as POSIX has them")

# Stands in for pip, jupyterlab, pytest: writes down how it was called, and does as it is told.
RECORDER = """\
import json, os, pathlib, sys, time
name = pathlib.Path(__file__).parent.name
def note(name):
    with open(os.environ["CALLS"], "a") as stream:
        stream.write(json.dumps([name, sys.argv[1:], os.getcwd()]) + "\\n")
try:
    note(name)
    time.sleep(float(os.environ.get("SLEEP_" + name, 0)))
except KeyboardInterrupt:
    time.sleep(1)  # cleaning up takes a moment
    note(name + " cleaned up")
    sys.exit(1)
sys.exit(int(os.environ.get("EXIT_" + name, 0)))
"""


FreeSpace = namedtuple("FreeSpace", "free")


class Course:
    """A copy of the course in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.calls_file = folder.parent / "calls"
        folder.mkdir()
        files = [f"{name}.py" for name in LAUNCHER]
        for name in (*files, "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder / name)
        (folder / "helpers").mkdir()
        (folder / "helpers" / "__init__.py").write_text("", encoding="utf-8")
        shutil.copy(ROOT / "helpers" / "notebook.py", folder / "helpers")
        (folder / "notebooks").mkdir()
        shutil.copy(RELEASED, folder / "notebooks" / "02_toy.ipynb")
        (folder / "release.py").write_text(RECORDER, encoding="utf-8")

    @property
    def stamp(self):
        return self.folder / ".venv" / "course-stamp.json"

    @property
    def python(self):
        names = ("Scripts", "python.exe") if WINDOWS else ("bin", "python")
        return self.folder.joinpath(".venv", *names)

    @property
    def packages(self):
        pattern = "Lib/site-packages" if WINDOWS else "lib/python*/site-packages"
        return next((self.folder / ".venv").glob(pattern))

    def make_venv(self, pip=True):
        """Make a .venv with the recorders in it; PyTorch seems to be there."""
        venv = self.folder / ".venv"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        for name in ("pip", "jupyterlab", "pytest"):
            if pip or name != "pip":
                (self.packages / name).mkdir()
                (self.packages / name / "__init__.py").write_text("", encoding="utf-8")
                (self.packages / name / "__main__.py").write_text(RECORDER, encoding="utf-8")
        (self.packages / "torch-2.13.0.dist-info").mkdir()
        if pip:
            (self.packages / "pip-1.dist-info").mkdir()
            (self.packages / "pip-1.dist-info" / "RECORD").write_text("", encoding="utf-8")

    def environment(self, **settings):
        left_out = ("PYTHONWARNINGS", "JUPYTERHUB_SERVICE_PREFIX")
        inherited = {k: v for k, v in os.environ.items() if k not in left_out}
        return {**inherited, "CALLS": str(self.calls_file), **settings}

    def run(self, *arguments, python=sys.executable, cwd=None, answer="", **settings):
        return subprocess.run(
            [python, str(self.folder / "course.py"), *arguments],
            cwd=cwd or self.folder.parent,
            env=self.environment(**settings),
            input=answer,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def calls(self, name):
        """Return the arguments of each call of a recorder, oldest first."""
        lines = self.calls_file.read_text().splitlines() if self.calls_file.exists() else []
        return [arguments for who, arguments, _ in map(json.loads, lines) if who == name]


@pytest.fixture
def plain(tmp_path):
    """A course as it comes from a clone, in a folder with spaces."""
    return Course(tmp_path / "my course")


@pytest.fixture
def made(plain):
    """The same with a .venv whose set-up is not finished."""
    plain.make_venv()
    return plain


@pytest.fixture
def module(plain, monkeypatch):
    """The copy's course.py; the two others are its `installer` and `work_folder`."""
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    monkeypatch.delenv("JUPYTERHUB_SERVICE_PREFIX", raising=False)
    for name in LAUNCHER:
        importlib.import_module(name)  # the one beside this folder: it is back after the test
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(plain.folder)
    return importlib.import_module("course")


OLD_PYTHONS = [f"python{version}" for version in ("2.7", "3.6", "3.8", "3.9", "3.10")]


def old_python(name):
    """Return a Python of an old version, or skip where this machine has none."""
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{name[6:]}.*/bin/{name}"))
    path = str(pyenv[-1]) if pyenv else shutil.which(name)
    if path is None or subprocess.run([path, "-c", ""], capture_output=True).returncode != 0:
        pytest.skip(f"no {name} on this machine")
    return path


# ---- old Pythons


@pytest.mark.parametrize("name", OLD_PYTHONS)
def test_old_python_is_told_and_makes_nothing(plain, name):
    before = sorted(plain.folder.rglob("*"))
    result = plain.run("lab", python=old_python(name))
    assert result.returncode == 1
    assert "needs Python 3.11 or newer; this is Python " + name[6:] in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(plain.folder.rglob("*")) == before


def test_source_holds_nothing_that_an_old_python_cannot_read():
    source = (ROOT / "course.py").read_bytes()
    source.decode("ascii")
    for node in ast.walk(ast.parse(source, feature_version=(3, 6))):
        assert not isinstance(node, (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal))
        assert not (isinstance(node, ast.arg) and node.annotation)
        assert not (isinstance(node, ast.arguments) and (node.kwonlyargs or node.posonlyargs))
        assert not (isinstance(node, ast.Raise) and node.cause)


def test_an_old_python_imports_only_what_it_has():
    tree = ast.parse((ROOT / "course.py").read_text())
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = [getattr(node, "module", None) or node.names[0].name for node in imports]
    before_the_version_is_checked = ["__future__", "errno", "os", "shutil", "signal", "sys"]
    assert names == [*before_the_version_is_checked, "installer", "work_folder", "installer"]


# ---- arguments


@pytest.mark.parametrize("arguments", [[], ["--help"], ["help"]])
def test_help(plain, arguments):
    result = plain.run(*arguments)
    assert result.returncode == 0
    for command in ("lab", "fresh", "forget", "test", "release", "setup"):
        assert f"\n  {command} " in result.stdout
    assert not (plain.folder / ".venv").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["labb"], "no command 'labb'"),
        (["lab", "7"], "no lesson '7'. The lessons are: 02_toy."),
        (["fresh", "backprop"], "no lesson 'backprop'. The lessons are: 02_toy."),
        (["fresh"], "takes one lesson"),
        (["fresh", "02", "03"], "takes one lesson"),
        (["setup", "now"], "takes no arguments, got: now"),
        (["forget", "it"], "takes no arguments but --yes, got: it"),
        (["report", "in"], "This copy of the course has no teach"),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_made(plain, arguments, message):
    result = plain.run(*arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert not (plain.folder / ".venv").exists()
    assert not (plain.folder / "work").exists()


# ---- set-up: what it runs


def test_first_start_installs_and_opens_lab(made):
    result = made.run("lab", "--no-browser")
    assert result.returncode == 0, result.stderr
    assert "1.6 GB on disk" in result.stdout and "The set-up is complete." in result.stdout
    packages, torch = made.calls("pip")
    assert "jupyterlab" in packages and "numpy" in packages and "pytest" not in packages
    assert packages[packages.index("--constraint") + 1] == str(made.folder / "constraints.txt")
    assert torch[-1] == "torch==2.13.0"
    assert json.loads(made.stamp.read_text())["done"] == ["base"]
    assert (made.folder / "work" / "02_toy.ipynb").read_bytes() == RELEASED.read_bytes()
    assert len(made.calls("jupyterlab")) == 1


def test_pip_runs_only_where_something_is_to_be_installed(made):
    def installs(*arguments):
        before = len(made.calls("pip"))
        result = made.run(*arguments)
        assert result.returncode == 0, result.stderr
        assert ("Setting the course up" in result.stdout) is (
            "numpy" in str(made.calls("pip")[before:]))
        return len(made.calls("pip")) - before

    assert [installs("lab"), installs("lab")] == [2, 0]
    assert [installs("test"), installs("test"), installs("release")] == [1, 0, 0]
    assert "nbval" in made.calls("pip")[-1]
    change_pins(made)
    assert [installs("lab"), installs("lab")] == [2, 0]
    assert json.loads(made.stamp.read_text())["done"] == ["base"]
    assert [installs("test"), installs("setup")] == [1, 2]
    assert json.loads(made.stamp.read_text())["done"] == ["base", "test"]
    assert len(made.calls("jupyterlab")) == 4


def test_pip_failing_is_told_and_tried_again(made):
    result = made.run("lab", EXIT_pip="1")
    assert result.returncode == 1
    assert "network" in result.stderr and "Run the same command again" in result.stderr
    assert not made.stamp.exists() and made.calls("jupyterlab") == []
    assert made.run("lab").returncode == 0
    assert made.stamp.exists() and len(made.calls("jupyterlab")) == 1


def change_pins(copy):
    with open(copy.folder / "constraints.txt", "a", encoding="utf-8") as stream:
        stream.write("another==1.0\n")


def test_changed_pins_without_network_start_what_is_installed(made):
    made.run("lab")
    change_pins(made)
    for start in (2, 3):
        result = made.run("lab", EXIT_pip="1")
        assert result.returncode == 0 and "starts with those that are there" in result.stdout
        assert "The set-up is complete" not in result.stdout
        assert len(made.calls("pip")) == start + 1 and len(made.calls("jupyterlab")) == start
        assert made.calls("pip")[-1][5:9] == ["--retries", "1", "--timeout", "8"]
    assert "The set-up is complete" in made.run("lab").stdout
    assert "Setting the course up" not in made.run("lab").stdout


def test_changed_pins_without_network_stop_all_but_lab(made):
    made.run("test")
    change_pins(made)
    for command in ("test", "release", "setup"):
        result = made.run(command, EXIT_pip="1")
        assert result.returncode == 1 and "Is there a network connection?" in result.stderr
    shutil.rmtree(made.packages / "jupyterlab")  # as after an update of Python itself
    assert made.run("lab", EXIT_pip="1").returncode == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"inputs": 1, "done": ["base", "test"]}'])
def test_a_damaged_stamp_does_not_count(made, text):
    made.stamp.write_text(text, encoding="utf-8")
    made.run("lab")
    assert len(made.calls("pip")) == 2


# ---- set-up: the environment


def test_moved_folder_works_and_needs_no_pip(made, tmp_path):
    made.run("lab")
    installs = len(made.calls("pip"))
    new = tmp_path / "elsewhere" / "the course, moved"
    new.parent.mkdir()
    made.folder.rename(new)
    made.folder = new
    result = made.run("lab", cwd=str(tmp_path / "elsewhere"))
    assert result.returncode == 0, result.stderr
    assert len(made.calls("pip")) == installs
    assert f"--ServerApp.root_dir={new / 'work'}" in made.calls("jupyterlab")[-1]
    where = subprocess.run(
        [made.python, "-I", "-c", "import helpers; print(helpers.__file__)"],
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert where.stdout.strip() == str(new / "helpers" / "__init__.py"), where.stderr


def unusable_venv(copy, kind):
    if kind == "empty":
        (copy.folder / ".venv").mkdir()
    elif kind == "old":
        command = [old_python("python3.9"), "-m", "venv", "--without-pip", copy.folder / ".venv"]
        subprocess.run(command, check=True)
    else:
        copy.make_venv()
        lost = copy.python if kind == "python gone" else copy.folder / ".venv" / "pyvenv.cfg"
        lost.unlink()
        if kind == "python gone":
            lost.symlink_to(copy.folder / "no-such-python")


@posix_only
@pytest.mark.parametrize("kind", ["empty", "python gone", "configuration gone", "old"])
def test_unusable_venv_is_made_anew(plain, module, capfd, kind):
    unusable_venv(plain, kind)
    (plain.folder / ".venv" / "left-over").touch()
    assert module.installer.look_at_venv() is None
    module.installer.make_venv()
    assert "making it anew" in capfd.readouterr().out
    assert module.installer.look_at_venv()["version"] == list(sys.version_info[:2])
    assert not (plain.folder / ".venv" / "left-over").exists()


@posix_only
def test_a_linked_venv_that_cannot_be_used_is_not_emptied(plain, module, tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").touch()
    (plain.folder / ".venv").symlink_to(tmp_path / "theirs")
    module.installer.make_venv()
    assert (tmp_path / "theirs" / "file").exists() and not (plain.folder / ".venv").is_symlink()


def test_first_venv_is_made_without_that_message(plain, module, capfd):
    found = module.installer.make_venv()
    assert "making it anew" not in capfd.readouterr().out
    assert found["packages"] == plain.packages and not (plain.packages / "pip").exists()


def test_venv_without_pip_gets_pip(plain, module, monkeypatch):
    plain.make_venv(pip=False)
    installed = []
    monkeypatch.setattr(module.installer, "pip_install", lambda *n: installed.append(n) or True)
    module.installer.set_up("base")
    assert (plain.packages / "pip").is_dir()
    assert "numpy" in installed[0] and plain.stamp.exists()


@pytest.mark.parametrize(("free", "cause"), [(0.04e9, "Only 0.0 GB are free"), (9e9, "network")])
@pytest.mark.parametrize("fails", ["ensurepip", "pip", "venv"])
def test_a_set_up_that_fails_says_what_may_be_the_cause(
    plain, module, monkeypatch, capsys, fails, free, cause
):
    if fails != "venv":
        plain.make_venv(pip=fails == "pip")
    ran = []
    monkeypatch.setattr(module.installer, "run", lambda command: ran.append(command) or 1)
    monkeypatch.setattr(module.installer.shutil, "disk_usage", lambda _: FreeSpace(free))
    assert module.main(["lab"]) == 1
    assert len(ran) == 1 and fails in ran[0]
    err = capsys.readouterr().err
    assert cause in err and "apt" not in err
    assert not plain.stamp.exists() and not (plain.folder / "work").exists()


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_python_that_cannot_make_a_venv(plain, module, monkeypatch, capsys, missing):
    monkeypatch.setattr(module.installer, "find_spec", lambda name: name != missing or None)
    assert module.main(["lab"]) == 1
    err = capsys.readouterr().err
    assert f"no module {missing}" in err and "sudo apt install python3-venv" in err
    assert not (plain.folder / ".venv").exists() and not (plain.folder / "work").exists()


def test_settings_are_renewed_at_each_start(made):
    made.run("lab")
    lab, kernels = (made.folder / ".venv" / path for path in (
        "share/jupyter/lab/settings/overrides.json", "etc/ipython/ipython_config.py"))
    settings = json.loads(lab.read_text(encoding="utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert settings["@jupyter-widgets/jupyterlab-manager:plugin"] == {"saveState": True}
    text = kernels.read_text(encoding="utf-8")
    kernels.write_text("", encoding="utf-8")
    made.run("lab")
    assert kernels.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("there", [True, False])
def test_kernels_load_the_extension_of_the_course_where_it_is(plain, module, monkeypatch, there):
    traitlets = pytest.importorskip("traitlets.config")
    path = plain.folder / "ipython_config.py"
    path.write_text(module.installer.IPYTHON_CONFIG, encoding="utf-8")
    extension = types.ModuleType("morning") if there else None
    monkeypatch.setitem(sys.modules, "helpers.memory.morning", extension)
    config = traitlets.PyFileConfigLoader("ipython_config.py", str(plain.folder)).load_config()
    extensions = config.InteractiveShellApp.extensions
    assert extensions.get_value([]) == (["helpers.memory.morning"] if there else [])


# ---- set-up: interrupted


def start_and_interrupt(copy, *arguments):
    """Press Ctrl-C while pip runs; return exit code and error text."""
    process = subprocess.Popen(
        [sys.executable, str(copy.folder / "course.py"), *arguments],
        env=copy.environment(SLEEP_pip="60"),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not copy.calls("pip") and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)
        cleaned_up = len(copy.calls("pip cleaned up"))  # by the time that the launcher ends
        err = process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
    assert cleaned_up == 1
    return process.returncode, err


@posix_only
def test_ctrl_c_leaves_no_stamp_and_the_next_start_goes_on(made):
    code, err = start_and_interrupt(made, "lab")
    assert code == 130
    assert "Running the same command again goes on" in err and 'course.py"' not in err
    assert not made.stamp.exists() and not (made.folder / "work").exists()
    assert made.run("lab").returncode == 0
    assert made.stamp.exists() and len(made.calls("jupyterlab")) == 1


@posix_only
def test_ctrl_c_while_the_tests_packages_are_added_spares_lab(made):
    made.run("lab")
    made.calls_file.unlink()
    assert start_and_interrupt(made, "test")[0] == 130
    made.calls_file.unlink()
    assert made.run("lab").returncode == 0
    assert made.calls("pip") == [] and len(made.calls("jupyterlab")) == 1


# ---- PyTorch


PLAIN = [["torch==2.13.0"]]
FROM_CPU_INDEX = [
    ["--no-deps", "--index-url", "https://download.pytorch.org/whl/cpu", "torch==2.13.0"]
]


@pytest.mark.parametrize(("system", "answers", "there", "fails", "asked", "said"), [
    ("linux", True, False, None, FROM_CPU_INDEX + PLAIN, ""),
    ("linux", False, False, None, PLAIN, "2.7 GB"),
    ("linux", False, False, None, PLAIN, "config set global.proxy"),
    ("linux", False, True, None, PLAIN, ""),  # it is not fetched again
    ("darwin", True, False, None, PLAIN, ""),
    ("win32", True, False, None, PLAIN, ""),
    ("darwin", True, False, 1, PLAIN, "Intel processor"),
    ("linux", True, False, 1, FROM_CPU_INDEX, "the command setup tries again"),
    ("linux", True, False, 2, FROM_CPU_INDEX + PLAIN, "everything works but the PyTorch sections"),
])
def test_where_torch_comes_from_and_what_is_said_where_it_does_not(
        plain, module, monkeypatch, system, answers, there, fails, asked, said):
    installer, pip, told = module.installer, [], []
    monkeypatch.setattr(installer.sys, "platform", system)
    monkeypatch.setattr(installer, "cpu_index_answers", lambda: answers)
    monkeypatch.setattr(installer, "say", told.append)
    monkeypatch.setattr(installer, "pip_install",
                        lambda *words: pip.append(list(words)) or len(pip) != fails)
    if there:
        (plain.folder / "torch-2.13.0+cpu.dist-info").mkdir()
    installer.install_torch({"packages": plain.folder})
    assert pip == asked and (said in told[0] if said else told == [])


def test_set_up_goes_on_without_torch(plain, module, monkeypatch):
    plain.make_venv()
    torch = module.installer.TORCH
    monkeypatch.setattr(module.installer, "pip_install", lambda *names: names[-1] != torch)
    module.installer.set_up("base")
    assert plain.stamp.exists()


@pytest.mark.parametrize("code", ["0", "1"])
def test_the_cpu_index_is_asked_by_pip_which_knows_the_proxy(made, module, monkeypatch, code):
    monkeypatch.setenv("CALLS", str(made.calls_file))
    monkeypatch.setenv("EXIT_pip", code)
    assert module.installer.cpu_index_answers() is (code == "0")
    asked, = made.calls("pip")
    assert asked[:3] == ["index", "versions", "torch"]
    assert asked[asked.index("--index-url") + 1] == module.installer.TORCH_CPU_INDEX


# ---- the work folder


WORKS = """\
import numpy as np
from helpers.checks import lesson_01 as check

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

check.sigmoid(sigmoid)
"""
GOES_ON = "from helpers.checks import mine, progress; mine('01-sigmoid'); progress('01')"
FORWARD, BACKPROP, PATTERNS = (
    f"{name}.ipynb" for name in ("01_forward_pass", "02_backpropagation", "03_patterns"))


@pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine")
@pytest.mark.parametrize("way", ["git pull", "unzipping"])
def test_an_update_of_a_course_that_was_worked_in_spares_all_work(tmp_path, way):
    course, newer = tmp_path / "course", tmp_path / "newer"
    for name in ("helpers", "notebooks"):
        shutil.copytree(ROOT / name, newer / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(newer, tmp_path / "older")
    for name in (FORWARD, PATTERNS):
        alter(tmp_path / "older/notebooks" / name, "of the older course", released=True)
    git(tmp_path / "older", "init", "-q")
    git(tmp_path / "older", "add", ".")
    git(tmp_path / "older", "commit", "-qm", "older")
    git(tmp_path, "clone", "-q", "older", "course")

    def run(*command):
        """Run Python code in the folder work, as a kernel would."""
        return subprocess.run(
            [sys.executable, *command], cwd=course / "work", check=True, text=True,
            capture_output=True, env={**os.environ, "PYTHONPATH": str(course)}).stdout

    def start():
        return list(work_folder.update_work(course / "notebooks", course / "work"))

    start()
    (course / "work/mine.py").write_text(WORKS, encoding="utf-8")
    run("mine.py")
    alter(course / "work" / FORWARD, "my answer")
    alter(course / "notebooks" / BACKPROP, "my answer, in the wrong folder")
    assert f"Your version of notebooks/{BACKPROP} is in work too" in start()[0]
    kept = {path: path.read_bytes() for path in (course / "work").rglob("*")
            if path.is_file() and path.name != PATTERNS}
    if way == "git pull":
        shutil.copytree(newer, tmp_path / "older", dirs_exist_ok=True)
        git(tmp_path / "older", "commit", "-qam", "newer")
        git(course, "pull", "-q")
    else:
        shutil.make_archive(tmp_path / "newer", "zip", newer)
        shutil.unpack_archive(tmp_path / "newer.zip", course)
    said = "\n".join(start())
    assert f"work/{FORWARD} holds your work on an older version" in said
    assert f"Updated: work/{PATTERNS}" in said
    assert {path: path.read_bytes() for path in kept} == kept
    out = run("-c", GOES_ON)
    assert "Your own `sigmoid`, as it passed its check." in out
    assert "✓ `01-sigmoid` correct" in out


def git(folder, *arguments):
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)


@pytest.mark.parametrize("number, told", [
    (errno.ENOSPC, "The disk is full: "), (errno.EACCES, "You may not write here: ")])
def test_a_full_disk_leaves_no_temporary_file_and_is_told(
        plain, module, monkeypatch, capsys, number, told):
    def fill(source, target):
        Path(target).write_text("half", encoding="utf-8")
        raise OSError(number, os.strerror(number), target)

    monkeypatch.setattr(module.installer, "set_up", lambda *parts, **options: None)
    monkeypatch.setattr(module.work_folder.shutil, "copyfile", fill)
    for arguments in (["lab"], ["fresh", "02"]):
        assert module.main(arguments) == 1
        assert capsys.readouterr().err.startswith(told)
    assert list((plain.folder / "work").iterdir()) == []


def test_fresh_needs_no_set_up(plain):
    assert plain.run("fresh", "02").returncode == 0
    assert not (plain.folder / ".venv").exists()
    assert (plain.folder / "work" / "02_toy-fresh.ipynb").exists()


def test_no_command_changes_what_was_worked_in(made):
    made.run("lab")
    mine = made.folder / "work" / "02_toy.ipynb"
    alter(mine, "my answer")
    alter(made.folder / "notebooks" / "02_toy.ipynb", "a new paragraph", released=True)
    before = mine.read_bytes()
    for command in (["lab"], ["fresh", "02"], ["test"], ["release"], ["setup"], ["forget"]):
        assert made.run(*command).returncode == 0
        assert mine.read_bytes() == before


# ---- what the commands run


@pytest.fixture
def handed_over(plain, module, monkeypatch):
    """Run a command; returns what it would have become, without the Python in front."""

    def run(*arguments, user=1000):
        commands = []
        monkeypatch.setattr(module.installer, "set_up", lambda *parts, **options: None)
        monkeypatch.setattr(module, "hand_over", lambda command: commands.append(command) or 7)
        monkeypatch.setattr(module.os, "geteuid", lambda: user, raising=False)
        assert module.main(list(arguments)) == 7
        assert commands[0][0] == str(plain.python)
        return commands[0][1:]

    return run


def test_lab_listens_here_only_and_keeps_its_token(plain, handed_over):
    assert handed_over("lab") == [
        "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={plain.folder / 'work'}",
        "--LabApp.default_url=/lab/tree/02_toy.ipynb"]


@pytest.mark.parametrize(
    ("arguments", "opened", "passed_on"),
    [
        ([], "00_first", []),
        (["02"], "02_toy", []),
        (["toy", "--no-browser", "--port", "9999"], "02_toy", ["--no-browser", "--port", "9999"]),
        (["--no-browser"], "00_first", ["--no-browser"]),
        (["--", "--debug"], "00_first", ["--debug"]),
        (["2", "--", "--debug"], "02_toy", ["--debug"]),
    ],
)
def test_lab_opens_a_lesson_and_passes_the_rest(plain, handed_over, arguments, opened, passed_on):
    folder = plain.folder / "notebooks"
    shutil.copy(folder / "02_toy.ipynb", folder / "00_first.ipynb")
    command = handed_over("lab", *arguments)
    assert command[4] == f"--LabApp.default_url=/lab/tree/{opened}.ipynb"
    assert command[5:] == passed_on


def test_on_a_hub_lab_fills_work_and_says_where_to_go_on(plain):
    result = plain.run("lab", JUPYTERHUB_SERVICE_PREFIX="/user/ada/")
    assert result.returncode == 0, result.stderr
    assert "open work/02_toy.ipynb" in result.stdout and "environment.yml" in result.stdout
    assert (plain.folder / "work" / "02_toy.ipynb").exists()
    assert not (plain.folder / ".venv").exists()


@pytest.mark.parametrize(
    ("arguments", "answer", "deleted"),
    [([], "", False), ([], "\n", False), ([], "no\n", False), ([], "Y\n", True),
     ([], "yes\n", True), (["--yes"], "", True)],
)  # fmt: skip
def test_forget_asks_and_deletes_the_store_alone(plain, arguments, answer, deleted):
    work = plain.folder / "work"
    checked(work, "02-double", "2026-11-20T10:00:00")
    shutil.copy(RELEASED, work)
    result = plain.run("forget", *arguments, answer=answer)
    assert result.returncode == 0, result.stderr
    assert ("work/.course: the answers" in result.stdout) is not bool(arguments)
    assert (work / ".course").exists() is not deleted
    assert (work / "02_toy.ipynb").exists()
    assert not deleted or "nothing to delete" in plain.run("forget").stdout


def test_lab_opens_where_the_student_stopped(plain, handed_over):
    shutil.copy(RELEASED, plain.folder / "notebooks" / "00_first.ipynb")
    assert handed_over("lab")[4] == "--LabApp.default_url=/lab/tree/00_first.ipynb"
    checked(plain.folder / "work", "02-double", "2026-11-20T10:00:00")
    assert handed_over("lab")[4] == "--LabApp.default_url=/lab/tree/02_toy.ipynb"
    assert handed_over("lab", "00")[4] == "--LabApp.default_url=/lab/tree/00_first.ipynb"
    (plain.folder / "work" / "02_toy.ipynb").rename(plain.folder / "work" / "my toy.ipynb")
    assert handed_over("lab")[4] == "--LabApp.default_url=/lab/tree/my%20toy.ipynb"


def test_lab_says_what_it_found_in_the_folders(plain, handed_over, capsys):
    alter(plain.folder / "notebooks" / "02_toy.ipynb", "my answer, in the wrong folder")
    handed_over("lab")
    assert "notebooks/02_toy.ipynb has been worked in" in capsys.readouterr().out


def test_git_leaves_the_folder_work_alone():
    assert "work/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_lab_allows_root_only_where_it_must(handed_over):
    assert "--allow-root" not in handed_over("lab", user=1000)
    assert "--allow-root" in handed_over("lab", user=0)


def test_lab_without_any_lesson(plain, handed_over, capsys):
    (plain.folder / "notebooks" / "02_toy.ipynb").unlink()
    assert handed_over("lab")[4] == "--LabApp.default_url=/lab"
    assert "no lessons" in capsys.readouterr().out


def test_test_runs_pytest_in_the_course_and_returns_its_code(made, tmp_path):
    result = made.run("test", "-k", "two words", cwd=str(tmp_path), EXIT_pytest="5")
    assert result.returncode == 5
    assert made.calls("pytest") == [["-n", "auto", "-k", "two words"]]
    last = json.loads(made.calls_file.read_text().splitlines()[-1])
    assert os.path.realpath(last[2]) == os.path.realpath(made.folder)


def test_release_runs_the_generator_in_the_environment(handed_over):
    assert handed_over("release", "--check") == ["release.py", "--check"]
