"""Settings for nbgrader: copy this file into the folder of your class.

In the kernels of the grader, `mine("01-forward")` hands over the solution's function where the
student's lesson 01 is not there or wrong, and a check of a solution's function fails.
"""

import os
import sys

from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    OverwriteCells,
    OverwriteKernelspec,
)

try:
    import resource
except ImportError:  # Windows
    resource = None

c = get_config()  # noqa: F821  (nbgrader's own)

os.environ["COURSE_GRADING"] = "1"  # what the checks ask for; kernels inherit it
os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])

# Seconds for a cell, after which it is interrupted and the next one runs. Checks stop an endless
# answer by themselves, after two seconds.
c.Execute.timeout = 30
c.Execute.raise_on_iopub_timeout = False


class TakeMarks(DeduplicateIds):
    """Take the marks of a cell that has been copied off; empty marks would end the whole batch."""

    def preprocess_cell(self, cell, resources, cell_index):
        """Return a cell that has marks only where it is the last of its kind."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if cell.metadata.get("nbgrader") == {}:
            del cell.metadata["nbgrader"]
        return cell, resources


c.Autograde.sanitize_preprocessors = [
    ClearOutput, TakeMarks, OverwriteKernelspec, OverwriteCells, CheckCellMetadata]

# What stands in the exercises that `nbgrader generate_assignment` makes.
c.ClearSolutions.code_stub = {
    "python": "# Your code goes here, in place of the next line.\nraise NotImplementedError"}
c.ClearSolutions.begin_solution_delimeter = "# BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "# END SOLUTION"

# Bytes that a kernel may take: a cell that wants more ends in a MemoryError, and the next one runs.
if resource is not None and sys.platform == "linux":
    resource.setrlimit(resource.RLIMIT_AS, (8 * 2**30, resource.getrlimit(resource.RLIMIT_AS)[1]))
