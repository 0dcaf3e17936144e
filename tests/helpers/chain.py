"""The fork as the tests move it: every block at a stated time, so that no result depends on the machine's clock.

Accounts are impersonated: an address is all it takes to send. Times are Unix seconds, amounts wei.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from eth_utils import keccak, to_checksum_address

from ballast.units import ETHER
from lab.localnet.anvil import Cheats
from lab.localnet.rpc import Rpc, RpcError, receipt_of
from tests.helpers.contracts import Artifact, Call, Contract

GAS = 25_000_000

Receipt = dict[str, Any]
"""As the node returns it: quantities are hexadecimal strings. `Contract.events` reads its logs."""


class RevertedError(AssertionError):
    """A transaction or call reverted where none should. `data` is the raw revert data."""

    def __init__(self, call: Call, data: bytes) -> None:
        super().__init__(f"{call.name} of {call.to} reverted with 0x{data.hex()}")
        self.data = data


class Chain:
    """Reads, transactions and time on one fork."""

    def __init__(self, rpc: Rpc, artifact: Callable[[str], Artifact]) -> None:
        self.rpc = rpc
        self.cheats = Cheats(rpc)
        self.artifact = artifact

    def account(self, name: str) -> str:
        """An account with 1,000,000 ether that the node signs for. The same name gives the same address."""
        return self.impersonate(to_checksum_address(keccak(text=f"ballast.tests.{name}")[-20:]))

    def impersonate(self, address: str | Contract) -> str:
        """Makes the node sign for this address and gives it ether for gas; the address."""
        target = address.address if isinstance(address, Contract) else address
        self.cheats.impersonate(target)
        self.cheats.set_balance(target, 10**6 * ETHER)
        return target

    def now(self) -> int:
        """Time of the latest block."""
        return self.cheats.now()

    def move_to(self, moment: int) -> None:
        """Mines a block at exactly this time."""
        self.cheats.mine_at(moment)

    def nonce(self, address: str) -> int:
        return int(self.rpc.request("eth_getTransactionCount", address, "latest"), 16)

    def code(self, address: str) -> bytes:
        return bytes.fromhex(self.rpc.request("eth_getCode", address, "latest").removeprefix("0x"))

    def read(self, call: Call, *, sender: str | None = None, at: int | None = None, value: int = 0) -> Any:
        """What the call returns now, or would return in a block at time `at`."""
        try:
            return call.decode(self.raw(call, sender=sender, at=at, value=value))
        except RpcError as error:
            raise RevertedError(call, revert_data(error)) from error

    def raw(self, call: Call, *, sender: str | None = None, at: int | None = None, value: int = 0) -> bytes:
        """The bytes that the call returns. Raises RpcError with the node's own answer."""
        request = {"data": "0x" + call.data.hex(), "gas": hex(GAS), "value": hex(value)}
        if call.to is not None:
            request["to"] = call.to
        if sender is not None:
            request["from"] = sender
        more: list[Any] = [] if at is None else [{}, {"time": hex(at)}]
        answer: str = self.rpc.request("eth_call", request, "latest", *more)
        return bytes.fromhex(answer.removeprefix("0x"))

    def send(self, call: Call, sender: str, *, at: int | None = None, value: int = 0) -> Receipt:
        """Sends it in a block at `at` (a second after the latest where that is None); the receipt."""
        moment = self.now() + 1 if at is None else at
        receipt = self._mine(call, sender, moment, value)
        if int(receipt["status"], 16) != 1:
            raise RevertedError(call, self._why(call, sender, moment, int(receipt["blockNumber"], 16) - 1))
        return receipt

    def deploy(self, name: str, *args: Any, sender: str) -> Contract:
        """Deploys a contract of this project."""
        artifact = self.artifact(name)
        receipt = self.send(artifact.create(*args), sender)
        return artifact.at(receipt["contractAddress"])

    def at(self, name: str, address: str) -> Contract:
        """The contract of this name at an address."""
        return self.artifact(name).at(address)

    def _mine(self, call: Call, sender: str, moment: int, value: int) -> Receipt:
        self.rpc.request("evm_setNextBlockTimestamp", moment)
        request = {"from": sender, "data": "0x" + call.data.hex(), "gas": hex(GAS), "value": hex(value)}
        if call.to is not None:
            request["to"] = call.to
        return receipt_of(self.rpc, self.rpc.request("eth_sendTransaction", request))

    def _why(self, call: Call, sender: str, moment: int, block: int) -> bytes:
        request = {"from": sender, "to": call.to, "data": "0x" + call.data.hex(), "gas": hex(GAS)}
        try:
            self.rpc.request("eth_call", request, hex(block), {}, {"time": hex(moment)})
        except RpcError as error:
            return revert_data(error)
        return b""


def revert_data(error: RpcError) -> bytes:
    """The raw revert data that the node answered with; empty if it gave none."""
    return bytes.fromhex(error.data.removeprefix("0x")) if isinstance(error.data, str) else b""
