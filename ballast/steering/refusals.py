"""Texts about what the contracts refuse an owner, in one line, with a remedy. The holder page has its own texts, for
holders (web/src/refusals.ts)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError

from ballast import abi
from ballast.steering import owner_abi
from ballast.steering.dangers import ROLE_NAMES
from ballast.steering.in_force import snake
from ballast.steering.words import Context, field_name, text
from ballast.values import decimal, duration_text, fraction_text, time_text

_BETWEEN = "do it between months, after the open one is closed or ended"
_FILE = "correct the fund's file"
_ROLE = "use an account that has the role"

WORDS: Mapping[str, tuple[str, str]] = {
    "TradingOpen": ("a month is being traded", _BETWEEN),
    "LimitOutOfBounds": ("{0:f} is outside the bounds that the contracts set", _FILE),
    "FeeAboveCeiling": ("a fee of {0:%} is above the ceiling of {1:%}", _FILE),
    "ZeroAddress": ("an account is the zero address", _FILE),
    "FeedsDisagree": (
        "{0:t}: the new feed says {2:$}, the old one {1:$}, more than 5 % apart",
        "name the right feed; if the old one is wrong, give the new one a band and --correct {0:t}",
    ),
    "OutsideBand": ("{0:t}: the feed answers {1:n}, outside its band of {2:n} to {3:n}", _FILE),
    "UnfitBand": ("{0:t}: {1:n} to {2:n} is no band", _FILE),
    "OldFeedFits": (
        "{0:t}: the old feed says {1:n}, inside the band of {2:n} to {3:n}: nothing shows that it is wrong",
        "leave --correct out, or narrow the band",
    ),
    "UnfitFeed": ("{0:t}: {1} is no feed of at most 18 decimals", _FILE),
    "MaxAgeOutOfBounds": ("{0:t}: a max_age of {1} s is not 1 s to 8 days", _FILE),
    "NoEthFeed": ("{0:t}: a feed in ETH needs that of ETH first", "give the fund its eth_feed first"),
    "UnfitPeg": ("{0:t}: a feed takes no ratio", _FILE),
    "TooManyFeeds": ("{0:t}: no more feeds fit into the oracle", "nothing can be removed: list no further token"),
    "SequencerDown": ("the rollup's sequencer is down, or just back", "wait until the grace period is over"),
    "UnfitPool": ("{0:t}: {1} is no Uniswap V3 pool of the token", _FILE),
    "WindowOutOfBounds": ("{0:t}: a window of {1} s is not 10 minutes to a day", _FILE),
    "BoundOutOfBounds": ("{0:t}: a bound of {1:%} is not above 0 and at most 5 %", _FILE),
    "TooFewObservations": (
        "pool {0} keeps {1} observations, {2} are needed",
        "have it keep more: increaseObservationCardinalityNext, which anybody may call",
    ),
    "AnchorDisagrees": ("{0:t}: the feed says {1:$}, the pool {2:$}, or one has no price", "name another pool"),
    "UnfitCandidate": ("{0:t}: its supply has no source with code, or it stands twice", _FILE),
    "UnfitNumber": ("{0} candidates are none or more than {1}", _FILE),
    "UnfitDecimals": ("{0:t} does not say that it has at most 27 decimals", "no list can take this token"),
    "UnfitOverride": ("{0:t} is no candidate, or {1} no supply", "name a candidate and a supply above 0"),
    "UnfitWeight": ("{0:t}: its weight is 0, or it stands twice", _FILE),
    "NoConstituents": ("no candidate has a price and a supply, so there would be no index", _FILE),
    "WeightsDoNotSum": ("the weights add up to {0:%}", "have them add up to 100 % within 0.01 %"),
    "TooManyWeights": ("{0} weights are more than {1}", _FILE),
    "UnfitSupply": ("{0:t}: a supply of {1} of {2:w} is 0 or dated in the future", _FILE),
    "OlderSupply": ("{0:t}: a supply of {2:w} stands, newer than {1:w}", "post a newer one"),
    "NotPoster": ("{0} neither owns the source nor is its poster", _ROLE),
    "MonthOpen": ("a month is determined or traded", "post between months"),
    "FirstSupply": ("{0:t}: its first supply is the owner's to post", "have the timelock post it"),
    "PostedBefore": ("{0:t}: posted already since the last determination", "wait for the next"),
    "NothingConfirmed": ("{0:t}: no started month has confirmed a supply", "have the timelock post it"),
    "SupplyOutOfBounds": ("{0:t}: {1} whole tokens are not {2} to {3}", "have the timelock post it"),
    "TooManyLockers": ("{0:t}: {1} lockers are more than {2}", _FILE),
    "DuplicateLocker": ("{0:t}: the locker {1} stands twice", _FILE),
    "LockersNotAscending": ("{0:t}: the locker {1} is out of order", _FILE),
    "NotComponent": ("{0:t} is no component of the fund", "name a component"),
    "NotSuspended": ("{0:t} is not suspended", "suspend it first"),
    "AlreadySuspended": ("{0:t} is suspended already", "nothing is to be done"),
    "WrittenOff": ("{0:t} is written off, which is final", "nothing can be done"),
    "NothingToVeto": ("there is no determination to veto", "look when the next one is made: keeper status"),
    "NothingToEnd": ("there is no open month to end", "nothing is to be done"),
    "NotPaused": ("there is no pause to end", "nothing is to be done"),
    "NotContract": ("{0} is no contract", "name another address"),
    "WrongRebalancer": ("{0} belongs to another rebalancer", "name a contract of this fund"),
    "RenounceRefused": ("ownership cannot be given up", "hand it over instead"),
    "OwnableUnauthorizedAccount": ("{0} does not own the contract", "ask its owner"),
    "OwnableInvalidOwner": ("{0} cannot be an owner", "name another account"),
    "AccessControlUnauthorizedAccount": ("{0} does not have the role {1:r}", _ROLE),
    "TimelockInsufficientDelay": ("a delay of {0:s} is below the timelock's {1:s}", "schedule it with that delay"),
    "TimelockUnexecutedPredecessor": ("operation {0} has to be executed first", "execute that first"),
    "TimelockUnexpectedOperationState": ("operation {0} is not in the right state", "look: govern list"),
    "TimelockUnauthorizedCaller": ("{0} is not the timelock itself", "have the timelock do it"),
    "FailedCall": ("a call fails without saying why", "try each call alone"),
    "SafeERC20FailedOperation": ("{0:t} does not move", "look whether so much of it is there"),
    "Locked": ("the fund is in the middle of another operation", "try again with the next block"),
}
"""By error: what happened, and the remedy. `{0}` is the error's argument 0, `{0:t}` as a token's symbol, `$` as USD and
`n` as a number of 18 decimals (0: "nothing"), `%` as a fraction, `s` as a duration, `w` as a time, `r` as a role, `f`
as a field of the fund's file."""


@dataclass(frozen=True)
class _Shown:
    """An argument that formats itself by the format's letter, see `WORDS`."""

    context: Context
    value: Any

    def __format__(self, kind: str) -> str:
        value = self.value
        match kind:
            case "t":
                shown = self.context.symbol(value)
            case "$":
                shown = f"{decimal(value, 18)} USD" if value else "nothing"
            case "n":
                shown = decimal(value, 18) if value else "nothing"
            case "%":
                shown = fraction_text(value)
            case "s":
                shown = duration_text(value)
            case "w":
                shown = time_text(value)
            case "f":
                shown = field_name(snake(value.strip(b"\0").decode()))
            case "r":
                shown = ROLE_NAMES.get(value, "0x" + value.hex())
            case _ if (isinstance(value, bytes) and not value.strip(b"\0").isascii()) or value == bytes(32):
                shown = "0x" + value.hex()
            case _ if isinstance(value, bytes):
                shown = value.strip(b"\0").decode()
            case _:
                shown = text(self.context, "", value)
        return shown


def refusal(context: Context, data: bytes) -> tuple[str, str]:
    """Text for revert data, and the remedy."""
    entry = owner_abi.errors().get(data[:4]) if len(data) >= 4 else None
    if entry is None:
        _, name, shown = abi.describe_revert(data, {})
        said = f"{name}{shown}" if name else f"0x{data.hex()}" if data else "no reason"
        return f"reverts with {said}", "look into the call; it would fail"
    name = str(entry["name"])
    try:
        arguments = abi.decode_values(entry["inputs"], data[4:])
    except (DecodingError, OverflowError):
        return f"reverts with {name}", "look into the call; it would fail"
    if name not in WORDS:
        shown = ", ".join(text(context, "", value) for value in arguments)
        return f"reverts with {name}({shown})", "look into the call; it would fail"
    what, remedy = WORDS[name]
    given = [_Shown(context, value) for value in arguments]
    return f"{what.format(*given)} ({name})", remedy.format(*given)
