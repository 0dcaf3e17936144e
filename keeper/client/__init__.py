"""The public API for solvers, bots and scripts: `from keeper.client import ...`.

Look at a fund, plan as the keeper does, quote its pools, offer a batch out of a filler's stock, send it, watch:

    from keeper.client import WAD, Call, Head, offer, opened

    FILLER = "0x..."  # a StockFiller that the key of the settings owns

    with opened(FILLER) as bot:

        def choose(head: Head) -> Call | None:
            look = bot.fund.look(head)
            if not look.trading:
                return None
            stock = bot.fund.stock(FILLER, look.state)
            found = offer(look.state, look.pool_prices(), stock, margin_bps=20, most_share=WAD // 100)
            return bot.fund.fill(found, FILLER, look.state) if found and found.allowed(look.state) else None

        bot.run(choose)

`examples/solver.py` is this with a command line. Other modules of the keeper may change names and arguments from one
version to the next; the names here are stable.

It is in `keeper` and not in `ballast`, as it uses the keeper's parts and `ballast` imports nothing from the keeper. It
has a module each for reading (`fund`), for computing offers (`offers`) and for sending (`bot`).
"""

from __future__ import annotations

from ballast.units import WAD
from keeper.client.bot import Bot, opened
from keeper.client.fund import FundClient, Look, connected
from keeper.client.offers import SLACK, Offer, offer, order_for, stock_data
from keeper.errors import KeeperError
from keeper.look.fund_reader import Head
from keeper.output.logs import guard
from keeper.plan.planner import Plan
from keeper.sending.sender import Mined
from keeper.sending.simulate import Call
from keeper.state import Action, FundState, Holding, Side

__all__ = [
    "SLACK",
    "WAD",
    "Action",
    "Bot",
    "Call",
    "FundClient",
    "FundState",
    "Head",
    "Holding",
    "KeeperError",
    "Look",
    "Mined",
    "Offer",
    "Plan",
    "Side",
    "connected",
    "guard",
    "offer",
    "opened",
    "order_for",
    "stock_data",
]
