"""Checks of the keeper's account: its key, its nonce, its ether."""

from __future__ import annotations

from collections.abc import Iterator

from web3 import Web3

from ballast.networks.faucets import ether_from
from ballast.units import ETHER, GWEI
from keeper.check.context import CheckContext, CheckedFund, Node
from keeper.check.findings import Finding, Says
from keeper.errors import ChainError, KeeperError
from keeper.plan.month_gas import MARGIN, TURNOVER, MonthGas, expected
from keeper.sending.journal import read_journal


def key(context: CheckContext) -> Iterator[Finding]:
    """The key can be loaded."""
    account = context.account
    if isinstance(account, KeeperError):
        remedy = "do what the line says; .env.example has every variable, docs/operations/keys.md tells of keys"
        yield Says("key", "account").failure(str(account), remedy)
    elif context.secrets.private_key is not None:
        yield Says("key", account).warning(
            "loads; it stands in the environment or in .env, in the clear",
            "right for trying things out; for a real fund an encrypted key file or AWS KMS (docs/operations/keys.md)",
        )
    else:
        yield Says("key", account).ok("loads")


def plain(endpoint: Node, account: str) -> Iterator[Finding]:
    """The account is not a contract."""
    says = Says("account", account)
    code = endpoint.ask(lambda eth: eth.get_code(Web3.to_checksum_address(account)))
    if not code:
        yield says.ok("no contract")
    elif bytes(code[:3]) == bytes.fromhex("ef0100"):
        yield says.warning(
            f"delegates to 0x{bytes(code[3:23]).hex()} (EIP-7702)",
            "somebody with this key has given its account code: take another key",
        )
    else:
        yield says.failure("is a contract on this chain", "take a key of its own")


def nonce(context: CheckContext, endpoint: Node, account: str) -> Iterator[Finding]:
    """The account has no pending transaction that the journal does not know, and the journal matches the chain."""
    says = Says("nonce", account)
    entries = read_journal(context.settings.journal, context.chain_id or 0, account)
    mined = {entry.nonce for entry in entries if entry.mined_block is not None}
    open_ = {entry.nonce for entry in entries if entry.status.open} - mined
    address = Web3.to_checksum_address(account)
    latest = endpoint.ask(lambda eth: eth.get_transaction_count(address, "latest"))
    pending = endpoint.ask(lambda eth: eth.get_transaction_count(address, "pending"))
    unknown = [number for number in range(latest, pending) if number not in open_]
    ahead = [number for number in mined if number >= latest]
    gap = sorted(number for number in open_ if number > latest and number - 1 not in open_)
    if unknown:
        yield says.failure(
            f"{len(unknown)} pending transaction{'s' * (len(unknown) > 1)} that the journal does not know, from nonce "
            f"{unknown[0]}",
            "the key is used elsewhere, or the journal was lost: wait until they are mined, or take another key",
        )
    elif ahead:
        yield says.failure(
            f"the journal knows nonce {max(ahead)} as mined, the chain has mined {latest}",
            "the journal belongs to another chain or to an earlier run of a development chain, or the node lags: name "
            "another BALLAST_JOURNAL, or wait",
        )
    elif gap:
        yield says.warning(
            f"the journal has an open transaction with nonce {gap[0]}, the next to be mined is {latest}",
            "start the keeper: it settles what is open before anything else",
        )
    elif open_:
        yield says.ok(f"{latest} next, {len(open_)} open in the journal: settled at the start")
    else:
        yield says.ok(f"{latest} next, nothing pending")


def balance(context: CheckContext, endpoint: Node, account: str) -> Iterator[Finding]:
    """The ether lasts for a month, at the current gas price and at `MARGIN` times that, both limited to the cap."""
    says = Says("balance", account)
    have = endpoint.ask(lambda eth: eth.get_balance(Web3.to_checksum_address(account)))
    funds = max(1, len(context.sound_books))
    asked, cap_wei = price_now(endpoint), context.settings.max_fee_gwei * GWEI
    paid, high = min(asked, cap_wei), min(MARGIN * asked, cap_wei)
    months = [_month(context, fund, paid) for fund in context.funds]
    gas = sum(month.gas for month in months)
    batches = sum(month.batches for month in months)
    now, enough = gas * paid, gas * high
    figure = (
        f"{ether(have)}; a month of {funds} fund{'s' * (funds > 1)} takes about {gas / 10**6:.3g} million gas"
        f"{f' in {batches} batches' if batches else ''}: {ether(now)} at {gwei(paid)}, {ether(enough)} at {gwei(high)}"
    )
    if have < now:
        where = ether_from(context.chain_id or 0)
        yield says.failure(figure, f"send {ether(enough - have)} to it, at least {ether(now - have)}; {where}")
    elif have < enough:
        yield says.warning(figure, f"send {ether(enough - have)} to it before gas is dearer")
    else:
        yield says.ok(figure)


def _month(context: CheckContext, fund: CheckedFund, gas_price: int) -> MonthGas:
    """A month's gas: from the settings, or estimated from the fund; for an unreadable fund the highest estimate."""
    settings, listed = context.settings, len(fund.book.candidates)
    if settings.month_gas is not None:
        return MonthGas(0, settings.month_gas)
    try:
        state, eth_price = fund.state, fund.market.eth_price
    except ChainError:
        return expected(listed, 0, TURNOVER, 0, gas_price, settings.most_batches)
    held = max(listed, len(state.holdings))
    return expected(held, state.total_value, state.limits.batch_cap, eth_price, gas_price, settings.most_batches)


def cap(context: CheckContext, endpoint: Node) -> Iterator[Finding]:
    """The market's gas price is within the keeper's cap."""
    says = Says("price of gas", endpoint.name)
    asked, most = price_now(endpoint), context.settings.max_fee_gwei
    if asked > most * GWEI:
        yield says.warning(
            f"{gwei(asked)}, more than BALLAST_MAX_FEE_GWEI ({most})",
            "nothing is sent until it is cheaper; raise the cap if a month is running out",
        )
    else:
        yield says.ok(f"{gwei(asked)}, the keeper pays up to {most} gwei")


def price_now(endpoint: Node) -> int:
    """Base fee of the latest block plus tip, wei per gas. Raises ChainError."""
    tip = endpoint.ask(lambda eth: eth.max_priority_fee)
    return int(endpoint.head.get("baseFeePerGas", 0)) + int(tip)


def ether(wei: int) -> str:
    """Wei as ether, to four significant digits."""
    return f"{wei / ETHER:.4g} ETH"


def gwei(wei: int) -> str:
    """Wei as gwei, to four significant digits."""
    return f"{wei / GWEI:.4g} gwei"
