"""What the lessons' notebooks import: loaded once, before the process of each student begins."""

import contextlib
import importlib

for name in ("matplotlib.pyplot", "pandas", "seaborn", "sklearn.datasets", "sklearn.linear_model",
             "sklearn.model_selection", "sklearn.neural_network", "helpers.plots3d",
             "helpers.torch_compare", "teach.student", "torch"):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
