"""Make the course that a class gets where its solutions are withheld."""

from __future__ import annotations

import argparse
import base64
import json
import re
import shutil
import zlib
from pathlib import Path

from helpers.checks.page import ENCODED
from work_folder import hash_sources, is_untouched

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("course.py", "installer.py", "work_folder.py", "conftest.py", "constraints.txt",
          "environment.yml", "LICENSE", ".gitignore", ".github", "data", "helpers")
TESTS = ("conftest.py", "kernels.py", "scoreboard.py", "test_draw.py", "test_plots.py",
         "test_plots3d.py", "test_sandbox.py", "test_torch_compare.py", "test_work_folder.py",
         "fixtures/notebooks")
LEFT_OUT = ["__pycache__", ".ipynb_checkpoints"]
ABSENT = re.compile(r"## (Teach with it|How it is tested)\n.*?(?=## )|"
                    r" To change or extend .*(?=\n)", re.S)  # what the README says of it
IN_VAIN = re.compile(r"`skip\b|`solutions?\b|skip\(|counts as skipped|It asks first")
NOTE = """\
> This is the edition without solutions. The answers on the pages of mistakes are encoded, and the
> checks hold other ways to right results: that hides them, and protects nothing.
"""


def make(out: Path) -> None:
    """Write the edition into a new folder."""
    out.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            scripts = ["*.py"] if name == "data" else []  # they train the lessons' networks
            shutil.copytree(source, out / name,
                            ignore=shutil.ignore_patterns(*LEFT_OUT, *scripts))
        else:
            shutil.copy(source, out / name)
    for name in TESTS:
        (out / "tests").mkdir(exist_ok=True)
        copy = shutil.copytree if (ROOT / "tests" / name).is_dir() else shutil.copy
        copy(ROOT / "tests" / name, out / "tests" / name)
    for page in (out / "helpers" / "checks" / "mistakes").glob("[0-9]*.md"):
        packed = base64.encodebytes(zlib.compress(page.read_bytes(), 9)).decode("ascii")
        page.write_text(f"{ENCODED}\n{packed}", encoding="utf-8", newline="\n")
    for name in ("helpers/checks/mistakes/general.md", "README.md"):
        text = ABSENT.sub("", (ROOT / name).read_text(encoding="utf-8"))
        _write(out / name, without_offers(text))
    title, rest = (out / "README.md").read_text(encoding="utf-8").split("\n", 1)
    _write(out / "README.md", f"{title}\n\n{NOTE}{rest}")
    _write(out / "pyproject.toml", _project((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    (out / "notebooks").mkdir()
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        notebook = _notebook(json.loads(path.read_text(encoding="utf-8")))
        _write(out / "notebooks" / path.name,
               json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def without_offers(text: str) -> str:
    """Return Markdown without the sentences and rows that offer a solution."""
    blocks = re.split(r"(\n(?=\n|[-|] |> |#+ ))", text)
    kept = []
    for block in blocks:
        if IN_VAIN.search(block) and not block.startswith("|"):
            lead = re.match(r"\s*(- )?", block)[0]
            sentences = re.split(r"(?<=\.)\s+|(?<=\.\))\s+", block[len(lead):])
            block = " ".join(s for s in sentences if not IN_VAIN.search(s))
            block = f"{lead}{block}" if block.strip() else ""
        kept.append("" if IN_VAIN.search(block) else block)
    return re.sub(r"\n{3,}", "\n\n", "".join(kept))


def _notebook(notebook: dict) -> dict:
    """Return an exercise notebook in which nothing is skipped."""
    cells = []
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            source = re.sub(r"(from helpers\.checks import .*?), skip\b", r"\1", source)
            source = "" if re.search(r"\bskip\(", source) else source
        elif IN_VAIN.search(source):
            source = without_offers(source)
        if source.strip() or not "".join(cell["source"]).strip():
            cells.append({**cell, "source": source.splitlines(keepends=True)})
    notebook["cells"] = cells
    notebook["metadata"]["course"] = {"sources": hash_sources(notebook)}
    return notebook


def _project(text: str) -> str:
    """Return the project's file without the package of the solutions."""
    text = re.sub(r'^"helpers\.solutions" = .*\n', "", text, flags=re.M)
    text = re.sub(r',\s*"helpers\.solutions"( = "solutions")?', "", text)
    return text.replace('["tests", "solutions"]', '["tests"]')


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def main(arguments: list[str]) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="course.py edition", description=__doc__)
    parser.add_argument("--without-solutions", type=Path, metavar="OUT", required=True,
                        help="a folder that is not there yet")
    out = parser.parse_args(arguments).without_solutions.resolve()
    if out.exists() or ROOT in out.parents:
        parser.error(f"{out} is there already, or lies in the course itself")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        if not is_untouched(path):
            parser.error(f"{path} has been worked in, and may hold answers: move it elsewhere")
    make(out)
    print(f"Made: {out}. What is encoded there is hidden, not protected.")
    return 0
