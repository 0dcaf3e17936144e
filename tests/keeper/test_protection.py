"""What keeps others from trading around a batch: its own minimum value, and a private endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils import keccak

from ballast.abi import call_data
from ballast.units import GWEI, WAD
from keeper.look import contracts
from keeper.state import Phase
from lab.localnet.rpc import send
from lab.localnet.world import World
from tests.helpers.chain import Chain
from tests.helpers.waiting import wait_for
from tests.keeper.deployed_fund import SUCCEEDED, Field, Running, journal_rows
from tests.keeper.endpoints import KEY, SEND, endpoint
from tests.keeper.test_kill import in_pool, mine, pending_batch, traded


@pytest.fixture(autouse=True)
def mining(field: Field, test_isolation: None) -> Iterator[None]:
    """Mining by itself again, whatever a test did."""
    yield
    field.rpc.request("evm_setAutomine", True)


class Sandwicher:
    """Sells a token before somebody's sale and buys it back after."""

    def __init__(self, chain: Chain, world: World, symbol: str) -> None:
        self.chain, self.world, self.token = chain, world, world.token(symbol)
        self.account = chain.account("sandwicher")
        self.router = world.uniswap_router
        for token in (self.token.address, world.weth):
            self.send(token, call_data("approve(address,uint256)", self.router, 2**255))

    def send(self, to: str, data: str) -> None:
        send(self.chain.rpc, self.account, to, data, gas=10**6)

    def give(self, amount: int) -> None:
        """Makes token wei for it."""
        self.chain.send(self.chain.at("ReferenceToken", self.token.address).mint(self.account, amount), self.account)

    def pending(self, path: list[str], amount: int, price_gwei: int) -> str:
        """A swap that waits to be mined; its hash. The dearer ones are mined first."""
        data = call_data(
            "swapExactTokensForTokens(uint256,uint256,address[],address,uint256)", amount, 0, path, self.account, 2**40
        )
        request = {
            "from": self.account,
            "to": self.router,
            "data": data,
            "gas": hex(10**6),
            "maxFeePerGas": hex(price_gwei * GWEI),
            "maxPriorityFeePerGas": hex(price_gwei * GWEI),
        }
        return str(self.chain.rpc.request("eth_sendTransaction", request))


def test_a_sandwiched_batch_reverts_and_the_month_goes_on(
    field: Field, chain: Chain, world: World, tmp_path: Path
) -> None:
    robber = Sandwicher(chain, world, "UNI")
    deep = max(pool.token_reserve for pool in field.clock._market.pools() if pool.symbol == "UNI")
    robber.give(deep)
    with field.keeper(tmp_path, BALLAST_BUMP_BLOCKS="50", BALLAST_MAX_HOURS="14") as keeper:
        keeper.to_trading()
        batch = pending_batch(keeper)
        before = field.state()
        # A part of the pool, sold right before the batch in the same block: moves the price by about 1 %. So late that
        # the fund's tolerance would allow it: what stands against it is the batch's own minimum.
        first = robber.pending([robber.token.address, world.weth], deep // 200, 900)
        field.rpc.request("evm_setNextBlockTimestamp", before.time + 1_500)
        mine(field)
        receipts = [field.w3.eth.get_transaction_receipt(digest) for digest in (first, batch)]  # type: ignore[arg-type]
        assert receipts[0]["blockNumber"] == receipts[1]["blockNumber"]
        assert receipts[0]["transactionIndex"] < receipts[1]["transactionIndex"]
        assert [receipt["status"] for receipt in receipts] == [1, 0]
        assert why(field, batch) == "0x" + keccak(text="BelowMinimum(uint256,uint256)")[:4].hex()
        after = field.state()
        assert [h.balance for h in after.holdings] == [h.balance for h in before.holdings]
        assert after.progress == before.progress
        field.rpc.request("evm_setAutomine", True)
        wait_for(lambda: journal_rows(tmp_path)[-1]["status"] == "reverted", "its receipt")
        keeper.until(lambda: len(traded(field)) == 2)


def why(field: Field, digest: str) -> str:
    """Selector with which a mined transaction reverted, found by running it again."""
    trace: Any = field.rpc.request("debug_traceTransaction", digest, {"tracer": "callTracer"})
    return str(trace["output"])[:10]


def test_less_than_its_slippage_does_not_stop_a_batch(field: Field, chain: Chain, world: World, tmp_path: Path) -> None:
    robber = Sandwicher(chain, world, "UNI")
    deep = max(pool.token_reserve for pool in field.clock._market.pools() if pool.symbol == "UNI")
    robber.give(deep)
    with field.keeper(tmp_path, BALLAST_BUMP_BLOCKS="50") as keeper:
        keeper.to_trading()
        batch = pending_batch(keeper)
        robber.pending([robber.token.address, world.weth], deep // 20_000, 900)
        mine(field)
        receipt = field.w3.eth.get_transaction_receipt(batch)  # type: ignore[arg-type]
        assert receipt["status"] == 1
        result = field.events("Traded")[-1]["args"]["result"]
        least = int(journal_least(keeper))
        assert least <= result["valueIn"] < least * 10_010 // 9_990
        assert result["valueIn"] * WAD >= result["valueOut"] * (WAD - result["tolerance"])


def journal_least(keeper: Running) -> int:
    """The minimum value of the batch that the keeper sent last."""
    rebalancer = keeper.field.w3.eth.contract(abi=contracts.abi("Rebalancer"))
    _, arguments = rebalancer.decode_function_input(journal_rows(keeper.folder)[-1]["data"])
    return int(arguments["order"]["minValueIn"])


def test_transactions_go_to_the_private_endpoint_alone(field: Field, tmp_path: Path) -> None:
    with endpoint(field.url) as public, endpoint(field.url) as private:
        settings = {"BALLAST_RPC_URL": public.url, "BALLAST_PRIVATE_RPC_URL": private.url}
        with field.keeper(tmp_path, **settings) as keeper:
            keeper.to_trading()
            keeper.until(lambda: len(traded(field)) == 1)
        sent = [row["status"] for row in journal_rows(tmp_path)]
        assert len(sent) == 3 and set(sent) <= set(SUCCEEDED)
        assert private.methods == [SEND] * 3
        assert SEND not in public.methods and "eth_getTransactionReceipt" in public.methods
        log = (tmp_path / "keeper.log").read_text()
        assert KEY not in log and "way=private" in log


def test_what_is_not_mined_in_private_goes_public_after_so_many_blocks(field: Field, tmp_path: Path) -> None:
    with endpoint(field.url, passes=False) as private:
        settings = {
            "BALLAST_PRIVATE_RPC_URL": private.url,
            "BALLAST_PRIVATE_BLOCKS": "4",
            "BALLAST_BUMP_BLOCKS": "2",
        }
        field.to_determination()
        field.rpc.request("evm_setAutomine", False)
        with field.keeper(tmp_path, **settings) as keeper:
            wait_for(lambda: private.methods == [SEND], "a transaction in private")
            for blocks in (1, 2, 3):
                mine(field)
                if blocks == 2:
                    wait_for(lambda: len(private.methods) == 2, "a replacement in private")
                assert in_pool(field) == 0
            mine(field)
            wait_for(lambda: in_pool(field) == 1, "the transaction at the public node")
            rows = journal_rows(tmp_path)
            assert len({row["nonce"] for row in rows}) == 1 and len({row["data"] for row in rows}) == 1
            mine(field)
            field.rpc.request("evm_setAutomine", True)
            wait_for(lambda: journal_rows(tmp_path)[-1]["status"] in SUCCEEDED, "its receipt")
            assert field.state().phase is Phase.DETERMINED
            assert KEY not in keeper.log()


def test_a_private_endpoint_that_is_down_does_not_show_its_url(field: Field, tmp_path: Path) -> None:
    field.to_determination()
    with field.keeper(tmp_path, BALLAST_PRIVATE_RPC_URL=f"http://127.0.0.1:1/{KEY}", BALLAST_BUMP_BLOCKS="1") as keeper:
        wait_for(lambda: "no answer to a transaction" in keeper.log(), "a try")
        assert KEY not in keeper.log()
        assert in_pool(field) == 0
