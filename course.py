"""Open the course, test it, or make its notebooks: run ``python3 course.py`` to see how.

Needs nothing but Python 3.11; everything else goes into the folder .venv beside this file.
Even a very old Python must be able to read this file, so that it can say what is missing.
"""

from __future__ import print_function

import glob
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
STAMP = os.path.join(VENV, "course-stamp.json")
NOTEBOOKS = os.path.join(ROOT, "notebooks")
WORK = os.path.join(ROOT, "work")
CONSTRAINTS = os.path.join(ROOT, "constraints.txt")
COMMAND = "py course.py" if os.name == "nt" else "python3 course.py"
OLDEST_PYTHON = (3, 11)
TORCH = "torch==2.13.0"
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"

USAGE = """\
usage: {0} COMMAND

  lab [LESSON]    open the course in JupyterLab; your notebooks are in the folder work
                  (what follows is passed on to JupyterLab: {0} lab 02 --port 9999)
  fresh LESSON    put an untouched copy of a lesson beside the one you work in
  test            run the course's own tests (what follows is passed on to pytest)
  release         for maintainers: make notebooks/ from solutions/ (--check only compares)
  setup           do the set-up again, for instance when PyTorch could not be installed

LESSON is a number or a name: 02 or 02_backpropagation.""".format(COMMAND)

OLD_PYTHON = """\
This course needs Python 3.11 or newer; this is Python {0} at {1}.
Install a newer one from https://www.python.org/downloads/ and run the course with it by name:
  {2} course.py lab"""

SIZE = """\
Setting the course up in the folder .venv. The first time, this downloads about 350 MB
and takes 1.6 GB on disk; from then on the course starts without the network."""

NO_VENV = """\
{}, which the folder .venv needs.
On Debian and Ubuntu:  sudo apt install python3-venv
Elsewhere: delete the folder .venv if it is there, and install Python from python.org.
Then run the same command again."""

NO_PACKAGES = """\
The packages could not be installed: pip says why, above. Is there a network connection?
Run the same command again to go on; if it goes on failing, delete the folder .venv first."""

NO_TORCH = "PyTorch {}: everything works but the PyTorch sections."

LARGE_TORCH = """\
PyTorch's index of small (CPU) packages does not answer, so the plain package follows. It may
bring up to 2.7 GB of CUDA packages, 4 GB on disk. Ctrl-C stops that; the same command goes on
later."""

# Asked of the Python in .venv: whose is it, which version, where are its packages, has it pip?
PROBE = """\
import importlib.util, json, sys, sysconfig
has_pip = importlib.util.find_spec("pip") is not None
print(json.dumps([sys.prefix, sys.version_info[:2], sysconfig.get_path("purelib"), has_pip]))"""


class CourseError(Exception):
    """The command cannot go on; the text says why and what to do."""


def say(text):
    """Print at once, so that the lines keep their order among those of pip."""
    print(text)
    sys.stdout.flush()


# ---- running other programs


def run(command):
    """Run a command in the course's folder and return its exit code."""
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()  # Ctrl-C reached it too: let it clean up
        raise


def hand_over(command):
    """Become another program, run in the course's folder, for good."""
    if os.name != "nt":
        os.chdir(ROOT)
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is that program's to handle
    return run(command)


def pip_install(arguments):
    """Run pip in the environment; True if it succeeds."""
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install"]
    return run(pip + ["--constraint", CONSTRAINTS] + arguments) == 0


# ---- set-up


def look_at_venv():
    """Ask .venv what it is: ``version``, ``packages`` (a folder), ``pip``; None if not usable."""
    try:
        answer = subprocess.check_output([PYTHON, "-I", "-c", PROBE], stderr=subprocess.DEVNULL)
        prefix, version, packages, has_pip = json.loads(answer.decode("utf-8"))
    except (EnvironmentError, subprocess.CalledProcessError, ValueError):
        return None
    if os.path.realpath(prefix) != os.path.realpath(VENV) or tuple(version) < OLDEST_PYTHON:
        return None
    return {"version": version, "packages": packages, "pip": has_pip}


def make_venv():
    """Make .venv, without pip, in place of whatever is there."""
    from importlib.util import find_spec

    for module in ("venv", "ensurepip"):
        if find_spec(module) is None:
            raise CourseError(NO_VENV.format("This Python has no module " + module))
    if os.path.lexists(VENV):
        say("The folder .venv cannot be used (broken, half made or too old): making it anew.")
    python = getattr(sys, "_base_executable", None) or sys.executable
    code = run([python, "-m", "venv", "--clear", "--without-pip", VENV])
    venv = look_at_venv()
    if code != 0 or venv is None:
        raise CourseError("{} could not make the environment {}.".format(python, VENV))
    return venv


def requirements():
    """Return what pyproject.toml lists: ``base`` for the course, ``test`` for its tests."""
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as stream:
        project = tomllib.load(stream)["project"]
    return {"base": project["dependencies"], "test": project["optional-dependencies"]["test"]}


def fingerprint(venv):
    """Return a hash of all that decides what a set-up installs."""
    with open(CONSTRAINTS, encoding="utf-8") as stream:
        inputs = [requirements(), stream.read(), TORCH, venv["version"]]
    return hashlib.sha256(json.dumps(inputs).encode("ascii")).hexdigest()


def parts_done(venv):
    """Return what finished set-ups have installed into .venv: of ``base`` and ``test``."""
    if venv is None or not os.path.exists(STAMP):
        return []
    try:
        with open(STAMP, encoding="utf-8") as stream:
            stamp = json.load(stream)
        return stamp["done"] if stamp["inputs"] == fingerprint(venv) else []
    except (ValueError, KeyError, TypeError):
        return []


def set_up(wanted, again=False):
    """Install the course into .venv unless that has been done.

    Parameters
    ----------
    wanted : list of str
        ``["base"]``, or ``["base", "test"]`` for what the tests need as well.
    again : bool
        Install even what a finished set-up has installed.
    """
    venv = look_at_venv()
    done = parts_done(venv)
    missing = [part for part in wanted if again or part not in done]
    if not missing:
        return
    if "base" in missing:
        say(SIZE)
        if os.path.exists(STAMP):
            os.remove(STAMP)  # from here on .venv is neither the old set-up nor the new one
    if venv is None:
        venv = make_venv()
    if not venv["pip"] and run([PYTHON, "-m", "ensurepip"]) != 0:
        raise CourseError(NO_VENV.format("There is no pip in .venv, and ensurepip cannot add it"))
    if not pip_install([name for part in missing for name in requirements()[part]]):
        raise CourseError(NO_PACKAGES)
    if "base" in missing:
        install_torch(venv)
        write_settings(venv)
    with open(STAMP, "w", encoding="utf-8") as stream:  # last: it vouches for all the rest
        json.dump({"inputs": fingerprint(venv), "done": sorted(set(done + missing))}, stream)
    say("The set-up is complete.")


def install_torch(venv):
    """Install PyTorch; where that fails, say so and go on."""
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        say(NO_TORCH.format("is not made for Macs with an Intel processor"))
        return
    pattern = os.path.join(glob.escape(venv["packages"]), TORCH.replace("==", "-") + "*.dist-info")
    done = True
    if sys.platform.startswith("linux") and not glob.glob(pattern):
        if answers(TORCH_CPU_INDEX + "/torch/"):
            done = pip_install(["--no-deps", "--index-url", TORCH_CPU_INDEX, TORCH])
        else:
            say(LARGE_TORCH)
    if not done or not pip_install([TORCH]):  # adds what PyTorch needs if it is there already
        say(NO_TORCH.format("could not be installed ({} setup tries again)".format(COMMAND)))


def answers(address):
    """Tell whether a web page can be had within seconds."""
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        urlopen(address, timeout=4).close()
    except (EnvironmentError, HTTPException):
        return False
    return True


def write_settings(venv):
    """Make ``helpers`` importable, by a path that survives moving, and turn Lab's news off."""
    with open(os.path.join(venv["packages"], "course.pth"), "w", encoding="utf-8") as stream:
        stream.write(os.path.relpath(ROOT, venv["packages"]) + "\n")
    folder = os.path.join(VENV, "share", "jupyter", "lab", "settings")
    os.makedirs(folder, exist_ok=True)
    notification = {"fetchNews": "false", "checkForUpdates": False}
    with open(os.path.join(folder, "overrides.json"), "w", encoding="utf-8") as stream:
        json.dump({"@jupyterlab/apputils-extension:notification": notification}, stream)


# ---- notebooks


def lessons(folder):
    """Return the file names of the lessons in a folder, in order."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name for name in names if re.match(r"\d\d_\w+\.ipynb$", name))


def find_lesson(text, folder):
    """Return the file name of a lesson given by its number (02 or 2) or its name."""
    wanted = re.sub(r"\.ipynb$", "", os.path.basename(text))
    wanted = wanted.zfill(2) if wanted.isdigit() else wanted
    for name in lessons(folder):
        if wanted in (name[:2], name[3:-6], name[:-6]):
            return name
    there = ", ".join(name[:-6] for name in lessons(folder)) or "none yet"
    raise CourseError("There is no lesson '{}'. The lessons are: {}.".format(text, there))


def hash_sources(notebook):
    """Return a hash of type and source of the cells that are not blank; None if all are."""
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    cells = [cell for cell in cells if cell[1].strip()]
    return hashlib.sha256(json.dumps(cells).encode("ascii")).hexdigest() if cells else None


def read_hashes(path):
    """Return the hash that a notebook was released with and the one it has now.

    They are equal as long as nobody worked in it, whatever Jupyter added on saving. Both are None
    where the file cannot be read or holds no record.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            notebook = json.load(stream)
        return notebook["metadata"]["course"]["sources"], hash_sources(notebook)
    except (EnvironmentError, ValueError, KeyError, TypeError):
        return None, None


def is_untouched(path):
    """Tell whether a notebook is as it was released; where that is uncertain, it is not."""
    released, now = read_hashes(path)
    return released is not None and released == now


def copy(source, target, replace=False):
    """Copy a file in one step; unless replacing, False and nothing done where target exists."""
    temporary = "{}.{}.tmp".format(target, os.getpid())
    shutil.copyfile(source, temporary)
    try:
        if not replace:
            open(target, "x").close()  # from here on the name is ours
        os.replace(temporary, target)
    except FileExistsError:
        os.remove(temporary)
        return False
    return True


def update_work():
    """Bring work/ up to date, leaving alone every notebook that has been worked in."""
    os.makedirs(WORK, exist_ok=True)
    for name in lessons(NOTEBOOKS):
        source, target = os.path.join(NOTEBOOKS, name), os.path.join(WORK, name)
        released, current = read_hashes(target)[0], read_hashes(source)[0]
        if not os.path.lexists(target):
            if copy(source, target):
                say("New: work/" + name)
        elif released in (None, current) or not is_untouched(source):
            continue
        elif is_untouched(target):
            copy(source, target, replace=True)
            say("Updated: work/" + name)
        else:
            say(
                "work/{} holds your work on an older version of this lesson and stays as it is; "
                "{} fresh {} puts the new one beside it.".format(name, COMMAND, name[:2])
            )


# ---- commands


def lab(arguments):
    """Open JupyterLab on the folder work."""
    names, options = lessons(NOTEBOOKS)[:1], list(arguments)
    if options and not options[0].startswith("-"):
        names = [find_lesson(options.pop(0), NOTEBOOKS)]
    if options[:1] == ["--"]:
        options.pop(0)
    set_up(["base"])
    update_work()
    if not names:
        say("There are no lessons in the folder notebooks: opening an empty folder.")
    command = [PYTHON, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
    command.append("--ServerApp.root_dir=" + WORK)
    command.append("--LabApp.default_url=" + "/".join(["/lab"] + ["tree/" + n for n in names]))
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return hand_over(command + options)


def fresh(arguments):
    """Put an untouched copy of a lesson into work/, under a new name."""
    if len(arguments) != 1:
        raise CourseError("fresh takes one lesson, for instance: {} fresh 02".format(COMMAND))
    name = find_lesson(arguments[0], NOTEBOOKS)
    source = os.path.join(NOTEBOOKS, name)
    if not is_untouched(source):
        raise CourseError(
            "notebooks/{0} has itself been worked in, so there is nothing untouched to copy.\n"
            "Rename it, run 'git checkout notebooks/{0}', and try again.".format(name)
        )
    os.makedirs(WORK, exist_ok=True)
    number, target = 1, name[:-6] + "-fresh.ipynb"
    while not copy(source, os.path.join(WORK, target)):
        number += 1
        target = "{}-fresh-{}.ipynb".format(name[:-6], number)
    say("New: work/" + target)
    return 0


def test(arguments):
    """Run the tests, as many at a time as there are cores; with `-n 0`, one by one."""
    set_up(["base", "test"])
    return hand_over([PYTHON, "-m", "pytest", "-n", "auto"] + arguments)


def release(arguments):
    """Make the exercise notebooks from the solutions."""
    set_up(["base", "test"])
    return hand_over([PYTHON, os.path.join(ROOT, "release.py")] + arguments)


def setup(arguments):
    """Do the set-up again."""
    if arguments:
        raise CourseError("setup takes no arguments, got: {}".format(" ".join(arguments)))
    set_up(["base"], again=True)
    return 0


def main(arguments):
    """Run one command and return its exit code."""
    commands = {"lab": lab, "fresh": fresh, "test": test, "release": release, "setup": setup}
    if sys.version_info[:2] < OLDEST_PYTHON:
        by_name = "py -3" if os.name == "nt" else "python3.11"
        print(OLD_PYTHON.format(sys.version.split()[0], sys.executable, by_name), file=sys.stderr)
        return 1
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        say(USAGE)
        return 0
    try:
        if arguments[0] not in commands:
            raise CourseError("There is no command '{}'.\n\n{}".format(arguments[0], USAGE))
        return commands[arguments[0]](arguments[1:])
    except (CourseError, EnvironmentError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Running the same command again goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
