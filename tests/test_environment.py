"""The lists of packages: environment.yml, pyproject.toml, constraints.txt; and .ci/run."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from jupyter_client.connect import LocalPortCache

import course
import installer

ROOT = Path(__file__).parent.parent


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
    """The lines of environment.yml: of conda, and under its `pip`."""
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    loaded = yaml.safe_load(text)
    assert loaded["channels"] == ["conda-forge"]
    *conda, last = loaded["dependencies"]
    return conda, last["pip"]


@pytest.fixture(scope="module")
def constraints():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_environment_lists_the_same_packages_with_the_same_pins(environment, listed, constraints):
    conda, pip = environment
    pins = {package(line): line.split(" ;")[0] for line in [*constraints, installer.TORCH]}
    wanted = [pins[package(line)] for line in [*listed, "torch"]]
    there = [line.replace("=", "==").replace("pytorch", "torch") for line in conda[1:-1]]
    assert sorted(there + pip[:-1]) == sorted(wanted)


def test_environment_names_one_python_as_binder_reads_it(environment):
    number = re.fullmatch(r"python=(\d+)\.(\d+)", environment[0][0])
    assert tuple(map(int, number.groups())) >= course.OLDEST_PYTHON


def test_environment_installs_the_helpers(environment):
    assert environment[0][-1] == "pip" and environment[1][-1] == "-e ."


def test_python_versions_agree():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">={}.{}".format(*course.OLDEST_PYTHON)


def test_every_package_is_pinned(constraints, listed):
    pinned = {package(line) for line in constraints if re.match(r"[\w.-]+==[\w.]+( ;|$)", line)}
    assert {package(line) for line in listed} - pinned == set()
    assert len(pinned) == len(constraints), "every line of constraints.txt should be a pin"


def test_constraints_leave_torch_to_the_launcher(constraints):
    assert [line for line in constraints if package(line) == "torch"] == []
    assert re.fullmatch(r"torch==[\d.]+", installer.TORCH)


def test_package_lists_name_no_host():
    for name in ("constraints.txt", "environment.yml", "pyproject.toml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"://|--(extra-)?index|--find-links|@ ", text), name


def test_constraints_are_in_order(constraints):
    assert [package(line) for line in constraints] == sorted(map(package, constraints))


def test_an_installed_copy_brings_data_and_solutions(tmp_path):
    pytest.importorskip("setuptools")
    for name in ("helpers", "data", "solutions"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('.'))"
    result = subprocess.run(
        [sys.executable, "-c", build], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    site = tmp_path / "site"
    shutil.unpack_archive(tmp_path / result.stdout.split()[-1], site, "zip")
    for name, pattern in (("data", "*.csv"), ("solutions", "*.ipynb")):
        files = {path.name for path in (ROOT / name).glob(pattern)}
        assert files and files == {path.name for path in (site / "helpers" / name).glob(pattern)}
    for pattern in ("checks/mistakes/*.md", "views/*.js"):
        assert list((site / "helpers").glob(pattern)), pattern
    look = "from helpers import datasets, folder; datasets.income(); print(folder('solutions'))"
    found = subprocess.run(
        [sys.executable, "-c", look],
        cwd=site, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""},
    )  # fmt: skip
    assert Path(found.stdout.strip()).resolve() == (site / "helpers" / "solutions").resolve()


def test_ci_runs_the_tests():
    path = ROOT / ".ci" / "run"
    assert path.read_text(encoding="utf-8").splitlines()[-1] == "exec python3 course.py test"
    assert os.name == "nt" or os.access(path, os.X_OK)


def test_kernels_take_ports_that_no_connection_and_no_other_worker_is_given():
    cache = LocalPortCache()
    ports = [cache.find_available_port("127.0.0.1") for _ in range(5)]
    assert len({*ports}) == 5 and all(10_000 <= port < 32_768 for port in ports)
