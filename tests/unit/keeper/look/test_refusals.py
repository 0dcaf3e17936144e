"""What clients say to a transaction, and what it means; an operator's own table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keeper.errors import SettingsError
from keeper.look.rpc import refusals
from keeper.look.rpc.refusals import BUILT_IN, Refusal, refusal_of


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Path]:
    """Where an operator's table may be; the built-in alone is used again afterwards."""
    yield tmp_path / "mine.toml"
    refusals.use(None)


# As the clients word them, with the figures of real answers.
SAID = {
    Refusal.KNOWN: (
        "already known",  # geth, Erigon, Reth, new Nethermind
        "Known transaction",  # Besu
        "known transaction: 0x7f657507aee0511e36d2d1972a6b22e917cc89f92b6c12c4dbd57eaabb236960",  # old geth, Hardhat
        "call failed: AlreadyKnown",  # old Nethermind
        "existing txn with same hash",  # Erigon
        "[0x1b3f]: already imported",  # Reth's pool
        "Tx: [0x1b3f] already Imported",  # anvil
        "Transaction with the same hash was already imported.",  # OpenEthereum
        "failed to forward tx to sequencer, please try again. Error message: 'already known'",  # a gateway of Mantle
        "already known: next nonce 7, nonce too low",  # two kinds in one
    ),
    Refusal.NONCE_TOO_LOW: (
        "nonce too low: next nonce 8090, tx nonce 8089",  # geth
        "nonce too low: address 0x336394A3219e71D9d9bd18201d34E95C1Bb7122C, tx: 8089 state: 8090",  # Nitro
        "Nonce too low",  # Besu
        "OldNonce, Current nonce: 22, nonce of rejected tx: 17",  # old Nethermind
        "Transaction nonce is too low. Try incrementing the nonce.",  # OpenEthereum
        "Nonce too low. Expected nonce to be 44 but got 43. Note that transactions can't be queued when automining.",
        "VM Exception while processing transaction: the tx doesn't have the correct nonce. account has nonce of: 41 tx "
        "has nonce of: 40",  # Ganache
    ),
    Refusal.NONCE_TOO_HIGH: (
        "nonce too high: tx nonce 9, gapped nonce 7",  # geth
        "NonceGap, Future nonce. Expected nonce: 10",  # old Nethermind
        "Transaction nonce is too distant from current sender nonce",  # Besu
        "An invalid transaction with a lower nonce exists",  # Besu
        "gapped-nonce tx from delegated accounts",  # geth
        "future transaction tries to replace pending",  # geth
        "Nonce too high. Expected nonce to be 0 but got 1. Note that transactions can't be queued when automining.",
    ),
    Refusal.REPLACEMENT: (
        "replacement transaction underpriced",  # geth, Erigon, Reth
        "Replacement transaction underpriced",  # Besu
        "ReplacementNotAllowed, existing fee 7 gwei",  # old Nethermind
        "could not replace existing tx",  # Erigon
        "insufficient gas price to replace existing transaction",  # Reth's pool, anvil
        "Transaction gas price is too low. There is another transaction with same nonce in the queue. Try increasing "
        "the gas price or incrementing the nonce.",  # OpenEthereum
        "Replacement transaction underpriced. A gasPrice/maxFeePerGas of at least 22000000000 is necessary to replace "
        "the existing transaction with nonce 0.",  # Hardhat
    ),
    Refusal.UNDERPRICED: (
        "transaction underpriced: tip needed 1000000000, tip permitted 1",  # geth
        "transaction gas price below minimum: gas tip cap 1, minimum needed 1000000",  # geth
        "max fee per gas less than block base fee: address 0xaa, maxFeePerGas: 1, baseFee: 2",  # geth, Nitro
        "underpriced",  # Erigon
        "fee too low",  # Erigon
        "FeeTooLow, MaxFeePerGas too low. MaxFeePerGas: 50, BaseFee: 100, MaxPriorityFeePerGas:200, Block number: 5",
        "FeeTooLowToCompete",  # old Nethermind
        "Gas price below configured minimum gas price",  # Besu
        "Gas price below current base fee",  # Besu
        "Transaction gas price is too low. It does not satisfy your node's minimal gas price (minimal: 100 got: 50).",
        "transaction feeCap 3 below chain minimum",  # Reth's pool
        "Transaction maxFeePerGas (1) is too low for the next block, which has a baseFeePerGas of 2",  # Hardhat
        "gas price too low: 18000000000 wei, use at least tx.gasPrice = 19500000000 wei",
    ),
    Refusal.FUNDS: (
        "insufficient funds for gas * price + value: balance 1, tx cost 2, overshot 1",  # geth
        "InsufficientFunds, Account balance: 4740799397601480913, cumulative cost: 22019342038993800000",  # Nethermind
        "Upfront cost exceeds account balance",  # Besu
        "Insufficient funds. The account you tried to send transaction from does not have enough funds. Required 200 "
        "and got: 100.",  # OpenEthereum
        "Sender doesn't have enough funds to send tx. The max upfront cost is: 1 and the sender's balance is: 0.",
        "transaction rejected: not enough funds for gas",  # Nitro
    ),
    Refusal.FEE_CAP: (
        "tx fee (1.10 ether) exceeds the configured cap (1.00 ether)",  # geth, Erigon
        "tx fee (1100000000000000000 wei) exceeds the configured cap (1000000000000000000 wei)",  # Reth
        "Transaction fee cap exceeded",  # Besu
    ),
    Refusal.POOL_FULL: (
        "txpool is full",  # geth, Reth
        "account limit exceeded: pooled 64 txs",  # geth
        "in-flight transaction limit reached for delegated accounts",  # geth
        "pending sub-pool is full",  # Erigon
        "baseFee sub-pool is full",  # Erigon
        "transaction discarded outright due to pool size constraints",  # Reth's pool
        "There are too many transactions in the queue. Your transaction was dropped due to limit. Try increasing the "
        "fee.",  # OpenEthereum
        "sequencer pending tx pool full, please try again",  # Arbitrum
    ),
    Refusal.GAS_LIMIT: (
        "exceeds block gas limit",  # geth, Reth
        "transaction gas limit too high (cap: 16777216, tx: 21000000)",  # geth since Osaka
        "exceeds max transaction gas limit",  # Reth
        "GasLimitExceeded, Gas limit: 100, gas limit of rejected tx: 150",  # old Nethermind
        "Invalid, TxGasLimitCapExceeded: Gas limit 16777217 exceeded cap of 16777216.",  # Nethermind
        "gas limit reached",  # Nethermind
        "Transaction gas limit exceeds block gas limit",  # Besu
        "Transaction gas limit must be at most 16777216",  # Besu
        "Transaction cost exceeds current gas limit. Limit: 50, got: 100. Try decreasing supplied gas.",
        "Transaction gas limit is 30000000 and exceeds transaction gas cap of 16777216",  # Hardhat
        "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit",  # anvil
    ),
    Refusal.REJECTED: (
        "intrinsic gas too low: gas 20000, minimum needed 21000",  # geth
        "insufficient gas for floor data gas cost: gas 21000, minimum needed 21400",  # geth since Prague
        "Intrinsic gas exceeds gas limit",  # Besu
        "IntrinsicGas",  # Erigon
        "transaction type not supported",  # geth
        "Unknown transaction type not supported",  # anvil; not a "known transaction"
        "invalid chain ID",  # Reth
        "Wrong chainId",  # Besu
        "Transaction requires at least 21000 gas but got 1",  # Hardhat
        "Transaction gas is too low. There is not enough gas to cover minimal cost of the transaction (minimal: 100, "
        "got: 50). Try increasing supplied gas.",  # OpenEthereum
    ),
    Refusal.REVERTED: (
        "execution reverted: NotDue",  # geth, a sequencer
        "execution reverted: already known",  # a contract chooses its words
        "VM Exception while processing transaction: reverted with custom error 'NotDue(4, 2)'",  # Hardhat
        "VM Exception while processing transaction: revert nonce too low",  # Ganache
    ),
    Refusal.UNAVAILABLE: (
        "node is syncing",  # Nethermind
        "Initial sync is still in progress",  # Besu
        "Transaction pool not enabled. (Either txpool explicitly disabled, or node not yet in sync).",  # Besu
        "please retry transaction: not main sequencer",  # Nitro
        '429 Too Many Requests: {"jsonrpc":"2.0","error":{"code":-32016,"message":"over rate limit"},"id":1}',  # Base
        "Your app has exceeded its compute units per second capacity.",  # Alchemy
        "daily request count exceeded, request rate limited",  # Infura
        "The requests per second (RPS) of your requests are higher than your plan allows.",  # QuickNode
        "Cannot fulfill request",  # Cloudflare
        "Request timeout on the free tier, please upgrade your tier to the paid one",  # dRPC
        "503 Service Unavailable: <html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>",
    ),
    Refusal.UNKNOWN: ("", "   ", "whatever", "null", "a transaction not known"),
}


def test_every_kind_has_words() -> None:
    assert set(SAID) == set(Refusal)


@pytest.mark.parametrize("kind", list(Refusal))
def test_words_of_clients(kind: Refusal) -> None:
    assert {text: refusal_of(text) for text in SAID[kind]} == dict.fromkeys(SAID[kind], kind)


def test_an_operators_words_go_first(table: Path) -> None:
    table.write_text('[mine]\nfee_cap = ["too  RICH for us"]\npool_full = ["transaction underpriced"]\n')
    refusals.use(table)
    assert refusal_of("Sorry: too rich\nfor us!") is Refusal.FEE_CAP
    assert refusal_of("transaction underpriced") is Refusal.POOL_FULL
    assert refusal_of("already known") is Refusal.KNOWN
    refusals.use(None)
    assert refusal_of("transaction underpriced") is Refusal.UNDERPRICED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("[mine", "is not TOML"),
        ('known = ["already there"]', r"known is \['already there'\]: expected a table of a client"),
        ('[mine]\nfunny = ["already there"]', "mine.funny is .*expected one of sources, reverted, known"),
        ('[mine]\nunknown = ["whatever"]', "mine.unknown is .*expected one of"),
        ('[mine]\nknown = "already there"', "mine.known is 'already there': expected a list of texts"),
        ('[mine]\nknown = ["  no "]', "mine.known is '  no ': expected at least 4 characters"),
    ],
)
def test_a_table_that_cannot_serve_is_refused(table: Path, text: str | None, says: str) -> None:
    if text is not None:
        table.write_text(text)
    with pytest.raises(SettingsError, match=f"BALLAST_REFUSALS: .*mine.toml.*{says}"):
        refusals.use(table)


def test_each_client_names_its_sources() -> None:
    for client, listed in refusals._loaded(BUILT_IN).items():
        assert listed["sources"], client
