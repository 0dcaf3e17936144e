"""The keeper's loop: look at a block, decide, do at most one thing, look again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import structlog
from structlog.contextvars import bound_contextvars
from web3 import Web3

from ballast.networks.presets import network_of
from keeper.errors import ChainError, FeeTooHighError, JournalError, KeeperError, RevertedError, UnforeseenError
from keeper.look import contracts
from keeper.look.fund_reader import FundReader, Head
from keeper.look.interventions import Chronicle
from keeper.look.outlook import OutlookReader
from keeper.ops.facts import MAX_BACK_OFF_S
from keeper.ops.liveness import Interrupted, Stop
from keeper.ops.memory import steady
from keeper.ops.nav_log import NavLog
from keeper.ops.observer import Observer, Observers
from keeper.ops.pulse import Pulse, State
from keeper.ops.troubles import Troubles
from keeper.plan.order import order_of
from keeper.plan.standby import Since, Turn, since
from keeper.sending.sender import Mined, Sender
from keeper.sending.simulate import Call
from keeper.sending.upkeep import UpkeepCalls
from keeper.state import Action
from keeper.view import View, Viewer

log = structlog.get_logger("keeper")


class BlockCursor:
    """The last block in which something was done, to do it once per block."""

    def __init__(self) -> None:
        self._hash = ""

    def stands_at(self, head: Head) -> bool:
        """Whether it is done for this block."""
        return self._hash == head.hash

    def move_to(self, head: Head) -> None:
        """Marks it as done for this block."""
        self._hash = head.hash

    def reset(self) -> None:
        """Forgets the block: it will be done again, whatever the block."""
        self._hash = ""


class Fund:
    """One fund that the keeper runs: its readers, the calls it needs, and its pulse file."""

    def __init__(
        self,
        chain: FundReader,
        viewer: Viewer,
        pulse: Path | None,
        turn: Turn,
        chronicle: Chronicle | None = None,
        upkeep: UpkeepCalls | None = None,
        outlook: OutlookReader | None = None,
    ) -> None:
        self.name = chain.book.fund
        self.chain_id = chain.book.chain_id
        self._chronicle = chronicle
        self._outlook = outlook
        self._upkeep = upkeep
        self._book = chain.book
        self._viewer = viewer
        self._pulse = pulse
        self._turn = turn
        self._rebalancer = chain.w3.eth.contract(
            address=Web3.to_checksum_address(chain.book["rebalancer"]), abi=contracts.abi("Rebalancer")
        )
        self._since: Since | None = None
        self._said: Pulse | None = None
        self._nav_log = NavLog(self.name, self._book.symbol)
        self.looked_at = BlockCursor()
        """The last block in which the keeper looked at the fund; reset after a failure."""
        self.failures = 0
        self.not_before = 0.0
        """Monotonic time (s) until which the keeper skips the fund after a failure."""

    def look(self, head: Head) -> tuple[View, Call | None]:
        """The fund in that block, and the call that can be sent in it, if any. Raises ChainError."""
        view = self._viewer.look(head)
        self._nav_log.looked(view.state)
        if self._chronicle is not None:
            view = replace(view, told=self._chronicle.told(head, view.state))
        if self._outlook is not None:
            view = replace(view, outlook=self._outlook.outlook(head, view.state))
        call = self.due(view)
        self._since = since(self._since, view.state, call is not None)
        return view, call

    def due(self, view: View) -> Call | None:
        """The call that can be sent in this block, if any, whichever keeper's turn it is."""
        state, functions = view.state, self._rebalancer.functions
        data: str | None = None
        order = None
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
                    order = order_of(p.batch, p.min_value_in, self._book["filler"], view.market.weth, tokens)
                    data = functions.trade(order)._encode_transaction_data()
        if data is None:
            return None
        period = state.period if state.action is Action.DETERMINE else state.month_period
        # The action is due until `next`; closing has no deadline.
        deadline = None if state.action is Action.CLOSE else state.next
        call = Call(state.action.name.lower(), period, self._rebalancer.address, data, deadline)
        if self._upkeep is None:
            return call
        return self._upkeep.instead_of(call, view.head, state, view.plan.batch if view.plan else None, order)

    @property
    def acts_from(self) -> int | None:
        """The block from which this keeper does what is possible now; None if nothing is."""
        return None if self._since is None else self._turn.begins(self._since)

    def has_its_turn(self, head: Head) -> bool:
        """Whether an action has been possible for as long as the keepers ranked before this one may take."""
        return self._since is not None and self._turn.has_come(self._since, head.number, head.time)

    @property
    def stands_by(self) -> bool:
        """Whether other keepers come first."""
        return self._turn.wait > 0

    def pulse(
        self, view: View, mined: Mined | None = None, state: State | None = None, error: str | None = None
    ) -> Pulse:
        """The pulse of a look; `state` follows from the plan if not given."""
        s = view.state
        return Pulse(
            block=view.head.number,
            time=s.time,
            action=s.action.name.lower(),
            reason=s.reason.name.lower(),
            next=s.next,
            possible_from=view.plan.possible_from if view.plan else None,
            sent=(mined.hash,) if mined else (),
            state=state or ("idle" if view.plan is None and self.acts_from is None else "waiting"),
            error=error,
            acts_from=self.acts_from if self.stands_by else None,
        )

    def write(self, pulse: Pulse) -> None:
        """Writes the fund's pulse file; logs one line per change, not per look."""
        if self._pulse is not None:
            pulse.write(self._pulse)
        if pulse.action == "none" and pulse.state == "error":
            return  # whoever caught the error has logged it
        quiet = replace(pulse, block=0, time=0)
        if quiet != self._said and pulse.state != "sent":
            log.info(
                pulse.state,
                action=pulse.action,
                reason=pulse.reason,
                next=pulse.next,
                possible_from=pulse.possible_from,
                block=pulse.block,
                **({} if pulse.acts_from is None else {"acts_from": pulse.acts_from}),
            )
        self._said = quiet

    def failed(self, pause: float) -> None:
        """Notes a failure: the keeper skips the fund for twice `pause` seconds, doubled each further time, at most
        `MAX_BACK_OFF_S`."""
        self.failures += 1
        self.looked_at.reset()
        self.not_before = time.monotonic() + min(MAX_BACK_OFF_S, pause * 2 ** min(self.failures, 10))


class Keeper:
    """Runs one or several funds with one account: `tick` does what is due now, `run` repeats it until stopped.

    It sends one transaction at a time, whichever fund it is for: the account has one sequence of nonces. While one is
    open it still looks at all funds, so that observers see them, and sends nothing else.
    """

    def __init__(
        self,
        funds: Sequence[Fund],
        head: Callable[[], Head],
        sender: Sender,
        stop: Stop,
        *,
        poll_seconds: float,
        observers: Iterable[Observer] = (),
        troubles: Troubles | None = None,
    ) -> None:
        self._funds = list(funds)
        self._head = head
        self._sender = sender
        self._stop = stop
        self._poll_seconds = poll_seconds
        self._troubles = troubles or Troubles()
        self._observers = Observers(observers, self._troubles)
        self._failures = 0
        self._last: Head | None = None
        self._watched = BlockCursor()
        """The block in which the sender last checked its transactions."""
        self._glimpsed = BlockCursor()
        """The block in which the keeper last looked at the funds while a transaction was open."""
        self._sending: Fund | None = None
        if self._observers or len(self._funds) > 1:
            stop.meanwhile = self._meanwhile

    def tick(self) -> tuple[Pulse, ...]:
        """One step: looks at each fund and sends at most one transaction. Returns a pulse per fund looked at; none if
        there is no new block or an earlier transaction is still open. A fund that fails has a pulse with the error.

        Raises ChainError, and the sender's errors that concern all funds.
        """
        if self._sender.unresolved:
            mined = self._sender.settle()
            if self._sender.unresolved:
                return ()
            if mined is not None:
                log.info("an earlier transaction was mined", action=mined.action, hash=mined.hash)
        head = self._last = self._head()
        if not self._watched.stands_at(head):
            if self._sender.watch(head):
                return ()
            self._watched.move_to(head)
        self._sending = None
        pulses = []
        for fund in list(self._funds):
            if self._stop.is_set():
                break
            if fund.looked_at.stands_at(head) or time.monotonic() < fund.not_before:
                continue
            self._stop.heart.beat()
            pulse = self._step(fund, head)
            pulses.append(pulse)
            if pulse.state == "sent":
                # The others would see an older block than this one's transaction; next time they come first.
                self._funds.remove(fund)
                self._funds.append(fund)
                break
            if self._sender.unresolved:
                break
        return tuple(pulses)

    def _step(self, fund: Fund, head: Head) -> Pulse:
        """One fund's part of a tick. Its failures, unforeseen ones too, do not affect other funds."""
        try:
            fund.looked_at.move_to(head)
            with self._named(fund):
                view, call = fund.look(head)
                pulse = self._act(fund, view, call)
        except Exception as error:
            return self._failed(fund, self._known(error, fund.name))
        fund.failures = 0
        with self._named(fund):
            fund.write(pulse)
        self._observers.looked(fund.name, view, pulse)
        return pulse

    def _known(self, error: Exception, where: str) -> KeeperError:
        """The error if it is a KeeperError, else an UnforeseenError in its place."""
        return error if isinstance(error, KeeperError) else self._troubles.unforeseen(where, error)

    def _named(self, fund: Fund) -> AbstractContextManager[None]:
        """Log lines in this context name the fund, if there are several."""
        return bound_contextvars(fund=fund.name) if len(self._funds) > 1 else nullcontext()

    def _act(self, fund: Fund, view: View, call: Call | None) -> Pulse:
        if call is None or self._before_turn(fund, view):
            return fund.pulse(view)
        self._sending = fund
        try:
            mined = self._sender.send(call)
        except FeeTooHighError as error:
            log.info("waiting for cheaper gas", error=str(error))
            return fund.pulse(view, state="waiting", error=str(error))
        except (ChainError, JournalError, RevertedError):
            raise
        except KeeperError as error:
            log.warning("could not act", action=call.action, error=str(error))
            return fund.pulse(view, state="error", error=str(error))
        if mined is None:
            return fund.pulse(view, state="waiting")
        url = network_of(fund.chain_id).transaction_url(mined.hash)
        shown = {} if url is None else {"url": url}
        log.info("mined", action=mined.action, hash=mined.hash, gas=mined.gas_used, gas_price=mined.gas_price, **shown)
        return fund.pulse(view, mined, "sent")

    def _before_turn(self, fund: Fund, view: View) -> bool:
        """Whether it is still another keeper's turn. When that ends, the keeper reads the head once more, as the other
        may just have acted. Raises ChainError."""
        if not fund.stands_by:
            return False
        if not fund.has_its_turn(view.head):
            return True
        if self._head().hash != view.head.hash:
            fund.looked_at.reset()
            return True
        log.info("taking over", action=view.state.action.name.lower(), block=view.head.number)
        return False

    def run(self) -> None:
        """Ticks until stopped. Logs errors of the node, of a transaction or of this program, and tries again."""
        try:
            with steady() as tidy:
                while not self._stop.is_set():
                    wait = self._tick_or_back_off()
                    self._stop.heart.ticked()
                    tidy()
                    self._stop.rest(wait)
        except Interrupted:
            log.warning("stopped in the middle of a wait for the node")
        log.info("stopped")

    def _tick_or_back_off(self) -> float:
        """Ticks once; returns the seconds to wait before the next tick."""
        try:
            pulses = self.tick()
        except Exception as caught:
            error = self._known(caught, "all funds")
            self._failures += 1
            for fund in self._funds:
                self._failed(fund, error, pause=0)
            wait: float = min(MAX_BACK_OFF_S, self._poll_seconds * 2 ** min(self._failures, 10))
            _say(error, wait)
            self._last = None
            return wait
        self._failures = 0
        # After a transaction, look at its block at once.
        return 0 if any(pulse.state == "sent" for pulse in pulses) else self._poll_seconds

    def _failed(self, fund: Fund, error: KeeperError, pause: float | None = None) -> Pulse:
        """Records a failure of a fund. `pause`: as in `Fund.failed`, `poll_seconds` if not given; if given, the caller
        logs the error."""
        fund.failed(self._poll_seconds if pause is None else pause)
        if pause is None:
            with self._named(fund):
                _say(error, fund.not_before - time.monotonic())
        head = self._last
        pulse = Pulse(
            head.number if head else 0, head.time if head else 0, "none", "unknown", 0, None, (), "error", str(error)
        )
        fund.write(pulse)
        self._observers.failed(fund.name, error)
        return pulse

    def _meanwhile(self) -> None:
        """Looks at all funds while a transaction is open; sends nothing, raises nothing."""
        try:
            head = self._head()
        except Exception as error:
            known = self._known(error, "all funds")
            for fund in self._funds:
                self._observers.failed(fund.name, known)
            return
        if self._glimpsed.stands_at(head):
            return
        self._glimpsed.move_to(head)
        for fund in self._funds:
            self._stop.heart.beat()
            try:
                with self._named(fund):
                    view, _ = fund.look(head)
            except Exception as error:
                self._observers.failed(fund.name, self._known(error, fund.name))
                continue
            pulse = fund.pulse(view, state="waiting" if fund is self._sending else None)
            if fund is not self._sending and len(self._funds) > 1:
                # The pulse of the fund that sends is written when its step is done.
                with self._named(fund):
                    fund.write(pulse)
            self._observers.looked(fund.name, view, pulse)


def _say(error: KeeperError, again_in_s: float) -> None:
    """Logs a failed step, except for an unforeseen error: `Troubles.unforeseen` has logged that, and not every time."""
    if not isinstance(error, UnforeseenError):
        log.error("step failed", error=str(error), again_in_s=round(again_in_s, 2))
