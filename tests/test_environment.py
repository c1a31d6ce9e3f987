"""The lists of packages: environment.yml, pyproject.toml, constraints.txt; and .ci/run."""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import course

ROOT = Path(__file__).parent.parent
CONDA_NAMES = {"torch": "pytorch", "playwright": "playwright-python"}


def package(requirement):
    """Return the name in a requirement such as 'numpy>=2'."""
    return re.match(r"[A-Za-z0-9_.-]+", requirement)[0].lower()


@pytest.fixture(scope="module")
def listed():
    """The packages that pyproject.toml lists, for the course and its tests."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"] + project["optional-dependencies"]["test"]


@pytest.fixture(scope="module")
def environment():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def constraints():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_environment_lists_the_same_packages(environment, listed):
    conda = {package(line) for line in environment["dependencies"] if isinstance(line, str)}
    wanted = {package(line) for line in listed} | {package(course.TORCH)}
    assert conda - {"python", "pip"} == {CONDA_NAMES.get(name, name) for name in wanted}


def test_environment_is_from_conda_forge_and_python_new_enough(environment):
    assert environment["channels"] == ["conda-forge"]
    assert "python>={}.{}".format(*course.OLDEST_PYTHON) in environment["dependencies"]


def test_environment_installs_the_helpers(environment):
    assert "pip" in environment["dependencies"]
    assert {"pip": ["-e ."]} in environment["dependencies"]


def test_environment_lists_nothing_twice(environment):
    names = [package(line) for line in environment["dependencies"] if isinstance(line, str)]
    assert sorted(names) == sorted(set(names))


def test_python_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">={}.{}".format(*course.OLDEST_PYTHON)


def test_every_package_is_pinned(constraints, listed):
    pinned = {package(line) for line in constraints if re.match(r"[\w.-]+==[\w.]+( ;|$)", line)}
    assert {package(line) for line in listed} - pinned == set()
    assert len(pinned) == len(constraints), "every line of constraints.txt should be a pin"


def test_constraints_leave_torch_to_the_launcher(constraints):
    assert [line for line in constraints if package(line) == "torch"] == []
    assert re.fullmatch(r"torch==[\d.]+", course.TORCH)


def test_package_lists_name_no_host():
    for name in ("constraints.txt", "environment.yml", "pyproject.toml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"://|--(extra-)?index|--find-links|@ ", text), name


def test_ci_runs_the_tests():
    path = ROOT / ".ci" / "run"
    assert path.read_text(encoding="utf-8").splitlines()[-1] == "exec python3 course.py test"
    assert os.name == "nt" or os.access(path, os.X_OK)
