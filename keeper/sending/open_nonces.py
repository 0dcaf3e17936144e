"""Works on one open nonce, block by block: sends its transaction, replaces it, or cancels it with a no-op.

Only a no-op, an empty transaction to the account itself, may take an open nonce from its call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from web3 import Web3

from ballast.networks.presets import Network
from ballast.units import BLOCK_S
from keeper.errors import ChainError, FeeTooHighError, RejectedError, SimulationError
from keeper.keys.signer import Signer
from keeper.look.fund_reader import Head
from keeper.sending.access import AccessList
from keeper.sending.broadcast import Broadcaster, Taken
from keeper.sending.fees import Fees, Urgency, bumped_fees, capped_fees, highest
from keeper.sending.journal import CANCEL, Entry, Journal
from keeper.sending.simulate import NOOP_MAX_GAS, Call, noop_gas, require_success
from keeper.sending.tracker import TransactionTracker

log = structlog.get_logger("keeper.sender")

DEAR_BLOCKS = 300
"""Ethereum blocks for which the keeper remembers that a node refused a call by its fee cap: about an hour."""
DEAD_BLOCKS = 50
"""Ethereum blocks for which the keeper signs no call of an action after every node has rejected one: about ten minutes.
Each rejected call costs a no-op."""


@dataclass(frozen=True)
class _Try:
    """The last attempt to send with a nonce: the node's answer and the block. The wait for it counts from block
    `since`, at time `since_s` (Unix seconds)."""

    taken: Taken
    block: int
    since: int
    since_s: int


class OpenNonces:
    """Decides and does what an open nonce needs. Its memory need not survive the process: a new one starts by sending
    the same bytes."""

    def __init__(
        self,
        w3: Web3,
        signer: Signer,
        journal: Journal,
        tracker: TransactionTracker,
        broadcaster: Broadcaster,
        *,
        network: Network,
        urgency: Urgency,
        bump_blocks: int,
        tip: Callable[[], int],
    ) -> None:
        self._w3 = w3
        self._signer = signer
        self._journal = journal
        self._tracker = tracker
        self._broadcaster = broadcaster
        self._chain_id = network.chain_id
        self._bump_s = bump_blocks * BLOCK_S if network.rollup is not None else 0
        self._dear_blocks, self._dead_blocks = network.blocks(DEAR_BLOCKS), network.blocks(DEAD_BLOCKS)
        self._urgency = urgency
        self._bump_blocks = bump_blocks
        self._tip = tip
        self._tries: dict[int, _Try] = {}
        self._dear: dict[int, list[Entry]] = {}
        """By nonce: transactions above the node's fee cap, which therefore no node has."""
        self._too_much: tuple[int, int] | None = None
        """The most that the last such call would have paid, wei, and the block in which the node refused it."""
        self._dead: dict[str, int] = {}
        """By action: the block in which every node rejected a call."""
        self._judged: tuple[int, Head] | None = None
        """The last nonce whose call was found worth sending, and the block of that check."""

    def sign(self, call: Call, nonce: int, gas: int, listed: AccessList, fees: Fees, head: Head) -> Entry:
        """Signs a call that passed its checks in this block and writes it to the journal. From here on the nonce
        belongs to this call. Raises SigningError, JournalError."""
        signed = self._signer.sign(
            {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": nonce,
                "to": call.to,
                "data": call.data,
                "value": 0,
                "gas": gas,
                "maxFeePerGas": fees.max_fee,
                "maxPriorityFeePerGas": fees.tip,
                "accessList": listed,
            }
        )
        self._judged = nonce, head
        return self._journal.add(
            nonce=nonce,
            action=call.action,
            period=call.period,
            recipient=call.to,
            data=call.data,
            gas=gas,
            max_fee=fees.max_fee,
            tip=fees.tip,
            tx_hash=signed.hash,
            raw=signed.raw,
            block=head.number,
            deadline=call.deadline,
        )

    def fill(self, nonce: int, above: Entry, head: Head) -> None:
        """Signs a no-op for a nonce without any transaction, which blocks the transaction `above`; `push` sends the
        no-op. Raises SigningError, JournalError."""
        gas = noop_gas(self._w3, self._signer.address, head, self._noop_room(above.nonce))
        self.sign(self._noop(above.period), nonce, gas, (), self._noop_market(head), head)

    def _noop(self, period: int) -> Call:
        return Call(CANCEL, period, self._signer.address, "0x")

    def market(self, head: Head, deadline: int | None) -> Fees:
        """Fees for a new transaction with this deadline. Raises FeeTooHighError, ChainError."""
        return self._urgency.market(head.base_fee, self._tip(), head.time, deadline)

    def let_through(self, call: Call, fees: Fees, gas: int, head: Head) -> Fees:
        """The fees, lowered if the node's fee cap has recently refused a call: signing one that the node will refuse
        would each time cost a no-op to free the nonce. Raises RejectedError if every node has recently rejected a call
        of this action, FeeTooHighError if the market is above the node's fee cap."""
        refused = self._dead.get(call.action)
        if refused is not None and head.number - refused <= self._dead_blocks:
            raise RejectedError(
                f"{call.action}: no node took it in block {refused}; again after {self._dead_blocks} blocks"
            )
        if self._too_much is None or head.number - self._too_much[1] > self._dear_blocks:
            return fees
        return capped_fees(fees, gas, self._too_much[0] * 3 // 4, head.base_fee)

    def knows(self, nonce: int) -> bool:
        """Whether this process has sent anything with the nonce."""
        return nonce in self._tries

    def forget(self, nonce: int) -> None:
        """Forgets a nonce whose fate is known."""
        self._tries.pop(nonce, None)
        self._dear.pop(nonce, None)
        self._judged = None

    def push(self, nonce: int, head: Head, *, ending: bool) -> bool:
        """Does what an open nonce needs in this block; if `ending`, cancels its call. Returns whether it sent anything.
        Raises RejectedError, InsufficientFundsError, ChainError, JournalError, SigningError."""
        last, tried = self._last(nonce), self._tries.get(nonce)
        if last.action != CANCEL and (reason := self._pointless(last, head, ending)) is not None:
            return self._replace_by_noop(last, head, reason)
        if tried is None:
            # Signed in an earlier run, or reopened.
            self._hand(last, head)
        elif tried.taken in (Taken.DEAR, Taken.DEAD):
            if head.number <= tried.block:
                return False
            self._mend(last, head, tried.taken)
        elif tried.taken is not Taken.AWAY and self._waited(tried, head):
            self._bump(last, head)
        elif tried.taken in (Taken.AWAY, Taken.UNKNOWN, Taken.NONCE) and head.number > tried.block:
            # While a node accepts nothing, the wait before a fee bump does not start.
            self._hand(last, head, None if tried.taken is Taken.AWAY else tried)
        else:
            return False
        return True

    def _last(self, nonce: int) -> Entry:
        """The transaction to push: the journal's current one, or if the node's fee cap refused that, the newest that it
        did not refuse."""
        refused = {entry.id for entry in self._dear.get(nonce, [])}
        current = self._journal.current(nonce)
        if current.id not in refused:
            return current
        return next((entry for entry in reversed(self._journal.of(nonce)) if entry.id not in refused), current)

    def _is_dear(self, entry: Entry) -> bool:
        return any(entry.id == dear.id for dear in self._dear.get(entry.nonce, []))

    def _waited(self, tried: _Try, head: Head) -> bool:
        """Whether it is time to raise the fees. On a rollup, whose blocks come at uneven times, time counts, not
        blocks."""
        blocks, cheap = head.number - tried.since, tried.taken is Taken.CHEAP
        if self._bump_s:
            return blocks >= 1 and head.time - tried.since_s >= (BLOCK_S if cheap else self._bump_s)
        return blocks >= (1 if cheap else self._bump_blocks)

    def _pointless(self, entry: Entry, head: Head, ending: bool) -> str | None:
        """Why to cancel an open call in this block, None to keep it."""
        tried = self._tries.get(entry.nonce)
        if ending:
            return "asked for"
        if tried is not None and tried.taken is Taken.DEAD:
            return "no node takes it as it is"
        if self._is_dear(entry) and self._lowered(entry, head) is None:
            return "the chain asks for more than the node lets through"
        if self._is_judged(entry, head):
            return None
        reason: str | None = None
        try:
            require_success(self._w3, self._signer.address, _call_of(entry), head)
        except SimulationError as error:
            # If this very block has mined it, it reverts only because it is done.
            if self._tracker.count_in(head) <= entry.nonce:
                reason = str(error)
        if reason is None and entry.deadline is not None and head.time > entry.deadline:
            try:
                self.market(head, entry.deadline)
            except FeeTooHighError as error:
                reason = f"its time is over and gas too dear ({error})"
        if reason is None:
            self._judged = entry.nonce, head
        return reason

    def _is_judged(self, entry: Entry, head: Head) -> bool:
        """Whether the call needs no check in this block: it passed in this block or a later one. A lagging endpoint
        answers from older blocks, where a good call may revert."""
        signed = max(one.signed_block for one in self._journal.of(entry.nonce))
        if head.number < signed and entry.lost_block is None:  # else that block has left the chain
            return True
        if self._judged is None or self._judged[0] != entry.nonce:
            return False
        judged = self._judged[1]
        return head.number < judged.number or head.hash == judged.hash

    def _replace_by_noop(self, last: Entry, head: Head, reason: str) -> bool:
        """Sends a no-op with the nonce, at 9/8 of the highest fees that a node may have for it; returns whether it did.
        Works if the node answers nothing but the block."""
        gas = noop_gas(self._w3, self._signer.address, head, self._noop_room(last.nonce))
        fees = self._more(last.nonce, gas, self._noop_market(head), self._urgency.noop_cap)
        if fees is None:
            log.warning("cannot cancel, too dear", nonce=last.nonce, hash=last.hash, reason=reason)
            return False
        log.warning("cancelling", nonce=last.nonce, hash=last.hash, reason=reason, max_fee=fees.max_fee)
        self._hand(self.sign(self._noop(last.period), last.nonce, gas, (), fees, head), head)
        return True

    def _noop_market(self, head: Head) -> Fees:
        """Fees for a new no-op. If the node proposes no tip, the proposal is 0: the tip then follows from the bump over
        the call's."""
        try:
            proposed = self._tip()
        except ChainError:
            proposed = 0
        return self._urgency.noop(head.base_fee, proposed)

    def _noop_room(self, nonce: int) -> int:
        """Highest gas limit of a no-op: that of the call it replaces, as the account can pay for that, at most
        NOOP_MAX_GAS."""
        calls = [entry.gas for entry in self._journal.of(nonce) if entry.action != CANCEL]
        return min([*calls, NOOP_MAX_GAS])

    def _mend(self, last: Entry, head: Head, taken: Taken) -> None:
        """After a final refusal: signs again with lower fees, or a no-op with more gas; if neither changes anything,
        sends the same bytes."""
        fees: Fees | None = Fees(last.max_fee, last.tip)
        gas = last.gas
        if taken is Taken.DEAD:
            # The chain charges data as gas and its node gave no estimate: the call's gas limit is enough for a no-op.
            gas = self._noop_room(last.nonce)
        elif self._is_dear(last):
            fees = self._lowered(last, head)
        if fees is None:
            log.warning("the chain asks for more than the node lets through", nonce=last.nonce, hash=last.hash)
        elif (fees, gas) != (Fees(last.max_fee, last.tip), last.gas):
            log.info("signing anew", nonce=last.nonce, hash=last.hash, max_fee=fees.max_fee, gas=gas)
            last = self.sign(_call_of(last), last.nonce, gas, _listed_in(last.raw), fees, head)
        self._hand(last, head)

    def _lowered(self, entry: Entry, head: Head) -> Fees | None:
        """Fees a quarter below those that the node's fee cap refused; None if the market is higher."""
        most = entry.gas * entry.max_fee * 3 // 4
        try:
            return capped_fees(Fees(entry.max_fee, entry.tip), entry.gas, most, head.base_fee)
        except FeeTooHighError:
            return None

    def _bump(self, last: Entry, head: Head) -> None:
        """Sends the same call and nonce with higher fees, or the same bytes again if those are above the cap."""
        fees = None
        try:
            if last.action == CANCEL:
                market, cap = self._noop_market(head), self._urgency.noop_cap
            else:
                market, cap = self.market(head, last.deadline), self._urgency.cap(head.time, last.deadline)
            fees = self._more(last.nonce, last.gas, market, cap)
        except FeeTooHighError as error:
            log.warning("cannot replace", hash=last.hash, error=str(error))
        entry = last
        if fees is not None:
            log.info("replacing", nonce=last.nonce, hash=last.hash, max_fee=fees.max_fee)
            entry = self.sign(_call_of(last), last.nonce, last.gas, _listed_in(last.raw), fees, head)
        self._hand(entry, head)

    def _more(self, nonce: int, gas: int, market: Fees, most: int) -> Fees | None:
        """Fees that replace whatever a node may have for the nonce; None if above `most`, or at least as high as the
        node's fee cap has refused for this much gas or less."""
        dear = self._dear.get(nonce, [])
        refused = {entry.id for entry in dear}
        signed = [Fees(one.max_fee, one.tip) for one in self._journal.of(nonce) if one.id not in refused]
        most = min([most, *(entry.max_fee - 1 for entry in dear if entry.gas <= gas)])
        if not signed:
            return market if market.max_fee <= most else None
        return bumped_fees(highest(signed), market, most)

    def _hand(self, entry: Entry, head: Head, waits: _Try | None = None) -> None:
        """Sends a transaction and remembers the result. Its wait continues that of `waits`, or starts in this block."""
        since, since_s = head.number, head.time
        if waits is not None and waits.since < since:
            since, since_s = waits.since, waits.since_s
        # Before sending, so that an error does not lead to signing again at a higher fee.
        self._tries[entry.nonce] = _Try(Taken.UNKNOWN, head.number, since, since_s)
        waiting = head.number - self._journal.of(entry.nonce)[0].signed_block
        taken = self._broadcaster.broadcast(entry, waiting)
        if taken is Taken.DEAD and entry.action == CANCEL and entry.gas >= self._noop_room(entry.nonce):
            raise RejectedError(f"cancelling nonce {entry.nonce}: no node takes a no-op of {entry.gas} gas")
        if taken is Taken.DEAR:
            if not self._is_dear(entry):
                self._dear.setdefault(entry.nonce, []).append(entry)
            if entry.action != CANCEL:
                self._too_much = entry.gas * entry.max_fee, head.number
        if taken is Taken.DEAD and entry.action != CANCEL:
            self._dead[entry.action] = head.number
        self._tries[entry.nonce] = _Try(taken, head.number, since, since_s)


def _call_of(entry: Entry) -> Call:
    return Call(entry.action, entry.period, entry.recipient, entry.data, entry.deadline)


def _listed_in(raw: str) -> AccessList:
    """The access list of a signed transaction."""
    return tuple(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["accessList"])
