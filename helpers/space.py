"""The old name of `helpers.plots3d`, which notebooks of before December 2026 import."""

from helpers.plots3d import cube, plane_in_cube, surface

__all__ = ["cube", "plane_in_cube", "surface"]
