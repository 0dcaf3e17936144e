"""Look at a block, decide, do at most one thing, look again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

import structlog
from web3 import Web3

from keeper import contracts
from keeper.chain import Chain, Head
from keeper.errors import ChainError, FeeTooHighError, JournalError, KeeperError, RevertedError
from keeper.market import Market
from keeper.order import order_of
from keeper.planner import Aim, Pace, Plan, plan
from keeper.pulse import Pulse, State
from keeper.sending.sender import Mined, Sender
from keeper.sending.simulate import Call
from keeper.settings import Settings
from keeper.state import Action, FundState

log = structlog.get_logger("keeper")

GWEI = 10**9
LONGEST_WAIT_S = 60.0
"""Between two tries while the node does not answer."""


@dataclass(frozen=True)
class View:
    """What is known about one block. `plan` only while trading; `gas_price` is what the plan holds one gas to be
    worth, wei: base fee and tip unless the settings say otherwise."""

    head: Head
    state: FundState
    market: Market
    gas_price: int
    plan: Plan | None


class Viewer:
    """Looks at the fund; sends nothing."""

    def __init__(self, chain: Chain, settings: Settings) -> None:
        self._chain = chain
        self._settings = settings

    def look(self, head: Head | None = None) -> View:
        """The fund in a block (the latest), and the plan for it. Raises ChainError."""
        head = head or self._chain.head()
        state, market = self._chain.read(head.number)
        if state.action is not Action.TRADE:
            return View(head, state, market, head.base_fee, None)
        wanted = self._settings
        asked = head.base_fee + self._chain.tip()
        gas_price = asked if wanted.plan_gas_gwei is None else wanted.plan_gas_gwei * GWEI
        past = self._chain.history.past(head, state)
        pace = Pace(
            rest=max(1, wanted.pool_rest_seconds),
            max_time=int(wanted.max_hours * 3600),
            started_at=past.started_at,
            last_trade=past.last_trade,
            gas_spent=past.gas_spent,
        )
        aim = Aim(wanted.plan, wanted.fewest_batches, wanted.fewest_gas)
        return View(head, state, market, gas_price, plan(state, market, gas_price, pace, wanted.slippage_bps, aim))


class Keeper:
    """Carries the fund: `tick` does what is due now, `run` goes on until stopped."""

    def __init__(self, chain: Chain, viewer: Viewer, sender: Sender, settings: Settings, stop: threading.Event) -> None:
        self._chain = chain
        self._viewer = viewer
        self._sender = sender
        self._settings = settings
        self._stop = stop
        self._rebalancer = chain.w3.eth.contract(
            address=Web3.to_checksum_address(chain.book["rebalancer"]), abi=contracts.abi("Rebalancer")
        )
        self._last: Head | None = None
        self._said: Pulse | None = None

    def tick(self) -> Pulse | None:
        """One step; None if there is no new block since the last, or while a transaction is open. Raises ChainError and
        what a sender raises."""
        if self._sender.unresolved:
            mined = self._sender.settle()
            if self._sender.unresolved:
                return None
            if mined is not None:
                log.info("an earlier transaction was mined", action=mined.action, hash=mined.hash)
        head = self._chain.head()
        if (self._last is not None and head.hash == self._last.hash) or self._sender.watch(head):
            return None
        self._last = head
        view = self._viewer.look(head)
        call = self.due(view)
        if call is None:
            waiting = view.plan is not None
            return self._report(view, "waiting" if waiting else "idle", None)
        try:
            mined = self._sender.send(call)
        except FeeTooHighError as error:
            log.info("waiting for cheaper gas", error=str(error))
            return self._report(view, "waiting", None, str(error))
        except (ChainError, JournalError, RevertedError):
            raise
        except KeeperError as error:
            log.warning("could not act", action=call.action, error=str(error))
            return self._report(view, "error", None, str(error))
        return self._report(view, "waiting" if mined is None else "sent", mined)

    def due(self, view: View) -> Call | None:
        """What to send in this block, if anything."""
        state, functions = view.state, self._rebalancer.functions
        data: str | None = None
        match state.action:
            case Action.DETERMINE:
                data = functions.determine()._encode_transaction_data()
            case Action.START:
                data = functions.start()._encode_transaction_data()
            case Action.CLOSE:
                data = functions.close()._encode_transaction_data()
            case Action.TRADE:
                p = view.plan
                if p is not None and p.batch is not None and p.possible_from is not None:
                    if p.possible_from > state.time:
                        return None
                    tokens = [holding.token for holding in state.holdings]
                    order = order_of(p.batch, p.min_value_in, self._chain.book["filler"], view.market.weth, tokens)
                    data = functions.trade(order)._encode_transaction_data()
        if data is None:
            return None
        period = state.period if state.action is Action.DETERMINE else state.month_period
        # Until then it is due; closing has no end.
        deadline = None if state.action is Action.CLOSE else state.next
        return Call(state.action.name.lower(), period, self._rebalancer.address, data, deadline)

    def run(self) -> None:
        """Until stopped. What the node or a transaction does wrong is said and tried again."""
        failures = 0
        while not self._stop.is_set():
            wait = self._settings.poll_seconds
            try:
                pulse = self.tick()
                failures = 0
                if pulse is not None:
                    self._say(pulse)
                    if pulse.state == "sent":
                        continue  # the block it was mined in is there to be looked at
            except KeeperError as error:
                failures += 1
                wait = min(LONGEST_WAIT_S, wait * 2 ** min(failures, 10))
                log.error("step failed", error=str(error), again_in_s=round(wait, 2))
                self._fail(str(error))
                self._last = None
            self._stop.wait(wait)
        log.info("stopped")

    def _report(self, view: View, state: State, mined: Mined | None, error: str | None = None) -> Pulse:
        if mined is not None:
            log.info("mined", action=mined.action, hash=mined.hash, gas=mined.gas_used, gas_price=mined.gas_price)
        s = view.state
        pulse = Pulse(
            block=view.head.number,
            time=s.time,
            action=s.action.name.lower(),
            reason=s.reason.name.lower(),
            next=s.next,
            possible_from=view.plan.possible_from if view.plan else None,
            sent=(mined.hash,) if mined else (),
            state=state,
            error=error,
        )
        self._write(pulse)
        return pulse

    def _fail(self, error: str) -> None:
        head = self._last
        self._write(
            Pulse(head.number if head else 0, head.time if head else 0, "none", "unknown", 0, None, (), "error", error)
        )

    def _write(self, pulse: Pulse) -> None:
        if self._settings.pulse is not None:
            pulse.write(self._settings.pulse)

    def _say(self, pulse: Pulse) -> None:
        """One line for each change, none for each look."""
        quiet = replace(pulse, block=0, time=0)
        if quiet != self._said and pulse.state != "sent":
            log.info(
                pulse.state,
                action=pulse.action,
                reason=pulse.reason,
                next=pulse.next,
                possible_from=pulse.possible_from,
                block=pulse.block,
            )
        self._said = quiet
