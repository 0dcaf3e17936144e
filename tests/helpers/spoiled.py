"""Code that makes the token at an address bad and leaves its storage as it is."""

from __future__ import annotations

from lab.localnet.rpc import Rpc

REVERTS = "0x5f5ffd"
"""Refuses every call."""


def unreadable(rpc: Rpc, token: str, account: str) -> None:
    """Makes the token's `balanceOf` revert for this account from now on; all else works as before."""
    was = f"0x{int(token, 16) ^ 2**159:040x}"
    rpc.request("anvil_setCode", was, rpc.request("eth_getCode", token, "latest"))
    rpc.request("anvil_setCode", token, _but_for(account, was))


def _but_for(account: str, was: str) -> str:
    """Code that reverts for `balanceOf(account)` and delegates everything else to the code at `was`."""
    asked = "5f3560e01c6370a0823114" + "600435" + "73" + account[2:] + "14" + "16"
    handed = "365f5f375f5f365f73" + was[2:] + "5af4" + "3d5f5f3e"
    returns, reverts = "3d5ff3", "5f5ffd"
    # `asked`, PUSH1, target, JUMPI; `handed`, PUSH1, target, JUMPI; then the failure of the delegated call is passed
    # on.
    passed = len(bytes.fromhex(asked)) + 3 + len(bytes.fromhex(handed)) + 3 + 3
    refused = passed + 1 + 3
    code = f"{asked}60{refused:02x}57{handed}60{passed:02x}573d5ffd5b{returns}5b{reverts}"
    return "0x" + code.lower()
