"""`python -m lab.replay.year`: months in a row, each determined on chain as the rule in Python says."""

from __future__ import annotations

from pathlib import Path

from tests.lab.years import year


def test_two_months_agree_with_python(tmp_path: Path) -> None:
    """The second month knows the first one's supplies."""
    values = year(tmp_path)
    assert [month["label"] for month in values["months"]] == ["2021-01", "2021-02"]
    assert [month["what"] for month in values["months"]] == ["traded"] * 2
    assert all(month["agrees_with_python"] for month in values["months"])


def test_a_band_skips_what_is_near(tmp_path: Path) -> None:
    """The seed has the weights without their cap: it is more than 1 % and less than 10 % away."""
    values = year(tmp_path, "--band", "10 %", "--months", "1")
    (month,) = values["months"]
    assert (month["what"], month["batches"], month["agrees_with_python"]) == ("skipped", 0, True)
    assert 0 < month["residual_pct_nav"] < 20
