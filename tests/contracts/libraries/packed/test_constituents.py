"""A packed determination: what comes out is what went in, on chain and in both readers in Python."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ballast.rule import packed
from ballast.rule.methodology import Decision, Flag, Status
from tests.contracts.methodologies.scene import as_tuples, as_words
from tests.helpers.basket import FUZZ
from tests.helpers.bench import NOTICE, Bench, build, constituent
from tests.helpers.chain import Chain
from tests.helpers.contracts import Contract
from tests.helpers.reverts import assert_reverts

FIELDS = {"token": 160, "basis": 88, "flags": 8, "price": 100, "weight": 64, "confirmed": 88, "member": 1}
"""Bits of each field, but the status."""


@pytest.fixture(scope="module")
def harness(module_isolation: None, chain: Chain) -> Contract:
    return chain.deploy("PackedHarness", sender=chain.account("deployer"))


def decision(status: int, **fields: int) -> Decision:
    """A decision with these fields and all others 0."""
    given = {name: fields.get(name, 0) for name in FIELDS}
    return Decision(
        token=f"0x{given['token']:040x}",
        basis=given["basis"],
        status=Status(status),
        flags=Flag(given["flags"]),
        price=given["price"],
        weight=given["weight"],
        confirmed=given["confirmed"],
        member=bool(given["member"]),
    )


MOST = {name: 2**bits - 1 for name, bits in FIELDS.items()}
LISTS = st.lists(
    st.builds(
        decision,
        st.integers(0, 3),
        **{name: st.one_of(st.sampled_from([0, 1, most]), st.integers(0, most)) for name, most in MOST.items()},
    ),
    max_size=8,
)


@given(list_=LISTS)
@example(list_=[])
@example(list_=[decision(status, **MOST) for status in range(4)])
@example(list_=[decision(i % 4, **{name: most}) for i, (name, most) in enumerate(MOST.items())])
@FUZZ
def test_what_is_written_is_read(chain: Chain, harness: Contract, list_: list[Decision]) -> None:
    """No field reaches into another: each alone at its largest, and all at once."""
    said = chain.read(harness.constituents(as_tuples(list_)))
    assert said.words == as_words(list_)
    assert [(c.token.lower(), *c[1:]) for c in said.found] == as_tuples(list_)
    assert said.bases == [int(d.status) << 96 | int(d.flags) << 88 | d.basis for d in list_]
    found = packed.constituents(said.words)
    assert [(d.token.lower(), *rest) for (_, *rest), d in zip(as_tuples(found), found, strict=True)] == as_tuples(list_)


@pytest.fixture(scope="module")
def bench(module_isolation: None, chain: Chain) -> Bench:
    return build(chain)


def test_a_price_that_does_not_fit_is_refused(bench: Bench) -> None:
    """2**100 is the first; the largest that fits is kept to the wei."""

    def post(price: int) -> None:
        posted = [constituent(bench.tokens[0], 1, 0, 0, price, 0)]
        bench.chain.send(bench.methodology.post(posted), bench.keeper)

    for price in (2**100, 2**128 - 1):
        post(price)
        for call in (bench.rebalancer.determine(), bench.rebalancer.previewDetermine()):
            assert_reverts(bench.chain, call, "UnfitConstituents", at=NOTICE, of=bench.opener)
        assert bench.due(NOTICE)[:2] == ("None", "Refused")
    post(2**100 - 1)
    assert bench.due(NOTICE)[:2] == ("Determine", "Due")
    bench.determine(NOTICE)
    assert bench.chain.read(bench.lens.constituents(bench.rebalancer))[0].price == 2**100 - 1
