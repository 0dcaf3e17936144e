"""A solver: fills batches out of its own stock, at a better price than pools give.

    python -m examples.solver --filler ADDRESS --margin-bps 20 [--payee ADDRESS]

It needs a deployed `StockFiller` that holds what the fund buys, and the keeper's settings (`BALLAST_RPC_URL`,
`BALLAST_BOOK`, a key of its own that owns the filler; `BALLAST_PRIVATE_RPC_URL` if wanted).

Its offer follows from its margin alone: it pays the value, at its own prices, of what the fund sells, less the margin,
and sends as soon as the fund's tolerance allows that. A tolerance that opens slowly is an auction with a falling price:
of several solvers the one with the smallest margin comes first, and a keeper that trades in pools comes last. With a
payee it trades through the fund's upkeep, which pays for the gas in shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from keeper.client import WAD, Call, FundClient, Head, Look, Offer, guard, offer, opened


@dataclass(frozen=True)
class Solver:
    """One solver at one fund. `most_share`: most of NAV in a batch, 18 decimals; `payee`: whom the upkeep pays."""

    fund: FundClient
    filler: str
    margin_bps: int
    most_share: int
    payee: str | None = None

    def offer(self, look: Look) -> Offer | None:
        """The batch that it would fill. A solver of your own puts its own prices here, USD for one whole token."""
        stock = self.fund.stock(self.filler, look.state)
        return offer(look.state, look.pool_prices(), stock, self.margin_bps, self.most_share)

    def call(self, block: Head | int) -> Call | None:
        """What to send in this block, if anything. Raises ChainError."""
        look = self.fund.look(block)
        found = self.offer(look) if look.trading else None
        if found is None or not found.allowed(look.state):
            return None
        return self.fund.fill(found, self.filler, look.state, self.payee)


@click.command()
@click.option("--filler", required=True, help="Address of the StockFiller that this key owns.")
@click.option("--margin-bps", type=click.IntRange(0, 1_000), default=20, show_default=True, help="What it keeps.")
@click.option("--most-bps", type=click.IntRange(1, 1_000), default=200, show_default=True, help="Of NAV in a batch.")
@click.option("--payee", help="Whom the fund's upkeep pays for batches; without, the fund is called directly.")
def main(filler: str, margin_bps: int, most_bps: int, payee: str | None) -> None:
    """Fill batches of the fund out of a stock of one's own, until Ctrl-C."""
    with opened(filler) as bot:
        bot.run(Solver(bot.fund, filler, margin_bps, most_bps * WAD // 10_000, payee).call)


if __name__ == "__main__":
    guard()
    main()
