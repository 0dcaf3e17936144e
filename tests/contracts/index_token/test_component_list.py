"""The packed list of components: what goes in comes out, and nothing out of order goes in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.helpers.basket import FUZZ, Basket
from tests.helpers.reverts import assert_reverts

UNTIL = st.one_of(st.sampled_from([0, 1, 2**40 - 1]), st.integers(0, 2**40 - 1))
COMPONENTS = st.lists(
    st.tuples(st.integers(1, 2**160 - 1), st.integers(0, 27), UNTIL, st.booleans()),
    max_size=50,
    unique_by=lambda entry: entry[0],
)


def listed(entries: list[tuple[int, int, int, bool]]) -> list[tuple[str, int, int, bool]]:
    return [(f"0x{token:040x}", decimals, until, off) for token, decimals, until, off in entries]


@given(entries=COMPONENTS)
@FUZZ
def test_packs_and_unpacks(basket: Basket, entries: list[tuple[int, int, int, bool]]) -> None:
    components = listed(sorted(entries))
    basket.chain.send(basket.locked(basket.index.setComponents(components)), basket.holder)
    found = basket.chain.read(basket.index.components())
    assert [(c.token.lower(), c.decimals, c.suspendedUntil, c.writtenOff) for c in found] == components
    # One STOP byte, then a word for each component.
    pointer = basket.chain.read(basket.index.componentsPointer())
    assert len(basket.chain.code(pointer)) == 1 + 32 * len(components)


@given(entries=COMPONENTS.filter(lambda entries: len(entries) > 1), data=st.data())
@FUZZ
def test_refuses_any_other_order(
    basket: Basket, entries: list[tuple[int, int, int, bool]], data: st.DataObject
) -> None:
    components = listed(sorted(entries))
    k = data.draw(st.integers(1, len(components) - 1))
    components[k - 1], components[k] = components[k], components[k - 1]
    call = basket.locked(basket.index.setComponents(components))
    assert_reverts(basket.chain, call, "NotAscending", k, sender=basket.holder, of=basket.index)
    components[k - 1] = components[k] = min(components[k - 1], components[k])
    call = basket.locked(basket.index.setComponents(components))
    assert_reverts(basket.chain, call, "NotAscending", k, sender=basket.holder, of=basket.index)
