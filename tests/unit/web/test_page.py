"""The holder page without a browser: its pure functions on Node, its ABIs, its build."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab.localnet.anvil import ROOT
from tools.export_web_abi import TARGET, export


def test_pure_functions(tmp_path: Path) -> None:
    bundle = tmp_path / "pure.cjs"
    source = ROOT / "web" / "tests" / "pure.test.ts"
    flags = ["--bundle", "--platform=node", "--format=cjs", "--log-level=warning", "--define:FUNDS=[]"]
    subprocess.run([ROOT / "node_modules/.bin/esbuild", source, *flags, f"--outfile={bundle}"], check=True)
    done = subprocess.run(["node", "--test", bundle], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "# fail 0" in done.stdout and "# tests 0" not in done.stdout


def test_abis_are_the_contracts() -> None:
    assert TARGET.read_text() == export()
