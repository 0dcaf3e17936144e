"""Errors of all clients as one: what each says to a call that reverts, and what it says otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from keeper.look.contracts import describe_revert
from keeper.look.rpc.reverts import canonical, revert_of

WORD = "11".zfill(64)
NO = "20".zfill(64) + "2".zfill(64) + b"no".hex().ljust(64, "0")
"""The text "no", as `Error(string)` has it."""


def filled(value: Any) -> Any:
    """The same with all placeholders filled in."""
    if isinstance(value, dict):
        return {filled(key): filled(inner) for key, inner in value.items()}
    return value.replace("{no}", NO).replace("{word}", WORD) if isinstance(value, str) else value


CASES = filled({case["client"]: case for case in yaml.safe_load(Path(__file__).with_name("reverts.yaml").read_text())})


@pytest.mark.parametrize("client", CASES)
def test_what_clients_say(client: str) -> None:
    case = CASES[client]
    found = revert_of(case["error"])
    assert found == (None if case["data"] is None else canonical(case["data"]))
    # The canonical form is one of the dialects.
    assert found is None or revert_of(found) == found


def test_the_message_is_the_same_for_every_client() -> None:
    assert canonical("08c379a0" + NO) == {"code": 3, "message": "execution reverted: no", "data": "0x08c379a0" + NO}
    assert canonical("e540c1c8")["message"] == canonical("08c379a0ff")["message"] == "execution reverted"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.from_regex(r"(Reverted )?0x[0-9a-fA-F]{0,80}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("data", "message", "a", "")), inner),
    max_leaves=8,
)
TEXTS = VALUES | st.sampled_from(
    ["execution reverted", "execution reverted: 0x", "err: 0xe5", "header not found", "VM"]
)


@given(error=VALUES | st.fixed_dictionaries({"code": VALUES | st.just(3), "message": TEXTS, "data": VALUES}))
@settings(max_examples=150, deadline=None)
def test_no_value_raises(error: Any) -> None:
    found = revert_of(error)
    if found is not None:
        assert found == canonical(found["data"].removeprefix("0x"))
        describe_revert(found["data"])
