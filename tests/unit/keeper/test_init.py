"""The file of settings that `keeper init` writes: it reads back as it was given, or is not written."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotenv import dotenv_values

from keeper.errors import SettingsError
from keeper.init import Wanted, _settings, text_of


@pytest.mark.parametrize("name", ["a\\", "it's", "two\nlines"])
def test_what_the_file_could_not_say_is_refused(name: str) -> None:
    url = "http://127.0.0.1:8545"
    for wanted in (
        Wanted(url + "/" + name, Path("book"), Path("key"), None, None),
        Wanted(url, Path(name), Path("key"), None, None),
        Wanted(url, Path("book"), Path(name), None, None),
        Wanted(url, Path("book"), Path("key"), Path(name), None),
    ):
        with pytest.raises(SettingsError, match="holds a quote, a backslash or what cannot be printed"):
            _settings(wanted)


def test_what_the_file_says_is_what_was_named(tmp_path: Path) -> None:
    wanted = Wanted("http://u:p$w{x}@host/#k", Path("a book"), Path("k#y"), Path('pass "word"'), None)
    (tmp_path / "env").write_text(text_of(wanted))
    read = dotenv_values(tmp_path / "env")
    assert read == {
        "BALLAST_RPC_URL": wanted.url,
        "BALLAST_BOOK": "a book",
        "BALLAST_KEYSTORE": "k#y",
        "BALLAST_KEYSTORE_PASSWORD_FILE": 'pass "word"',
    }
