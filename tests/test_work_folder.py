"""The folder work: what work_folder.py copies into it, leaves alone and says; where one stopped."""

import json
import shutil
from pathlib import Path

import pytest

import work_folder
from work_folder import BROUGHT

RELEASED = Path(__file__).parent / "fixtures" / "notebooks" / "02_toy.ipynb"


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def alter(path, text, released=False):
    """Append a cell; as a new release of the notebook, or as somebody's work."""
    notebook = load(path)
    cell = {"cell_type": "markdown", "id": "more", "metadata": {}, "source": text}
    notebook["cells"].append(cell)
    if released:
        notebook["metadata"]["course"]["sources"] = work_folder.hash_sources(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def checked(work, exercise, when, outcome="correct", kind="progress"):
    """Write down a check as the course does."""
    progress = work / ".course" / kind
    progress.mkdir(parents=True, exist_ok=True)
    record = {"time": when, "outcome": outcome}
    (progress / f"{exercise}.json").write_text(json.dumps(record), encoding="utf-8")


@pytest.fixture
def toy(tmp_path):
    """The lesson as the course delivers it."""
    (tmp_path / "notebooks").mkdir()
    return shutil.copy(RELEASED, tmp_path / "notebooks" / "02_toy.ipynb")


@pytest.fixture
def update(toy):
    """Bring the folder work up to date; return what was said."""
    return lambda: list(work_folder.update_work(toy.parent, toy.parents[1] / "work"))


@pytest.fixture
def work(toy, update):
    """The folder work with the lesson copied into it."""
    update()
    return toy.parents[1] / "work"


# ---- lessons


@pytest.mark.parametrize(
    "text", ["02", "2", "toy", "02_toy", "02_toy.ipynb", "notebooks/02_toy.ipynb"]
)
def test_a_lesson_by_number_or_name(toy, text):
    assert work_folder.find_lesson(text, toy.parent) == "02_toy.ipynb"


def test_lessons_are_notebooks_with_a_number(toy):
    folder = toy.parent
    for name in ("Untitled.ipynb", "02_toy-Copy1.ipynb", "02_toy-fresh.ipynb", "03_x.txt"):
        (folder / name).write_text("", encoding="utf-8")
    shutil.copy(folder / "02_toy.ipynb", folder / "00_first.ipynb")
    assert work_folder.lessons(folder) == ["00_first.ipynb", "02_toy.ipynb"]
    assert work_folder.lessons(folder / "missing") == []


# ---- copies


def test_untouched_copy_is_refreshed(work, toy, update):
    alter(toy, "a new paragraph", released=True)
    assert update() == ["Updated: work/02_toy.ipynb"]
    assert (work / "02_toy.ipynb").read_bytes() == toy.read_bytes()
    assert update() == []


def test_copy_that_was_only_run_is_refreshed(work, toy, update):
    notebook = load(work / "02_toy.ipynb")
    notebook["metadata"]["language_info"]["version"] = "3.14"
    notebook["cells"][1].update(execution_count=3, metadata={"scrolled": True})
    notebook["cells"].append({"cell_type": "code", "source": [], "metadata": {}, "outputs": []})
    (work / "02_toy.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    saved = (work / "02_toy.ipynb").read_bytes()
    update()
    assert (work / "02_toy.ipynb").read_bytes() == saved  # no news: its outputs stay
    alter(toy, "a new paragraph", released=True)
    update()
    assert (work / "02_toy.ipynb").read_bytes() == toy.read_bytes()


def test_a_renamed_notebook_is_the_lesson_and_gets_no_untouched_twin(work, toy, update):
    assert work_folder.find_renamed("02_toy.ipynb", toy.parent, work) is None
    (work / "02_toy.ipynb").rename(work / "my toy.ipynb")
    (work / "other.ipynb").write_text("{}", encoding="utf-8")
    assert update() == ["work/my toy.ipynb is lesson 02_toy under another name: no other copy was "
                        "made. 'course.py fresh 02_toy' puts one beside it."]
    assert work_folder.find_renamed("02_toy.ipynb", toy.parent, work) == "my toy.ipynb"
    assert not (work / "02_toy.ipynb").exists()


def test_work_is_kept_and_the_new_version_is_named(work, toy, update):
    alter(work / "02_toy.ipynb", "my answer")
    mine = (work / "02_toy.ipynb").read_bytes()
    assert update() == []
    alter(toy, "a new paragraph", released=True)
    said, = update()
    assert "work/02_toy.ipynb holds your work" in said and "course.py fresh 02" in said
    assert (work / "02_toy.ipynb").read_bytes() == mine


@pytest.mark.parametrize("damage, why", [
    (b" ", "it is empty"), (b"{\n<<<<<<< HEAD\n", "a merge has left its marks in line 2")])
def test_a_damaged_notebook_is_not_copied_but_named(toy, update, damage, why):
    sound = toy.read_bytes()
    toy.write_bytes(damage)
    said, = update()
    assert f"notebooks/02_toy.ipynb is damaged ({why}" in said
    assert "git checkout notebooks/02_toy.ipynb" in said
    assert list((toy.parents[1] / "work").iterdir()) == []
    toy.write_bytes(sound)
    assert update() == ["New: work/02_toy.ipynb"]


def test_a_damaged_copy_is_set_aside_once_the_original_is_sound(work, toy, update):
    sound = toy.read_bytes()
    for name in ("02_toy.ipynb.damaged", "02_toy.ipynb.damaged-2"):
        toy.write_bytes(b"{")
        (work / "02_toy.ipynb").write_bytes(b"[")
        update()
        assert (work / "02_toy.ipynb").read_bytes() == b"["
        toy.write_bytes(sound)
        aside, new = update()
        assert "damaged in line 1" in aside and name in aside and new == "New: work/02_toy.ipynb"
        assert (work / name).read_bytes() == b"["
        assert (work / "02_toy.ipynb").read_bytes() == sound


def test_a_save_that_was_cut_off_is_left_for_jupyter_to_mend(work, update):
    (work / ".~02_toy.ipynb").write_bytes((work / "02_toy.ipynb").read_bytes())
    (work / "02_toy.ipynb").write_bytes(b"{")
    assert update() == []
    assert (work / "02_toy.ipynb").read_bytes() == b"{"


@pytest.mark.parametrize(
    "text",
    ['{"cells": [], "metadata": {}}', '{"cells": [], "metadata": {"course": {"sources": null}}}',
     '{"cells": [], "metadata": []}'],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_cannot_be_judged_is_kept(work, toy, update, text, encoding):
    (work / "02_toy.ipynb").write_text(text, encoding=encoding)
    alter(toy, "a new paragraph", released=True)
    update()
    assert (work / "02_toy.ipynb").read_text(encoding=encoding) == text


def test_a_delivered_notebook_that_was_worked_in_is_named_at_each_start(work, toy, update):
    alter(toy, "my answer, in the wrong folder")
    mine = toy.read_bytes()
    said, = update()
    assert said == BROUGHT.format("02_toy.ipynb")
    alter(toy, "more of it")
    for _ in range(2):
        said, = update()
        assert "notebooks/02_toy.ipynb has been worked in" in said
        assert (work / "02_toy.ipynb").read_bytes() == mine


def test_other_files_in_work_stay(work, toy, update):
    (work / "notes.ipynb").write_text("mine", encoding="utf-8")
    (work / "09_mine.ipynb").write_text("mine", encoding="utf-8")
    (work / ".course" / "answers").mkdir(parents=True)
    (work / ".course" / "answers" / "02-double.py").write_text("mine", encoding="utf-8")
    alter(toy, "a new paragraph", released=True)
    update()
    names = {"02_toy.ipynb", "notes.ipynb", "09_mine.ipynb", ".course"}
    assert {path.name for path in work.iterdir()} == names
    assert (work / ".course" / "answers" / "02-double.py").read_text(encoding="utf-8") == "mine"


def test_copy_never_replaces_unasked(tmp_path):
    (tmp_path / "new").write_text("new", encoding="utf-8")
    (tmp_path / "old").write_text("old", encoding="utf-8")
    new, old, third = (str(tmp_path / name) for name in ("new", "old", "third"))
    assert work_folder.copy(new, old) is False
    assert (tmp_path / "old").read_text(encoding="utf-8") == "old"
    assert work_folder.copy(new, third) is True
    assert work_folder.copy(new, old, replace=True) is True
    assert {p.name: p.read_text(encoding="utf-8") for p in tmp_path.iterdir() if p.is_file()} == {
        "new": "new", "old": "new", "third": "new"
    }  # fmt: skip


def test_of_two_labs_at_once_neither_meets_a_notebook_half_copied(work, toy, update, monkeypatch):
    (work / "02_toy.ipynb").unlink()
    seen, replace = [], work_folder.os.replace
    monkeypatch.setattr(work_folder.os, "replace", lambda source, target: (
        seen.append(Path(target).exists()), replace(source, target)))
    assert update() == ["New: work/02_toy.ipynb"] and seen == [False]


def test_fresh_copies_get_new_names(work, toy):
    alter(work / "02_toy.ipynb", "my answer")
    mine = (work / "02_toy.ipynb").read_bytes()
    for name in ("02_toy-fresh.ipynb", "02_toy-fresh-2.ipynb", "02_toy-fresh-3.ipynb"):
        assert work_folder.copy_fresh("02_toy.ipynb", toy.parent, work) == name
        assert (work / name).read_bytes() == toy.read_bytes()
    assert (work / "02_toy.ipynb").read_bytes() == mine


def test_fresh_needs_an_untouched_original(work, toy):
    alter(toy, "my answer, in the wrong folder")
    with pytest.raises(OSError, match="notebooks/02_toy.ipynb has itself been worked in"):
        work_folder.copy_fresh("02_toy.ipynb", toy.parent, work)
    toy.write_bytes(b"")
    with pytest.raises(OSError, match="notebooks/02_toy.ipynb is damaged .it is empty."):
        work_folder.copy_fresh("02_toy.ipynb", toy.parent, work)
    assert [path.name for path in work.iterdir()] == ["02_toy.ipynb"]


# ---- where the student stopped


def test_the_lesson_in_which_something_was_done_last(work, toy):
    for name in ("00_first", "03_last"):
        shutil.copy(toy, toy.parent / f"{name}.ipynb")
    assert work_folder.last_lesson(toy.parent, work) is None
    for name, when, last, kind in (
        ("03-one", "2026-11-20T10:00:00", "03_last.ipynb", "progress"),
        ("02-double", "2026-11-21T09:00:00+00:00", "02_toy.ipynb", "progress"),
        ("00-square", "2026-11-19T09:00:00", "02_toy.ipynb", "progress"),
        ("07-gone", "2026-11-22T09:00:00", "02_toy.ipynb", "progress"),
        ("03-angle", "2026-11-22T23:00:00.5", "03_last.ipynb", "predictions"),
        ("00", "2026-11-23T09:00:00", "00_first.ipynb", "recall"),
    ):
        checked(work, name, when, kind=kind)
        assert work_folder.last_lesson(toy.parent, work) == last


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"time": 3}', '{"time": "yesterday"}', '{"time": null}', "\x00",
             "[" * 99_999]
)  # fmt: skip
def test_progress_that_cannot_be_read_is_left_out(work, toy, text):
    checked(work, "02-double", "")
    (work / ".course" / "progress" / "02-double.json").write_text(text, encoding="utf-8")
    (work / ".course" / "progress" / "02-folder.json").mkdir()
    assert work_folder.last_lesson(toy.parent, work) is None
