"""Checks what a fund's oracle needs from its chain: feeds within their bands, on a rollup the sequencer's feed."""

from __future__ import annotations

from collections.abc import Iterator

from web3 import Web3

from ballast.abi import call_view
from ballast.fund_file import FundConfig
from ballast.networks.presets import NETWORKS, network_of
from ballast.parts import Feed, Sequencer
from ballast.units import BLOCK_S
from ballast.values import decimal_text

_ROUND = ["uint256", "int256", "uint256", "uint256", "uint256"]

ROLLUPS = {
    **{network.chain_id: network.name for network in NETWORKS.values() if network.rollup is not None},
    324: "zkSync Era",
    1101: "Polygon zkEVM",
    5000: "Mantle",
    59144: "Linea",
    81457: "Blast",
    534352: "Scroll",
    300: "zkSync Sepolia",
    2442: "Polygon zkEVM Cardona",
    5003: "Mantle Sepolia",
    59141: "Linea Sepolia",
    534351: "Scroll Sepolia",
    168587773: "Blast Sepolia",
}
"""Names of rollups by chain id. A chain that is missing here gets no warning."""


def rollup_warnings(config: FundConfig) -> tuple[str, ...]:
    """Warnings about what a fund file on a known rollup leaves out; a line each."""
    rollup = ROLLUPS.get(config.chain_id)
    if rollup is None:
        return ()
    lines = []
    known = network_of(config.chain_id).sequencer_feed or "whose address is not known here"
    if config.sequencer is None:
        lines.append(
            f"sequencer: missing, and chain {config.chain_id} is {rollup}: after an outage of its sequencer "
            f"the fund would trade at prices from before it; expected Chainlink's sequencer uptime feed, {known}"
        )
    if config.anchored() and config.block_time >= BLOCK_S:
        lines.append(
            f"block_time: {BLOCK_S} s is Ethereum's, and chain {config.chain_id} is {rollup}: a busy pool may "
            "not reach back over an anchor's window; expected the rollup's"
        )
    return tuple(lines)


def oracle_problems(w3: Web3, config: FundConfig) -> tuple[str, ...]:
    """What the oracle would refuse, or what would leave it without prices; a line each. Ignores feeds that do not
    answer at all."""
    problems = [*_band_problems(w3, "eth_feed", config.eth_feed)]
    for component in config.ordered():
        problems += _band_problems(w3, f"{component.symbol}: feed", component.feed)
    if config.sequencer is not None:
        problems += _sequencer_problems(w3, config.sequencer)
    return tuple(problems)


def _band_problems(w3: Web3, where: str, feed: Feed) -> Iterator[str]:
    if feed.lowest is None or feed.highest is None:
        return
    decimals = call_view(w3, feed.address, "decimals()", ["uint256"])
    answer = call_view(w3, feed.address, "latestRoundData()", _ROUND)
    if decimals is None or answer is None or decimals[0] > 18:
        return
    value = answer[1] * 10 ** (18 - decimals[0])
    if not feed.lowest <= value <= feed.highest:
        band = f"{decimal_text(feed.lowest)} to {decimal_text(feed.highest)}"
        yield f"{where}: {feed.address} answers {decimal_text(value)}, expected its band, {band}"


def _sequencer_problems(w3: Web3, sequencer: Sequencer) -> Iterator[str]:
    answer = call_view(w3, sequencer.address, "latestRoundData()", _ROUND)
    now = w3.eth.get_block("latest")["timestamp"]
    if answer is None or answer[1] not in (0, 1) or not 0 < answer[2] <= now:
        yield f"sequencer: {sequencer.address} does not answer, expected Chainlink's sequencer uptime feed"
    elif answer[1] == 1:
        yield f"sequencer: {sequencer.address} says that it is down since {now - answer[2]} s; wait"
    elif now - answer[2] < sequencer.grace:
        yield f"sequencer: up again since {now - answer[2]} s, expected {sequencer.grace} s; wait"
