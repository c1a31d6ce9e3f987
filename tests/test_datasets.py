import math
import runpy
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from helpers import datasets
from helpers.datasets import (
    DATA,
    addition_runs,
    circles_full_batch,
    depth_map,
    digit_network,
    income,
    make_circles,
    moons,
    moons_widths,
    rings,
)

LINES = (DATA / "income2.csv").read_text().splitlines()


def test_income_has_the_shapes_and_values_of_the_file():
    X, y = income()
    assert X.shape == (30, 2) and y.shape == (30, 1)
    assert X.dtype == y.dtype == np.float64
    np.testing.assert_array_equal(X[0], [21.5862068965517, 113.103448275862])
    assert y[0, 0] == 99.9171726114381
    np.testing.assert_allclose(X.mean(axis=0), [16.3862069, 93.86206897], rtol=1e-8)
    np.testing.assert_allclose(y.mean(), 62.74473298, rtol=1e-8)
    by_hand = [[float(field) for field in line.split(",")[1:]] for line in LINES[1:]]
    np.testing.assert_array_equal(np.hstack([X, y]), by_hand)


def test_each_call_returns_arrays_of_its_own():
    X, y = income()
    X[:], y[:] = 0, 0
    assert income()[0].all() and income()[1].all()
    assert all(array.flags.owndata for array in income())


def test_the_file_is_found_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert income()[0].shape == (30, 2)


def test_line_ends_quotes_and_a_byte_order_mark_do_no_harm(tmp_path):
    path = tmp_path / "income2.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(LINES).replace('"', "").encode())
    np.testing.assert_array_equal(income(path)[1], income()[1])


def test_a_missing_file_is_named_with_the_way_back(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.csv is not there.*git checkout data/"):
        income(tmp_path / "nowhere.csv")


def changed(line, old, new):
    lines = list(LINES)
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new)
    return lines


DAMAGE = {
    "empty": ([], "it is empty; wanted: the column names"),
    "blank line": ([*LINES[:3], "", *LINES[3:]], "line 4 has 0 fields; wanted: 4"),
    "header missing": (LINES[1:], "line 1 is '1,21.58.*wanted: the column names"),
    "header renamed": (changed(1, "Income", "Wage"), "line 1 is ',Education,Seniority,Wage'"),
    "truncated": (LINES[:21], "it has 20 rows .* the last on line 21; wanted: 30 rows"),
    "header only": (LINES[:1], "it has 0 rows"),
    "one row too many": ([*LINES, LINES[-1]], "it has 31 rows"),
    "cut within a line": ([*LINES[:-1], '"30",12.0'], "line 31 has 2 fields; wanted: 4"),
    "column missing": ([line.rsplit(",", 1)[0] for line in LINES], "line 1 is"),
    "column added": (changed(5, '"4",', '"4",1,'), "line 5 has 5 fields; wanted: 4"),
    "text": (changed(2, "113.103448275862", "many"),
             "line 2 has 'many' under 'Seniority'; wanted: a finite number"),
    "field empty": (changed(2, "99.9171726114381", ""), "line 2 has '' under 'Income'"),
    "nan": (changed(3, "119.310344827586", "nan"), "line 3 has 'nan' under 'Seniority'"),
    "infinite": (changed(2, "99.9171726114381", "1e999"), "line 2 has '1e999' under 'Income'"),
    "row number": (changed(2, '"1"', '"first"'), "line 2 has 'first' under 'the row number'"),
    "a number changed": (changed(2, "99.9171726114381", "9.99171726114381"),
                         "a number has changed"),
    "rows swapped": ([LINES[0], LINES[2], LINES[1], *LINES[3:]], "a number has changed"),
}


@pytest.mark.parametrize("lines, message", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_file_says_which_line_and_what_was_wanted(tmp_path, lines, message):
    path = tmp_path / "income2.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(ValueError, match=message) as caught:
        income(path)
    assert str(path) in str(caught.value)
    assert "git checkout data/income2.csv" in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00\x81", b"PK\x03\x04\x8f\xff"])
def test_a_file_that_is_no_text_is_damaged(tmp_path, content):
    path = tmp_path / "income2.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged"):
        income(path)


def test_a_folder_in_place_of_the_file_counts_as_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not there"):
        income(tmp_path)


def test_the_default_file_is_reported_too(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "DATA", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"income2\.csv"):
        income()


def drawn_point_by_point(N):
    """Return the rings as the source draws them: for each point the radius, then the angle."""
    legacy, points = np.random.RandomState(0), []
    for low, high in [(0, 2.5)] * (N // 2) + [(3.5, 5)] * (N // 2):
        radius = legacy.uniform(low, high)
        angle = legacy.uniform(0, 2 * math.pi)
        points.append([radius * math.sin(angle), radius * math.cos(angle)])
    return np.array(points), legacy.randn(3, 2)


@pytest.mark.parametrize("N", [2, 10, 500])
def test_rings_are_the_sources_points_and_leave_the_generator_where_it_goes_on(N):
    legacy = np.random.RandomState(0)
    X, y = rings(N, legacy)
    points, next_draws = drawn_point_by_point(N)
    np.testing.assert_allclose(X, points, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(legacy.randn(3, 2), next_draws)
    assert X.shape == (N, 2) and y.shape == (N, 1) and X.dtype == y.dtype == np.float64
    assert X.flags.c_contiguous and X.flags.owndata and y.flags.owndata


def test_rings_are_a_disc_inside_a_ring_and_the_same_in_every_call():
    X, y = rings()
    radius = np.hypot(*X.T)
    assert (radius[y[:, 0] == 1] <= 2.5).all() and (radius[y[:, 0] == 0] >= 3.5).all()
    assert radius.max() <= 5 and y.sum() == 250
    np.testing.assert_allclose(X[0], [-1.33934591, -0.29770652], atol=1e-8)
    X[:], y[:] = 0, 0
    assert rings()[0].all() and rings()[1].sum() == 250


@pytest.mark.parametrize("N", [0, -2, 7, 2.5])
def test_an_impossible_number_of_points_is_named(N):
    with pytest.raises(ValueError, match=f"N: {N} came, an even number from 2 up"):
        rings(N)


def test_moons_are_the_two_hundred_points_of_the_source():
    X, y = moons()
    assert X.shape == (200, 2) and y.shape == (200,)
    assert X.dtype == np.float64 and y.dtype == np.int64
    np.testing.assert_allclose(X[:2], [[0.74346118, 0.46465633], [1.65755662, -0.63203157]],
                               rtol=1e-7)
    assert y[:5].tolist() == [0, 1, 1, 0, 1] and y.sum() == 100
    np.testing.assert_array_equal(moons()[0], X)


def test_moons_follow_their_arguments():
    X, y = moons(60, noise=0, seed=3)
    assert X.shape == (60, 2) and y.sum() == 30
    centre = np.where(y[:, np.newaxis] == 0, [0, 0], [1, 0.5])
    np.testing.assert_allclose(np.linalg.norm(X - centre, axis=1), 1)
    assert not np.array_equal(moons(60, noise=0, seed=4)[1], y)
    assert moons(60, noise=0.3)[0].std() > moons(60, noise=0.1)[0].std()


@pytest.mark.parametrize("arguments, message", [
    ({"N": 1}, "N: 1 came"), ({"N": 2.5}, "N: 2.5 came"), ({"noise": -0.1}, "noise: -0.1 came"),
    ({"noise": np.nan}, "noise: nan came")])
def test_moons_name_an_argument_that_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        moons(**arguments)


def test_circles_are_those_that_the_source_draws():
    from sklearn.datasets import make_circles as theirs

    np.random.seed(42)  # as the source does: one seed, and everything after it goes on
    X_theirs, y_theirs = theirs(n_samples=500, factor=0.1, noise=0.1)
    weights = np.random.randn(2, 3)
    legacy = np.random.RandomState(42)
    X, y = make_circles(500, seed=legacy)
    np.testing.assert_array_equal(X, X_theirs)
    np.testing.assert_array_equal(y, y_theirs)
    np.testing.assert_array_equal(legacy.randn(2, 3), weights)
    assert X.dtype == np.float64 and y.dtype == np.int64 and y.sum() == 250
    np.testing.assert_array_equal(make_circles(500)[0], X)


def test_circles_have_the_radii_and_the_noise_asked_for():
    X, y = make_circles(400, factor=0.3, noise=0)
    radius = np.linalg.norm(X, axis=1)
    np.testing.assert_allclose(radius[y == 0], 1)
    np.testing.assert_allclose(radius[y == 1], 0.3)
    assert not np.array_equal(make_circles(50, seed=1)[0], make_circles(50, seed=2)[0])


@pytest.mark.parametrize("arguments, message", [
    ({"N": 1}, "N: 1 came"), ({"N": 2.5}, "N: 2.5 came"), ({"factor": 1.0}, "factor: 1.0 came"),
    ({"factor": -0.1}, "factor: -0.1"), ({"noise": -1}, "noise: -1 came"),
    ({"noise": np.nan}, "noise: nan came")])
def test_circles_refuse_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_circles(**arguments)


def test_the_record_of_the_long_training_is_what_its_script_computes():
    script = runpy.run_path(str(DATA / "circles_full_batch.py"))
    record = circles_full_batch()
    assert [row["iteration"] for row in record] == script["ROWS"]
    for row, (iteration, loss, accuracy, params) in zip(record, script["run"](3), strict=False):
        assert row["iteration"] == iteration
        np.testing.assert_allclose([row["loss"], row["accuracy"]], [loss, accuracy], rtol=1e-8)
        for name, value in params.items():
            np.testing.assert_allclose(row["params"][name], value, rtol=1e-8)


def test_recorded_losses_are_those_of_the_recorded_parameters():
    legacy = np.random.RandomState(42)
    X, y = make_circles(seed=legacy)
    record = circles_full_batch()
    for row in (record[60], record[150], record[-1]):
        W1, b1, W2, b2 = row["params"].values()
        Z2 = 1 / (1 + np.exp(-(X @ W1 + b1))) @ W2 + b2
        logits = Z2[:, 1] - Z2[:, 0]
        loss = np.logaddexp(0, np.where(y == 1, -logits, logits)).mean()
        np.testing.assert_allclose(row["loss"], loss, rtol=1e-5)
        np.testing.assert_allclose(row["accuracy"], ((logits > 0) == (y == 1)).mean(), atol=1e-4)


def test_a_damaged_record_is_refused(tmp_path):
    lines = (DATA / "circles_full_batch.csv").read_text().splitlines()
    (tmp_path / "run.csv").write_text("\n".join(lines[:-1]))
    with pytest.raises(ValueError, match="it has .* rows"):
        circles_full_batch(tmp_path / "run.csv")


def test_the_record_of_the_widths_is_what_its_script_computes():
    script = runpy.run_path(str(DATA / "moons_widths.py"))
    record = moons_widths()
    runs = list(zip(*(record[name].tolist() for name in ("units", "start", "step")), strict=True))
    assert runs == [(H, seed, step) for H in script["WIDTHS"] for seed in script["STARTS"]
                    for step in script["STEPS"]]
    for X, y, (again, labels) in ((*moons(), script["points"](200, 0)),
                                  (*moons(1000, seed=1), script["points"](1000, 1))):
        np.testing.assert_array_equal(X, again)
        np.testing.assert_array_equal(y, labels)
    for H, seed in ((3, 2), (50, 4)):  # at step 300 others, as (3, 1), hang on round-off
        for row in script["run"](H, seed, 300):
            at = runs.index((H, seed, row[2]))
            np.testing.assert_allclose([record[name][at] for name in list(record)[3:]], row[3:],
                                       rtol=1e-4)


def test_a_damaged_record_of_the_widths_is_refused(tmp_path):
    text = (DATA / "moons_widths.csv").read_text()
    (tmp_path / "widths.csv").write_text(text.replace("0.7", "0.8", 1))
    with pytest.raises(ValueError, match="a number has changed"):
        moons_widths(tmp_path / "widths.csv")


def test_the_network_for_drawn_digits_reads_as_well_as_its_readme_says():
    script = runpy.run_path(str(DATA / "digit_network.py"))
    X, y = script["digits"]()
    right = script["read"](X, digit_network())[1].argmax(axis=1) == y
    assert abs(right[script["TRAINING"]:].mean() - 0.967) < 1e-3
    assert right[:script["TRAINING"]].mean() > 0.97


def test_a_damaged_network_is_refused(tmp_path):
    text = (DATA / "digit_network.csv").read_text()
    (tmp_path / "network.csv").write_text(text.replace("0.", "1.", 1))
    with pytest.raises(ValueError, match="a number has changed"):
        digit_network(tmp_path / "network.csv")


def loaded_after(statements):
    code = f"import sys\n{statements}\nprint(*sorted(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              check=True).stdout.split())


HEAVY = {"pandas", "seaborn", "sklearn", "torch", "matplotlib", "scipy", "networkx"}


def test_importing_helpers_loads_nothing_heavy():
    assert not loaded_after("import helpers") & {*HEAVY, "helpers.draw"}
    assert not loaded_after("import helpers; helpers.datasets.income(); helpers.palette") & HEAVY


def test_submodules_are_loaded_on_first_use():
    assert {"helpers.draw", "networkx"} <= loaded_after("import helpers; helpers.draw")
    assert not {"pandas", "seaborn", "sklearn", "torch"} & loaded_after(
        "import helpers; helpers.draw; helpers.plots")


def test_an_unknown_submodule_is_an_attribute_error():
    import helpers

    with pytest.raises(AttributeError, match="no attribute 'data'"):
        helpers.data  # noqa: B018
    assert {"checks", "datasets", "draw", "palette", "plots"} <= set(dir(helpers))


def test_the_map_of_depths_is_what_its_script_computes():
    script, record = runpy.run_path(str(DATA / "depth_map.py")), depth_map()
    assert len(record) == script["SEEDS"] * len(dict.fromkeys(script["settings"]()))
    row = ("ReLU", "he", 3, "none", 0, 0.1)
    for name, value in zip(record.columns, row, strict=False):
        record = record[record[name] == value]
    for seed in record.seed[:2]:
        accuracy = script["run"](script["digits"](), *row, seed)[0]
        assert abs(record.accuracy[record.seed == seed].item() - accuracy) < 0.02


def test_the_additions_are_what_their_script_computes():
    script, record = runpy.run_path(str(DATA / "addition_runs.py")), addition_runs()
    assert record.groupby("kind").seed.nunique().to_dict() == {
        kind: len(seeds) for kind, seeds in script["KINDS"].items()}
    again = pd.DataFrame(script["run"]("right", 1, until=50), columns=record.columns)
    stored = record[(record.kind == "right") & (record.seed == 1)][:2]
    assert np.abs(again.loss.values - stored.loss.values).max() < 0.002
    assert np.abs(again.hundreds.values - stored.hundreds.values).max() < 0.02


@pytest.mark.parametrize("read", [depth_map, addition_runs])
def test_a_damaged_record_is_refused_and_line_ends_do_not_matter(read, tmp_path):
    text = (DATA / f"{read.__name__}.csv").read_bytes()
    (tmp_path / "other.csv").write_bytes(text.replace(b"\n", b"\r\n"))
    assert read(tmp_path / "other.csv").equals(read())
    (tmp_path / "map.csv").write_bytes(text.replace(b"0.1", b"0.2", 1))
    with pytest.raises(ValueError, match="a line has changed"):
        read(tmp_path / "map.csv")


def test_a_missing_map_of_depths_says_how_to_get_it_back(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not there"):
        depth_map(tmp_path / "none.csv")
