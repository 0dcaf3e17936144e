"""A month's determination as the chain has it, beside the same rule computed a second time in Python.

Everything is read as it stands at the end of the block of the determination, and of that of the start: what another
transaction of the same block changed would show as a difference. USD, prices, weights have 18 decimals, supplies are
whole tokens, units token wei per 1e18 shares, times Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils import function_signature_to_4byte_selector, to_checksum_address
from web3.exceptions import ContractLogicError

from ballast import methodology as rules
from ballast import packed
from ballast.methodology import (
    ONE,
    Candidate,
    Decision,
    Flag,
    Holding,
    Override,
    Rule,
    State,
    Status,
    Supply,
)
from ballast.packed import PackedTarget
from ballast.reference import period_start
from keeper import contracts
from keeper.audit import (
    Difference,
    Scene,
    Start,
    Target,
    apart,
    check,
    confirm,
    determine,
    divisor,
    nav_at,
    nav_shared,
    start_apart,
)
from keeper.chain import Chain, ask
from keeper.errors import ChainError
from keeper.history import CHUNK
from keeper.state import Side

OVERRIDE_LIFE_S = 10 * 86_400
"""How long the methodology lets an override count."""
MOST_NOTICE_DAYS = 14
"""No period begins earlier than so many days before its month."""
SUPPLY = "supply(address)"
PRICES = "prices(address[])"


@dataclass(frozen=True)
class Explanation:
    """A determination, what came of it, and where the keeper's own computation differs.

    `rule` is None where weights are given. `nav` is what the weights share: NAV of one share less what is frozen.
    `sources` names the contract that each supply comes from.
    """

    period: int
    block: int
    time: int
    methodology: str
    rule: Rule | None
    nav: int
    divisor: int
    decisions: tuple[Decision, ...]
    sources: Mapping[str, str]
    start: Start | None
    differences: tuple[Difference, ...]


def explain(chain: Chain, period: int | None) -> Explanation:
    """The last determination of the period, None: of the last one determined. Raises ChainError."""
    return _Reader(chain).explain(period)


class _Reader:
    """Reads one fund in past blocks."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._w3 = chain.w3
        self._book = chain.book
        self._rebalancer = self._at("Rebalancer", chain.book["rebalancer"])

    def explain(self, period: int | None) -> Explanation:
        head = self._chain.head().number
        wanted = self._view(self._rebalancer, "month", head).period if period is None else period
        if not wanted:
            raise ChainError("explain: nothing has been determined yet")
        determined, started = self._events(wanted, head)
        block = determined["blockNumber"]
        at = str(self._view(self._rebalancer, "methodology", block))
        scene = self._scene(at, block)
        decisions = tuple(map(packed.decision, determined["args"]["constituents"]))
        before = self._view(self._rebalancer, "month", block - 1).determination
        previous = packed.constituents(_words(self._code(before, block)))
        stored = self._view(self._at("FundLens", self._book["lens"]), "constituents", block, self._rebalancer.address)
        differences = [
            *apart("stored", decisions, [packed.decision(c._asdict()) for c in stored]),
            *check(lambda: apart("determination", decisions, determine(scene, previous)), "determination"),
        ]
        nav = nav_shared(scene, decisions)
        start = None
        if started is not None:
            start, found = self._start(started, at, decisions)
            differences += found
        return Explanation(
            period=wanted,
            block=block,
            time=scene.state.time,
            methodology=at,
            rule=scene.rule,
            nav=nav,
            divisor=divisor(scene, ((d.basis, d.price) for d in decisions if d.status is Status.INCLUDED), nav),
            decisions=decisions,
            sources=scene.sources,
            start=start,
            differences=tuple(differences),
        )

    def _start(self, event: Any, at: str, determined: Sequence[Decision]) -> tuple[Start, list[Difference]]:
        """What start fixed, and where the keeper's own plan differs."""
        block = event["blockNumber"]
        scene = self._scene(at, block)
        fixed = packed.targets(self._code(event["args"]["targets"], block))
        bases = event["args"]["basis"] or [_determined_basis(h.token, t, determined) for h, t in _pairs(scene, fixed)]
        targets = tuple(
            Target(
                token=h.token,
                side=Side(t.side),
                unit=t.unit,
                price=scene.prices.get(h.token, 0) if t.price else 0,
                kept=t.price,
                basis=word % 2**88,
                flags=Flag(word >> 88),
                held=h.unit,
            )
            for (h, t), word in zip(_pairs(scene, fixed), bases, strict=True)
        )
        nav = int(event["args"]["nav"])
        priced = nav_at(scene, targets)
        start = Start(
            block=block,
            time=scene.state.time,
            nav=nav,
            divisor=divisor(scene, ((t.basis, t.price) for t in targets), priced),
            targets=targets,
        )
        return start, check(lambda: start_apart(start, scene, confirm(scene, determined)), "start")

    # Reading

    def _scene(self, methodology: str, block: int) -> Scene:
        state, _ = self._chain.read(block)
        weighing = self._at("MarketCap", methodology)
        candidates: tuple[Candidate, ...] = ()
        sources: dict[str, str] = {}
        weights: dict[str, int] = {}
        overrides: dict[str, Override] = {}
        rule = self._rule(weighing, block)
        if rule is None:
            given = self._view(self._at("FixedWeight", methodology), "weights", block)
            weights = {w.token: w.weight for w in given}
        else:
            rows = self._view(weighing, "candidates", block)
            candidates = tuple(Candidate(c.token, State(c.state), c.wholeTokens) for c in rows)
            sources = {c.token: c.source for c in rows}
            overrides = self._overrides(weighing, block, state.time)
        tokens = sorted({*sources, *weights, *(h.token for h in state.holdings)}, key=rules.address)
        return Scene(
            state=state,
            rule=rule,
            weights=weights,
            candidates=candidates,
            sources=sources,
            supplies={token: self._supply(source, token, block) for token, source in sources.items()},
            overrides=overrides,
            prices=self._prices(tokens, block),
            holdings=tuple(
                Holding(h.token, h.balance * ONE // state.supply, h.decimals, h.retired) for h in state.holdings
            ),
        )

    def _rule(self, contract: Any, block: int) -> Rule | None:
        """The rule of a market-cap methodology; None for one that has none, whose weights are given."""
        try:
            r = self._view(contract, "rule", block)
        except ChainError as error:
            if isinstance(error.__cause__, ContractLogicError):
                return None
            raise
        return Rule(
            cap=rules.Cap(r.cap),
            cap_weight=r.capWeight,
            floor_weight=r.floorWeight,
            entry_weight=r.entryWeight,
            top_n=r.topN,
            floor_each=r.floorEach,
            max_supply_age=r.maxSupplyAge,
            max_supply_jump=r.maxSupplyJump,
            cap_passes=r.capPasses,
        )

    def _supply(self, source: str, token: str, block: int) -> Supply | None:
        """What a source says; None for one that fails."""
        try:
            answer = self._raw(source, SUPPLY, ["address"], [token], block)
            supply, date = decode(["uint256", "uint256"], answer)
        except DecodingError:
            return None
        except ChainError as error:
            if isinstance(error.__cause__, ContractLogicError):
                return None
            raise
        return Supply(supply, date)

    def _prices(self, tokens: Sequence[str], block: int) -> dict[str, int]:
        answer = self._raw(self._book["oracle"], PRICES, ["address[]"], [list(tokens)], block)
        (prices,) = decode(["uint256[]"], answer)
        return {token: price for token, price in zip(tokens, prices, strict=True) if price}

    def _overrides(self, contract: Any, block: int, now: int) -> dict[str, Override]:
        """The owner's supplies that may still count, each token's last."""
        found: dict[str, Override] = {}
        for first, last in self._backwards(block):
            events = ask(
                lambda span=(first, last): contract.events.SupplyOverridden().get_logs(  # type: ignore[misc]
                    from_block=span[0], to_block=span[1]
                ),
                "events of the methodology",
            )
            for event in reversed(events):
                args = event["args"]
                found.setdefault(args["token"], Override(args["wholeTokens"], args["until"]))
            if self._time(first) + OVERRIDE_LIFE_S < now:
                break
        return found

    def _events(self, period: int, head: int) -> tuple[Any, Any | None]:
        """The period's last determination, and its start if there was one."""
        started: Any | None = None
        for first, last in self._backwards(head):
            found: dict[str, Any] = {}
            for name in ("Determined", "Started"):
                event = self._rebalancer.events[name]
                logs = ask(
                    lambda event=event, span=(first, last): event().get_logs(  # type: ignore[misc]
                        argument_filters={"period": period}, from_block=span[0], to_block=span[1]
                    ),
                    "events of the month",
                )
                if logs:
                    found[name] = logs[-1]
            started = started or found.get("Started")
            if "Determined" in found:
                return found["Determined"], started
            if self._time(first) < period_start(period, MOST_NOTICE_DAYS):
                break
        raise ChainError(f"explain: period {period // 12}-{period % 12 + 1:02d} has not been determined")

    def _backwards(self, last: int) -> list[tuple[int, int]]:
        """Spans of blocks from `last` back to the deployment."""
        first = self._book.deployed_block
        return [(max(first, end - CHUNK + 1), end) for end in range(last, first - 1, -CHUNK)]

    def _code(self, pointer: str, block: int) -> bytes:
        """What a contract's code holds after its first byte; nothing for the zero address."""
        at = to_checksum_address(pointer)
        return bytes(ask(lambda: self._w3.eth.get_code(at, block_identifier=block), f"code of {pointer}"))[1:]

    def _raw(self, to: str, signature: str, types: Sequence[str], values: Sequence[Any], block: int) -> bytes:
        data = function_signature_to_4byte_selector(signature) + encode(types, values)
        at = to_checksum_address(to)
        return bytes(ask(lambda: self._w3.eth.call({"to": at, "data": data}, block_identifier=block), signature))

    def _view(self, contract: Any, name: str, block: int, *args: Any) -> Any:
        return ask(lambda: contract.functions[name](*args).call(block_identifier=block), f"{name} in block {block}")

    def _at(self, name: str, address: str) -> Any:
        return self._w3.eth.contract(address=to_checksum_address(address), abi=contracts.abi(name), decode_tuples=True)

    def _time(self, block: int) -> int:
        return ask(lambda: int(self._w3.eth.get_block(block)["timestamp"]), f"block {block}")


def _words(code: bytes) -> list[int]:
    return [int.from_bytes(code[i : i + 32], "big") for i in range(0, len(code), 32)]


def _pairs(scene: Scene, fixed: Sequence[PackedTarget]) -> list[tuple[Holding, PackedTarget]]:
    return list(zip(scene.holdings, fixed, strict=True))


def _determined_basis(token: str, target: PackedTarget, determined: Sequence[Decision]) -> int:
    """Basis and flags, as the event has them, of a component that was not read again at start."""
    for d in determined:
        if d.token == token and d.status is Status.INCLUDED and target.price:
            return int(d.flags) << 88 | d.basis
    return 0
