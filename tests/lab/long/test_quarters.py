"""`python -m lab.replay.year --quarterly`: a fund that trades in every third month."""

from __future__ import annotations

from pathlib import Path

from tests.lab.years import year


def test_a_fund_of_quarters_rests_in_the_second_month(tmp_path: Path) -> None:
    values = year(tmp_path, "--quarterly")
    assert [month["what"] for month in values["months"]] == ["traded", "between"]
    first, second = values["months"]
    assert (second["batches"], second["transactions"]) == (0, 0)
    assert set(first["weights_held"]) == set(second["weights_held"])
    assert values["totals"]["tracking_error_pct"] > 0
