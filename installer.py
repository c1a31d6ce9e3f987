"""The set-up: .venv, the packages in it, PyTorch, and settings. Needs the standard library only."""

import functools
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).absolute().parent
VENV = ROOT / ".venv"
PYTHON = str(VENV.joinpath(*(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"])))
STAMP = VENV / "course-stamp.json"
CONSTRAINTS = ROOT / "constraints.txt"
TORCH = "torch==2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

SIZE = """\
Setting the course up in the folder .venv. The first time, this downloads about 350 MB
and takes 1.6 GB on disk; from then on the course starts without the network."""

NO_MODULE = """\
This Python has no module {}, which the folder .venv needs.
On Debian and Ubuntu:  sudo apt install python3-venv
Elsewhere: install Python from python.org. Then run the same command again."""

FAILED = """\
{}: the reason stands above. {}
Run the same command again to go on; if it goes on failing, delete the folder .venv first."""

OLD_PACKAGES = """\
The course was updated and wants other packages, which could not be installed. {}
It starts with those that are there; the next start tries again."""

NO_TORCH = """\
PyTorch could not be installed (the command setup tries again; for Macs with an Intel processor
there is none): everything works but the PyTorch sections."""

LARGE_TORCH = f"""\
PyTorch's index of small (CPU) packages does not answer, so the plain package follows. It may
bring up to 2.7 GB of CUDA packages, 4 GB on disk. Ctrl-C stops that; the same command goes on
later. Where a proxy is needed, pip must know it:
  {PYTHON} -m pip config set global.proxy ADDRESS"""

# Read by every kernel in .venv: on the next morning it tells a student which cells to run first.
IPYTHON_CONFIG = """\
try:
    import helpers.memory.morning
    get_config().InteractiveShellApp.extensions.append("helpers.memory.morning")
except ImportError:
    pass
"""
# Read by JupyterLab's server. Without it, TCP holds a message back until the browser has confirmed
# the one before: what a cell or a view shows comes up to 40 ms late, and later still on Windows.
SERVER_CONFIG = """\
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection


class AtOnce(ZMQChannelsWebsocketConnection):
    def connect(self):
        self.websocket_handler.set_nodelay(True)
        return super().connect()


get_config().ServerApp.kernel_websocket_connection_class = AtOnce
"""
QUICKLY = ["--retries", "1", "--timeout", "8"]  # of pip, where the course starts in any case
OVERRIDES = {  # a view that is opened on another day shows what it showed, not an error
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True},
}

# Asked of the Python in .venv: whose is it, which version, where are its packages?
PROBE = """\
import json, sys, sysconfig
print(json.dumps([sys.prefix, sys.version_info[:2], sysconfig.get_path("purelib")]))"""

say = functools.partial(print, flush=True)  # so that the lines keep their order among those of pip


class CourseError(Exception):
    """The command cannot go on; the text says why and what to do."""


# ---- running pip


def run(command: list[str]) -> int:
    """Run a command in the course's folder and return its exit code."""
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()  # Ctrl-C reached it too: let it clean up
        raise


def pip_install(*arguments: str) -> bool:
    """Run pip in the environment; True if it succeeds."""
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile"]
    return run([*pip, "--constraint", str(CONSTRAINTS), *arguments]) == 0


def failed(what: str) -> CourseError:
    """Return the error for a program that did not do its part and has said why."""
    return CourseError(FAILED.format(what, space_or_network()))


def space_or_network() -> str:
    """Return what may have kept a program from installing, as far as can be seen from here."""
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < 1:
        return f"Only {free:.1f} GB are free on this disk; the course takes 1.6 GB."
    return "Is there a network connection?"


# ---- the environment


def look_at_venv() -> dict | None:
    """Ask .venv for its ``version`` and its folder of ``packages``; None if it is not usable."""
    try:
        answer = subprocess.check_output([PYTHON, "-I", "-c", PROBE], stderr=subprocess.DEVNULL)
        prefix, version, packages = json.loads(answer)
    except (OSError, subprocess.CalledProcessError, ValueError):
        return None
    if os.path.realpath(prefix) != os.path.realpath(VENV) or version < [3, 11]:
        return None
    return {"version": version, "packages": Path(packages)}


def make_venv() -> dict:
    """Make .venv, without pip, in place of whatever is there."""
    for module in ("venv", "ensurepip"):
        if find_spec(module) is None:
            raise CourseError(NO_MODULE.format(module))
    if os.path.lexists(VENV):
        say("The folder .venv cannot be used (broken, half made or too old): making it anew.")
    if VENV.is_symlink():
        VENV.unlink()  # what it leads to is somebody else's, and would be emptied
    python = getattr(sys, "_base_executable", None) or sys.executable
    code = run([python, "-m", "venv", "--clear", "--without-pip", str(VENV)])
    venv = look_at_venv()
    if code != 0 or venv is None:
        raise failed(f"{python} could not make the environment {VENV}")
    return venv


def requirements() -> dict[str, list[str]]:
    """Return what pyproject.toml lists: ``base`` for the course, ``test`` for its tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {"base": project["dependencies"], "test": project["optional-dependencies"]["test"]}


def fingerprint(venv: dict) -> str:
    """Return a hash of all that decides what a set-up installs."""
    inputs = [requirements(), CONSTRAINTS.read_text(encoding="utf-8"), TORCH, venv["version"]]
    return hashlib.sha256(json.dumps(inputs).encode("ascii")).hexdigest()


def read_stamp() -> dict:
    """Return which parts finished set-ups have ``done``, and from which ``inputs``."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        return {"inputs": stamp["inputs"], "done": list(stamp["done"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {"inputs": None, "done": []}


def set_up(*wanted: str, again: bool = False, or_start: bool = False) -> None:
    """Install parts of the course into .venv unless that has been done.

    Parameters
    ----------
    wanted : str
        ``"base"``, and ``"test"`` for what the tests need as well.
    again : bool
        Install even what a finished set-up has installed.
    or_start : bool
        Go on with what is installed where an update of it fails.
    """
    venv, stamp = look_at_venv(), read_stamp()
    done = stamp["done"] if venv and stamp["inputs"] == fingerprint(venv) else []
    missing = [part for part in wanted if again or part not in done]
    has_lab = venv and "base" in stamp["done"] and (venv["packages"] / "jupyterlab").is_dir()
    may_fail = bool(or_start and has_lab)
    if again:
        STAMP.unlink(missing_ok=True)  # from here on .venv is neither the old set-up nor the new
    try:
        venv = install(missing, venv, QUICKLY if may_fail else []) if missing else venv
    except CourseError:
        if not may_fail:
            raise
        say(OLD_PACKAGES.format(space_or_network()))
        missing = []
    write_settings(venv)
    if missing:  # the stamp comes last: it vouches for all the rest
        stamp = {"inputs": fingerprint(venv), "done": sorted({*done, *missing})}
        STAMP.write_text(json.dumps(stamp), encoding="utf-8")
        say("The set-up is complete.")


def install(parts: list[str], venv: dict | None, options: list[str]) -> dict:
    """Install parts of the course into .venv, which is made if need be, and return it."""
    if "base" in parts:
        say(SIZE)
    venv = venv or make_venv()
    has_pip = any(venv["packages"].glob("pip-*/RECORD"))  # which is written last
    if not has_pip and run([PYTHON, "-m", "ensurepip"]) != 0:
        raise failed("There is no pip in .venv, and ensurepip could not add it")
    if not pip_install(*options, *(name for part in parts for name in requirements()[part])):
        raise failed("The packages could not be installed")
    if "base" in parts:
        install_torch(venv)
    # pip would have one core do it, and compile the packages' own tests too.
    run([PYTHON, "-m", "compileall", "-qqj0", "-x", r"[/\\]tests[/\\]", str(venv["packages"])])
    return venv


def install_torch(venv: dict) -> None:
    """Install PyTorch; where that fails, say so and go on."""
    there = glob.glob(f"{TORCH.replace('==', '-')}*.dist-info", root_dir=venv["packages"])
    done = True
    if sys.platform.startswith("linux") and not there:
        if cpu_index_answers():
            done = pip_install("--no-deps", "--index-url", TORCH_CPU_INDEX, TORCH)
        else:
            say(LARGE_TORCH)
    if not done or not pip_install(TORCH):  # adds what PyTorch needs if it is there already
        say(NO_TORCH)


def cpu_index_answers() -> bool:
    """Tell whether pip, with the proxy that it knows, reaches PyTorch's CPU index in seconds."""
    command = [PYTHON, "-m", "pip", "index", "versions", "torch", "--index-url", TORCH_CPU_INDEX]
    command += ["--retries", "0", "--timeout", "4"]
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def write_settings(venv: dict) -> None:
    """Make ``helpers`` importable, by a path that survives moving; set JupyterLab and IPython."""
    for path, text in (
        (venv["packages"] / "course.pth", os.path.relpath(ROOT, venv["packages"]) + "\n"),
        (VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json",
         json.dumps(OVERRIDES)),
        (VENV / "etc" / "ipython" / "ipython_config.py", IPYTHON_CONFIG),
        (VENV / "etc" / "jupyter" / "jupyter_server_config.py", SERVER_CONFIG),
    ):  # fmt: skip
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
