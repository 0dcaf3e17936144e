"""Hardhat's node (EDR), a second node implementation, in the saved state of an anvil.

It has the saved chain's accounts, height and time, but none of its history: earlier blocks are empty.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ballast.build import ROOT
from ballast.units import DAY_S
from lab.localnet.anvil import CHAIN_ID, running
from lab.localnet.errors import LocalnetError
from lab.localnet.rpc import Call, HttpRpc

CLI = ROOT / "node_modules" / "hardhat" / "internal" / "cli" / "cli.js"
CONFIG = Path(__file__).with_name("hardhat.config.cjs")
_AT_ONCE = 400


class HardhatRpc(HttpRpc):
    """A connection that translates anvil's methods into Hardhat's."""

    def request(self, method: str, *params: Any) -> Any:
        match method:
            case "anvil_setBlockTimestampInterval":
                return None  # Hardhat has none; whoever mines sets the time
            case "txpool_content":
                return {"pending": self._pending(), "queued": {}}
        return super().request(method.replace("anvil_", "hardhat_"), *params)

    def _pending(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for tx in super().request("eth_pendingTransactions"):
            found.setdefault(tx["from"], {})[str(int(tx["nonce"], 16))] = tx
        return found


@contextlib.contextmanager
def hardhat(state: Path, *, port: int | None = None, log: Path | None = None) -> Iterator[str]:
    """Runs a fresh node in the state of an anvil (`--dump-state`'s file) until the block ends; yields its RPC URL.
    Raises LocalnetError."""
    if not CLI.is_file():
        raise LocalnetError(f"hardhat: {CLI} is missing, run 'make setup'")
    saved = json.loads(state.read_text(encoding="utf-8"))
    height, time = int(saved["block"]["number"], 16), int(saved["block"]["timestamp"], 16)

    def command(chosen: int) -> list[str]:
        node = [shutil.which("node") or "node", str(CLI), "--config", str(CONFIG)]
        return [*node, "node", "--hostname", "127.0.0.1", "--port", str(chosen)]

    # The node's time advances while it starts: begin early enough for a busy machine.
    more = {"HARDHAT_TIME": str(time - height - DAY_S), "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true"}
    with running("hardhat", command, port, log, CHAIN_ID, **more) as url:
        rpc = HttpRpc(url)
        try:
            load(rpc, saved["accounts"])
            if height > 1:
                rpc.request("hardhat_mine", hex(height - 1), "0x1")
            rpc.request("evm_setNextBlockTimestamp", time)
            rpc.request("evm_mine")
        finally:
            rpc.close()
        yield url


def load(rpc: HttpRpc, accounts: dict[str, dict[str, Any]]) -> None:
    """Gives each account its balance, nonce, code and storage."""
    calls: list[Call] = []
    for address, account in accounts.items():
        calls.append(("hardhat_setBalance", (address, hex(int(account["balance"], 16)))))
        if account["nonce"]:
            calls.append(("hardhat_setNonce", (address, hex(account["nonce"]))))
        if account["code"] != "0x":
            calls.append(("hardhat_setCode", (address, account["code"])))
        for slot, value in account["storage"].items():
            calls.append(("hardhat_setStorageAt", (address, hex(int(slot, 16)), value)))
    for first in range(0, len(calls), _AT_ONCE):
        rpc.batch(calls[first : first + _AT_ONCE])
