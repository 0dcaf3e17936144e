"""`python -m sandbox market`: the market of a sandbox that `ape run sandbox up` has made."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
import structlog

from ballast.build import ROOT
from ballast.errors import UserError
from ballast.rule.calendar import Timetable
from ballast.units import DAY_S
from keeper.errors import KeeperError, SettingsError
from keeper.keys.limited import Limited
from keeper.keys.load import load_signer
from keeper.look.fund_reader import FundReader, connect_to
from keeper.ops.liveness import Interrupted, Stop, stopping
from keeper.output import logs
from keeper.sending.journal import Journal
from keeper.sending.sender import sender_for
from keeper.settings import Secrets, Settings, load_books
from sandbox.book import SandboxBook, sandbox_path
from sandbox.decide import Terms
from sandbox.errors import SandboxError
from sandbox.market import SELECTORS, LivingMarket, Source, course_of, prices_of
from sandbox.reader import MarketReader
from sandbox.series import Series, Walk, recorded
from sandbox.settings import MarketSettings, load_market_settings

log = structlog.get_logger("sandbox.market")

RECORDED = ROOT / "data" / "series" / "pools_2021.csv"
MONTH_S = 30 * DAY_S
OWN = ("KEYSTORE_PASSWORD_FILE", "KEYSTORE", "PRIVATE_KEY", "JOURNAL")
"""Settings of the keeper for which the market has its own."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """What runs beside a fund on a test network."""


@cli.command()
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path(".env"),
    show_default=True,
    help="File with BALLAST_... variables; the environment wins.",
)
@click.option("--account", help="Ape's account that deployed the sandbox; its password is asked for.")
@click.option(
    "--book",
    "book_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The sandbox's book; that beside BALLAST_BOOK if not given.",
)
@click.option("--once", is_flag=True, help="One step, at most one transaction, and end.")
def market(env_file: Path, account: str | None, book_file: Path | None, once: bool) -> None:
    """Have prices move, posted to the feeds and followed by the pools, until SIGINT or SIGTERM. Stopped anywhere, the
    same command goes on."""
    settings, secrets, own = load_market_settings(env_file, None if book_file is None else fund_book_of(book_file))
    logs.configure(settings.log)
    if account is not None:
        settings = settings.model_copy(update={"keystore": ape_keystore(account)})
    try:
        with living(settings, secrets, own) as alive:
            if once:
                mined = alive.tick()
                click.echo("nothing sent" if mined is None else f"{mined.action}: {mined.hash}")
            else:
                alive.run()
    except Interrupted:
        log.info("stopped before it could start")


def fund_book_of(path: Path) -> Path:
    """The fund's book that a sandbox's book names. Raises SandboxError."""
    return path.parent / SandboxBook.load(path).fund_book


def ape_keystore(name: str) -> Path:
    """The key file of an account of Ape's. Raises SettingsError."""
    folder = Path(os.environ.get("APE_DATA_FOLDER") or Path.home() / ".ape")
    path = folder / "accounts" / f"{name}.json"
    if not path.is_file():
        raise SettingsError(f"--account: Ape has no account {name!r}, expected its key file at {path}")
    return path


@contextmanager
def living(settings: Settings, secrets: Secrets, own: MarketSettings) -> Iterator[LivingMarket]:
    """The market of the fund whose book the settings name, stopped by SIGTERM and SIGINT. Everything is checked before
    the journal is opened. Raises SettingsError, SandboxError, ChainError, JournalError."""
    (fund, *others) = load_books(settings)
    if others:
        raise SettingsError(f"BALLAST_BOOK: names {1 + len(others)} books; a market is one sandbox's, name one here")
    book = SandboxBook.load(sandbox_path(settings.books[0]))
    if book.chain_id != fund.chain_id:
        raise SandboxError(f"sandbox book: is of chain {book.chain_id}, its fund's of chain {fund.chain_id}")
    with _own_names():
        signer = load_signer(settings, secrets)
    chain = FundReader(connect_to(settings, secrets, fund.chain_id), fund)
    chain.check(settings.chain_id)
    reader = MarketReader(chain.w3, book)
    if (owner := reader.owner()) != signer.address:
        raise SettingsError(
            f"BALLAST_MARKET_KEYSTORE: is the key of {signer.address}, but the market listens to {owner} alone; name "
            "the key of who deployed the sandbox"
        )
    head = chain.head()
    source = source_of(own, book, chain.read(head)[0].timetable)
    terms = terms_of(own, book)
    series = series_of(own)
    course = course_of(settings.journal.with_name(settings.journal.name + ".course.json"), source, reader.read(head))
    stop, dates = Stop(), [head.time]
    with ExitStack() as stack:
        stack.enter_context(stopping(stop))
        with _own_names():
            journal = stack.enter_context(
                Journal(settings.journal, fund.chain_id, signer.address, clock=lambda: dates[0])
            )
        limited = Limited(signer, fund.chain_id, {book.market: SELECTORS})
        sender = sender_for(chain, limited, journal, settings, secrets, stop)

        def dated(time: int) -> None:
            dates[0] = time

        log.info(
            "market", fund=fund.fund, account=signer.address, chain=fund.chain_id, prices=own.market_prices,
            speed=source.speed, posts_every_s=terms.post_after, gas_per_day=terms.gas_per_day,
        )  # fmt: skip
        symbols = [asset.symbol for asset in book.assets]
        yield LivingMarket(
            reader,
            chain.head,
            sender,
            journal,
            prices_of(series, symbols, course),
            terms,
            stop,
            settings.poll_seconds,
            dated,
            settings.pulse,
        )


def source_of(own: MarketSettings, book: SandboxBook, timetable: Timetable) -> Source:
    """The source of prices in the settings. If they give no speed, a month's moves come in one period."""
    speed = own.market_speed or (1 if timetable.of_months else max(1, MONTH_S // timetable.length))
    return Source(
        book.chain_id,
        book.market,
        own.market_prices,
        own.market_begins,
        own.market_seed,
        own.market_daily_bps,
        speed,
    )


def terms_of(own: MarketSettings, book: SandboxBook) -> Terms:
    """The market's terms. Raises SettingsError where the budget is too small for the posts, or they come too late."""
    post_after = own.market_post_seconds or max(1, book.heartbeat * 4 // 5)
    if post_after >= book.max_age:
        raise SettingsError(
            f"BALLAST_MARKET_POST_SECONDS: {post_after} is too late, the fund believes a price for {book.max_age} s"
        )
    terms = Terms(
        post_after,
        own.market_moved_bps,
        own.market_band_bps,
        own.market_gas_per_day,
        tuple(asset.decimals for asset in book.assets),
    )
    if terms.heartbeat_gas > terms.gas_per_day:
        raise SettingsError(
            f"BALLAST_MARKET_GAS_PER_DAY: {terms.gas_per_day} is too little, posts each {post_after} s alone take "
            f"about {terms.heartbeat_gas}"
        )
    return terms


def series_of(own: MarketSettings) -> Series:
    """The series of prices in the settings. Raises SandboxError."""
    if own.market_prices == "walk":
        return Walk(own.market_seed, own.market_daily_bps)
    return recorded(RECORDED, own.market_begins)


@contextmanager
def _own_names() -> Iterator[None]:
    """Puts the market's names into errors about settings that both the keeper and the market have."""
    try:
        yield
    except SettingsError as error:
        text = str(error)
        for name in OWN:
            text = text.replace(f"BALLAST_{name}", f"BALLAST_MARKET_{name}")
        raise type(error)(text) from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; its exit code: 0, 1 for an error on the way, 2 for wrong configuration, 130 if aborted."""
    try:
        code = cli(arguments, standalone_mode=False, prog_name="python -m sandbox")
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except (SettingsError, SandboxError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    except (KeeperError, UserError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    logs.guard()
    sys.exit(main())
