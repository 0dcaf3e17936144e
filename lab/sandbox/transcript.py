"""docs/sandbox-transcript.md: from an empty folder to the rebalanced fund, as the terminals showed it. Pure except
`fresh`, which fills the folder.

Every line is real output. Addresses and hashes are shortened, long outputs cut. What a person has to do is counted.
"""

from __future__ import annotations

import json
import os
import re
import textwrap
import time
from pathlib import Path
from typing import Any

from lab.localnet.errors import LocalnetError
from lab.sandbox.person import typed

COMMAND_S, PROMPT_S, HAND_S = 30, 10, 60
"""Seconds of attention for a command that is typed and read, for an answer, and for what is done by hand, such as a
visit to a faucet."""
TERMINALS = 3
"""Each begins with `. .venv/bin/activate`, which counts like an answer."""
LONGEST = 36
"""Most lines shown of an output: of a longer one, the first and the last."""
WIDEST = 150
OWN = ("python -m keeper run", "python -m sandbox market")

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def fresh(repository: Path, folder: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Clones and sets up in an empty folder, and has the rest recorded there; the steps of the set-up, and the record.
    Raises LocalnetError."""
    began = time.monotonic()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BALLAST_", "APE_", "PYTHON", "SOLCX", "VIRTUAL_ENV"))
    }
    clone = folder / "ballast"
    set_up = []
    commands = (
        (["git", "clone", "--quiet", str(repository), str(clone)], "git clone REPOSITORY ballast && cd ballast"),
        (["make", "--no-print-directory", "-C", str(clone), "compile"], "make compile"),
    )
    for command, words in commands:
        shown = typed(command, environment, words=words)
        if shown.code:
            raise LocalnetError(f"{words}: ended with code {shown.code}:\n{shown.output}")
        set_up.append({"title": "Set-up", "waits": False, "seconds": shown.seconds, "command": words, "prompts": 0,
                       "output": ""})  # fmt: skip
    target = folder / "record.json"
    tools = [clone / ".venv" / "bin", clone / ".tools" / "anvil" / "bin"]
    inside = {
        **environment,
        "PATH": ":".join([*map(str, tools), environment["PATH"]]),
        "PYTHONPATH": str(clone),
        "APE_DATA_FOLDER": str(folder / "ape"),
    }
    shown = typed([str(tools[0] / "python"), "-m", "lab.sandbox", "record", str(target)], inside, cwd=clone)
    if shown.code:
        raise LocalnetError(f"record: ended with code {shown.code}:\n{shown.output}")
    found: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    found["figures"]["all_seconds"] = round(time.monotonic() - began, 1)
    return set_up, found


def document(set_up: list[dict[str, Any]], found: dict[str, Any], hidden: dict[str, str]) -> str:
    """The whole text. `set_up`: none where the folder existed already; `hidden`: strings of this machine, and what
    replaces them."""
    begins = "an empty folder" if set_up else "a folder in which `make compile` has run"
    steps = [*set_up, *found["steps"]]
    month, figures = found["figures"]["month"], found["figures"]
    times = month["chain_seconds"]
    lines = [
        "# A sandbox, from nothing to the rebalanced fund",
        "",
        *_prose(
            "Written by `python -m lab.sandbox transcript` from what the terminals showed: commands typed one after "
            f"the other in {begins}, on a local node that is dressed as Sepolia (chain id, WETH and Uniswap V2 "
            "at their addresses, a block each 12 seconds of its time). Addresses and hashes are shortened; `...` "
            "stands for lines left out. What each part is: [sandbox-market.md](sandbox-market.md)."
        ),
        *_table(steps, figures, bool(set_up)),
        *_prose(
            f"On the chain `up` took {_minutes(figures['up_chain_seconds'])}, and the month was done "
            f"{_minutes(times['until_done'])} later: determined at once, started after "
            f"{_minutes(times['until_started'])} (its notice), then {month['batches']} batches. The fund was "
            f"{month['off_target_pct']['before']} % of its value off its targets before and "
            f"{month['off_target_pct']['after']} % after. On Sepolia that is real time; here it passed in "
            f"{figures['seconds']:.0f} seconds."
        ),
    ]
    for step in steps:
        title = [f"## {step['title']}", ""]
        lines += [] if lines and title[0] in lines else title
        if "by_hand" in step:
            text = step["by_hand"]
            lines += (
                ["```", *_plain(text, hidden).splitlines(), "```", ""] if "\n" in text else [f"By hand: {text}.", ""]
            )
            continue
        lines += ["```", f"$ {_plain(step['command'], hidden)}", *_shown(step["output"], hidden), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def attention_s(steps: list[dict[str, Any]]) -> int:
    """Seconds of a person's attention."""
    hands = sum("by_hand" in step for step in steps)
    typed_ = [step for step in steps if "by_hand" not in step]
    answers = TERMINALS + sum(int(step["prompts"]) for step in typed_)
    return HAND_S * hands + COMMAND_S * len(typed_) + PROMPT_S * answers


def _table(steps: list[dict[str, Any]], figures: dict[str, Any], whole: bool) -> list[str]:
    mostly = ", most of it set-up and compilation" if whole else ""
    commands = [step for step in steps if "by_hand" not in step]
    prompts = sum(step["prompts"] for step in commands)
    rows = ["| command | seconds | answers |", "|---|---|---|"]
    for step in commands:
        own = step["command"].startswith(OWN)
        rows.append(
            f"| `{_short(step['command'])}` | {'runs on' if own else round(step['seconds'])} | {step['prompts']} |"
        )
    attention = attention_s(steps)
    rows += [
        "",
        *_prose(
            f"{len(commands)} commands, {prompts} answers, {len(steps) - len(commands)} things by hand: about "
            f"{attention / 60:.1f} minutes of a person's attention, if a command takes {COMMAND_S} seconds to type and "
            f"read, an answer {PROMPT_S}, as `. .venv/bin/activate` in each of {TERMINALS} terminals, and what is "
            f"done by hand {HAND_S}. Machine time in all: "
            f"{figures['all_seconds'] / 60:.1f} minutes{mostly}."
        ),
    ]
    return rows


def _prose(text: str) -> list[str]:
    return [*textwrap.wrap(text, 120, break_on_hyphens=False), ""]


def _short(command: str) -> str:
    return re.sub(r"http://\S+", "URL", command)


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} minutes"


def _shown(output: str, hidden: dict[str, str]) -> list[str]:
    lines = [line.rstrip()[:WIDEST] for line in _plain(output, hidden).splitlines() if line.strip()]
    if len(lines) > LONGEST:
        lines = [*lines[: LONGEST * 2 // 3], "...", *lines[-(LONGEST // 3) :]]
    return lines


def _plain(text: str, hidden: dict[str, str]) -> str:
    """The text without colours, this machine's names, and the ends of hashes and addresses."""
    return "\n".join(_plain_line(line, hidden) for line in _ANSI.sub("", text).split("\n"))


def _plain_line(line: str, hidden: dict[str, str]) -> str:
    table = "│" in line

    def put(word: str, length: int) -> str:
        """Pads a word in a table, so that a cell keeps its width."""
        return word.ljust(length) if table else word

    for known, word in hidden.items():
        line = line.replace(known, put(word, len(known)))
    line = re.sub(r"http://127\.0\.0\.1:\d+", lambda match: put("URL", len(match[0])), line)
    line = re.sub(r"127\.0\.0\.1:\d+", lambda match: put("NODE", len(match[0])), line)
    line = re.sub(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\.\d+Z", r"\1", line)
    line = _HASH.sub(lambda match: f"{match[0][:10]}...", line)
    return _ADDRESS.sub(lambda match: put(f"{match[0][:8]}...", len(match[0])), line)
