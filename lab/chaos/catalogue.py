"""The named scenarios. Moments: `ACTION:due` (the action is due), `ACTION:pooled` (a keeper's transaction for it is
pending), `ACTION:mined` (its block was just mined); batches are `trade1`, `trade2` and so on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ballast.units import BLOCK_S
from lab.chaos import dialects
from lab.chaos.faults import Fault, Value
from lab.chaos.proxy import ANY, SEND
from lab.chaos.scenario import Scenario

HARDHAT = "hardhat-node"
"""Hardhat's own node, in addition to a proxy that speaks its dialect."""
HEAD = "eth_getBlockByNumber"
CALL = "eth_call"
RECEIPT = "eth_getTransactionReceipt"
COUNT = "eth_getTransactionCount"


DUE = {"determine": ("determine:due", 0), "trade": ("trade1:due", 1_800)}
"""Actions killed at every step: the moment at which the keeper is started, and the chain seconds that pass first, so
that a batch is possible."""


OWN_CONFIRMATIONS = 3
"""The keeper's default number of confirmations."""
PATIENT = {"BALLAST_CONFIRMATIONS": "12"}
"""For reorganizations deeper than the keeper's default: it does not check a confirmed transaction again, so one that
ends differently in another block would keep its old status in the journal."""


def spoil(at: str, kind: str, method: str, times: int = 1, keeper: int = 0, **more: Value) -> Fault:
    """A rule of a keeper's proxy, armed at a moment."""
    return Fault("rpc", at, keeper, {"kind": kind, "method": method, "times": times, **more})


def one(name: str, *faults: Fault, **settings: str) -> Scenario:
    """A scenario with one keeper."""
    return Scenario(name, faults, settings=settings)


def proxies() -> Iterator[Scenario]:
    """Faults of a node's endpoint."""
    yield one("http-500-on-head", spoil("determine:due", "http_500", HEAD, 5))
    yield one("http-500-on-send", spoil("determine:due", "http_500", SEND, 2))
    yield one("http-500-on-everything", spoil("start:due", "http_500", "*", 12))
    yield one("http-429-on-state", spoil("start:due", "http_429", CALL, 4))
    yield one("http-429-on-send", spoil("trade1:due", "http_429", SEND, 2))
    yield one("time-out-of-state", spoil("determine:due", "timeout", CALL, 2, delay_s=1.5))
    yield one("time-out-of-send", spoil("start:due", "timeout", SEND, 1, delay_s=1.5))
    yield one("time-out-of-receipt", spoil("trade1:pooled", "timeout", RECEIPT, 2, delay_s=1.5))
    yield one("reset-on-head", spoil("trade1:due", "reset", HEAD, 6))
    yield one("reset-on-send", spoil("trade2:due", "reset", SEND, 2))
    yield one("reset-on-nonce", spoil("start:due", "reset", COUNT, 5))
    yield one("answer-dropped-after-determine", spoil("determine:due", "dropped", SEND))
    yield one("answer-dropped-after-start", spoil("start:due", "dropped", SEND))
    yield one("answer-dropped-after-each-batch", spoil("trade1:due", "dropped", SEND, 9))
    dropped, still = spoil("trade1:due", "dropped", SEND), Fault("no_mining", "trade1:pooled", more={"seconds": 2})
    yield one("answer-dropped-while-nothing-is-mined", dropped, still)
    yield one("taken-after-the-time-out", spoil("start:due", "slow", SEND, 2, delay_s=1.5))
    yield one("older-head-of-3-blocks", spoil("determine:mined", "older_head", "*", 60, blocks=3, within_s=4))
    yield one("older-head-of-10-blocks", spoil("trade1:mined", "older_head", "*", 60, blocks=10, within_s=4))
    yield one("older-head-while-pending", spoil("start:pooled", "older_head", "*", 40, blocks=2, within_s=4))
    yield one("older-head-for-nonces-alone", spoil("trade1:mined", "older_head", COUNT, 4, blocks=3))
    yield one("older-head-for-state-alone", spoil("trade2:mined", "older_head", CALL, 4, blocks=4))
    yield one("older-state", spoil("trade2:mined", "older_state", CALL, 4, blocks=4))
    yield one("receipt-missing", spoil("determine:pooled", "no_receipt", RECEIPT, 12))
    yield one("receipt-missing-for-long", spoil("trade1:pooled", "no_receipt", RECEIPT, 200, within_s=4))
    yield one("already-known", spoil("start:due", "already_known", SEND))
    yield one("already-known-each-time", spoil("determine:due", "already_known", SEND, 20, within_s=30))
    yield one("nonce-too-low-untrue", spoil("start:due", "refused", SEND, 1, message="nonce too low"))
    yield one("underpriced", spoil("trade1:due", "refused", SEND, 2, message="transaction underpriced"))
    yield one("replacement-underpriced", spoil("trade1:due", "refused", SEND, 2, message="replacement underpriced"))
    yield one("refused-for-no-reason", spoil("determine:due", "refused", SEND, 3, message="internal error"))
    yield one("funds-missing-untrue", spoil("start:due", "refused", SEND, 1, message="insufficient funds for gas"))
    yield one("swallowed", spoil("determine:due", "swallowed", SEND))
    yield one("swallowed-three-times", spoil("trade1:due", "swallowed", SEND, 3))
    yield one("tip-spike", spoil("start:due", "price", "eth_maxPriorityFeePerGas", 4, factor=5_000))
    yield one("price-spike-in-heads", spoil("trade1:due", "price", HEAD, 8, factor=50))
    yield one("malformed-answers", spoil("start:due", "malformed", "*", 10))
    yield one("malformed-answer-to-send", spoil("trade1:due", "malformed", SEND, 2))
    yield one("empty-heads", spoil("determine:due", "empty", HEAD, 3))
    yield one("slow-answers", spoil("start:due", "slow", "*", 12, delay_s=0.4))
    yield one("node-gone-for-long", spoil("determine:due", "reset", "*", 10_000, within_s=8))
    yield one("node-gone-while-pending", spoil("trade1:pooled", "reset", "*", 10_000, within_s=5))


def chains() -> Iterator[Scenario]:
    """Faults of the chain."""
    yield one("no-mining", Fault("no_mining", "trade1:pooled", more={"seconds": 3}))
    yield one("dropped-from-the-pool", Fault("drop", "determine:pooled"))
    yield one("dropped-three-times", Fault("drop", "trade1:pooled", more={"times": 3}))
    for depth in (1, 2, 3, 5, 10):
        at = ("determine", "start", "trade1", "trade2", "trade3")[(1, 2, 3, 5, 10).index(depth)]
        returned = Fault("reorg", f"{at}:mined", more={"depth": depth, "returned": 1})
        yield one(f"reorganization-of-{depth}", returned, **(PATIENT if depth > OWN_CONFIRMATIONS else {}))
        yield one(f"reorganization-of-{depth}-lost", Fault("reorg", f"{at}:mined", more={"depth": depth}))
    yield one("reorganization-seen-late", Fault("reorg", "start:mined", more={"depth": 4, "after": 2}))
    yield one("reorganization-of-the-last-batch", Fault("reorg", "close:mined", more={"depth": 2}))
    yield one("base-fee-spike", Fault("base_fee", "start:due", more={"gwei": 5_000, "blocks": 8}))
    yield one("base-fee-spike-while-pending", Fault("base_fee", "trade1:pooled", more={"gwei": 400, "blocks": 6}))
    yield one("clock-jump-before-start", Fault("clock_jump", "determine:mined", more={"hours": 30}))
    yield one("clock-jump-in-trading", Fault("clock_jump", "trade2:mined", more={"hours": 20}))


def processes() -> Iterator[Scenario]:
    """Faults of the keeper's process and its files."""
    yield one("killed-while-pending", Fault("kill", "trade1:pooled"))
    yield one("killed-in-each-action", *(Fault("kill", f"{a}:pooled") for a in ("determine", "start", "trade2")))
    for action, (at, wait_s) in DUE.items():
        for when in ("before", "after"):
            fault = Fault("step", at, more={f"kill_{when}": SEND, "wait_s": wait_s})
            yield one(f"killed-right-{when}-sending-{action}", fault)
    yield one("stopped-for-a-while", Fault("stop", "start:pooled", more={"seconds": 3}))
    yield one("stopped-between-batches", Fault("stop", "trade1:mined", more={"seconds": 3}))
    yield one("journal-locked", Fault("lock", "determine:due", more={"seconds": 2}))
    yield one("journal-locked-for-long", Fault("lock", "trade1:due", more={"seconds": 8}))
    full = Fault("full", "trade1:due", more={"seconds": 3})
    yield Scenario("journal-disk-full", (full,), small_disk=True)
    full = Fault("full", "start:pooled", more={"seconds": 3})
    yield Scenario("journal-disk-full-while-pending", (full,), small_disk=True)
    yield one("late-by-two-days", Fault("absent", "start:due", more={"hours": 48}))
    yield one("away-in-the-middle-of-trading", Fault("absent", "trade2:mined", more={"hours": 100}))
    yield one("month-missed", Fault("missed", "begin"))
    for name, shift in (("fast", 7_200.0), ("slow", -7_200.0), ("a-year-fast", 31_536_000.0)):
        yield one(f"host-clock-{name}", Fault("host_clock", "begin", more={"shift_s": shift}))
    wrong = spoil("trade1:mined", "wrong_chain_id", "eth_chainId", 2)
    # A keeper that finds another chain at its start exits with 2, and the service manager restarts it.
    yield Scenario("wrong-chain-id-at-start", (Fault("kill", "trade1:mined"), wrong), ends=(2,))


def several() -> Iterator[Scenario]:
    """Several keepers at once, each with its own key, journal and endpoint: some compete, others stand by for each
    other."""
    stopped = Fault("stop", "trade1:pooled", more={"seconds": 4})
    lagging = spoil("determine:due", "older_head", ANY, 400, blocks=4, within_s=6)
    gone = spoil("start:due", "reset", ANY, 10_000, within_s=6)
    reorg = Fault("reorg", "start:mined", more={"depth": 3, "returned": 1})
    # Blocks wait, so that no keeper misses one because the machine is busy.
    yield Scenario("two-keepers", keepers=2, races=True, patience_s=BLOCK_S)
    yield Scenario("three-keepers", keepers=3, races=True, patience_s=BLOCK_S)
    yield Scenario("two-keepers-one-killed", (down("determine:due", 60),), keepers=2, races=True)
    yield Scenario("two-keepers-one-stopped", (stopped,), keepers=2, races=True)
    yield Scenario("two-keepers-one-node-behind", (lagging,), keepers=2, races=True)
    yield Scenario("three-keepers-one-node-gone", (gone,), keepers=3, races=True)
    yield Scenario("two-keepers-reorganization", (reorg,), keepers=2, races=True)
    yield Scenario("standby-of-two", keepers=2, standby=True)
    yield Scenario("standby-of-three", keepers=3, standby=True)
    yield Scenario("standby-first-down", (down("determine:due", 60),), keepers=2, standby=True)
    yield Scenario(
        "standby-first-killed-while-pending", (down("start:pooled", 40),), keepers=2, standby=True, races=True
    )
    both = (down("determine:due", 60), down("determine:due", 60, keeper=1))
    yield Scenario("standby-two-of-three-down", both, keepers=3, standby=True)
    yield Scenario("standby-first-stopped", (stopped,), keepers=2, standby=True, races=True)
    yield Scenario("standby-first-without-node", (gone,), keepers=2, standby=True, races=True)
    yield Scenario("standby-reorganization", (reorg,), keepers=2, standby=True, races=True)


def endpoints() -> Iterator[Scenario]:
    """A keeper with two endpoints: one of them faulty, both, or none."""

    def two(name: str, *faults: Fault, **settings: str) -> Scenario:
        return Scenario(f"endpoints-{name}", faults, endpoints=2, settings=settings)

    yield two("first-gone", spoil("determine:due", "reset", ANY, 10_000, within_s=8))
    yield two("first-slow", spoil("start:due", "slow", ANY, 20, delay_s=0.9))
    yield two("first-behind", spoil("trade1:mined", "older_head", ANY, 400, blocks=6, within_s=8))
    yield two("first-on-another-chain", spoil("start:due", "wrong_chain_id", "eth_chainId", 400, within_s=15))
    yield two("first-without-receipts", spoil("determine:pooled", "no_receipt", RECEIPT, 400, within_s=15))
    yield two("first-swallows", spoil("determine:due", "swallowed", SEND, 50, within_s=30))
    other = spoil("trade1:due", "reset", ANY, 10_000, within_s=5, endpoint=1)
    yield two("one-after-the-other", spoil("determine:due", "reset", ANY, 10_000, within_s=5), other)
    both = (spoil("trade1:due", "reset", ANY, 10_000, within_s=5, endpoint=number) for number in (0, 1))
    yield two("both-gone", *both)
    yield two("agree", BALLAST_RPC_AGREE="2")
    lies = spoil("trade1:mined", "older_state", CALL, 60, blocks=3, within_s=8)
    yield two("agree-one-lies", lies, BALLAST_RPC_AGREE="2")


def clients() -> Iterator[Scenario]:
    """Whole months against each client and hosted service: one keeper whose sends now and then get no answer, two that
    race, so that calls revert; and Hardhat's own node. A block waits for the keepers as long as Ethereum's."""
    lost = tuple(spoil(f"{action}:due", "dropped", SEND, within_s=60) for action in ("determine", "trade1"))
    faults = (*lost, Fault("no_mining", "determine:pooled", more={"seconds": 1}))
    for name in (*dialects.clients(), HARDHAT):
        month = Scenario(
            f"client-{name}",
            faults,
            node="hardhat" if name == HARDHAT else "anvil",
            dialect="" if name == HARDHAT else name,
            within_s=400,
            patience_s=BLOCK_S,
        )
        yield month
        yield replace(month, name=f"{month.name}-race", faults=(), keepers=2, races=True)


def odd_months(left: Mapping[tuple[str, int], Sequence[str]]) -> Iterator[Scenario]:
    """A month for each method and number of endpoints, with the shapes still to be tried. With one endpoint they meet a
    keeper that starts; beside a healthy endpoint one that runs, if the method is called in every block."""
    for (method, endpoints), shapes in left.items():
        # A keeper with another endpoint does not call the first again at once.
        more: dict[str, Value] = {"method": method, "shapes": ",".join(shapes), "times": 2 if endpoints == 1 else 1}
        more["at_start"] = int(endpoints == 1 or method not in (HEAD, CALL, COUNT, "eth_chainId"))
        faults = (Fault("odd", "begin", more=more),)
        yield Scenario(f"odd-{method}-{endpoints}", faults, endpoints=endpoints, bites=False, within_s=400)


def down(at: str, blocks: int, keeper: int = 0) -> Fault:
    """A keeper is killed and restarted after this many blocks."""
    return Fault("kill", at, keeper, {"blocks": blocks})


def kills(steps: Mapping[str, int]) -> Iterator[Scenario]:
    """SIGKILL before each step of an action; `steps`: number of steps by action (`lab/chaos/steps.py` counts them)."""
    for action, count in steps.items():
        at, wait_s = DUE[action]
        for number in range(1, count + 1):
            fault = Fault("step", at, more={"kill_at": number, "wait_s": wait_s})
            yield one(f"kill-{action}-{number:02d}", fault)


def named() -> list[Scenario]:
    """All but those of `kills` and `odd_months`."""
    return [*proxies(), *chains(), *processes(), *several(), *endpoints(), *clients()]
