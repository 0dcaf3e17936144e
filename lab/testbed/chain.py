"""One chain on which every block has a stated time, and contracts that are called by their ABI.

Gas is that of the whole transaction, from its receipt. Nothing depends on the machine's clock: a block comes
`BLOCK_S` after the last unless the time is moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi import encode
from eth_utils import to_checksum_address

from ballast.abi import Entry, call_data, types_of
from ballast.units import BLOCK_S, ETHER, GWEI
from keeper.sending.access import AccessList, worthwhile
from lab.localnet.addresses import stand_in
from lab.localnet.anvil import Cheats
from lab.localnet.errors import LocalnetError
from lab.localnet.rpc import Rpc, send, unpack

GAS = 29_000_000
BASE_FEE = GWEI

Abi = Sequence[Entry]


@dataclass(frozen=True)
class Build:
    """A compiled contract: ABI and creation code."""

    name: str
    abi: Abi
    code: bytes


class Contract:
    """A contract at an address, called by function name."""

    def __init__(self, chain: Chain, address: str, abi: Abi) -> None:
        self.address = str(to_checksum_address(address))
        self._chain = chain
        self._functions = {str(entry["name"]): entry for entry in abi if entry["type"] == "function"}

    def data(self, function: str, *args: Any) -> str:
        """Calldata."""
        return call_data(self._functions[function], *args)

    def read(self, function: str, *args: Any) -> Any:
        """What a view returns at the latest block: the value, or a tuple of several; structs are tuples."""
        request = {"to": self.address, "data": self.data(function, *args), "gas": hex(GAS)}
        answer = str(self._chain.rpc.request("eth_call", request, "latest"))
        values = unpack(types_of(self._functions[function]["outputs"]), answer, self.address, function)
        return values[0] if len(values) == 1 else values

    def send(self, sender: str, function: str, *args: Any, value: int = 0) -> int:
        """Sends a transaction; its gas. Raises LocalnetError on a revert."""
        return self._chain.send(sender, self.address, self.data(function, *args), value=value)

    def send_listed(self, sender: str, function: str, *args: Any) -> int:
        """Like `send`, with the access list that a keeper would add."""
        return self._chain.send(sender, self.address, self.data(function, *args), listing=True)


@dataclass
class Chain:
    """The connected chain. `sent`: hash of the last transaction; `gas`: limit of each; `base_fee`: of its block."""

    rpc: Rpc
    builds: dict[str, Build]
    sent: str = ""
    gas: int = GAS
    base_fee: int = BASE_FEE
    cheats: Cheats = field(init=False)

    def __post_init__(self) -> None:
        self.cheats = Cheats(self.rpc)
        self.rpc.request("anvil_setBlockTimestampInterval", BLOCK_S)

    def account(self, name: str) -> str:
        """An account with ether that the node signs for. The same name gives the same address."""
        address = stand_in(f"bench.{name}")
        self.cheats.impersonate(address)
        self.cheats.set_balance(address, 10**9 * ETHER)
        return address

    def move_to(self, time: int) -> None:
        """Mines a block at this time (Unix seconds), or right after the latest if that is later."""
        self.cheats.mine_at(max(time, self.cheats.now() + BLOCK_S))

    def wait(self, seconds: int) -> None:
        """Mines a block `seconds` after the latest."""
        self.move_to(self.cheats.now() + seconds)

    def send(self, sender: str, to: str | None, data: str, *, value: int = 0, listing: bool = False) -> int:
        """Sends a transaction; its gas. Raises LocalnetError on a revert. `listing`: with an access list."""
        listed = self._access_list(sender, to, data) if listing and to is not None else ()
        return int(self._send(sender, to, data, value, listed)["gasUsed"], 16)

    def deploy(self, sender: str, build: str | Build, *args: Any) -> Contract:
        """Deploys one of this project's contracts, by name, or any other build."""
        made = self.builds[build] if isinstance(build, str) else build
        types = next((types_of(entry["inputs"]) for entry in made.abi if entry["type"] == "constructor"), [])
        data = "0x" + (made.code + encode(types, args)).hex()
        receipt = self._send(sender, None, data, 0)
        return Contract(self, receipt["contractAddress"], made.abi)

    def at(self, build: str, address: str) -> Contract:
        """One of this project's contracts at an address."""
        return Contract(self, address, self.builds[build].abi)

    def _access_list(self, sender: str, to: str, data: str) -> AccessList:
        """The access list that the node computes for the call, less the entries that do not pay."""
        request = {"from": sender, "to": to, "data": data, "gas": hex(GAS)}
        answer = self.rpc.request("eth_createAccessList", request, "latest")
        if answer.get("error"):
            raise LocalnetError(f"access list of a call of {to}: {answer['error']}")
        return worthwhile(answer["accessList"], (sender, to))

    def _send(self, sender: str, to: str | None, data: str, value: int, listed: AccessList = ()) -> dict[str, Any]:
        # Held constant, so that a transaction's cost does not depend on how many came before it.
        self.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(self.base_fee))
        receipt = send(self.rpc, sender, to, data, gas=self.gas, value=value, listed=listed)
        self.sent = str(receipt["transactionHash"])
        return receipt


def abi_of(project: Any, name: str) -> Abi:
    """The ABI of a contract of Ape's project, as web3 takes it."""
    return plain_abi(getattr(project, name).contract_type)


def plain_abi(contract: Any) -> Abi:
    """The ABI of one of Ape's compiled contracts."""
    return [entry.model_dump(mode="json", by_alias=True, exclude_none=True) for entry in contract.abi]
