"""Every contract of a fund's book, verified by the command on both stand-ins, each by its own sources alone."""

from __future__ import annotations

from tests.helpers.verifier import KEY
from tests.scripts.conftest import Run
from tests.scripts.test_verify import Scene, scene

__all__ = ["scene"]

AT_ONCE = 3
"""Contracts in one run, each of which the stand-in compiles for up to half a minute."""


def test_a_whole_book(scene: Scene, run_script: Run) -> None:
    names = [*scene.book.contracts]
    for start in range(0, len(names), AT_ONCE):
        only = [word for name in names[start : start + AT_ONCE] for word in ("--contract", name)]
        command = ("verify", str(scene.fund), "--book", str(scene.book_path), *scene.urls, *only)
        ran = run_script(*command, ETHERSCAN_API_KEY=KEY)
        assert ran.code == 0, (ran.out + ran.errors, scene.server.broken)
        for name in names[start : start + AT_ONCE]:
            assert f"{name}: Etherscan: verified" in ran.out and f"{name}: Sourcify: verified" in ran.out
    assert [*scene.server.sourcify.values()] == ["exact_match"] * len(names)
    assert len(scene.server.etherscan) == len(names)
