"""The sandbox's transcript: what is counted, and what is made shorter."""

from __future__ import annotations

from typing import Any

from lab.sandbox.transcript import LONGEST, attention_s, document

ADDRESS = "0x" + "aB" * 20
FIGURES = {
    "month": {
        "chain_seconds": {"until_started": 1_020, "until_done": 1_800},
        "batches": 2,
        "off_target_pct": {"before": 8.3, "after": 0.1},
    },
    "up_chain_seconds": 360,
    "seconds": 12.0,
    "all_seconds": 600.0,
}


def step(
    output: str, command: str = "ape run sandbox up --rpc http://127.0.0.1:1234", prompts: int = 2
) -> dict[str, Any]:
    return {"title": "The sandbox", "command": command, "output": output, "seconds": 7.4, "prompts": prompts}


def test_what_a_person_has_to_do_is_counted() -> None:
    steps = [step("", prompts=3), {"title": "Ether", "by_hand": "a faucet"}, step("", prompts=0)]
    assert attention_s(steps) == 2 * 30 + 3 * 10 + 3 * 10 + 60


def test_the_document() -> None:
    shown = f"\x1b[92mmarket\x1b[0m 0x{'12' * 32} of {ADDRESS}\n│ {ADDRESS} │ at /home/somebody\n"
    found = document([], {"steps": [step(shown)], "figures": FIGURES}, {"/home/somebody": "."})
    assert "| `ape run sandbox up --rpc URL` | 7 | 2 |" in found
    assert "`up` took 6 minutes, and the month was done 30 minutes later" in found.replace("\n", " ")
    assert "market 0x12121212... of 0xaBaBaB...\n" in found
    assert f"│ {'0xaBaBaB...'.ljust(42)} │ at .\n" in found, "a table keeps its columns"


def test_a_long_output_keeps_its_ends() -> None:
    lines = [f"line {number}" for number in range(2 * LONGEST)]
    found = document([], {"steps": [step("\n".join(lines))], "figures": FIGURES}, {})
    assert "\nline 0\n" in found and f"\n{lines[-1]}\n" in found and "\n...\n" in found
    assert found.count("\nline ") == LONGEST
