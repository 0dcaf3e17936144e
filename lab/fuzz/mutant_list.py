"""The ways in which the contracts are broken on purpose: what is replaced, and which invariant has to notice."""

from __future__ import annotations

from lab.fuzz.mutant_kinds import BUCKET, FEE, FILLER, MONTH, REBALANCER, SETTLEMENT, TOKEN, Edit, Mutant, one
from lab.fuzz.mutant_states import STATES

__all__ = ["MUTANTS", "Edit", "Mutant"]

_UNITS = "units per share never fall"
_NOTHING = "nothing minted for nothing"
_SPLIT = "splitting gains nothing"
_TARGET = "no sell below target"
_TOLERANCE = "tolerance, credited up to target"
_PROPORTION = "loss budget in proportion"
_ENDS = "a month that can end ends"
_FILLERS = "no token stays in fillers"
_REDEEM = "redeem always works"

_RULES: tuple[Mutant, ...] = (
    # Units of a share
    one(
        "redeem-rounds-up",
        _UNITS,
        TOKEN,
        "ProRata.down(Balance.read(token, address(this)), shares, supply);",
        "ProRata.up(Balance.read(token, address(this)), shares, supply);",
    ),
    one(
        "fee-one-wei-more",
        _UNITS,
        TOKEN,
        "_mint(to, shares);\n        emit FeeCollected",
        "_mint(to, shares + 1);\n        emit FeeCollected",
    ),
    one(
        "redeem-over-less-supply",
        _UNITS,
        TOKEN,
        "_burn(msg.sender, shares);",
        "_burn(msg.sender, shares); supply -= shares / 1e9;",
    ),
    # Nothing for nothing
    one(
        "mint-rounds-down",
        _NOTHING,
        TOKEN,
        "uint256 amount = ProRata.up(Balance.read(token, address(this)), shares, supply);",
        "ProRata.down(Balance.read(token, address(this)), shares, supply);",
    ),
    one(
        "mint-one-wei-more",
        _NOTHING,
        TOKEN,
        "_mint(to, shares);\n        emit Minted",
        "_mint(to, shares + 1);\n        emit Minted",
    ),
    one(
        "small-mints-free",
        _NOTHING,
        TOKEN,
        "if (amount != 0) IERC20(token).safeTransferFrom",
        "if (amount > 1) IERC20(token).safeTransferFrom",
    ),
    # Splitting
    one(
        "large-batches-pay-more",
        _SPLIT,
        SETTLEMENT,
        "tolerance = Bucket.tolerance(idle, l.firstTolerance, l.lastTolerance, l.maxIdle);",
        "tolerance = Bucket.tolerance(idle, l.firstTolerance, l.lastTolerance, l.maxIdle) - int256(value);",
    ),
    # Targets
    one(
        "sell-not-clamped",
        _TARGET,
        SETTLEMENT,
        "if (amount > left) amount = left;",
        "if (amount > left + 1) amount = left + 1;",
    ),
    one("sell-target-down", _TARGET, SETTLEMENT, "if (side == SELL && goal * 1e18 != scaled) ++goal;", ""),
    one(
        "sell-a-buy",
        "only surplus is sold",
        SETTLEMENT,
        "if (found != side) revert IRebalancer.WrongSide(token, Side(found));",
        "if (found != side) unit = 0;",
    ),
    # What comes in
    one(
        "credit-without-lambda",
        _TOLERANCE,
        SETTLEMENT,
        "return lambda < 1e18 ? lambda : 1e18;",
        "return lambda == 0 ? 0 : 1e18;",
    ),
    one(
        "credit-above-target",
        _TOLERANCE,
        SETTLEMENT,
        "uint256 goal = b.targets.get(k) * lambda / 1e18;",
        "uint256 goal = b.targets.get(k) * lambda / 0.9e18;",
    ),
    one(
        "credit-what-is-ahead",
        _TOLERANCE,
        SETTLEMENT,
        "uint256 credited = goal > before ? goal - before : 0;",
        "uint256 credited = goal > before ? goal - before : counted;",
    ),
    one(
        "tolerance-twice",
        _PROPORTION,
        SETTLEMENT,
        "uint256(1e18 - r.tolerance)",
        "uint256(1e18 - r.tolerance - 0.001e18)",
    ),
    # Bucket
    one(
        "bucket-never-empties",
        _TOLERANCE,
        BUCKET,
        "(value * coolOff * SCALE + cap - 1) / cap",
        "(value * coolOff * SCALE / 2 + cap - 1) / cap",
    ),
    one(
        "bucket-ignored",
        "bucket: idle time",
        SETTLEMENT,
        "require(value <= capacity, IRebalancer.AboveCapacity(value, capacity));",
        "capacity;",
    ),
    one(
        "bucket-fills-beyond",
        "bucket: cap",
        BUCKET,
        "return idle < refill ? idle * cap / refill : cap;",
        "return idle * cap / refill;",
    ),
    # Loss budget
    one(
        "budget-by-fresh-value",
        _PROPORTION,
        SETTLEMENT,
        "uint256 most = _budget(l, p) * part * 1e18 / (uint256(p.surplus) * value);",
        "uint256 most = part == 0 ? 0 : _budget(l, p) * 1e18 / Math.max(p.surplus, value);",
    ),
    one(
        "losses-forgotten",
        _PROPORTION,
        SETTLEMENT,
        "uint256 spent = b.was.spent + Math.ceilDiv(loss * 1e18, b.nav);",
        "uint256 spent = Math.ceilDiv(loss * 1e18, b.nav);",
    ),
    one(
        "budget-not-narrowed",
        _PROPORTION,
        SETTLEMENT,
        "if (most < uint256(tolerance)) tolerance = int256(most);",
        "most;",
    ),
    Mutant(
        "last-batch-beyond-budget",
        "loss budget",
        (
            Edit(
                SETTLEMENT,
                "if (most < uint256(tolerance)) tolerance = int256(most);",
                "if (most < uint256(tolerance) && part < p.surplus / 100 * 99) tolerance = int256(most);",
            ),
            Edit(
                SETTLEMENT,
                "require(spent <= b.limits.lossBudget, IRebalancer.AboveLossBudget(spent, b.limits.lossBudget));",
                "",
            ),
        ),
    ),
    # Steps
    one(
        "steps-unlimited",
        "maxStep",
        MONTH,
        "if (goal > value + step) sums.excess",
        "if (goal > value + 2 * step) sums.excess",
    ),
    one(
        "step-from-target",
        "maxStep",
        MONTH,
        "d.goals[i] = unit * (value + step) / goal;",
        "d.goals[i] = unit * (value + step + step / 1000) / goal;",
    ),
    # Start
    one(
        "stale-start-price",
        "targets at fresh prices",
        MONTH,
        "targets.put(i, side, unit, price);",
        "targets.put(i, side, unit, price - price / 1000);",
    ),
    one(
        "buys-without-a-price",
        "no trade without a price",
        MONTH,
        "targets.put(i, Side.Held, held, 0);",
        "targets.put(i, Side.Buy, held, 0);",
    ),
    one("held-as-wanted", "progress at start", MONTH, "sums.held += value;", "sums.held += goal;"),
    # Redeem
    one(
        "redeem-below-cap-only",
        _REDEEM,
        TOKEN,
        "_burn(msg.sender, shares);",
        "require(supply < 1100e18, ZeroShares()); _burn(msg.sender, shares);",
    ),
    one(
        "redeem-skips-nothing",
        _REDEEM,
        TOKEN,
        "if ((skip >> i) & 1 != 0) continue;",
        "",
    ),
    one(
        "redeem-refuses-suspended",
        _REDEEM,
        TOKEN,
        "if ((skip >> i) & 1 != 0) continue;",
        "if ((skip >> i) & 1 != 0) continue; require(!word.suspended(), NotSeeded());",
    ),
    one(
        "redeem-pays-less",
        "redeem pays a share's part",
        TOKEN,
        "ProRata.down(Balance.read(token, address(this)), shares, supply);",
        "uint256 amount = ProRata.down(Balance.read(token, address(this)), shares, supply) * 999 / 1000;",
    ),
    # Mint
    one(
        "mint-capped-low",
        "mint always works",
        TOKEN,
        "_requireBelowCap(supply + shares, setup.supplyCap);",
        "_requireBelowCap(supply + shares, setup.supplyCap / 1e6);",
    ),
    # Seed
    one(
        "nothing-locked",
        "supply above the locked seed",
        TOKEN,
        "_mint(DEAD, LOCKED_SHARES);",
        "_mint(to, LOCKED_SHARES);",
    ),
    one(
        "less-locked",
        "supply above the locked seed",
        TOKEN,
        "_mint(DEAD, LOCKED_SHARES);",
        "_mint(DEAD, LOCKED_SHARES - 1); _mint(to, 1);",
    ),
    # Fillers
    one(
        "filler-keeps-a-wei",
        _FILLERS,
        FILLER,
        "amount = share == 0 ? purse.left :",
        "amount = share == 0 && purse.left > 1 ? purse.left - 1 :",
    ),
    one(
        "filler-pays-part",
        _FILLERS,
        FILLER,
        "safeTransfer(pool == address(0) ? index : pool, amount);",
        "safeTransfer(pool == address(0) ? index : pool, amount -= amount / 1000);",
    ),
    # Ends
    one(
        "done-at-nothing-only",
        _ENDS,
        REBALANCER,
        "return surplus <= dust || held + dust >= buyTargets;",
        "return surplus == 0 && dust + held + buyTargets != 0;",
    ),
    one(
        "never-closes",
        _ENDS,
        REBALANCER,
        "block.timestamp > _opening.end ? Action.Close",
        "block.timestamp > _opening.end + 400 days ? Action.Close",
    ),
    one(
        "surplus-not-counted-down",
        _TOLERANCE,
        SETTLEMENT,
        "next.surplus = (b.was.surplus > sold ? b.was.surplus - sold : 0).toUint64();",
        "next.surplus = b.was.surplus;",
    ),
    one(
        "next-never-named",
        "the next month comes",
        REBALANCER,
        "if (m.phase == Phase.Idle) return (Action.None, Reason.Done, end);",
        "if (m.phase == Phase.Idle) return (Action.None, Reason.Done, 0);",
    ),
    # What is due
    one(
        "determine-refuses",
        "what is due succeeds",
        REBALANCER,
        "emit Determined(period, list);",
        "require(list.length != 3, UnfitConstituents());\n        emit Determined(period, list);",
    ),
    one(
        "start-without-notice",
        "notice before start",
        REBALANCER,
        "if (block.timestamp < earliest) return (Action.None, Reason.NotYet, earliest);",
        "if (block.timestamp < earliest) return (Action.Start, Reason.NotYet, earliest);",
    ),
    one(
        "close-at-any-time",
        "what is not due is refused",
        REBALANCER,
        "function close() external due(Action.Close) {",
        "function close() external locking {",
    ),
    one(
        "limits-while-trading",
        "limits do not change while trading",
        REBALANCER,
        "function setLimits(Limits calldata limits_) external onlyOwner betweenMonths locking",
        "function setLimits(Limits calldata limits_) external onlyOwner locking",
    ),
    # Guardian
    one("pause-fills-the-bucket", _TOLERANCE, REBALANCER, "_moveTat(until);\n        emit", "emit"),
    # Fee
    one(
        "fee-of-two-years",
        "the fee takes no more than stated",
        FEE,
        "return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee)));",
        "return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee))) * 2;",
    ),
    one(
        "fee-of-half-a-year",
        "the fee is not lost",
        FEE,
        "return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee)));",
        "return uint256(-FixedPointMathLib.lnWad(int256(1e18 - fee))) / 2;",
    ),
    one(
        "fee-at-the-new-rate",
        _NOTHING,
        TOKEN,
        "_accrue(_setup.rate);\n        _setFee(fee);",
        "_setFee(fee);",
    ),
    one(
        "fee-forgotten",
        "redeem burns what it pays",
        TOKEN,
        "_writeAccrual(pending, exponent);\n        return minted + pending;",
        "_writeAccrual(0, exponent);\n        return minted + pending;",
    ),
    # The lock
    one(
        "fee-without-lock",
        "the lock holds",
        TOKEN,
        "function collectFee() external nonReentrant returns",
        "function collectFee() external returns",
    ),
)

MUTANTS: tuple[Mutant, ...] = (*_RULES, *STATES)
