"""The old name of `helpers.torch_compare`, which notebooks of before December 2026 import."""

from helpers.torch_compare import MissingTorch, ledger, require_torch

__all__ = ["MissingTorch", "ledger", "require_torch"]
