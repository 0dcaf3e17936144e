"""Compares a deployed fund with its file."""

from __future__ import annotations

from collections.abc import Mapping

from eth_utils import to_checksum_address
from web3 import Web3

from ballast.abi import call_view
from ballast.deployment.creation import SUPPLIES, anchor_rows, feed_rows, sequencer_of
from ballast.fund_file import FundConfig
from ballast.parts import MAX_PRICE
from ballast.preflight.problems import DeployError

SOURCE = ["address", "uint32", "uint8", "uint8", "uint128", "uint128", "uint128"]
"""Types of the oracle's `Source`: feed, maximum age, decimals, quote, ratio, lowest, highest."""


def check_deployment(w3: Web3, at: Mapping[str, str], config: FundConfig, *, seeded: bool) -> None:
    """Raises DeployError if the contracts at the addresses `at` do not match the file. Before the seed every component
    must have a price now; once `seeded`, the list of components must be the file's."""

    def expect(name: str, view: str, right: str) -> None:
        answer = call_view(w3, at[name], view, ["address"])
        found = to_checksum_address(answer[0]) if answer else None
        if found != right:
            raise DeployError(f"{name}.{view}: {found} after the deployment, expected {right}")

    expect("index_token", "REBALANCER()", at["rebalancer"])
    for name in ("zap", "nav_feed"):
        if name in at:
            expect(name, "FUND()", at["index_token"])
    for name in ("oracle", "first_oracle", "posted_supply", "upkeep"):
        if name in at:
            expect(name, "REBALANCER()", at["rebalancer"])
    if "first_oracle" in at:
        expect("oracle", "FIRST()", at["first_oracle"])
    expect("rebalancer", "INDEX()", at["index_token"])
    expect("rebalancer", "ORACLE()", at["oracle"])
    for name in ("index_token", "oracle", "first_oracle", "methodology", "rebalancer", "upkeep", *SUPPLIES):
        if name in at:
            expect(name, "owner()", at["timelock"])
    if "fee_split" in at:
        expect("index_token", "feeRecipient()", at["fee_split"])
        expect("fee_split", "UPKEEP()", at["upkeep"])
    _verify_oracle(w3, at, config)
    if seeded:
        _verify_components(w3, at, config)
    else:
        _verify_prices(w3, at, config)


def _verify_components(w3: Web3, at: Mapping[str, str], config: FundConfig) -> None:
    answer = call_view(w3, at["index_token"], "components()", ["(address,uint8,uint40,bool)[]"])
    listed = [to_checksum_address(row[0]) for row in answer[0]] if answer else []
    if listed != [component.token for component in config.seeded()]:
        raise DeployError(f"index_token.components(): {listed} after the deployment, expected the seeded components")


def _verify_oracle(w3: Web3, at: Mapping[str, str], config: FundConfig) -> None:
    first = at.get("first_oracle", at["oracle"])
    sequencer, grace = sequencer_of(config)
    expected = [(first, "SEQUENCER()", "address", sequencer.lower()), (first, "GRACE()", "uint256", grace)]
    if config.anchored():
        expected.append((at["oracle"], "BLOCK_TIME()", "uint256", config.block_time))
    for contract, view, kind, right in expected:
        answer = call_view(w3, contract, view, [kind])
        if answer != (right,):
            raise DeployError(f"oracle.{view}: {answer} after the deployment, expected {right}")
    for token, feed, max_age, quote, ratio, lowest, highest in feed_rows(config):
        source = call_view(w3, first, "sources(address)", SOURCE, token)
        wanted = [feed.lower(), max_age, quote, ratio, lowest, highest or MAX_PRICE]
        if source is None or [*source[:2], *source[3:]] != wanted:
            raise DeployError(f"oracle.sources({token}): {source} after the deployment, expected {wanted}")
    for token, *listed_anchor in anchor_rows(config):
        anchor = call_view(w3, at["oracle"], "anchors(address)", ["address", "uint32", "uint64"], token)
        if anchor is None or [to_checksum_address(anchor[0]), *anchor[1:]] != listed_anchor:
            raise DeployError(f"oracle.anchors({token}): {anchor} after the deployment, expected {listed_anchor}")


def _verify_prices(w3: Web3, at: Mapping[str, str], config: FundConfig) -> None:
    for component in config.ordered():
        price = call_view(w3, at["oracle"], "price(address)", ["uint256"], component.token)
        if not price or price[0] == 0:
            raise DeployError(
                f"{component.symbol}: the oracle has no price now, expected one before the seed; once its feed "
                "answers, run the same command again"
            )
