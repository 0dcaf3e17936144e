"""Whether an endpoint is healthy, and for how long it is put aside (gets no requests) if not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from keeper.look.rpc.endpoint import Answer, Fault, Question

FIRST_WAIT_S = 1.0
MAX_WAIT_S = 300.0
"""How long a failing endpoint is put aside: the first time, and at most. The time doubles with each failure, and starts
again once the endpoint has been healthy for `MAX_WAIT_S`."""

ALONE_WAIT_S = 15.0
"""Longest wait if there is no other endpoint, even after a lie, or after a rate limit without its own wait: a month has
deadlines."""

AHEAD_S = 900
"""The times of two honest heads at about the same height differ by less: a slot takes 12 seconds, and few are empty."""

ENDLESS = 1 << 62

LOOK: tuple[Question, ...] = (("eth_chainId", []), ("eth_getBlockByNumber", ["latest", False]))
"""The requests of a health check, one round trip."""

WRONG_CHAIN = "wrong chain"
OLDER_HEAD = "older head than it has shown"
LAGS = "head lags"
TOO_OLD = "head too old"
TOO_NEW = "head dated ahead"
NO_BASE_FEE = "no base fee"
NO_RECEIPT = "missing receipt"
WRONG_STATE = "wrong state"


@dataclass(frozen=True)
class EndpointLimits:
    """Requirements for an endpoint. `chain_id`: None for any. `max_lag`: blocks by which its head may be below the
    highest of the others, or below its own earlier head. `max_age_s`: seconds by which its head's time may be behind or
    ahead of this machine's clock; None: unlimited."""

    chain_id: int | None = None
    max_lag: int = 3
    max_age_s: int | None = None


@dataclass(frozen=True)
class Look:
    """An endpoint's view of the chain: the chain's id, number, hash and time (Unix seconds) of the latest block, and
    whether that has a base fee."""

    chain_id: int | None
    number: int
    hash: str
    time: int
    base_fee: bool


@dataclass(frozen=True)
class EndpointStatus:
    """An endpoint's status. `name`: its host; `reason`: why it is put aside, "" if it is not; `head_age_s`: seconds
    from its head's time to this machine's clock, None if no head is known; `requests`: HTTP requests so far; `errors`:
    number of failures by reason."""

    name: str
    healthy: bool
    reason: str
    head: int | None
    head_age_s: int | None
    requests: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Health:
    """An endpoint's health. Times are monotonic seconds."""

    fault: Fault | None = field(default_factory=lambda: Fault("not looked at yet"))
    look: Look | None = None
    shown: int | None = None
    """Highest head since it was last put aside for an older head."""
    looked_at: float | None = None
    retry_at: float = 0.0
    failures: int = 0
    healthy_since: float = 0.0
    errors: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)
    """By method: how often in a row it did not answer while another endpoint did."""
    lacks: set[str] = field(default_factory=set)
    """Methods for which it comes last."""
    most_blocks: int = ENDLESS
    """Most blocks per request for events, as far as is known; valid until `most_until`."""
    most_until: float = 0.0

    @property
    def healthy(self) -> bool:
        return self.fault is None

    def due(self, now: float, check_s: float) -> bool:
        """Whether it is time for another check."""
        if self.looked_at is None:
            return True
        return now - self.looked_at >= check_s if self.healthy else now >= self.retry_at

    def serves_alone(self, now: float) -> bool:
        """Whether to use it although it is put aside, if there is no other endpoint."""
        if self.fault is None or self.looked_at is None or not (self.fault.strict or self.fault.wait_s > 0):
            return True
        return now >= min(self.retry_at, self.looked_at + max(ALONE_WAIT_S, self.fault.wait_s))

    def good(self, look: Look, now: float) -> bool:
        """Records that it is healthy; returns whether it was put aside before."""
        back = self.fault is not None
        if back:
            self.healthy_since = now
        self.fault, self.look, self.looked_at = None, look, now
        self.shown = max(look.number, self.shown or 0)
        return back

    def bad(self, fault: Fault, now: float) -> bool:
        """Puts it aside; returns whether the reason is new."""
        news = self.fault is None or self.fault.reason != fault.reason
        if self.fault is None and now - self.healthy_since >= MAX_WAIT_S:
            self.failures = 0
        self.failures += 1
        self.fault, self.looked_at = fault, now
        wait = min(MAX_WAIT_S, FIRST_WAIT_S * 2 ** min(self.failures - 1, 20))
        self.retry_at = now + max(wait, fault.wait_s)
        if fault.reason == OLDER_HEAD:
            # If the chain did get shorter, the next check accepts it.
            self.shown = None
        return news


def fault_of(
    look: Look,
    limits: EndpointLimits,
    *,
    shown: int | None,
    highest: int | None,
    wall: float,
    base_fee: bool,
    ahead: bool,
) -> Fault | None:
    """The first fault of an endpoint's view of the chain; None if it has none.

    `shown`: its own highest head; `highest`: that of the other healthy ones; `wall`: this machine's clock, Unix
    seconds; `base_fee`: whether blocks of the chain have had one; `ahead`: whether its head's time is ahead of the
    others'.
    """
    most = limits.max_age_s
    faults = (
        (limits.chain_id is not None and look.chain_id != limits.chain_id, Fault(WRONG_CHAIN)),
        (shown is not None and shown - look.number > limits.max_lag, Fault(OLDER_HEAD, strict=True)),
        (highest is not None and highest - look.number > limits.max_lag, Fault(LAGS)),
        (most is not None and wall - look.time > most, Fault(TOO_OLD)),
        (ahead or (most is not None and look.time - wall > most), Fault(TOO_NEW)),
        (base_fee and not look.base_fee, Fault(NO_BASE_FEE)),
    )
    return next((fault for wrong, fault in faults if wrong), None)


def is_ahead(look: Look, of: Look, limits: EndpointLimits) -> bool | None:
    """Whether a head's time is far ahead of another one's at about the same height; None if the other is too far below
    to compare."""
    return look.time - of.time > AHEAD_S if look.number - of.number <= limits.max_lag else None


def look_of(questions: Sequence[Question], answers: Sequence[Answer], before: Look | None) -> Look | None:
    """The view of the chain in these well-formed answers, None if they lack the latest block.

    If they lack the chain's id, takes it from `before`.
    """
    chain_id = before.chain_id if before else None
    block: Any = None
    for (method, params), answer in zip(questions, answers, strict=True):
        if method == "eth_chainId":
            chain_id = int(answer["result"], 16)
        elif method == "eth_getBlockByNumber" and params and params[0] == "latest":
            block = answer["result"]
    if block is None:
        return None
    base_fee = "baseFeePerGas" in block
    return Look(chain_id, int(block["number"], 16), block["hash"], int(block["timestamp"], 16), base_fee)
