"""The holder page without a browser: its pure functions on Node, its ABIs, its build."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from eth_utils import to_checksum_address

from ballast.book import CONTRACTS, Book
from ballast.build import ROOT
from sandbox.book import sandbox_path
from tools import page
from tools.export_web_abi import TARGET, export
from tools.page import bundle, known_chains, main

MAX_SCRIPT = 300_000


def test_pure_functions(tmp_path: Path) -> None:
    bundle = tmp_path / "pure.cjs"
    source = ROOT / "web" / "tests" / "pure.test.ts"
    flags = ["--bundle", "--platform=node", "--format=cjs", "--log-level=warning", "--define:FUNDS=[]"]
    subprocess.run([ROOT / "node_modules/.bin/esbuild", source, *flags, f"--outfile={bundle}"], check=True)
    done = subprocess.run(["node", "--test", bundle], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "# fail 0" in done.stdout and "# tests 0" not in done.stdout


def test_a_build_names_its_endpoints_and_nothing_else(tmp_path: Path) -> None:
    contracts: dict[str, str] = {
        name: to_checksum_address(number.to_bytes(20)) for number, name in enumerate(CONTRACTS, 1)
    }
    book = Book("A fund", 1, 1, contracts, contracts["lens"], ())
    facts = known_chains()[1]
    bundle([(book, facts)], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "app.js", "headers.json", "icon.svg", "index.html", "style.css",
    }  # fmt: skip
    html, headers = (tmp_path / "index.html").read_text(), json.loads((tmp_path / "headers.json").read_text())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy
    rules = dict(rule.split(" ", 1) for rule in policy[1].split("; "))
    assert rules["connect-src"].split() == facts.endpoints
    assert {rules[name] for name in ("default-src", "base-uri", "form-action")} == {"'none'"}
    assert {rules[name] for name in ("script-src", "style-src", "img-src")} == {"'self'"}
    assert headers["Content-Security-Policy"] == f"{policy[1]}; frame-ancestors 'none'"
    assert not re.search(r"<script(?! type=\"module\" src)|<style|style=|onload|http:", html)
    assert (tmp_path / "app.js").stat().st_size < MAX_SCRIPT
    assert "testWallet" not in (tmp_path / "app.js").read_text()


def test_a_sandboxs_own_book_is_no_funds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contracts: dict[str, str] = {
        name: to_checksum_address(number.to_bytes(20)) for number, name in enumerate(CONTRACTS, 1)
    }
    books = tmp_path / "books"
    fund_book = books / "sepolia" / "sandbox.json"
    Book("A fund", 11_155_111, 1, contracts, contracts["lens"], ()).save(fund_book)
    sandbox_path(fund_book).write_text("{}")
    monkeypatch.setattr(page, "BOOKS", books)
    built = CliRunner().invoke(main, ["build", "--out", str(tmp_path / "dist")])
    assert built.exit_code == 0 and ": 1 funds, " in built.output, built.output
    other = books / "sepolia" / "other.json"
    other.write_text("{}")
    built = CliRunner().invoke(main, ["build", "--out", str(tmp_path / "dist")])
    assert built.exit_code == 1 and "other.json" in built.output


def test_a_port_that_it_cannot_have_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for port, why in ((taken.getsockname()[1], "in use; name another one"), (65_536, "is not in the range")):
            found = CliRunner().invoke(main, ["open", "--port", str(port), "--no-browser"])
            assert found.exit_code != 0 and isinstance(found.exception, SystemExit)
            assert str(port) in found.output and why in found.output


def test_abis_are_the_contracts() -> None:
    assert TARGET.read_text() == export()
