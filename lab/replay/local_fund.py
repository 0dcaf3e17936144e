"""A fund on a fork of the local mainnet that runs until it is interrupted, for a keeper that the user starts.

Time waits while something is due, passes quickly while the month is traded, and jumps where there is nothing to do.
`make fund` starts the local mainnet and connects Ape around it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from rich.console import Console

from ballast.files import replace_whole
from ballast.rule.arithmetic import period_start
from ballast.units import BLOCK_S
from keeper.look.fund_reader import FundReader
from keeper.output.tables import when
from keeper.state import Action, FundState, Reason
from lab.localnet.errors import LocalnetError
from lab.replay.carry import Run, prepare
from lab.testbed.clock import GAS_PRICE_GWEI
from lab.testbed.forked import ForkedChain
from lab.testbed.funding import as_yaml

MARK = "# Written by `make fund`: a keeper's settings for the fund on the local fork. Both end with it."
PUBLIC_KEY_REMARK = "# A key that everybody knows: never send anything of worth to it."
ON_MAINNET = "ethereum:mainnet"
"""Ape's name of the network that the fork poses as; its URL follows."""
SLOWEST, FASTEST = 1, 3_600
STEP_EVERY_S = 1.0
PAGE_PORT = 8080
"""Usual port of the keeper's status page."""
RESTS = 12
"""Seconds between two blocks while something is due and not done, or once the month is done: after 500 blocks anvil
1.7.1 answers no calls at older ones, and explanations of a month fail."""
JUMP_AFTER_S = 5.0
"""Real seconds before time jumps, so that the user can read what the keeper reported."""


class OtherSettingsError(LocalnetError):
    """The settings file belongs to somebody else; the message is one line for the user."""


def next_time(state: FundState, speed: int) -> int:
    """Chain time of the block after that of `state`. `speed`: seconds that pass in a step while the month is traded."""
    if state.action is Action.TRADE:
        return state.time + speed
    idle = state.action is Action.NONE and state.reason is not Reason.DONE
    return max(state.next, state.time + BLOCK_S) if idle else state.time + BLOCK_S


def settings_text(on: ForkedChain, book: Path, page_port: int) -> str:
    """The `.env` of a keeper of this fund, with its status page on this port."""
    values = {
        "BALLAST_RPC_URL": on.url,
        "BALLAST_BOOK": book,
        "BALLAST_PRIVATE_KEY": on.keeper.private_key,
        "BALLAST_JOURNAL": os.path.relpath(on.folder / "keeper.sqlite"),
        "BALLAST_POLL_SECONDS": 0.5,
        "BALLAST_MAX_FEE_GWEI": 4 * GAS_PRICE_GWEI,
        "BALLAST_HTTP_PORT": page_port,
    }
    return "\n".join((MARK, PUBLIC_KEY_REMARK, *(f"{name}={value}" for name, value in values.items()), ""))


def page_port() -> int:
    """A port for the status page: `PAGE_PORT`, or if that is taken a free one."""
    for wanted in (PAGE_PORT, 0):
        with socket.socket() as taken, contextlib.suppress(OSError):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(("127.0.0.1", wanted))
            return int(taken.getsockname()[1])
    raise LocalnetError("no port of 127.0.0.1 is free for the status page")


def refuse_others(path: Path) -> None:
    """Raises OtherSettingsError where the file exists and `make fund` did not write it."""
    if path.exists() and not path.read_text().startswith(MARK):
        raise OtherSettingsError(f"{path}: holds other settings; move it away, or name another file with --env-file")


@contextlib.contextmanager
def settings_file(path: Path, text: str) -> Iterator[None]:
    """Writes the file and removes it when the block ends, unless it was changed. Raises OtherSettingsError."""
    refuse_others(path)
    replace_whole(path, text, mode=0o600)
    try:
        yield
    finally:
        if path.exists() and path.read_text() == text:
            path.unlink()


@dataclass
class Standing:
    """The running fund, and time on its chain."""

    run: Run
    chain: FundReader
    speed: int
    pause: Callable[[float], None]

    def state(self) -> FundState:
        return self.chain.read(self.run.on.w3.eth.block_number)[0]

    def step(self) -> FundState:
        """Moves time by one block, after a pause if it jumps; the fund before the step."""
        state = self.state()
        at = next_time(state, self.speed)
        if at - state.time > max(self.speed, BLOCK_S):
            self.pause(JUMP_AFTER_S)
            self.run.clock.jump(at)
        else:
            self.run.clock.step(at)
        return state

    def rest(self, state: FundState) -> None:
        """Waits until the next step after the one at `state`."""
        slow = state.action is not Action.TRADE and state.reason in (Reason.DUE, Reason.DONE)
        head = self.run.on.w3.eth.block_number
        for _ in range(RESTS if slow else 1):
            self.pause(STEP_EVERY_S)
            if self.run.on.w3.eth.block_number != head:
                return


def stand(
    on: ForkedChain,
    console: Console,
    env_file: Path,
    book: Path,
    speed: int,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Deploys the fund at the beginning of its month's period and lets time pass until interrupted: a step a second.
    `book`: path of its address book, with the fund's file beside it; `pause` waits for a number of seconds."""
    refuse_others(env_file)
    run = prepare(on, console)
    run.clock.jump(period_start(run.period, run.config.timetable.notice))
    fund = book.with_suffix(".yaml")
    run.book.save(book)
    replace_whole(fund, yaml.safe_dump(as_yaml(run.config), sort_keys=False))
    port = page_port()
    with settings_file(env_file, settings_text(on, book, port)):
        run.say(f"chain: {on.url}    address book: {book}    settings for a keeper: {env_file}")
        run.say(f"the fund's file, to steer it by: {fund}    --network {ON_MAINNET}:{on.url} --book {book}")
        run.say(f"the keeper's status page, once it runs: http://127.0.0.1:{port}")
        run.say("time waits for your keeper, in another terminal; Ctrl-C ends it")
        standing = Standing(run, FundReader(on.w3, run.book), speed, pause)
        said = ""
        try:
            while True:
                state = standing.step()
                text = f"{state.action.name.lower()} ({state.reason.name.lower().replace('_', ' ')})"
                if text != said:
                    run.say(f"{when(state.time)}: {text}")
                    said = text
                standing.rest(state)
        except KeyboardInterrupt:
            run.say("ended")
        finally:
            for file in (book, fund):
                file.unlink(missing_ok=True)
