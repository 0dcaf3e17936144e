"""Converts the answer of the fund's lens to a FundState."""

from __future__ import annotations

from typing import Any

from web3 import Web3

from ballast.book import Book
from ballast.rule.calendar import Timetable
from keeper.errors import ChainError
from keeper.look import contracts
from keeper.look.retry import ask
from keeper.state import Action, FundState, Holding, Limits, Opening, Phase, Progress, Reason, Side


def read_fund(w3: Web3, book: Book) -> FundState:
    """A fund in the latest block; the block number is the contracts' (on Arbitrum: Ethereum's). Raises ChainError."""
    data = contracts.call_data("FundLens", "fund", book["rebalancer"])
    at = Web3.to_checksum_address(book["lens"])
    answer = ask(lambda: w3.eth.call({"to": at, "data": data}), "fund")  # type: ignore[typeddict-item]
    try:
        (fund,) = contracts.returned("FundLens", "fund", answer.to_0x_hex())
    except ValueError as error:
        raise ChainError(f"fund: {error}") from None
    return state_of(fund)


def state_of(fund: Any) -> FundState:
    """A `FundLens.Fund` as a FundState."""
    limits = fund.limits
    progress = fund.progress
    holdings = tuple(
        Holding(
            index=index,
            token=h.token,
            decimals=h.decimals,
            balance=h.balance,
            price=h.price,
            side=Side(h.target.side),
            unit=h.target.unit,
            start_price=h.target.price,
            trade_price=h.tradePrice,
            suspended_until=h.suspendedUntil,
            written_off=h.writtenOff,
            sound=h.sound,
        )
        for index, h in enumerate(fund.holdings)
    )
    return FundState(
        block=fund.blockNumber,
        time=fund.time,
        action=Action(fund.action),
        reason=Reason(fund.reason),
        next=fund.next,
        period=fund.current.id,
        phase=Phase(fund.month.phase),
        month_period=fund.month.period,
        last_stop=fund.month.lastStop,
        determined_at=fund.month.determinedAt,
        opening=Opening(fund.opening.buyTargets, fund.opening.nav, fund.opening.end),
        progress=Progress(progress.tat, progress.spent, progress.surplus, progress.held),
        limits=Limits(
            first_tolerance=limits.firstTolerance,
            last_tolerance=limits.lastTolerance,
            batch_cap=limits.batchCap,
            loss_budget=limits.lossBudget,
            max_step=limits.maxStep,
            dust=limits.dust,
            cool_off=limits.coolOff,
            max_idle=limits.maxIdle,
            band=fund.band,
        ),
        timetable=Timetable(*fund.timetable),
        former=Timetable(*fund.former) if fund.former.length else None,
        paused_until=fund.pausedUntil,
        pause_left=fund.pauseLeft,
        supply=fund.supply,
        shares=fund.shares,
        idle=fund.idle,
        capacity=fund.capacity,
        tolerance=fund.tolerance,
        holdings=holdings,
    )
