"""An anvil process that never outlives its user, and the cheats that anvil offers."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from ballast.build import ROOT
from lab.localnet.errors import LocalnetError
from lab.localnet.rpc import HttpRpc, Rpc

ANVIL = ROOT / ".tools" / "anvil" / "bin" / "anvil"

HARDFORK = "cancun"
CHAIN_ID = 1
GAS_LIMIT = 30_000_000
READY_WITHIN_S = 240.0
"""Real seconds to wait for a node's first answer; long enough for a busy machine."""
PORT_TRIES = 3
"""Another process may take a free port before anvil does: anvil then exits, and another port is tried."""

_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A TCP port that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def dies_with_parent(death_signal: int = signal.SIGKILL) -> Callable[[], None] | None:
    """For `preexec_fn`: makes the kernel send the child this signal when its parent is gone. Linux only, else None."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))

    return ask_kernel


@contextlib.contextmanager
def anvil(
    *,
    timestamp: int | None = None,
    port: int | None = None,
    fork_url: str | None = None,
    log: Path | None = None,
    extra: Sequence[str] = (),
    hardfork: str = HARDFORK,
    binary: Path = ANVIL,
    chain_id: int = CHAIN_ID,
) -> Iterator[str]:
    """Run anvil, with mainnet's chain id or another, until the block ends, however it ends; yields the RPC URL.

    `timestamp` is the first block's time in Unix seconds; the chain then runs on at the speed of the clock. `port` 0 or
    None takes a free one. Anvil's own output goes to `log`, or nowhere.
    """
    if not binary.is_file():
        raise LocalnetError(f"anvil: {binary} is missing, run 'make setup'")
    command = [str(binary), "--host", "127.0.0.1", "--chain-id", str(chain_id)]
    command += ["--hardfork", hardfork, "--gas-limit", str(GAS_LIMIT), "--silent"]
    if timestamp is not None:
        command += ["--timestamp", str(timestamp)]
    if fork_url is not None:
        command += ["--fork-url", fork_url]
    command += extra
    with running("anvil", lambda chosen: [*command, "--port", str(chosen)], port, log, chain_id) as url:
        yield url


@contextlib.contextmanager
def running(
    name: str,
    command: Callable[[int], Sequence[str]],
    port: int | None,
    log: Path | None,
    chain_id: int = CHAIN_ID,
    **environment: str,
) -> Iterator[str]:
    """Runs a node, whose command line depends on its port, until the block ends; yields its RPC URL. `environment`:
    variables in addition to this process's."""
    with contextlib.ExitStack() as stack:
        out: IO[bytes] | int = subprocess.DEVNULL
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            out = stack.enter_context(log.open("wb"))
        for left in reversed(range(1 if port else PORT_TRIES)):
            chosen = port or free_port()
            process = subprocess.Popen(
                command(chosen),
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509 (one thread here; it must run in the child)
            )
            stack.callback(stop, process)
            url = f"http://127.0.0.1:{chosen}"
            try:
                _wait_until_ready(name, process, url, log, chain_id)
                break
            except LocalnetError:
                if not left or process.poll() is None:
                    raise
        yield url


def stop(process: subprocess.Popen[bytes], patience_s: float = 5.0) -> None:
    """End a process of ours: SIGTERM, then SIGKILL."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _wait_until_ready(name: str, process: subprocess.Popen[bytes], url: str, log: Path | None, expected: int) -> None:
    rpc = HttpRpc(url, timeout=5.0)
    end = time.monotonic() + READY_WITHIN_S
    try:
        while time.monotonic() < end:
            if process.poll() is not None:
                said = f", see {log}" if log else ""
                raise LocalnetError(f"{name}: ended with code {process.returncode} before it answered at {url}{said}")
            try:
                chain_id = int(rpc.request("eth_chainId"), 16)
            except LocalnetError:
                time.sleep(0.02)
                continue
            if chain_id != expected:
                raise LocalnetError(f"{name}: chain id {chain_id} at {url}, expected {expected}: the port is another's")
            return
    finally:
        rpc.close()
    raise LocalnetError(f"{name}: no answer at {url} within {READY_WITHIN_S:.0f} s")


class Cheats:
    """What only a development chain offers. Amounts in wei, times in Unix seconds."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def set_balance(self, account: str, wei: int) -> None:
        self._rpc.request("anvil_setBalance", account, hex(wei))

    def set_nonce(self, account: str, nonce: int) -> None:
        self._rpc.request("anvil_setNonce", account, hex(nonce))

    def set_code(self, account: str, code: bytes) -> None:
        self._rpc.request("anvil_setCode", account, "0x" + code.hex())

    def impersonate(self, account: str) -> None:
        self._rpc.request("anvil_impersonateAccount", account)

    def stop_impersonating(self, account: str) -> None:
        self._rpc.request("anvil_stopImpersonatingAccount", account)

    @contextlib.contextmanager
    def acting_as(self, account: str, wei: int) -> Iterator[None]:
        """Makes the node sign for the account, with this ether balance, until the block ends."""
        self.set_balance(account, wei)
        self.impersonate(account)
        try:
            yield
        finally:
            self.stop_impersonating(account)

    def latest(self) -> tuple[int, int]:
        """Number and time of the latest block."""
        block = self._rpc.request("eth_getBlockByNumber", "latest", False)
        return int(block["number"], 16), int(block["timestamp"], 16)

    def now(self) -> int:
        """Time of the latest block."""
        return self.latest()[1]

    def mine_at(self, timestamp: int) -> None:
        """Mine one block with exactly this time."""
        self._rpc.request("evm_setNextBlockTimestamp", timestamp)
        self._rpc.request("evm_mine")

    def increase_time(self, seconds: int) -> None:
        """Mine one block `seconds` after the latest."""
        self.mine_at(self.now() + seconds)

    def snapshot(self) -> str:
        return str(self._rpc.request("evm_snapshot"))

    def revert(self, snapshot: str) -> None:
        if self._rpc.request("evm_revert", snapshot) is not True:
            raise LocalnetError(f"snapshot {snapshot}: not known to the chain (each can be restored once)")
