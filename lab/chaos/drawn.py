"""Random combinations of faults, each drawn from its seed alone."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from lab.chaos.catalogue import CALL, COUNT, HEAD, PATIENT, RECEIPT, spoil
from lab.chaos.faults import Fault
from lab.chaos.proxy import ANY, SEND
from lab.chaos.scenario import Scenario

ACTIONS = ("determine", "start", "trade1", "trade2", "trade3")
WITHIN_S = 400.0
"""Real seconds: after many failures the keeper leaves a rate-limiting endpoint alone for up to 300 s."""
STAGES = ("due", "pooled", "mined")


def drawn(seed: int, count: int) -> list[Scenario]:
    """`count` scenarios, of the seeds from `seed` on."""
    return [combination(number) for number in range(seed, seed + count)]


def combination(seed: int) -> Scenario:
    """Two to four faults at random moments."""
    random = Random(seed)
    faults = tuple(_fault(random) for _ in range(random.randint(2, 4)))
    # A fault may meet no call where another has changed what the keeper requests.
    return Scenario(f"random-{seed}", faults, settings=PATIENT, bites=False, seed=seed, within_s=WITHIN_S)


def _fault(random: Random) -> Fault:
    action = random.choice(ACTIONS)
    return random.choice(MAKERS)(random, action, f"{action}:{random.choice(STAGES)}")


Maker = Callable[[Random, str, str], Fault]
"""Takes an action and one of its moments; some faults make sense at one particular moment only."""


def _http(random: Random, _action: str, at: str) -> Fault:
    return spoil(at, random.choice(("http_500", "http_429", "reset", "malformed")), _method(random), _few(random))


def _slow(random: Random, _action: str, at: str) -> Fault:
    return spoil(at, "slow", _method(random), _few(random), delay_s=0.3)


def _timeout(random: Random, _action: str, at: str) -> Fault:
    return spoil(at, "timeout", _method(random), random.randint(1, 2), delay_s=1.5)


def _dropped(random: Random, action: str, _at: str) -> Fault:
    return spoil(f"{action}:due", "dropped", SEND, random.randint(1, 3))


def _untrue(random: Random, action: str, _at: str) -> Fault:
    return spoil(f"{action}:due", random.choice(("already_known", "swallowed")), SEND, random.randint(1, 3))


def _refused(random: Random, action: str, _at: str) -> Fault:
    message = random.choice(("internal error", "nonce too low", "transaction underpriced", "insufficient funds"))
    return spoil(f"{action}:due", "refused", SEND, random.randint(1, 2), message=message)


def _older(random: Random, _action: str, at: str) -> Fault:
    method = random.choice((ANY, ANY, COUNT, CALL))
    return spoil(at, "older_head", method, random.randint(4, 60), blocks=random.randint(1, 6), within_s=4)


def _no_receipt(random: Random, action: str, _at: str) -> Fault:
    return spoil(f"{action}:pooled", "no_receipt", RECEIPT, random.randint(2, 30), within_s=4)


def _no_mining(random: Random, _action: str, at: str) -> Fault:
    return Fault("no_mining", at, more={"seconds": random.randint(1, 3)})


def _drop(random: Random, action: str, _at: str) -> Fault:
    return Fault("drop", f"{action}:pooled", more={"times": random.randint(1, 2)})


def _reorg(random: Random, action: str, _at: str) -> Fault:
    more = {"depth": random.randint(1, 10), "returned": random.randint(0, 1), "after": random.randint(0, 2)}
    return Fault("reorg", f"{action}:mined", more=dict(more))


def _base_fee(random: Random, _action: str, at: str) -> Fault:
    return Fault("base_fee", at, more={"gwei": random.choice((150, 400, 3_000)), "blocks": random.randint(2, 8)})


def _kill(random: Random, _action: str, at: str) -> Fault:
    return Fault("kill", at, more={"blocks": random.randint(1, 6)})


def _stop(random: Random, _action: str, at: str) -> Fault:
    return Fault("stop", at, more={"seconds": random.randint(1, 3)})


def _clock(random: Random, action: str, _at: str) -> Fault:
    return Fault("clock_jump", f"{action}:mined", more={"hours": random.randint(1, 12)})


def _lock(random: Random, _action: str, at: str) -> Fault:
    return Fault("lock", at, more={"seconds": random.choice((1, 2, 6))})


MAKERS: tuple[Maker, ...] = (
    _http,
    _http,
    _slow,
    _timeout,
    _dropped,
    _untrue,
    _refused,
    _older,
    _no_receipt,
    _no_mining,
    _drop,
    _reorg,
    _base_fee,
    _kill,
    _stop,
    _clock,
    _lock,
)
"""Drawn uniformly; an entry listed twice is twice as likely."""


def _method(random: Random) -> str:
    return random.choice((HEAD, CALL, COUNT, RECEIPT, SEND, ANY))


def _few(random: Random) -> int:
    return random.randint(1, 8)
