"""`python -m lab.bench.largest`: gas of determine and start for the largest fund possible, honest and hostile.

Since EIP-7825 a transaction may use 2^24 gas. The node enforces it here, so it refuses what does not fit. The fund has
as many candidates as the methodology takes, of which it holds only a few. *honest*: every supply is computed from the
most lockers. *burns all*: every supply source, feed and token burns all the gas that it is given, except the few that
keep the month possible. *burns nearly all*: they burn nearly all of it and then return a sound value, so that they are
called again; with a full component list, and with one that has room for all the others. Writes `largest` into
out/bench.json.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ballast.build import BUILD, ROOT
from ballast.deployment.creation import predicted
from ballast.rule.arithmetic import execution_time, period_start
from ballast.units import DAY_S, WAD
from ballast.values import NO_ADDRESS
from lab.bench import report
from lab.bench.errors import BenchError
from lab.localnet.anvil import anvil
from lab.localnet.rpc import HttpRpc
from lab.localnet.session import command
from lab.testbed.chain import Build, Chain, Contract

LIMIT = 2**24
"""Most gas of a transaction (EIP-7825)."""
MAX_HELD = 50
CANDIDATES = 50
LOCKERS = 8
FLEXIBLE, CAP, CAP_PASSES = 2, 3 * 10**16, 10
SOUND = 3
"""Components that never burn gas, so that there is something to weigh."""
BEGIN = 1_700_000_000
NOTICE_S = 7 * DAY_S
CONTRACTS = (
    "BurningFeed",
    "BurningSource",
    "BurningToken",
    "ChainlinkOracle",
    "IndexToken",
    "LockedSupply",
    "MarketCap",
    "Opener",
    "Calendar",
    "Rebalancer",
)


@dataclass(frozen=True)
class Figure:
    """Gas of one action, as a transaction."""

    case: str
    action: str
    gas: int
    limit: int = LIMIT


@dataclass(frozen=True)
class Case:
    """`burns`: as `Burns` of contracts/testing/mocks/bench/Burning.sol counts them."""

    name: str
    held: int
    burns: int


CASES = (
    Case("honest", MAX_HELD, 0),
    Case("burns all", MAX_HELD, 1),
    Case("burns nearly all", MAX_HELD, 2),
    Case("burns nearly all, few held", SOUND, 2),
)


@dataclass(frozen=True)
class LargestFund:
    """The largest fund. `held` are its components, `others` the candidates that it does not hold; feeds by token."""

    chain: Chain
    who: str
    rebalancer: Contract
    held: list[Contract]
    others: list[Contract]
    feeds: dict[str, Contract]
    source: Contract


def builds() -> dict[str, Build]:
    """The builds to deploy, from the compiled contracts."""
    types = json.loads(BUILD.read_text(encoding="utf-8"))["contractTypes"]
    return {
        name: Build(name, types[name]["abi"], bytes.fromhex(types[name]["deploymentBytecode"]["bytecode"][2:]))
        for name in CONTRACTS
    }


def deploy(chain: Chain, case: Case) -> LargestFund:
    """Deploys and seeds the fund."""
    who = chain.account("builder")
    tokens = [chain.deploy(who, "BurningToken") for _ in range(case.held + CANDIDATES - SOUND)]
    tokens.sort(key=lambda token: int(token.address, 16))
    # The few sound ones are both components and candidates.
    held, others = tokens[: case.held], tokens[case.held :]
    feeds = {token.address: chain.deploy(who, "BurningFeed") for token in tokens}
    candidates = [*held[-SOUND:], *others]
    source = chain.deploy(who, "BurningSource")
    lockers = sorted(chain.account(f"locker {i}") for i in range(LOCKERS))
    lockers.sort(key=lambda account: int(account, 16))
    locked = chain.deploy(who, "LockedSupply", who, [t.address for t in candidates], [lockers] * len(candidates))
    for k, token in enumerate(candidates):
        for locker in lockers:
            token.send(who, "mint", locker, WAD)
        # Market caps of several sizes, so that the weight cap has to be computed.
        token.send(who, "mint", who, (k % 5 + 1) * 10**8 * WAD)
    rows = [
        (token.address, (source if case.burns and token in others else locked).address, 0, (k % 5 + 1) * 10**8)
        for k, token in enumerate(candidates)
    ]
    opener, calendar = chain.deploy(who, "Opener"), chain.deploy(who, "Calendar")
    rule = (FLEXIBLE, CAP, 0, 0, 50, False, 100 * DAY_S, WAD, CAP_PASSES)
    methodology = chain.deploy(who, "MarketCap", who, rule, rows)
    nonce = int(chain.rpc.request("eth_getTransactionCount", who, "latest"), 16)
    place = predicted(who, nonce, ("oracle", "index_token", "rebalancer"))["rebalancer"]
    prices = [(token.address, feeds[token.address].address, DAY_S, 0, 0, 0, 0) for token in tokens]
    oracle = chain.deploy(who, "ChainlinkOracle", who, place, NO_ADDRESS, 0, prices)
    index = chain.deploy(who, "IndexToken", "Largest", "LARGE", place, who, who, 0, 10**6)
    limits = (-15 * 10**15, 4 * 10**16, 2 * 10**16, 5 * 10**15, WAD, 2 * 10**13, 600, 1800)
    timetable = (1, 0, 0, NOTICE_S, DAY_S, DAY_S, 0, 0)
    rebalancer = chain.deploy(
        who,
        "Rebalancer",
        *(contract.address for contract in (index, oracle, opener, calendar, methodology)),
        who,
        who,
        limits,
        0,
        timetable,
    )
    if rebalancer.address != place:
        raise BenchError(f"largest: the rebalancer landed at {rebalancer.address}, expected {place}")
    for token in held:
        token.send(who, "mint", who, 1_000 * WAD)
        token.send(who, "approve", index.address, 2**256 - 1)
    index.send(who, "seed", [token.address for token in held], [WAD] * case.held, 100 * WAD, who)
    return LargestFund(chain, who, rebalancer, held, others, feeds, source)


def _burn(on: LargestFund, burns: int) -> None:
    """Makes all but the sound ones burn gas from now on."""
    on.source.send(on.who, "burn", burns)
    for token in (*on.held[:-SOUND], *on.others):
        token.send(on.who, "burn", burns)
        on.feeds[token.address].send(on.who, "burn", burns)


def measure(case: Case) -> list[Figure]:
    """Gas of determine and start. Raises LocalnetError where one exceeds the limit."""
    # Deploying so large a fund takes several transactions; the node's limit applies to each of them too.
    extra = ["--enable-tx-gas-limit"]
    with anvil(timestamp=BEGIN, hardfork="osaka", extra=extra) as url:
        rpc = HttpRpc(url)
        try:
            on = deploy(Chain(rpc, builds(), gas=LIMIT), case)
            if case.burns:
                _burn(on, case.burns)
            return [Figure(case.name, action, _act(on, action)) for action in ("determine", "start")]
        finally:
            rpc.close()


def _act(on: LargestFund, action: str) -> int:
    period = int(on.rebalancer.read("currentPeriod"))
    if action == "determine":
        on.chain.move_to(period_start(period + 1, NOTICE_S))
    else:
        on.chain.move_to(execution_time(period))
    due, reason, _ = on.rebalancer.read("workable")
    if due != {"determine": 1, "start": 2}[action]:
        raise BenchError(f"largest: {action} is not due, workable() says action {due} and reason {reason}")
    return on.rebalancer.send(on.who, action)


def show(console: Console, figures: list[Figure]) -> None:
    """Prints the table."""
    table = Table(
        title=f"The largest fund: at most {MAX_HELD} components, {CANDIDATES} candidates of {LOCKERS} lockers each"
    )
    for column in ("case", "action", "gas", "of 2^24"):
        table.add_column(column, justify="left" if column in ("case", "action") else "right", no_wrap=True)
    for figure in figures:
        table.add_row(figure.case, figure.action, f"{figure.gas:,}", f"{figure.gas / figure.limit:.1%}")
    console.print(table)


@click.command()
def main() -> None:
    """Measure determine and start of the largest fund, with the limit of a transaction's gas switched on."""
    console = Console()
    path: Path = ROOT / "out" / "bench.json"
    figures: list[Figure] = []
    with command("bench"):
        for case in track(CASES, "the largest fund", console=console, transient=True):
            figures += measure(case)
        report.put(path, "largest", [asdict(figure) for figure in figures])
    show(console, figures)
    console.print(f"figures: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
