"""The ways in which the contracts are broken on purpose: what is replaced, and which invariant has to notice."""

from __future__ import annotations

from dataclasses import dataclass

FIXED = "FixedWeightInvariants"

_TOKEN = "contracts/IndexToken.sol"
_REBALANCER = "contracts/Rebalancer.sol"
_OPENER = "contracts/Opener.sol"
_SETTLEMENT = "contracts/libraries/Settlement.sol"
_BUCKET = "contracts/libraries/Bucket.sol"
_FEE = "contracts/libraries/StreamingFee.sol"
_FILLER = "contracts/fillers/UniswapFiller.sol"


@dataclass(frozen=True)
class Edit:
    """`old`, which stands exactly once in `file`, becomes `new`."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutant:
    """`invariant`: name of the invariant that must fail first. `setup`: the test contract to run."""

    name: str
    invariant: str
    edits: tuple[Edit, ...]
    setup: str = FIXED


def _one(name: str, invariant: str, file: str, old: str, new: str) -> Mutant:
    return Mutant(name, invariant, (Edit(file, old, new),))


_UNITS = "units per share never fall"
_NOTHING = "nothing minted for nothing"
_SPLIT = "splitting gains nothing"
_TARGET = "no sell below target"
_TOLERANCE = "tolerance, credited up to target"
_PROPORTION = "loss budget in proportion"
_ENDS = "a month that can end ends"
_FILLERS = "no token stays in fillers"
_REDEEM = "redeem always works"

MUTANTS: tuple[Mutant, ...] = (
    # Units of a share
    _one(
        "redeem-rounds-up",
        _UNITS,
        _TOKEN,
        "uint256 amount = Part.down(Balance.read(token, address(this)), shares, supply);",
        "uint256 amount = Part.up(Balance.read(token, address(this)), shares, supply);",
    ),
    _one(
        "fee-one-wei-more",
        _UNITS,
        _TOKEN,
        "_mint(to, shares);\n        emit FeeCollected",
        "_mint(to, shares + 1);\n        emit FeeCollected",
    ),
    _one(
        "redeem-over-less-supply",
        _UNITS,
        _TOKEN,
        "_burn(msg.sender, shares);",
        "_burn(msg.sender, shares); supply -= shares / 1e9;",
    ),
    # Nothing for nothing
    _one(
        "mint-rounds-down",
        _NOTHING,
        _TOKEN,
        "uint256 amount = Part.up(Balance.read(token, address(this)), shares, supply);",
        "uint256 amount = Part.down(Balance.read(token, address(this)), shares, supply);",
    ),
    _one(
        "mint-one-wei-more",
        _NOTHING,
        _TOKEN,
        "_mint(to, shares);\n        emit Minted",
        "_mint(to, shares + 1);\n        emit Minted",
    ),
    _one(
        "small-mints-free",
        _NOTHING,
        _TOKEN,
        "if (amount != 0) IERC20(token).safeTransferFrom",
        "if (amount > 1) IERC20(token).safeTransferFrom",
    ),
    # Splitting
    _one(
        "large-batches-pay-more",
        _SPLIT,
        _SETTLEMENT,
        "tolerance = Bucket.tolerance(idle, l.firstTolerance, l.lastTolerance, l.maxIdle);",
        "tolerance = Bucket.tolerance(idle, l.firstTolerance, l.lastTolerance, l.maxIdle) - int256(value);",
    ),
    # Targets
    _one(
        "sell-not-clamped",
        _TARGET,
        _SETTLEMENT,
        "if (amount > left) amount = left;",
        "if (amount > left + 1) amount = left + 1;",
    ),
    _one("sell-target-down", _TARGET, _SETTLEMENT, "if (side == SELL && goal * 1e18 != scaled) ++goal;", ""),
    _one(
        "sell-a-buy",
        "only surplus is sold",
        _SETTLEMENT,
        "if (found != side) revert IRebalancer.WrongSide(token, Side(found));",
        "if (found != side) unit = 0;",
    ),
    # What comes in
    _one(
        "credit-without-lambda",
        _TOLERANCE,
        _SETTLEMENT,
        "return lambda < 1e18 ? lambda : 1e18;",
        "return lambda == 0 ? 0 : 1e18;",
    ),
    _one(
        "credit-above-target",
        _TOLERANCE,
        _SETTLEMENT,
        "uint256 goal = line.target() * lambda / 1e18;",
        "uint256 goal = line.target() * lambda / 0.9e18;",
    ),
    _one(
        "credit-what-is-ahead",
        _TOLERANCE,
        _SETTLEMENT,
        "uint256 credited = goal > before ? goal - before : 0;",
        "uint256 credited = goal > before ? goal - before : counted;",
    ),
    _one(
        "tolerance-twice",
        _PROPORTION,
        _SETTLEMENT,
        "uint256(1e18 - r.tolerance)",
        "uint256(1e18 - r.tolerance - 0.001e18)",
    ),
    # Bucket
    _one(
        "bucket-never-empties",
        _TOLERANCE,
        _BUCKET,
        "(value * coolOff * SCALE + cap - 1) / cap",
        "(value * coolOff * SCALE / 2 + cap - 1) / cap",
    ),
    _one(
        "bucket-ignored",
        "bucket: idle time",
        _SETTLEMENT,
        "require(value <= capacity, IRebalancer.AboveCapacity(value, capacity));",
        "capacity;",
    ),
    _one(
        "bucket-fills-beyond",
        "bucket: cap",
        _BUCKET,
        "return idle < refill ? idle * cap / refill : cap;",
        "return idle * cap / refill;",
    ),
    # Loss budget
    _one(
        "budget-by-fresh-value",
        _PROPORTION,
        _SETTLEMENT,
        "uint256 most = _budget(l, p) * part * 1e18 / (uint256(p.surplus) * value);",
        "uint256 most = part == 0 ? 0 : _budget(l, p) * 1e18 / Math.max(p.surplus, value);",
    ),
    _one(
        "losses-forgotten",
        _PROPORTION,
        _SETTLEMENT,
        "uint256 spent = b.was.spent + Math.ceilDiv(loss * 1e18, b.nav);",
        "uint256 spent = Math.ceilDiv(loss * 1e18, b.nav);",
    ),
    _one(
        "budget-not-narrowed",
        _PROPORTION,
        _SETTLEMENT,
        "if (most < uint256(tolerance)) tolerance = int256(most);",
        "most;",
    ),
    Mutant(
        "last-batch-beyond-budget",
        "loss budget",
        (
            Edit(
                _SETTLEMENT,
                "if (most < uint256(tolerance)) tolerance = int256(most);",
                "if (most < uint256(tolerance) && part < p.surplus / 100 * 99) tolerance = int256(most);",
            ),
            Edit(
                _SETTLEMENT,
                "require(spent <= b.limits.lossBudget, IRebalancer.AboveLossBudget(spent, b.limits.lossBudget));",
                "",
            ),
        ),
    ),
    # Steps
    _one(
        "steps-unlimited",
        "maxStep",
        _OPENER,
        "if (goal > value + step) sums.excess",
        "if (goal > value + 2 * step) sums.excess",
    ),
    _one(
        "step-from-target",
        "maxStep",
        _OPENER,
        "w.goals[i] = unit * (value + step) / goal;",
        "w.goals[i] = unit * (value + step + step / 1000) / goal;",
    ),
    # Start
    _one(
        "stale-start-price",
        "targets at fresh prices",
        _OPENER,
        "targets.put(i, side, unit, price);",
        "targets.put(i, side, unit, price - price / 1000);",
    ),
    _one(
        "buys-without-a-price",
        "no trade without a price",
        _OPENER,
        "targets.put(i, Side.Held, held, 0);",
        "targets.put(i, Side.Buy, held, 0);",
    ),
    _one("held-as-wanted", "progress at start", _OPENER, "sums.held += value;", "sums.held += goal;"),
    # Redeem
    _one(
        "redeem-below-cap-only",
        _REDEEM,
        _TOKEN,
        "_burn(msg.sender, shares);",
        "require(supply < 1100e18, ZeroShares()); _burn(msg.sender, shares);",
    ),
    _one("redeem-skips-nothing", _REDEEM, _TOKEN, "if ((skip >> i) & 1 != 0) continue;", ""),
    _one(
        "redeem-refuses-retired",
        _REDEEM,
        _TOKEN,
        "if ((skip >> i) & 1 != 0) continue;",
        "if ((skip >> i) & 1 != 0) continue; require(!list.at(i).retired(), NotSeeded());",
    ),
    _one(
        "redeem-pays-less",
        "redeem pays a share's part",
        _TOKEN,
        "uint256 amount = Part.down(Balance.read(token, address(this)), shares, supply);",
        "uint256 amount = Part.down(Balance.read(token, address(this)), shares, supply) * 999 / 1000;",
    ),
    # Mint
    _one(
        "mint-capped-low",
        "mint always works",
        _TOKEN,
        "supply + shares <= uint256(setup.supplyCap) * 1e18,",
        "supply + shares <= uint256(setup.supplyCap) * 1e12,",
    ),
    # Seed
    _one(
        "nothing-locked",
        "supply above the locked seed",
        _TOKEN,
        "_mint(DEAD, LOCKED_SHARES);",
        "_mint(to, LOCKED_SHARES);",
    ),
    _one(
        "less-locked",
        "supply above the locked seed",
        _TOKEN,
        "_mint(DEAD, LOCKED_SHARES);",
        "_mint(DEAD, LOCKED_SHARES - 1); _mint(to, 1);",
    ),
    # Fillers
    _one(
        "filler-keeps-a-wei",
        _FILLERS,
        _FILLER,
        "amount = share == 0 ? purse.left :",
        "amount = share == 0 && purse.left > 1 ? purse.left - 1 :",
    ),
    _one(
        "filler-pays-part",
        _FILLERS,
        _FILLER,
        "safeTransfer(pool == address(0) ? index : pool, amount);",
        "safeTransfer(pool == address(0) ? index : pool, amount -= amount / 1000);",
    ),
    # Ends
    _one(
        "done-at-nothing-only",
        _ENDS,
        _REBALANCER,
        "return surplus <= dust || held + dust >= buyTargets;",
        "return surplus == 0 && dust + held + buyTargets != 0;",
    ),
    _one(
        "never-closes",
        _ENDS,
        _REBALANCER,
        "block.timestamp > _opening.end ? Action.Close",
        "block.timestamp > _opening.end + 400 days ? Action.Close",
    ),
    _one(
        "surplus-not-counted-down",
        _TOLERANCE,
        _SETTLEMENT,
        "next.surplus = (b.was.surplus > sold ? b.was.surplus - sold : 0).toUint64();",
        "next.surplus = b.was.surplus;",
    ),
    _one(
        "next-never-named",
        "the next month comes",
        _REBALANCER,
        "if (m.phase == Phase.Idle) return (Action.None, Reason.Done, end);",
        "if (m.phase == Phase.Idle) return (Action.None, Reason.Done, 0);",
    ),
    # What is due
    _one(
        "determine-refuses",
        "what is due succeeds",
        _REBALANCER,
        "emit Determined(period, list);",
        "require(list.length != 3, UnfitConstituents());\n        emit Determined(period, list);",
    ),
    _one(
        "start-without-notice",
        "notice before start",
        _REBALANCER,
        "if (block.timestamp < earliest) return (Action.None, Reason.NotYet, earliest);",
        "if (block.timestamp < earliest) return (Action.Start, Reason.NotYet, earliest);",
    ),
    _one(
        "close-at-any-time",
        "what is not due is refused",
        _REBALANCER,
        "function close() external due(Action.Close) {",
        "function close() external locking {",
    ),
    _one(
        "limits-while-trading",
        "limits do not change while trading",
        _REBALANCER,
        "function setLimits(Limits calldata limits_) external onlyOwner betweenMonths locking",
        "function setLimits(Limits calldata limits_) external onlyOwner locking",
    ),
    # Guardian
    _one(
        "vetoes-running",
        "no two vetoes running",
        _REBALANCER,
        "require(byOwner || _month.lastVeto + 1 != period, VetoedBefore(_month.lastVeto));",
        "",
    ),
    _one(
        "pause-without-end",
        "pause: bounds",
        _REBALANCER,
        "require(duration != 0 && duration <= MAX_PAUSE, PauseOutOfBounds(duration, MAX_PAUSE));",
        "",
    ),
    _one("pause-fills-the-bucket", _TOLERANCE, _REBALANCER, "_moveTat(until);\n        emit", "emit"),
    # Fee
    _one(
        "fee-of-two-years",
        "the fee takes no more than stated",
        _FEE,
        "return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee)));",
        "return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee))) * 2;",
    ),
    _one(
        "fee-of-half-a-year",
        "the fee is not lost",
        _FEE,
        "return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee)));",
        "return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee))) / 2;",
    ),
    _one(
        "fee-at-the-new-rate",
        _NOTHING,
        _TOKEN,
        "_accrue(_setup.rate);\n        _setFee(fee);",
        "_setFee(fee);",
    ),
    _one(
        "fee-forgotten",
        "redeem burns what it pays",
        _TOKEN,
        "_writeAccrual(pending, exponent);\n        return minted + pending;",
        "_writeAccrual(0, exponent);\n        return minted + pending;",
    ),
    # The lock
    _one(
        "fee-without-lock",
        "the lock holds",
        _TOKEN,
        "function collectFee() external nonReentrant returns",
        "function collectFee() external returns",
    ),
)
