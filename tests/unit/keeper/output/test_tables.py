"""The fund as `status` shows it: what a share is, what counts for nothing, and the contracts' names in words."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from ballast.book import Book
from ballast.units import WAD
from keeper.look.fund_reader import Head
from keeper.output.condition import UNTIL_ENDED, condition
from keeper.output.tables import fund_json, fund_tables, phase_text, reason_text, usd
from keeper.state import FundState, Phase, Reason
from keeper.view import View
from tests.unit.keeper.simulated import GAS_PRICE, START, WETH, Simulated

INDEX = "0x" + "1d" * 20
BOOK = Book("Fund", 1, 1, {"index_token": INDEX}, WETH, ())


def shown(april: Simulated, state: FundState) -> tuple[str, View]:
    """The tables as printed, and what they show."""
    view = View(Head(1, "0x00", START, 0), state, april.market, GAS_PRICE, None)
    console = Console(file=StringIO(), width=200)
    console.print(fund_tables(view, BOOK))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue(), view


def test_a_share_is_shown_with_its_token_and_value(april: Simulated) -> None:
    text, view = shown(april, april.state)
    total, supply = april.state.total_value, april.state.supply
    assert INDEX in text and f"${usd(total)}, ${usd(total * WAD // supply)} a share" in text
    assert "counts for nothing" not in text and "without" not in text
    found = fund_json(view, BOOK)
    assert (found["index_token"], found["share_usd"]) == (INDEX, str(total * WAD // supply))
    assert [row["unit"] for row in found["components"]] == [
        str(h.balance * WAD // supply) for h in april.state.holdings
    ]


def test_what_counts_for_nothing_is_named_with_its_reason(april: Simulated) -> None:
    first, second, third, *others = april.state.holdings
    spoiled = (replace(first, price=0), replace(second, suspended_until=UNTIL_ENDED), replace(third, sound=False))
    text, view = shown(april, replace(april.state, holdings=(*spoiled, *others)))
    for holding, why in zip(
        spoiled, ("no price", "suspended until the owner ends it", "balance not readable"), strict=True
    ):
        assert f"{holding.token} counts for nothing in NAV and weights: {why}" in text
    told = [f"{h.token} ({condition(view.state, h)})" for h in spoiled]
    assert f"a share, INCOMPLETE: without {told[0]}" in text and told[2] in text
    assert fund_json(view, BOOK)["nav_without"] == told
    assert [row["counts"] for row in fund_json(view, BOOK)["components"]] == [False] * 3 + [True] * len(others)


def test_what_is_written_off_is_out_for_good_and_makes_nav_no_less_complete(april: Simulated) -> None:
    first, *others = april.state.holdings
    text, view = shown(april, replace(april.state, holdings=(replace(first, written_off=True), *others)))
    assert f"{first.token} counts for nothing in NAV and weights: written off" in text
    assert "INCOMPLETE" not in text and fund_json(view, BOOK)["nav_without"] == []


def test_a_fund_without_shares(april: Simulated) -> None:
    text, view = shown(april, replace(april.state, supply=0))
    assert "a share" not in text and "0.0000 shares" in text
    assert fund_json(view, BOOK)["share_usd"] is None


def test_every_phase_and_reason_has_words() -> None:
    for texts in ([phase_text(phase) for phase in Phase], [reason_text(reason) for reason in Reason]):
        assert len(set(texts)) == len(texts) and not any("_" in text or text != text.strip() for text in texts)
    assert (phase_text(Phase.VOIDED), reason_text(Reason.NOT_YET)) == ("voided, to be determined again", "not yet")
