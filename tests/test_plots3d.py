"""Pictures in three dimensions, tested on their Axes."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from mpl_toolkits.mplot3d.art3d import Path3DCollection, Poly3DCollection

from helpers import palette, plots3d

RNG = np.random.default_rng(0)
POINTS = RNG.uniform(size=(30, 3))
Y = (POINTS.sum(axis=1) > 1.5).astype(int)
X = RNG.normal(size=(40, 2))
PLANE = ((1.0, 1.0, 1.0), -1.5)
CALLS = {"cube": (POINTS, Y), "surface": (lambda grid: 1 / (1 + np.exp(-3 * grid[:, 0])), X)}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def pixels(ax):
    ax.figure.canvas.draw()
    return np.asarray(ax.figure.canvas.buffer_rgba())[..., :3].astype(float)


@pytest.mark.parametrize("name", CALLS)
def test_each_picture_is_made_in_a_new_figure_or_on_the_given_axes(name):
    draw = getattr(plots3d, name)
    ax = draw(*CALLS[name], title="A title", view=(10, 20))
    assert ax.get_title() == "A title" and (ax.elev, ax.azim) == (10, 20)
    assert pixels(ax).std() > 5 and ax.get_zlabel()
    figure = plt.figure(facecolor="black")
    given = figure.add_subplot(1, 2, 1, projection="3d")
    assert draw(*CALLS[name], ax=given) is given
    assert to_hex(figure.get_facecolor()) == to_hex(given.get_facecolor()) == "#ffffff"
    with pytest.raises(ValueError, match="ax: an Axes in two dimensions came"):
        draw(*CALLS[name], ax=plt.subplots()[1])


def test_points_keep_colour_and_marker_of_their_class():
    ax = plots3d.cube(POINTS, Y, names=["outer", "inner"])
    classes = [c for c in ax.collections if isinstance(c, Path3DCollection)]
    for k, points in enumerate(classes):
        np.testing.assert_allclose(np.column_stack(points._offsets3d), POINTS[Y == k])
        assert to_hex(points.get_facecolor()[0]).upper() == palette.CLASS_COLOURS[k]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["outer", "inner"]
    assert ax.get_xlim() == ax.get_ylim() == ax.get_zlim() == (0, 1)


def test_a_plane_is_drawn_only_where_it_is_given_and_meets_the_cube():
    def planes(ax):
        return [c for c in ax.collections if isinstance(c, Poly3DCollection)]

    assert not planes(plots3d.cube(POINTS, Y))
    assert len(planes(plots3d.cube(POINTS, Y, plane=PLANE))) == 1
    assert not planes(plots3d.cube(POINTS, Y, plane=((1, 1, 1), 5.0)))


@pytest.mark.parametrize("normal, offset, corners", [
    ((1, 1, 1), -1.5, 6), ((1, 1, 1), -0.5, 3), ((0, 0, 1), -0.5, 4), ((1, 1, 0), -1.0, 4),
    ((1, 1, 1), 1.0, 0), ((1, 0, 0), 2.0, 0), ((1, 1, 1), 0.0, 0), ((2, -1, 0.5), -0.4, 5),
])
def test_the_corners_of_a_plane_lie_in_it_and_on_edges_of_the_cube(normal, offset, corners):
    found = plots3d.plane_in_cube(normal, offset)
    assert len(found) == corners
    np.testing.assert_allclose(found @ np.array(normal) + offset, 0, atol=1e-9)
    assert ((found >= 0) & (found <= 1)).all()
    assert all(np.isin(corner, (0.0, 1.0)).sum() >= 2 for corner in found)


def test_the_corners_stand_in_order_around_the_plane():
    corners = plots3d.plane_in_cube(*PLANE)
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    np.testing.assert_allclose(sides, np.sqrt(0.5))  # a regular hexagon, no diagonal


def test_a_surface_asks_once_and_marks_one_half():
    asked = []

    def predict(grid):
        asked.append(grid.shape)
        return 1 / (1 + np.exp(-3 * grid[:, :1]))

    ax = plots3d.surface(predict, X, label="share")
    assert asked == [(plots3d.GRID ** 2, 2)] and ax.get_zlabel() == "share"
    assert ax.get_zlim() == (0, 1)
    border = len(ax.collections)
    assert border == len(plots3d.surface(lambda grid: np.full(len(grid), 0.2), X).collections) + 1


@pytest.mark.parametrize("call, message", [
    (lambda: plots3d.cube(POINTS[:, :2], Y), r"points: shape \(30, 2\) came"),
    (lambda: plots3d.cube(POINTS, Y[:5]), r"y: shape \(5,\) came, \(30,\) was wanted"),
    (lambda: plots3d.cube(POINTS, Y, plane=((0, 0, 0), 1.0)), "normal: .* not all 0"),
    (lambda: plots3d.plane_in_cube((1, 2), 1.0), "normal: "),
    (lambda: plots3d.surface(len, POINTS), r"X: shape \(30, 3\) came"),
    (lambda: plots3d.surface(lambda grid: grid, X), r"predict\(grid\): shape \(3600, 2\) came"),
], ids=range(6))
def test_what_does_not_fit_is_refused_in_clear_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()
