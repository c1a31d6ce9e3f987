"""Open the course, test it, or make its notebooks: run ``python3 course.py`` to see how.

Needs nothing but Python 3.11; everything else goes into the folder .venv beside this file.
Even a very old Python must be able to read this file, so that it can say what is missing.
"""

from __future__ import print_function

import errno
import os
import shutil
import signal
import sys

COMMAND = "py course.py" if os.name == "nt" else "python3 course.py"
OLDEST_PYTHON = (3, 11)

OLD_PYTHON = """\
This course needs Python 3.11 or newer; this is Python {0} at {1}.
Install a newer one from https://www.python.org/downloads/ and run the course with it by name:
  {2} course.py lab"""

if sys.version_info[:2] < OLDEST_PYTHON:
    by_name = "py -3" if os.name == "nt" else "python3.11"
    sys.exit(OLD_PYTHON.format(sys.version.split()[0], sys.executable, by_name))

import installer  # noqa: E402
import work_folder  # noqa: E402
from installer import CourseError, say  # noqa: E402

ROOT, PYTHON = str(installer.ROOT), installer.PYTHON
NOTEBOOKS = os.path.join(ROOT, "notebooks")
WORK = os.path.join(ROOT, "work")

USAGE = """\
usage: {0} COMMAND

  lab [LESSON]    open the course in JupyterLab where you stopped, or at that lesson;
                  your notebooks are in the folder work
                  (what follows is passed on to JupyterLab: {0} lab 02 --port 9999)
  fresh LESSON    put an untouched copy of a lesson beside the one you work in
  forget          delete the answers and the progress that the course has kept
  test            run the course's own tests (what follows is passed on to pytest)
  release         for maintainers: make notebooks/ from solutions/ (--check only compares)
  report FOLDER   for teachers: judge what a class has handed in (--out DIR, --lesson 05)
  edition         for teachers: make the course without its solutions
                  (--without-solutions OUT)
  setup           do the set-up again, for instance when PyTorch could not be installed

LESSON is a number or a name: 02 or 02_backpropagation.""".format(COMMAND)

HUB = """\
On a JupyterHub or Binder, JupyterLab runs already: nothing is installed or started here.
In its list of files, open {0} in the folder of this course. Where packages are missing:
  python3 -m pip install --constraint constraints.txt --editable .
For everybody, whoever runs the hub makes its image from environment.yml."""

NOT_YOURS = "You may not write here: copy the folder of the course to a place of your own"
REASONS = {errno.ENOSPC: "The disk is full", errno.EACCES: NOT_YOURS, errno.EROFS: NOT_YOURS}

PROGRAMS = {  # command -> the file or folder that it needs, parts of the set-up, what is run
    "test": ("pyproject.toml", ("base", "test"), ["-m", "pytest", "-n", "auto"]),
    "release": ("release.py", ("base", "test"), ["release.py"]),
    "report": ("teach", ("base",), ["-m", "teach", "report"]),
    "edition": ("teach", ("base",), ["-m", "teach", "edition"]),
}

FORGET = """\
This deletes the folder work/.course: the answers that the course has kept, your progress and
your predictions. Your notebooks stay as they are. Delete it? [y/N]"""


def lab(arguments):
    """Open JupyterLab on the folder work."""
    options, name = list(arguments), None
    if options and not options[0].startswith("-"):
        name = work_folder.find_lesson(options.pop(0), NOTEBOOKS)
    if options[:1] == ["--"]:
        options.pop(0)
    on_hub = "JUPYTERHUB_SERVICE_PREFIX" in os.environ
    if not on_hub:
        installer.set_up("base", or_start=True)
    for text in work_folder.update_work(NOTEBOOKS, WORK):
        say(text)
    name = name or work_folder.last_lesson(NOTEBOOKS, WORK)
    names = [name] if name else work_folder.lessons(NOTEBOOKS)[:1]
    names = [work_folder.find_renamed(name, NOTEBOOKS, WORK) or name for name in names]
    if on_hub:
        say(HUB.format("/".join(["work"] + names)))
        return 0
    if not names:
        say("There are no lessons in the folder notebooks: opening an empty folder.")
    command = [PYTHON, "-m", "jupyterlab", "--ServerApp.ip=127.0.0.1"]
    command.append("--ServerApp.root_dir=" + WORK)
    place = "/".join(["/lab"] + ["tree/" + work_folder.quote(n) for n in names])
    command.append("--LabApp.default_url=" + place)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    return hand_over(command + options)


def fresh(arguments):
    """Put an untouched copy of a lesson into work/, under a new name."""
    if len(arguments) != 1:
        raise CourseError("fresh takes one lesson, for instance: {0} fresh 02".format(COMMAND))
    name = work_folder.find_lesson(arguments[0], NOTEBOOKS)
    say("New: work/" + work_folder.copy_fresh(name, NOTEBOOKS, WORK))
    return 0


def forget(arguments):
    """Delete what the course has kept of the student's answers and progress, after a question."""
    store = os.path.join(WORK, ".course")
    if arguments not in ([], ["--yes"]):
        raise CourseError("forget takes no arguments but --yes, got: " + " ".join(arguments))
    if not os.path.isdir(store):
        say("There is nothing to delete.")
        return 0
    if not arguments:
        say(FORGET, end=" ")
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            say("Nothing was deleted.")
            return 0
    shutil.rmtree(store)
    say("Deleted: work/.course")
    return 0


def program(command, arguments):
    """Run a program of the course; those for teachers read where this was called from."""
    needed, parts, words = PROGRAMS[command]
    if not os.path.exists(os.path.join(ROOT, needed)):  # as in the edition for students
        raise CourseError("This copy of the course has no {0}, which that needs.".format(needed))
    installer.set_up(*parts)
    os.environ["COURSE_CALLED_FROM"] = os.getcwd()
    return hand_over([PYTHON] + words + arguments)


def setup(arguments):
    """Do the set-up again."""
    if arguments:
        raise CourseError("setup takes no arguments, got: " + " ".join(arguments))
    installer.set_up("base", again=True)
    return 0


def hand_over(command):
    """Become another program, run in the course's folder, for good."""
    if os.name != "nt":
        os.chdir(ROOT)
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is that program's to handle
    return installer.run(command)


def main(arguments):
    """Run one command and return its exit code."""
    commands = {f.__name__: f for f in (lab, fresh, forget, setup)}
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        say(USAGE)
        return 0
    try:
        if arguments[0] in PROGRAMS:
            return program(arguments[0], arguments[1:])
        if arguments[0] not in commands:
            raise CourseError("There is no command '{0}'.\n\n{1}".format(arguments[0], USAGE))
        return commands[arguments[0]](arguments[1:])
    except (CourseError, EnvironmentError) as error:
        reason = REASONS.get(getattr(error, "errno", None))
        print("{0}: {1}".format(reason, error) if reason else str(error), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Running the same command again goes on from here.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
