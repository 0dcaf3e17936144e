"""In and out through the zap from the command line: what is quoted is what is taken, and what is refused says why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
import pytest
import yaml
from eth_utils import to_checksum_address

from ballast.abi import encode_call
from ballast.book import Book
from ballast.deployment.deploy import deploy_fund
from ballast.fund_file import FundConfig
from ballast.networks.exchanges import USDC
from ballast.units import ETHER, WAD
from keeper.zap.quote import ETH, Pools, Quote, Venue, mint_quote, redeem_quote
from keeper.zap.read import read_pools
from lab.localnet.market import Market
from lab.localnet.world import World
from lab.testbed.funding import as_yaml, deal_seed
from scripts.export import cli as export
from scripts.mint import cli as mint
from scripts.redeem import cli as redeem
from tests.contracts.zap.scene import V2, V3_LOW, open_pool
from tests.helpers.chain import Chain, RevertedError
from tests.helpers.contracts import Call, Contract
from tests.helpers.fund import FOREVER
from tests.scripts.conftest import DEPLOYER_ACCOUNT, Invoke, Ran, Run
from tests.scripts.test_scripts import refused

SHARES = 3 * WAD + 123_456_789
DOLLAR = USDC[1]
NOBODY = to_checksum_address("0x" + "7b" * 20)


@dataclass(frozen=True)
class Scene:
    """A fund with a zap, a dollar with pools on two exchanges, and one component that is cheap on Uniswap V3."""

    chain: Chain
    fund: Path
    book_file: Path
    book: Book
    account: Any
    index: Contract
    zap: Contract
    dollar: Contract
    cheap: str

    def pools(self, token: str) -> Pools:
        code = str(ape.project.V3Lens.contract_type.runtime_bytecode.bytecode)
        return read_pools(ape.networks.active_provider.web3, self.book, token, code)

    def token(self, address: str) -> Contract:
        return self.chain.at("PermitToken", address)

    def has(self, token: str, account: str | None = None) -> int:
        """Wei that an account has; the one that sends where none is named."""
        who = account or self.account.address
        if token == ETH:
            return int(self.chain.rpc.request("eth_getBalance", who, "latest"), 16)
        return int(self.chain.read(self.token(token).balanceOf(who)))

    def mint(self, quote: Quote, most: int) -> Call:
        terms = quote.token, most, quote.legs, quote.last_leg, FOREVER, self.account.address
        return self.zap.mint(quote.shares, *terms)

    def redeem(self, quote: Quote) -> Call:
        tokens = [part.holding.token for part in quote.parts]
        terms = quote.token, 0, tokens, quote.legs, quote.last_leg, FOREVER, self.account.address
        return self.zap.redeem(quote.shares, *terms)

    @property
    def here(self) -> dict[str, Any]:
        return {"provider": ape.networks.active_provider, "fund": self.fund, "book_file": self.book_file}


@pytest.fixture(scope="module")
def scene(
    module_isolation: None, chain: Chain, world: World, config: FundConfig, tmp_path_factory: pytest.TempPathFactory
) -> Scene:
    folder = tmp_path_factory.mktemp("zap")
    account = ape.accounts.test_accounts[3]
    Market(chain.rpc, world).post_feeds()
    deal_seed(account, config)
    fund, book_file = folder / "fund.yaml", folder / "book.json"
    fund.write_text(yaml.safe_dump(as_yaml(config), sort_keys=False), encoding="utf-8")
    book = deploy_fund(ape.project, account, config, book_path=book_file)
    builder = chain.account("pool builder")
    chain.send(Call(world.weth, encode_call("deposit()"), "deposit", []), builder, value=10_000 * ETHER)
    made = chain.deploy("PermitToken", "USDC", 6, sender=builder)
    chain.cheats.set_code(DOLLAR, chain.code(made.address))
    dollar, cheap = chain.at("PermitToken", DOLLAR), world.token("UNI").address
    for leg in (V2, V3_LOW):
        open_pool(chain, world, builder, dollar, leg, dollar=True, narrow=False)
    open_pool(chain, world, builder, chain.at("PermitToken", cheap), V3_LOW, dollar=False, narrow=False)
    chain.send(dollar.mint(account.address, 10**12), builder)
    index, zap = chain.at("IndexToken", book["index_token"]), chain.at("Zap", book["zap"])
    return Scene(chain, fund, book_file, book, account, index, zap, dollar, cheap)


@pytest.fixture
def allowed(scene: Scene, world: World) -> Scene:
    """The account has WETH and dollars, and has approved the zap for everything."""
    chain, who = scene.chain, chain_account(scene)
    chain.send(Call(world.weth, encode_call("deposit()"), "deposit", []), who, value=100 * ETHER)
    for token in (world.weth, DOLLAR, scene.cheap, scene.index.address):
        chain.send(scene.token(token).approve(scene.zap, FOREVER), who)
    chain.send(scene.token(scene.cheap).mint(who, 1000 * WAD), who)
    return scene


def chain_account(scene: Scene) -> str:
    """The account's address, as one that the node signs for."""
    return scene.chain.impersonate(scene.account.address)


@pytest.mark.parametrize("pay", ["eth", "weth", "usdc", "component"])
def test_a_quote_is_what_the_zap_takes_and_brings(allowed: Scene, world: World, pay: str) -> None:
    """To the wei, in the same block, with a fee pending; the best pool of each component is of either kind."""
    chain, who = allowed.chain, allowed.account.address
    token = {"eth": ETH, "weth": world.weth, "usdc": DOLLAR, "component": allowed.cheap}[pay]
    chain.move_to(chain.now() + 86_400)
    pools = allowed.pools(token)
    at = pools.state.time
    bought, sold = mint_quote(pools, SHARES, token), redeem_quote(pools, SHARES, token)
    for quote, preview in ((bought, allowed.index.previewMint), (sold, allowed.index.previewRedeem)):
        assert [part.amount for part in quote.parts] == chain.read(preview(SHARES), at=at)[1]
    value = bought.amount if token == ETH else 0
    assert chain.read(allowed.mint(bought, bought.amount), sender=who, at=at, value=value) == bought.amount
    with pytest.raises(RevertedError):
        chain.read(allowed.mint(bought, bought.amount - 1), sender=who, at=at, value=value - (token == ETH))
    assert chain.read(allowed.redeem(sold), sender=who, at=at) == sold.amount
    venues = {part.leg.venue for part in bought.parts} | {part.leg.venue for part in sold.parts}
    assert {Venue.UNISWAP_V2, Venue.SUSHISWAP_V2} <= venues
    assert (Venue.UNISWAP_V3 in venues) == (token != allowed.cheap)


@pytest.mark.parametrize("pay", ["eth", "usdc"])
def test_gas_is_about_what_is_quoted(allowed: Scene, pay: str) -> None:
    chain, who = allowed.chain, allowed.account.address
    token = {"eth": ETH, "usdc": DOLLAR}[pay]
    bought = mint_quote(allowed.pools(token), SHARES, token)
    receipt = chain.send(allowed.mint(bought, 2 * bought.amount), who, value=2 * bought.amount if pay == "eth" else 0)
    sold = redeem_quote(allowed.pools(token), SHARES, token)
    used = [int(r["gasUsed"], 16) for r in (receipt, chain.send(allowed.redeem(sold), who))]
    for gas, quoted in zip(used, (bought.gas, sold.gas), strict=True):
        assert abs(gas - quoted) * 20 < gas, (gas, quoted)


Zaps = Callable[..., tuple[Ran, str]]


@pytest.fixture
def zaps(scene: Scene, invoke: Invoke, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Zaps:
    """Runs mint or redeem with the usual options; how it ended, and what it wrote, in one line."""
    monkeypatch.setenv("COLUMNS", "200")

    def run(command: Any, shares: str | None, **more: Any) -> tuple[Ran, str]:
        usual: dict[str, Any] = {"account": scene.account, "receiver": None, "slippage": None, "deadline": "20 min"}
        usual |= {"dry": False, "yes": True}
        usual |= {"pay": None, "spend": None} if command is mint else {"to": None, "in_kind": (), "skipped": ()}
        capsys.readouterr()
        ran = invoke(command, shares=shares, **{**scene.here, **usual, **more})
        return ran, " ".join(capsys.readouterr().out.split())

    return run


def test_a_dry_run_shows_the_quote_and_sends_nothing(scene: Scene, zaps: Zaps) -> None:
    nonce = scene.account.nonce
    quote = mint_quote(scene.pools(DOLLAR), 2 * WAD, DOLLAR)
    ran, out = zaps(mint, "2", pay="usdc", slippage="1 %", dry=True, account=ape.accounts.test_accounts[5])
    assert ran.code == 0, ran.errors
    for word in (
        f"expected │ {quote.amount / 10**6:,.6f}".rstrip("0") + " USDC",
        f"at most {quote.most(WAD // 100) / 10**6:,.6f}".rstrip("0") + " USDC",
        "uniswap-v3",
        "sushiswap",
        "price impact",
        "pools' fees",
        f"gas, about {quote.gas:,} at",
        "NAV of the shares",
        "in kind, at the oracle's prices",
    ):
        assert word in out, out
    for command, more in ((mint, {}), (redeem, {}), (redeem, {"to": "eth"})):
        ran, out = zaps(command, "2", dry=True, **more)
        assert ran.code == 0, ran.errors
        assert "AAVE" in out
    # What is given in kind is no loss.
    ran, out = zaps(redeem, "2", dry=True, to="usdc", in_kind=("UNI",))
    below = re.search(r"expected │ \S+ USDC │ \S+ USD, (\S+) % below NAV", out)
    assert ran.code == 0 and below and float(below[1]) < 2 and "given in kind beside that" in out, out
    assert scene.account.nonce == nonce


def test_in_with_ether_from_a_shell(scene: Scene, run_script: Run) -> None:
    """The rest of the ether comes back; the shares are another's."""
    before = scene.has(ETH)
    quote = mint_quote(scene.pools(ETH), SHARES, ETH)
    given = str(scene.fund), "3.000000000123456789", "--book", str(scene.book_file), "--account", DEPLOYER_ACCOUNT
    ran = run_script("mint", *given, "--pay", "eth", "--receiver", NOBODY, "--yes")
    assert ran.code == 0, ran.errors
    assert f"minted 3.000000000123456789 shares to {NOBODY}" in ran.out
    assert scene.has(scene.book["index_token"], NOBODY) == SHARES
    assert 0 <= before - scene.has(ETH) - quote.amount < ETHER // 10  # gas
    assert scene.has(ETH, scene.zap.address) == 0


def test_in_for_an_amount_of_dollars_and_out_again(scene: Scene, zaps: Zaps) -> None:
    """As many shares as 1000 dollars buy at worst; one component of the way back in kind."""
    share = scene.book["index_token"]
    dollars, shares = scene.has(DOLLAR), scene.has(share)
    ran, out = zaps(mint, None, pay="usdc", spend="1000")
    assert ran.code == 0, ran.errors
    paid, minted = dollars - scene.has(DOLLAR), scene.has(share) - shares
    assert f"paid {paid / 10**6:.6f}".rstrip("0") in out
    assert 994_900_000 < paid <= 995_050_000  # 1000 less the slippage of 0.5 %
    assert minted > WAD
    assert scene.chain.read(scene.dollar.allowance(scene.account.address, scene.zap)) <= 1000 * 10**6 - paid

    uni, dollars, held = scene.has(scene.cheap), scene.has(DOLLAR), scene.has(share)
    ran, out = zaps(redeem, "2", to=DOLLAR, in_kind=("UNI",))
    assert ran.code == 0, ran.errors
    assert held - scene.has(share) == 2 * WAD
    assert scene.has(scene.cheap) > uni
    assert f"received {(scene.has(DOLLAR) - dollars) / 10**6:.6f}".rstrip("0") in out
    ran, _ = zaps(redeem, "1", to="eth", skipped=("AAVE",))
    assert ran.code == 0, ran.errors


def test_refusals(scene: Scene, zaps: Zaps, world: World, tmp_path: Path) -> None:
    nonce, chain = scene.account.nonce, scene.chain
    without = json.loads(scene.book_file.read_text())
    del without["contracts"]["zap"]
    old = tmp_path / "old.json"
    old.write_text(json.dumps(without))
    poor = ape.accounts.test_accounts[6]
    pair = world.token("AAVE").pools

    def no(command: Any, *words: str, shares: str | None = "1", **more: Any) -> None:
        refused(zaps(command, shares, **more)[0], *words)

    for command, option in ((mint, "pay"), (redeem, "to")):
        no(command, "names no zap", f"leave out --{option}", **{option: "eth"}, book_file=old)
        no(command, f"{option}: found 'doge'", "eth, weth, usdc", **{option: "doge"})
        no(command, "no token at", "--receiver", **{option: NOBODY})
        no(command, "deadline: found '5 s'", "1 minute", **{option: "eth"}, deadline="5 s")
    no(mint, "expected either SHARES, or --spend", pay="eth", spend="1")
    no(mint, "spend: found '0'", "buys no share", shares=None, pay="eth", spend="0")
    no(mint, "spend: found '1.0000001'", "6 decimals", shares=None, pay="usdc", spend="1.0000001")
    no(redeem, "in-kind: expected with --to", in_kind=("UNI",))
    no(redeem, "in-kind: FARM is not held", to="eth", in_kind=("FARM",))
    no(mint, "holds 0 USDC", "expected at least", pay="usdc", account=poor)
    no(mint, "above the fund's supply cap", shares="1901", pay="eth")
    chain.cheats.set_balance(poor.address, ETHER // 1000)
    no(mint, "holds 0.001 ETH", "to pay with and about", pay="eth", account=poor)
    for pool in pair:
        chain.cheats.set_code(pool.pair, b"")
    no(mint, "pay: no pool of AAVE", "mint in kind", pay="eth")
    no(redeem, "to: no pool of AAVE", "--in-kind AAVE", to="eth")
    assert scene.account.nonce == nonce
    ran, _ = zaps(redeem, "1", to="eth", in_kind=("AAVE",), dry=True)
    assert ran.code == 0, ran.errors


@pytest.mark.parametrize(
    ("name", "option", "factor", "words"),
    [("mint", "pay", 105, "ask for more"), ("redeem", "to", 90, "pay less")],
)
def test_pools_that_move_before_it_is_sent(
    scene: Scene, zaps: Zaps, world: World, name: str, option: str, factor: int, words: str
) -> None:
    """While the question stands: no more is paid and no less taken, nothing is sent but the approval."""
    command = {"mint": mint, "redeem": redeem}[name]

    def move(*_: Any) -> None:
        market = Market(scene.chain.rpc, world)
        for token in world.tokens:
            market.set_price(token.address, token.price_usd * factor // 100)
        assert market.arbitrage(0)

    before = scene.has(scene.book["index_token"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scripts._zap.agree", move)
        refused(zaps(command, "1", **{option: "usdc"})[0], words, "--slippage", "nothing was sent")
    assert scene.has(scene.book["index_token"]) == before


def test_export_writes_addresses_and_the_next_list(scene: Scene, invoke: Invoke, tmp_path: Path) -> None:
    def run() -> dict[str, Any]:
        ran = invoke(export, folder=tmp_path, **scene.here)
        assert ran.code == 0, ran.errors
        found: dict[str, Any] = json.loads((tmp_path / f"{slug}.tokenlist.json").read_text())
        return found

    slug = yaml.safe_load(scene.fund.read_text())["slug"]
    first = run()
    addresses = json.loads((tmp_path / f"{slug}.addresses.json").read_text())
    listed = [c.token for c in scene.chain.read(scene.index.components())]
    assert addresses["contracts"] == scene.book.contracts
    assert sorted(addresses["components"].values()) == sorted(listed)
    assert [t["address"] for t in first["tokens"]] == [scene.book["index_token"], *listed]
    assert first["tokens"][0]["symbol"] == scene.chain.read(scene.index.symbol())
    assert all(t["chainId"] == 1 and t["symbol"] and t["decimals"] for t in first["tokens"])
    assert run() == first
    (tmp_path / f"{slug}.tokenlist.json").write_text("{}")
    refused(invoke(export, folder=tmp_path, **scene.here), "tokenlist.json", "remove it")
