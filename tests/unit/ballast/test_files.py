"""Files that are replaced in one step."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ballast.files import replace_json, replace_whole

OLD, NEW = "old\n", "new, and as long as it likes\n" * 1_000


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text(OLD)
    return path


@pytest.fixture
def usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def permissions(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_new_content_takes_the_place_of_the_old(file: Path) -> None:
    replace_whole(file, NEW)
    assert file.read_text() == NEW
    assert list(file.parent.iterdir()) == [file]


def test_a_new_file_gets_the_folders_above_it(tmp_path: Path) -> None:
    path = tmp_path / "some" / "where" / "file"
    replace_whole(path, "été\n")
    assert path.read_bytes() == "été\n".encode()


def test_a_reader_holds_the_whole_old_file(file: Path) -> None:
    with file.open() as reader:
        replace_whole(file, NEW)
        assert reader.read() == OLD


@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()])
def test_an_end_before_the_rename_leaves_the_old_file_alone(
    file: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts: list[str] = []

    def ends(draft: Path, target: Path) -> None:
        assert target == file
        drafts.append(draft.read_text())
        raise error

    monkeypatch.setattr(Path, "replace", ends)
    with pytest.raises(type(error)):
        replace_whole(file, NEW)
    assert drafts == [NEW], "the draft was whole"
    assert file.read_text() == OLD
    assert list(file.parent.iterdir()) == [file]


def test_text_that_cannot_be_written_leaves_the_old_file_alone(file: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        replace_whole(file, NEW + "\ud800")
    assert file.read_text() == OLD
    assert list(file.parent.iterdir()) == [file]


def test_a_place_that_cannot_be_taken_is_an_error(file: Path) -> None:
    with pytest.raises(OSError):
        replace_whole(file / "below", NEW)
    (file.parent / "folder").mkdir()
    with pytest.raises(OSError):
        replace_whole(file.parent / "folder", NEW)
    assert sorted(path.name for path in file.parent.iterdir()) == ["file", "folder"]


@pytest.mark.usefixtures("usual_umask")
def test_permissions(file: Path) -> None:
    file.chmod(0o640)
    replace_whole(file, NEW)
    assert permissions(file) == 0o644
    replace_whole(file, NEW, 0o600)
    assert permissions(file) == 0o600


@pytest.mark.usefixtures("usual_umask")
def test_a_secret_is_for_nobody_else_before_it_is_written(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where another's draft lies there already: its permissions would stay."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    draft.write_text("left by another\n")
    draft.chmod(0o666)
    sizes: list[int] = []
    change = os.fchmod

    def changes(descriptor: int, mode: int) -> None:
        sizes.append(os.fstat(descriptor).st_size)
        change(descriptor, mode)

    monkeypatch.setattr(os, "fchmod", changes)
    replace_whole(file, NEW, 0o600)
    assert sizes == [0]
    assert (permissions(file), file.read_text()) == (0o600, NEW)
    assert list(file.parent.iterdir()) == [file]


def test_json(file: Path) -> None:
    replace_json(file, {"a": [1, None]})
    assert file.read_text() == '{"a": [1, null]}\n'
    replace_json(file, {"a": 1}, indent=2)
    assert file.read_text() == '{\n  "a": 1\n}\n'
    with pytest.raises(TypeError):
        replace_json(file, {"a": file})
    assert json.loads(file.read_text()) == {"a": 1}
