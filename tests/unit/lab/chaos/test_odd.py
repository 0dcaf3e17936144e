"""Odd answers: each shape is unlike the right answer, and only the method meant has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.chaos.catalogue import odd_months
from lab.chaos.odd import METHODS, SHAPES, odd

CALLS: list[dict[str, Any]] = [{"id": 1, "method": "eth_chainId"}, {"id": 2, "method": "eth_getBlockByNumber"}]
ANSWERS = [{"id": 1, "result": "0x1"}, {"id": 2, "result": {"number": "0x5", "hash": "0xab"}}]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("place", [0, 1])
def test_each_shape_is_odd(shape: str, place: int) -> None:
    body = odd(shape, CALLS[place]["method"], [CALLS[place]], [ANSWERS[place]], False).body
    try:
        said = json.loads(body)
    except ValueError:
        assert shape in ("html", "cut off")
        return
    assert said["id"] == CALLS[place]["id"] and said["result"] != ANSWERS[place]["result"]


def test_the_other_answers_of_a_batch_are_right() -> None:
    found = json.loads(odd("null", "eth_chainId", CALLS, ANSWERS, True).body)
    assert found[0]["result"] is None and found[1] == ANSWERS[1]


def test_twelve_methods_by_twelve_shapes_alone_and_beside_a_healthy_one() -> None:
    assert len(METHODS) == len(SHAPES) == 12
    months = list(odd_months({(method, count): SHAPES for method in METHODS for count in (1, 2)}))
    assert len(months) == 24 and all(fault.more["shapes"] == ",".join(SHAPES) for m in months for fault in m.faults)


def test_refuses_a_shape_without_a_name() -> None:
    with pytest.raises(ValueError, match="shape"):
        odd("blue", "eth_chainId", CALLS, ANSWERS, True)
