"""Find what a class has handed in: notebooks in any layout, of which only the code is kept."""

from __future__ import annotations

import functools
import importlib
import io
import re
import unicodedata
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from helpers import folder
from helpers.checks.exercise import Exercise, Group, exercises
from helpers.memory import siblings
from helpers.memory.overview import LESSONS
from helpers.notebook import Unreadable, document_in

STUB = "raise NotImplementedError"
LARGEST = 20 * 2**20  # bytes of a notebook
LARGEST_ZIP = 2 * 2**30
READ = (".ipynb", ".zip")
KINDS = (*READ, ".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz")
NO_ZIP = "it is no zip file: unpack it"
NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.I)  # as browsers call it when they save it
ASIDE = re.compile(r"^(\.|__MACOSX$)")  # folders and files that no student has made
PLAIN = re.compile(r"(work|notebooks?|submissions?|submitted|assignments?|files?|home|"
                   r"(lesson|week|hw|homework|sheet)?[ _-]*\d{1,2})", re.I)
JUNK = re.compile(r"(copy|kopie|fresh|final|new|version|v?\d{1,2})", re.I)
MOODLE = re.compile(r"_\d+_assignsubmission_file_?$")


@dataclass
class HandIn:
    """A notebook of a student's: its lesson, and its cells as (source, mark, whether code)."""

    student: str
    lesson: str
    path: str
    cells: list[dict] = field(default_factory=list)
    problem: str = ""  # why it could not be read

    @property
    def done(self) -> int:
        """The number of the lesson's functions that are written."""
        written = set().union(*(bound(cell["source"]) for cell in self.cells
                                if cell["code"] and STUB not in cell["source"]))
        return len(written & {part.name for check in checks_of(self.lesson)
                              for part in check.parts})


def checks_of(lesson: str) -> list[Exercise | Group]:
    """Return the exercises of a lesson."""
    return exercises(importlib.import_module(f"helpers.checks.lesson_{lesson}"))


def notebook_of(lesson: str) -> Path:
    """Return the path of a lesson's solution."""
    return next(folder("solutions").glob(f"{lesson}_*.ipynb"))


def find(root: Path, lessons: list[str]) -> tuple[list[HandIn], list[tuple[str, str]]]:
    """Return the hand-ins of some lessons, one a student and lesson, and (path, why) of the rest.

    Of several notebooks of one lesson the one counts in which most has been done, then the one
    with the shortest name.
    """
    found, aside = [], []
    for path, raw in _files(root):
        path = tuple(unicodedata.normalize("NFC", part) for part in path)  # zipped on a Mac
        if "solutions" in path[:-1]:
            raw = "it lies in a folder of solutions"  # of somebody who handed in the whole course
        if isinstance(raw, str):
            aside.append(("/".join(path), raw))
            continue
        one = _read(path, raw)
        (found if one.lesson in lessons else aside).append(
            one if one.lesson in lessons else (one.path, one.problem or (
                "of a lesson that was not asked for" if one.lesson else "of no lesson")))
    _name_students(found, root.name)
    best: dict[tuple[str, str], HandIn] = {}
    for one in sorted(found, key=lambda h: (bool(h.problem), -h.done, len(h.path), h.path)):
        first = best.setdefault((one.student, one.lesson), one)
        if first is not one:
            aside.append((one.path, one.problem or f"{first.path} has the same lesson and counts"))
    return [best[key] for key in sorted(best)], sorted(aside)


def _files(root: Path) -> Iterator[tuple[tuple[str, ...], bytes | str]]:
    """Yield path and contents of each notebook, or why there are none; a zip is a folder."""
    root = root / "submitted" if (root / "submitted").is_dir() else root
    for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
        parts = path.relative_to(root).parts or (path.name,)
        kind = _kind(path.name)
        if any(map(ASIDE.match, parts)) or kind not in KINDS:
            continue
        try:
            if path.is_symlink():
                yield parts, "it is a link to another file"
            elif not path.is_file():
                continue
            elif kind not in READ:
                yield parts, NO_ZIP
            elif path.stat().st_size > (LARGEST if kind == ".ipynb" else LARGEST_ZIP):
                yield parts, "it is too large"
            elif kind == ".zip":
                with path.open("rb") as stream:
                    yield from _unzip(parts, stream)
            else:
                yield parts, path.read_bytes()
        except OSError as error:
            yield parts, error.strerror or str(error)


def _kind(name: str) -> str:
    return ".ipynb" if NOTEBOOK.search(name) else PurePosixPath(name).suffix.lower()


def _unzip(parts: tuple[str, ...], stream: Any, depth: int = 0) -> Iterator:
    parts = (*parts[:-1], parts[-1][:-4])
    try:
        with zipfile.ZipFile(stream) as archive:
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                path = PurePosixPath(info.filename.replace("\\", "/"))  # old Windows writes these
                inner = tuple(part for part in path.parts if part not in ("/", ".."))
                kind = _kind(path.name)
                if info.is_dir() or any(map(ASIDE.match, inner)) or kind not in KINDS:
                    continue
                raw = _member(archive, info) if kind in READ else NO_ZIP
                if isinstance(raw, str) or kind == ".ipynb":
                    yield (*parts, *inner), raw
                elif depth < 2:
                    yield from _unzip((*parts, *inner), io.BytesIO(raw), depth + 1)
                else:
                    yield (*parts, *inner), "it lies in too many zip files"
    except Exception as error:  # whatever a damaged file makes of zipfile
        yield parts, f"the zip file cannot be read: {error}"


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | str:
    """Return the contents of a file in a zip, or why there are none."""
    try:
        with archive.open(info) as member:
            raw = member.read(LARGEST + 1)  # whatever size it says it has
    except Exception as error:  # whatever damage or a password makes of it
        return f"it cannot be read from its zip file: {error}"
    return raw if len(raw) <= LARGEST else "it is too large"


def _read(path: tuple[str, ...], raw: bytes) -> HandIn:
    one = HandIn("", _lesson_in(path[-1]), "/".join(path))
    try:
        one.cells = [{"source": siblings.without_magics(cell["source"]), "mark": _mark(cell),
                      "code": cell.get("cell_type") == "code"}
                     for cell in document_in(raw)["cells"]]
    except Unreadable as reason:
        one.problem = str(reason)
    except (RecursionError, MemoryError, ValueError, AttributeError):
        one.problem = "it is no notebook"
    one.lesson = _lesson_of(one.cells) or one.lesson
    _take_up_retyped(one)
    return one


def _mark(cell: dict) -> str:
    """Return what marks a cell, also one that is no code cell any more."""
    metadata = cell.get("metadata")
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    mark = grading.get("grade_id") if isinstance(grading, dict) else None
    return mark if isinstance(mark, str) else ""


def _lesson_in(name: str) -> str:
    """Return the lesson that a file's name tells, or nothing."""
    for lesson in LESSONS:
        if notebook_of(lesson).stem.lower() in name.lower():
            return lesson
    numbers = [n for n in re.findall(r"(?<!\d)\d\d(?!\d)", name) if n in LESSONS]
    return numbers[-1] if numbers else ""


def _lesson_of(cells: list[dict]) -> str:
    """Return the lesson that most cells belong to, by their marks, else by their functions."""
    votes = Counter(cell["mark"][:2] for cell in cells if re.match(r"\d\d-\w", cell["mark"]))
    if not votes:
        defined = set().union(*(bound(cell["source"]) for cell in cells if cell["code"]))
        votes = Counter({lesson: len(defined & {part.name for check in checks_of(lesson)
                                                for part in check.parts}) for lesson in LESSONS})
    lesson, number = max(sorted(votes.items()), key=lambda row: row[1], default=("", 0))
    return lesson if number and lesson in LESSONS else ""


def _take_up_retyped(one: HandIn) -> None:
    """Make code again of text cells that hold an exercise's function."""
    names = {part.name for check in checks_of(one.lesson) for part in check.parts
             } if one.lesson else set()
    for cell in one.cells:
        if not cell["code"]:
            source = re.sub(r"^```.*$", "", cell["source"], flags=re.M)
            if re.search(r"^def (\w+)", source, re.M) and bound(source) & names:
                cell.update(source=source, code=True)


bound = functools.lru_cache(maxsize=4096)(siblings.bound)


def _name_students(found: list[HandIn], default: str) -> None:
    """Name the students by their folder, or by the file's name where a folder holds many."""
    places, together = [_places(one) for one in found], defaultdict(set)
    for folders, name in places:
        together[folders].add(name)
    owns = [[part for part in folders if not PLAIN.fullmatch(part) and not _is_lesson(part)]
            for folders, _ in places]
    while len(set(map(tuple, owns))) > 1 and all(own[1:] for own in owns) and _is_nobodys(
            owns, [one.lesson for one in found]):
        owns = [own[1:] for own in owns]
    for one, own, (folders, name) in zip(found, owns, places, strict=True):
        by_name = name and (len(together[folders] - {""}) > 1 or not own)
        one.student = name if by_name else own[0] if own else default
    same = defaultdict(set)  # Moodle's numbers are others in each lesson
    for one in found:
        same[MOODLE.sub("", one.student), one.lesson].add(one.student)
    twice = {name for (name, _), full in same.items() if len(full) > 1}  # two of the same name
    for one in found:
        name = MOODLE.sub("", one.student)
        one.student = one.student if name in twice else name


def _is_nobodys(owns: list[list[str]], lessons: list[str]) -> bool:
    """Whether the first folder is no student's: all lie in it, or the same names in several."""
    tops, below = ([MOODLE.sub("", own[level]) for own in owns] for level in (0, 1))
    alike = [len({*zip(names, lessons, strict=True)}) for names in (tops, below)]
    return len({*tops}) == 1 or (
        alike[0] < alike[1] and len({*below}) < len({*zip(tops, below, strict=True)}))


def _places(one: HandIn) -> tuple[tuple[str, ...], str]:
    """Return the folders that a notebook lies in, and what its name has beside the lesson's."""
    *folders, file = one.path.split("/")
    stem = NOTEBOOK.sub("", file)
    words = [re.escape(word) for word in notebook_of(one.lesson).stem.split("_")]
    lesson = rf"(lesson[ _-]*)?{words[0]}(?!\d)([ _-]*{'[ _-]*'.join(words[1:])})?"
    head, tail = stem, ""
    for match in re.finditer(rf"(?<!\d){lesson}", stem, re.I):
        head, tail = stem[:match.start()], stem[match.end():]
    head, tail = (text.strip(" _-.()") for text in (head, tail))
    name = head or ("" if JUNK.fullmatch(tail) else tail)
    canvas = re.fullmatch(r"(.+?)(?:_late)?_(\d+)_\d+", name, re.I)
    return tuple(folders), f"{canvas[1]}_{canvas[2]}" if canvas else name


def _is_lesson(part: str) -> bool:
    return any(notebook_of(lesson).stem in part.lower() for lesson in LESSONS)
