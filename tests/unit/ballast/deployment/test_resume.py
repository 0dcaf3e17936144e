"""What of a deployment is kept: what is byte for byte what would be deployed now."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from ballast.deployment.creation import created_address
from ballast.deployment.resume import DeploymentPlan, Standing, plan
from ballast.deployment.sender import content_of

DEPLOYER = "0x" + "00" * 19 + "01"
NAMES = ("a", "b", "c", "d", "e")
TOLD: Mapping[str, tuple[str, ...]] = {"a": (), "b": (), "c": ("d",), "d": ("a", "c"), "e": ("b", "d")}
"""Which addresses each is told: c and d name each other."""


def creation(name: str, at: Mapping[str, str]) -> bytes:
    return "|".join((name, *(at[told] for told in TOLD[name]))).encode()


def planned(stands: Mapping[str, Standing], nonce: int) -> DeploymentPlan:
    return plan(NAMES, stands, DEPLOYER, nonce, creation)


def carried_out(found: DeploymentPlan, count: int) -> dict[str, Standing]:
    """What stands after so many of the missing ones are deployed."""
    names = [*found.stands, *found.missing[:count]]
    return {name: Standing(found.at[name], content_of(creation(name, found.at))) for name in names}


def test_nothing_stands() -> None:
    found = planned({}, 7)
    assert found.missing == NAMES
    assert found.at == {name: created_address(DEPLOYER, 7 + place) for place, name in enumerate(NAMES)}


def test_goes_on_after_a_stop() -> None:
    whole = planned({}, 7)
    for count in range(len(NAMES) + 1):
        found = planned(carried_out(whole, count), 7 + count)
        assert found.at == whole.at
        assert found.missing == NAMES[count:]


def test_a_lost_nonce_takes_those_that_are_told_another_address() -> None:
    whole = planned({}, 7)
    assert planned(carried_out(whole, 2), 7 + 2 + 1).missing == ("c", "d", "e")
    found = planned(carried_out(whole, 3), 7 + 3 + 1)  # c was told where d would be
    assert found.missing == ("c", "d", "e")
    assert found.at["c"] == created_address(DEPLOYER, 11)
    assert planned(carried_out(whole, 4), 7 + 4 + 1).missing == ("e",)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=6))
def test_any_stops_end_in_contracts_that_name_each_other(stops: list[tuple[int, int]]) -> None:
    """Each stop: after so many contracts, and so many nonces are lost."""
    stands: dict[str, Standing] = {}
    nonce = 0
    for count, lost in [*stops, (len(NAMES), 0)]:
        found = planned(stands, nonce)
        sent = min(count, len(found.missing))
        stands = carried_out(found, sent)
        nonce += sent + lost
    at = {name: stands[name].address for name in NAMES}
    assert len(set(at.values())) == len(NAMES)
    assert all(stands[name].content == content_of(creation(name, at)) for name in NAMES)
