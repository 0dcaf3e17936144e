"""The documents name nothing that does not exist: links with their headings, paths of the tree, and tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ballast.build import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "data" / "README.md"])
FOLDERS = "ballast|contracts|data|deploy|docs|examples|funds|keeper|lab|sandbox|scripts|tests|tools"
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH = re.compile(rf"(?<![\w./:-])((?:{FOLDERS})/[\w./-]*\w)(?:::(\w+))?")
TEST = re.compile(r"`([\w/]+/test_\w+\.py)(?:::(\w+))?`")


def headings(document: Path) -> set[str]:
    """Anchors of a document's headings, as GitHub names them."""
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.S)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(document: Path) -> list[str]:
    """Relative links whose file or heading is missing."""
    found = []
    for link in LINK.findall(document.read_text()):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = document.parent / name if name else document
        if not target.exists() or (anchor and anchor not in headings(target)):
            found.append(link)
    return found


def missing_paths(document: Path) -> list[str]:
    """Paths of the tree, and tests by name, that are missing. A test's path may leave out `tests/`."""
    text, found = document.read_text(), []
    for path, test in {*PATH.findall(LINK.sub("]", text)), *TEST.findall(text)}:
        places = [place for place in (ROOT / path, ROOT / "tests" / path, document.parent / path) if place.exists()]
        if not places or (test and f"def {test}(" not in places[0].read_text()):
            found.append(f"{path}::{test}" if test else path)
    return sorted(found)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.relative_to(ROOT)))
def test_what_a_document_names_exists(document: Path) -> None:
    assert broken_links(document) == []
    assert missing_paths(document) == []


def test_every_decision_is_listed_once_and_in_order() -> None:
    folder = ROOT / "docs" / "decisions"
    files = [file.name for file in sorted(folder.glob("0*.md"))]
    sections = [
        re.findall(r"^- \[\d{4}\]\(([^)]+)\)", section, re.M)
        for section in (folder / "README.md").read_text().split("\n## ")
    ]
    assert all(section == sorted(section) for section in sections)
    assert sorted(name for section in sections for name in section) == files
    assert len({name[:4] for name in files}) == len(files), "a number stands for two decisions"
    for name in files:
        assert (folder / name).read_text().startswith(f"# {name[:4]}. "), name
