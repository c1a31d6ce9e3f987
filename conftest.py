"""What holds for all tests, those in this folder and the solution notebooks that nbval runs."""

import importlib.util
import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest

# An overflow in a solution fails: nbval's kernels inherit this, the tests themselves do not.
os.environ["PYTHONWARNINGS"] = "error::RuntimeWarning"

# Two workers with two threads each would wait for each other on two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# The notebooks in fixtures/ are for the tests of release.py; nbval would run them.
collect_ignore_glob = ["*fixtures*.ipynb"]

SOLUTIONS = Path(__file__).parent / "solutions"
LONG = "test_browser.py", "test_notebooks.py", "test_november.py", "test_teach.py", ".ipynb"
EXERCISE = re.compile(r"\[.*?(\d\d-[a-z][a-z-]*(?:/\w+)?)[]:]")  # a test's, in its name
ONWARD = r"<div>All is done.*?</div>|\nAll is done.*"  # a link to the next lesson
NO_LINE = """import os
get_ipython().extension_manager.unload_extension("helpers.memory.morning")
os.chdir({folder!r})
del os"""  # the solutions' outputs are without the line under the import cell
NO_TORCH = pytest.mark.skip(reason="PyTorch is not installed: the rest of the notebook needs it")


class NbvalSettings:
    """Settings for nbval that it has no option for; wanted for notebooks in every folder."""

    def __init__(self):
        self.folders = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item):
        """Let each solution run as a student's: in a folder of notebooks that remembers."""
        new = getattr(item.parent, "kernel", self) is None and item.path.parent == SOLUTIONS
        result = yield
        if new:
            self.folders.append(tempfile.TemporaryDirectory(prefix="work"))
            folder = shutil.copytree(SOLUTIONS, self.folders[-1].name, dirs_exist_ok=True)
            item.parent.kernel.kc.execute(
                NO_LINE.format(folder=str(folder)), silent=True, reply=True)
        return result

    @staticmethod
    def pytest_collectstart(collector):
        """Do not compare progress bars, and a line that is shown in a student's folder only."""
        if hasattr(collector, "skip_compare"):
            collector.skip_compare += ("stderr",)
            collector.sanitize_patterns[ONWARD] = ""


def pytest_configure(config):
    """Register the settings as a plugin: the hooks of a conftest reach its own folder only."""
    config.pluginmanager.register(NbvalSettings(), "nbval-settings")
    # No windows from the tests themselves. Not by the variable MPLBACKEND: kernels would inherit it
    # and show no figures.
    import matplotlib
    matplotlib.use("Agg")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Where workers share the tests (`-n`), one of them runs all cells of a notebook.

    And one runs all tests in the browser, for which JupyterLab is started once, and one all tests
    of the check of an exercise, which remembers what its known mistakes come to.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            path, exercise = nodeid.split("::")[0], EXERCISE.search(nodeid)
            if path.endswith((".ipynb", "test_browser.py")):
                return path
            return exercise[1] if exercise else nodeid

    config.option.loadscopereorder = False  # the order is set below: long ones first
    return Together(config, log)


def pytest_collection_modifyitems(items):
    """Put long tests first, and without PyTorch skip a solution from the cell that asks for it."""
    items.sort(key=lambda item: not item.path.name.endswith(LONG))
    if importlib.util.find_spec("torch") is not None:
        return
    without = set()
    for item in items:
        source = getattr(item, "cell", None)
        if source is not None and "require_torch()" in source["source"]:
            without.add(item.parent)
        if source is not None and item.parent in without:
            item.add_marker(NO_TORCH)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip what turns out to need PyTorch where it is missing: checks ask for it by themselves."""
    try:
        return (yield)
    except Exception as error:
        wanted = type(error).__name__ == "MissingTorch" or getattr(error, "name", "") == "torch"
        if wanted and importlib.util.find_spec("torch") is None:
            pytest.skip(str(error))
        raise
