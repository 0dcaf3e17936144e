"""The judge of a month: what is right passes, and each forged history is found out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from lab.chaos.judge import Happened, Sent, Verdict, cancelled_needlessly, judge

PERIOD = 24_255
KEEPER = "0x" + "aA" * 20
OTHER = "0x" + "bB" * 20
FUND = "0x" + "cC" * 20
FIRST = 7
"""The key has been used before."""


@dataclass
class History:
    """A month as chain and journal have it; by default one that is right."""

    sent: list[Sent] = field(default_factory=list)
    happened: list[Happened] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    reorganized: bool = False

    def verdict(self) -> Verdict:
        return judge(
            PERIOD, self.sent, self.happened, {KEEPER: self.rows}, {KEEPER: FIRST}, reorganized=self.reorganized
        )


def transaction(nonce: int, action: str, data: str, succeeded: bool = True) -> Sent:
    return Sent(KEEPER, nonce, f"0x{nonce:064x}", 100 + 2 * nonce, succeeded, FUND, data, action)


def row(tx: Sent, status: str = "confirmed", **changes: Any) -> dict[str, Any]:
    return {
        "nonce": tx.nonce,
        "hash": tx.hash,
        "recipient": tx.to,
        "data": tx.data,
        "status": status,
        "signed_block": tx.block - 1,
        "confirmed_at": 1,
        **changes,
    }


def right() -> History:
    """Determined, started, two batches, the second of which closes."""
    actions = (("determine", "0x01"), ("start", "0x02"), ("trade", "0x0301"), ("trade", "0x0302"))
    sent = [transaction(FIRST + place, action, data) for place, (action, data) in enumerate(actions)]
    names = ("determined", "started", "traded", "traded")
    happened = [Happened(name, PERIOD, tx.hash) for name, tx in zip(names, sent, strict=True)]
    happened.append(Happened("closed", PERIOD, sent[-1].hash))
    return History(sent, happened, [row(tx) for tx in sent])


def test_a_month_that_is_right_passes() -> None:
    verdict = right().verdict()
    assert verdict.good and verdict.month_done
    assert (verdict.batches, verdict.sent_twice, verdict.wrong_nonce, verdict.reverted_duplicates) == (2, 0, 0, 0)


def test_a_replacement_passes() -> None:
    month = right()
    month.rows.insert(1, row(month.sent[1], "replaced", hash="0x" + "ee" * 32))
    assert month.verdict().good


def test_a_no_op_under_the_nonce_of_a_call_passes() -> None:
    month = right()
    spare = transaction(FIRST + 4, "", "0x")
    spare = replace(spare, to=KEEPER)
    month.sent.append(spare)
    month.rows.append(row(spare))
    month.rows.append(row(spare, "replaced", hash="0x" + "ee" * 32, recipient=FUND, data="0x0303"))
    assert month.verdict().good


def test_a_call_that_reverted_before_it_succeeded_passes() -> None:
    month = right()
    failed = replace(month.sent[1], succeeded=False)
    again = replace(transaction(FIRST + 4, "start", "0x02"))
    month.sent[1:2] = [failed]
    month.sent.append(again)
    month.rows[1] = row(failed, "reverted")
    month.rows.append(row(again))
    month.happened[1] = Happened("started", PERIOD, again.hash)
    verdict = month.verdict()
    assert verdict.good and verdict.reverted_duplicates == 0


def _unknown_hash(month: History) -> None:
    month.rows[2]["hash"] = "0x" + "ee" * 32


def _not_in_the_journal(month: History) -> None:
    del month.rows[3]


def _second_nonce_for_a_call(month: History) -> None:
    again = transaction(FIRST + 4, "trade", "0x0302", succeeded=True)
    month.sent.append(again)
    month.rows.append(row(again))


def _determined_twice(month: History) -> None:
    again = transaction(FIRST + 4, "determine", "0x01")
    month.sent.append(again)
    month.rows.append(row(again))
    month.happened.append(Happened("determined", PERIOD, again.hash))


def _never_closed(month: History) -> None:
    del month.happened[-1]


def _never_traded(month: History) -> None:
    month.happened = [event for event in month.happened if event.name != "traded"]


def _another_period(month: History) -> None:
    month.happened.append(Happened("determined", PERIOD + 1, month.sent[0].hash))


def _by_somebody_else(month: History) -> None:
    month.happened[1] = Happened("started", PERIOD, "0x" + "ee" * 32)


def _nonce_reused(month: History) -> None:
    month.rows.append(row(month.sent[2], "replaced", hash="0x" + "ee" * 32, data="0x0399"))


def _two_rows_claim_a_nonce(month: History) -> None:
    month.rows.append(row(month.sent[2], hash="0x" + "ee" * 32))


def _mined_that_reverted(month: History) -> None:
    failed = transaction(FIRST + 4, "trade", "0x0303", succeeded=False)
    month.sent.append(failed)
    month.rows.append(row(failed, "confirmed"))


def _reverted_that_succeeded(month: History) -> None:
    month.rows[2]["status"] = "reverted"


def _replaced_that_was_mined(month: History) -> None:
    month.rows[2]["status"] = "replaced"


def _mined_that_never_was(month: History) -> None:
    month.rows.append(row(transaction(FIRST + 4, "trade", "0x0303")))


def _still_open(month: History) -> None:
    month.rows[3]["status"] = "signed"


def _not_yet_confirmed(month: History) -> None:
    month.rows[3]["status"] = "mined"


def _reverted_not_yet_confirmed(month: History) -> None:
    failed = transaction(FIRST + 4, "trade", "0x0303", succeeded=False)
    month.sent.append(failed)
    month.rows.append(row(failed, "reverted", confirmed_at=None))


def _gap(month: History) -> None:
    month.sent[3] = replace(month.sent[3], nonce=FIRST + 5)
    month.rows[3]["nonce"] = FIRST + 5


def _signed_before_the_last_was_mined(month: History) -> None:
    month.rows[3]["signed_block"] = month.sent[2].block - 1


FORGED: dict[Callable[[History], None], str] = {
    _unknown_hash: "not in the journal",
    _not_in_the_journal: "not in the journal",
    _second_nonce_for_a_call: "mined 2 times",
    _determined_twice: "determined 2 times",
    _never_closed: "closed 0 times",
    _never_traded: "no batch",
    _another_period: f"expected {PERIOD} alone",
    _by_somebody_else: "nobody's key",
    _nonce_reused: "2 different calls",
    _two_rows_claim_a_nonce: "the chain has",
    _mined_that_reverted: "the chain says reverted",
    _reverted_that_succeeded: "the chain says it succeeded",
    _replaced_that_was_mined: "the chain has it",
    _mined_that_never_was: "the chain has nothing",
    _still_open: "",
    _not_yet_confirmed: "",
    _reverted_not_yet_confirmed: "",
    _gap: "next",
    _signed_before_the_last_was_mined: "signed in block",
}


@pytest.mark.parametrize("forge", FORGED, ids=lambda forge: forge.__name__)
def test_finds_what_is_forged(forge: Callable[[History], None]) -> None:
    month = right()
    forge(month)
    verdict = month.verdict()
    assert not verdict.good
    assert FORGED[forge] in " ".join(verdict.problems)


def test_counts_what_was_sent_twice_and_wrong_nonces() -> None:
    month = right()
    _second_nonce_for_a_call(month)
    assert (month.verdict().sent_twice, month.verdict().wrong_nonce) == (1, 0)
    month = right()
    _not_in_the_journal(month)
    assert (month.verdict().sent_twice, month.verdict().wrong_nonce) == (0, 1)


def test_counts_a_call_that_is_mined_again_and_reverts() -> None:
    month = right()
    again = transaction(FIRST + 4, "determine", "0x01", succeeded=False)
    month.sent.append(again)
    month.rows.append(row(again, "reverted"))
    verdict = month.verdict()
    assert (verdict.sent_twice, verdict.reverted_duplicates) == (0, 1)


def test_the_same_batch_by_two_keys_is_no_duplicate() -> None:
    month = right()
    other = replace(transaction(0, "trade", "0x0301", succeeded=False), sender=OTHER)
    verdict = judge(PERIOD, [*month.sent, other], month.happened, {KEEPER: month.rows}, {KEEPER: FIRST})
    assert verdict.good and verdict.reverted_duplicates == 0


def test_block_numbers_mean_nothing_after_a_reorganization() -> None:
    month = right()
    _signed_before_the_last_was_mined(month)
    month.reorganized = True
    assert month.verdict().good


def test_a_no_op_is_needless_unless_another_was_first() -> None:
    call, noop = row(transaction(FIRST, "determine", "0x01")), row(transaction(FIRST, "", "0x"))
    rows = [{**call, "action": "determine", "signed_block": 110}, {**noop, "action": "cancel", "signed_block": 112}]
    other = replace(transaction(3, "determine", "0x01"), sender=OTHER, block=111)
    assert cancelled_needlessly([], {KEEPER: rows}) == 1
    assert cancelled_needlessly([other], {KEEPER: rows}) == 0
    assert cancelled_needlessly([replace(other, block=109)], {KEEPER: rows}) == 1
    assert cancelled_needlessly([replace(other, succeeded=False)], {KEEPER: rows}) == 1
    assert cancelled_needlessly([], {KEEPER: [*rows, {**rows[1], "signed_block": 115}]}) == 1
