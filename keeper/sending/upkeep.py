"""Sends a step through the fund's upkeep where that pays."""

from __future__ import annotations

from typing import Any

import structlog
from web3 import Web3

from ballast.book import Book
from keeper.errors import KeeperError
from keeper.look import contracts
from keeper.look.purse import read_purse
from keeper.look.retry import Head
from keeper.plan.batch import Batch
from keeper.plan.upkeep_pay import pays
from keeper.sending.simulate import Call, require_success
from keeper.state import Action, FundState

log = structlog.get_logger("keeper.upkeep")


class UpkeepCalls:
    """A fund's steps through its upkeep contract. `account` sends them, `payee` receives the payment."""

    def __init__(self, w3: Web3, book: Book, account: str, payee: str) -> None:
        self._w3 = w3
        self._book = book
        self._account = Web3.to_checksum_address(account)
        self._payee = payee
        self._refused = ""

    def instead_of(self, call: Call, head: Head, state: FundState, batch: Batch | None, order: Any) -> Call:
        """The same step through the upkeep if its payment exceeds its extra cost over the plain call, else `call`.
        `batch` and `order`: of a trade. On any error of the upkeep the keeper sends the plain call."""
        try:
            purse = read_purse(self._w3, self._book, head)
            if not pays(purse, state, batch, head.base_fee):
                return call
            paid = self._through(call, state.action, order)
            require_success(self._w3, self._account, paid, head)
        except KeeperError as error:
            if str(error) != self._refused:
                log.warning("the upkeep does not serve, the fund is called directly", error=str(error))
            self._refused = str(error)
            return call
        return paid

    def _through(self, call: Call, action: Action, order: Any) -> Call:
        if action is Action.TRADE:
            data = contracts.call_data("Upkeep", "trade", order, self._payee)
        else:
            data = contracts.call_data("Upkeep", "perform", action, call.period, self._payee)
        to = Web3.to_checksum_address(self._book["upkeep"])
        # The upkeep does not reimburse the cost of an access list.
        return Call(call.action, call.period, to, data, call.deadline, listed=False)
