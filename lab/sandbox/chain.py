"""A local node set up like Sepolia: its chain id, and WETH and Uniswap V2 at their addresses there. Cheats set up the
chain and move its time; what is tested on it is sent as on any other."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ballast.networks.presets import network_of
from ballast.units import BLOCK_S, ETHER, GWEI
from ballast.values import NO_ADDRESS
from lab.localnet import artifacts
from lab.localnet.anvil import Cheats, anvil, running
from lab.localnet.errors import LocalnetError
from lab.localnet.hardhat import CLI, CONFIG, HardhatRpc
from lab.localnet.rpc import HttpRpc, send
from sandbox.uniswap import factory_code, router_code

Kind = Literal["anvil", "hardhat"]

CHAIN_ID = 11_155_111
BASE_FEE_GWEI = 3
"""Held constant, so that costs do not depend on how full the blocks are."""
_SLOTS = 3
"""Storage slots of WETH9: name, symbol, decimals."""
_GAS = 10_000_000


class _FreshHardhatRpc(HardhatRpc):
    """Opens a connection for each request: Hardhat's node closes one that is idle for some seconds."""

    def request(self, method: str, *params: Any) -> Any:
        self.close()
        return super().request(method, *params)


@dataclass(frozen=True)
class Dressed:
    """A running node: its kind, URL, and a connection that accepts anvil's methods."""

    kind: Kind
    url: str
    rpc: HttpRpc

    @property
    def cheats(self) -> Cheats:
        return Cheats(self.rpc)

    def block(self) -> int:
        """The latest block's number."""
        return int(self.rpc.request("eth_blockNumber"), 16)

    def later(self, seconds: int) -> None:
        """Mines one block `seconds` after the latest."""
        self.hold_fee()
        self.cheats.increase_time(seconds)

    def give(self, account: str, wei: int) -> None:
        """Sends test ether as a faucet does: one transaction of an account that has plenty."""
        (rich, *_) = self.rpc.request("eth_accounts")
        send(self.rpc, rich, account, "0x", gas=21_000, value=wei)

    def hold_fee(self) -> None:
        """Sets the next block's base fee to the constant one."""
        self.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(BASE_FEE_GWEI * GWEI))


@contextlib.contextmanager
def dressed(kind: Kind, log: Path | None = None) -> Iterator[Dressed]:
    """Runs a node that mines each transaction at once, until the block ends. On anvil each block comes 12 seconds after
    the last, as on Sepolia; Hardhat's follow real time. Raises LocalnetError."""
    with contextlib.ExitStack() as stack:
        if kind == "anvil":
            extra = ["--base-fee", str(BASE_FEE_GWEI * GWEI)]
            url = stack.enter_context(anvil(chain_id=CHAIN_ID, log=log, extra=extra))
            rpc = HttpRpc(url)
            rpc.request("anvil_setBlockTimestampInterval", BLOCK_S)
        else:
            url = stack.enter_context(_hardhat(log))
            rpc = _FreshHardhatRpc(url)
        stack.callback(rpc.close)
        found = Dressed(kind, url, rpc)
        _dress(found)
        yield found


@contextlib.contextmanager
def _hardhat(log: Path | None) -> Iterator[str]:
    """Runs Hardhat's node with an empty chain."""
    if not CLI.is_file():
        raise LocalnetError(f"hardhat: {CLI} is missing, run 'make setup'")

    def command(port: int) -> list[str]:
        node = [shutil.which("node") or "node", str(CLI), "--config", str(CONFIG)]
        return [*node, "node", "--hostname", "127.0.0.1", "--port", str(port)]

    more = {
        "HARDHAT_CHAIN": str(CHAIN_ID),
        "HARDHAT_AT_ONCE": "1",
        "HARDHAT_TIME": str(int(time.time())),
        "HARDHAT_DISABLE_TELEMETRY_PROMPT": "true",
    }
    with running("hardhat", command, None, log, CHAIN_ID, **more) as url:
        yield url


def _dress(chain: Dressed) -> None:
    """Puts the published code at its Sepolia addresses, and copies the storage that its constructors write."""
    known = network_of(CHAIN_ID)
    assert known.uniswap_v2 is not None and known.weth is not None
    factory, router = known.uniswap_v2.factory, known.uniswap_v2.router
    _copy(chain, artifacts.weth9_creation_code(), known.weth, _SLOTS)
    _copy(chain, factory_code(NO_ADDRESS), factory, 0)
    _copy(chain, router_code(factory, known.weth), router, 0)


def _copy(chain: Dressed, creation: bytes, to: str, slots: int) -> None:
    (rich, *_) = chain.rpc.request("eth_accounts")
    made = send(chain.rpc, rich, None, "0x" + creation.hex(), gas=_GAS)["contractAddress"]
    code = chain.rpc.request("eth_getCode", made, "latest")
    chain.cheats.set_code(to, bytes.fromhex(code.removeprefix("0x")))
    for slot in range(slots):
        # Hardhat takes a slot without leading zeros, and a value with all of them.
        value = chain.rpc.request("eth_getStorageAt", made, hex(slot), "latest")
        chain.rpc.request("anvil_setStorageAt", to, hex(slot), "0x" + value.removeprefix("0x").rjust(64, "0"))


FAUCET_WEI = ETHER // 4
"""Ether that the faucet gives the deployer, wei: the most that a sandbox may cost at 3 gwei."""
