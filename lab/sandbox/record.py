"""Records a person's way from a set-up folder to the rebalanced fund, typed at terminals: every command, its output and
how long it took. Run in a fresh clone, on a node set up like Sepolia."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from web3 import Web3

from ballast.book import Book
from ballast.build import ROOT
from keeper.look.fund_reader import FundReader
from lab.localnet.anvil import free_port
from lab.localnet.errors import LocalnetError
from lab.sandbox.chain import FAUCET_WEI, Dressed
from lab.sandbox.gate import gate
from lab.sandbox.person import Answer, Shell, Shown, typed
from lab.sandbox.run import ACCOUNT, KEEPER_WEI
from lab.sandbox.short_month import Parties, carry, figures_of
from lab.testbed.keepers import KeeperProcess, Process

PASSWORD = "correct horse, battery 9 staple!"
SETTINGS = Path(".env")
KEY_FILE = Path("keeper-key.json")
BOOK = re.compile(r"sandbox book: (\S+)")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


@dataclass
class Record:
    """What was typed and shown, in order. `steps`: commands with their titles; `figures`: of the month."""

    steps: list[dict[str, Any]] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def note(self, title: str, shown: Shown, waits: bool = True) -> None:
        """Adds a command. `waits`: whether the person's next step needs its end."""
        self.steps.append({"title": title, "waits": waits, **asdict(shown)})

    def by_hand(self, title: str, text: str) -> None:
        """Adds a step that is done outside a terminal."""
        self.steps.append({"title": title, "by_hand": text})


def record(chain: Dressed) -> Record:
    """Goes the whole way, in this folder. Raises LocalnetError if files of a sandbox exist in it already."""
    for path in (SETTINGS, KEY_FILE):
        if (ROOT / path).exists():
            raise LocalnetError(f"{path}: exists already; record in a fresh clone")
    found, started = Record(), time.monotonic()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BALLAST_")}
    environment["PYTHONPATH"] = str(ROOT)
    hidden = [Answer(prompt, PASSWORD, hidden=True) for prompt in ("Create Passphrase", "Repeat for confirmation")]
    made = _typed(
        ["ape", "accounts", "generate", ACCOUNT, "--hide-mnemonic"],
        environment,
        [Answer("random input", "as it comes"), *hidden],
    )
    found.note("A deployer's account", made)
    address = _address(made.output)
    chain.give(address, FAUCET_WEI)
    found.by_hand("Test ether", f"a faucet of the network: {FAUCET_WEI / 1e18} ether to the address above")
    began = chain.cheats.now()
    up = _typed(
        ["ape", "run", "sandbox", "up", "--rpc", chain.url, "--account", ACCOUNT],
        environment,
        [Answer("Send them? [y/N]", "y"), Answer("Enter passphrase", PASSWORD, hidden=True)],
    )
    found.note("The sandbox", up)
    up_chain_seconds = chain.cheats.now() - began
    book = _book(up.output)
    init = _typed(
        [sys.executable, "-m", "keeper", "init"],
        environment,
        [
            Answer("URL of the node", chain.url),
            Answer("Address book", ""),  # it has found the one there is
            Answer("Password for", PASSWORD, hidden=True),
            Answer("Repeat for confirmation", PASSWORD, hidden=True),
        ],
    )
    found.note("The keeper's account and settings", init)
    chain.give(_address(init.output), KEEPER_WEI)
    found.by_hand(
        "Its test ether", f"{KEEPER_WEI / 1e18} ether to the address above, from a faucet or the first account"
    )
    _month(chain, found, environment, ROOT / book)
    found.figures["up_chain_seconds"] = up_chain_seconds
    found.figures["all_seconds"] = round(time.monotonic() - started, 1)
    return found


def _month(chain: Dressed, found: Record, environment: dict[str, str], book_path: Path) -> None:
    """Runs market and keeper, each at a terminal, until a month is done."""
    book = Book.load(book_path)
    reader = FundReader(Web3(Web3.HTTPProvider(chain.url)), book)
    shells: dict[str, Shell] = {}

    def starter(name: str, command: Sequence[str], prompt: str) -> Any:
        def start(given: dict[str, str], folder: Path, _log: Path) -> Process:
            pulses = {f"BALLAST{part}_PULSE": str(folder / "pulse.json") for part in ("", "_MARKET")}
            # 8080 may be taken on this machine.
            own = {"BALLAST_POLL_SECONDS": given["POLL"], "BALLAST_HTTP_PORT": str(free_port())}
            shells[name] = Shell(command, {**environment, **pulses, **own})
            shells[name].answer(Answer(prompt, PASSWORD, hidden=True))
            return shells[name].process

        return start

    commands = {
        "market": [sys.executable, "-m", "sandbox", "market", "--account", ACCOUNT],
        "keeper": [sys.executable, "-m", "keeper", "run"],
    }
    with contextlib.ExitStack() as stack:
        between = stack.enter_context(gate(chain.url))
        folder = book_path.parent
        processes = {}
        for name, command in commands.items():
            own = folder / f"pulse-{name}"
            own.mkdir()
            start = starter(name, command, "Password of")
            processes[name] = KeeperProcess(own, own / "log", {"POLL": "0.05"}, start)
        stack.callback(_close_all, shells)
        processes["market"].start()
        checked = _typed(
            [sys.executable, "-m", "keeper", "check"], environment, [Answer("Password of", PASSWORD, hidden=True)]
        )
        found.note("Is all as it should be?", checked)
        processes["keeper"].start()
        began = time.monotonic()
        month = carry(Parties(chain, reader, processes["market"], processes["keeper"], between), kill=False)
        seconds = time.monotonic() - began
        for name, process in processes.items():
            code = process.end() or 0
            found.note(
                f"The {name}, in a terminal of its own",
                Shown(_words(commands[name]), shells[name].shown, code, seconds, 1),
                waits=False,
            )
        found.figures = {"month": figures_of(month, reader, book.deployed_block), "seconds": round(seconds, 1)}
        found.note("The fund, rebalanced", _typed([sys.executable, "-m", "keeper", "status"], environment))


def _close_all(shells: dict[str, Shell]) -> None:
    for shell in shells.values():
        shell.close()


def _typed(command: Sequence[str], environment: dict[str, str], answers: Sequence[Answer] = ()) -> Shown:
    shown = typed(command, environment, answers, words=_words(command))
    if shown.code:
        raise LocalnetError(f"{shown.command}: ended with code {shown.code}:\n{shown.output}")
    return shown


def _words(command: Sequence[str]) -> str:
    return " ".join("python" if part == sys.executable else part for part in command)


def _address(text: str) -> str:
    match = ADDRESS.search(text)
    if match is None:
        raise LocalnetError(f"no address in:\n{text}")
    return str(Web3.to_checksum_address(match[0]))


def _book(text: str) -> str:
    """Path of the fund's book, which the sandbox's book names; `up` prints the latter's."""
    match = BOOK.search(text)
    if match is None:
        raise LocalnetError(f"sandbox up: names no book:\n{text}")
    path = Path(match[1])
    return str(path.parent / json.loads((ROOT / path).read_text(encoding="utf-8"))["fund_book"])
