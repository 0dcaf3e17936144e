"""Random combinations of faults, each drawn from its seed alone."""

from __future__ import annotations

from random import Random

from chaos.catalogue import CALL, COUNT, HEAD, RECEIPT, SEND, spoil
from chaos.faults import Fault
from chaos.scenario import Scenario

ACTIONS = ("determine", "start", "trade1", "trade2", "trade3")
STAGES = ("due", "pooled", "mined")


def drawn(seed: int, count: int) -> list[Scenario]:
    """As many scenarios, of the seeds from `seed` on."""
    return [combination(number) for number in range(seed, seed + count)]


def combination(seed: int) -> Scenario:
    """Two to four faults at random moments."""
    random = Random(seed)
    faults = tuple(_fault(random) for _ in range(random.randint(2, 4)))
    # A fault may end before it meets anything, where another has changed what the keeper asks.
    return Scenario(f"random-{seed}", faults, bites=False, seed=seed)


def _fault(random: Random) -> Fault:
    action = random.choice(ACTIONS)
    at = f"{action}:{random.choice(STAGES)}"
    method = random.choice((HEAD, CALL, COUNT, RECEIPT, SEND, "*"))
    times = random.randint(1, 8)
    match random.randrange(16):
        case 0:
            return spoil(at, random.choice(("http_500", "http_429")), method, times)
        case 1:
            return spoil(at, "timeout", method, random.randint(1, 2), delay_s=1.5)
        case 2:
            return spoil(at, "reset", method, times)
        case 3:
            return spoil(f"{action}:due", "dropped", SEND, random.randint(1, 3))
        case 4:
            return spoil(at, "older_head", "*", random.randint(10, 60), blocks=random.randint(1, 6), within_s=4)
        case 5:
            return spoil(f"{action}:pooled", "no_receipt", RECEIPT, random.randint(2, 30), within_s=4)
        case 6:
            return spoil(f"{action}:due", random.choice(("already_known", "swallowed")), SEND, random.randint(1, 3))
        case 7:
            return spoil(f"{action}:due", "refused", SEND, times=random.randint(1, 2), message="internal error")
        case 8:
            return spoil(at, random.choice(("malformed", "slow")), method, times, delay_s=0.3)
        case 9:
            return Fault("no_mining", at, more={"seconds": random.randint(1, 3)})
        case 10:
            return Fault("drop", f"{action}:pooled", more={"times": random.randint(1, 2)})
        case 11:
            depth = random.randint(1, 10)
            return Fault("reorg", f"{action}:mined", more={"depth": depth, "returned": random.randint(0, 1)})
        case 12:
            return Fault("base_fee", at, more={"gwei": random.choice((150, 400, 3_000)), "blocks": random.randint(2, 8)})
        case 13:
            return Fault("kill", at, more={"blocks": random.randint(1, 6)})
        case 14:
            return Fault("stop", at, more={"seconds": random.randint(1, 3)})
        case _:
            return Fault("clock_jump", f"{action}:mined", more={"hours": random.randint(1, 12)})
