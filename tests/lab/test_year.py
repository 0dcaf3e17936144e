"""`python -m lab.replay.year`: months in a row, each determined on chain as the rule in Python says."""

from __future__ import annotations

from pathlib import Path

from lab.replay.year import DEFAULT_DATA
from lab.replay.year_data import address_of
from tests.lab.years import year


def test_two_months_agree_with_python(tmp_path: Path) -> None:
    """The second month knows the first one's supplies. Where shallow pools were observed, the first costs more."""
    values = year(tmp_path)
    assert [month["label"] for month in values["months"]] == ["2021-01", "2021-02"]
    assert [month["what"] for month in values["months"]] == ["traded"] * 2
    assert all(month["agrees_with_python"] for month in values["months"])

    reserves, shallow = tmp_path / "reserves.csv", tmp_path / "shallow"
    tokens = {line.split(",")[1] for line in DEFAULT_DATA.read_text().splitlines()[1:]}
    rows = [f"2021-01-01,uniswapv2,{address_of(token)},{address_of(token)},500" for token in tokens]
    reserves.write_text("\n".join(["date,venue,token_address,pair_address,weth_reserve", *rows]) + "\n")
    (first,) = year(shallow, "--months", "1", "--reserves", str(reserves))["months"]
    assert first["agrees_with_python"] and first["cost_pct_nav"] > 1.5 * values["months"][0]["cost_pct_nav"]


def test_a_band_skips_what_is_near(tmp_path: Path) -> None:
    """The seed has the weights without their cap: it is more than 1 % and less than 10 % away."""
    values = year(tmp_path, "--band", "10 %", "--months", "1")
    (month,) = values["months"]
    assert (month["what"], month["batches"], month["agrees_with_python"]) == ("skipped", 0, True)
    assert 0 < month["residual_pct_nav"] < 20
