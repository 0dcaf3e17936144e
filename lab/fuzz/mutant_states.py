"""Mutants of states, brakes, bad tokens, and of what counts as confirmed."""

from __future__ import annotations

from lab.fuzz.mutant_kinds import (
    BALANCE,
    BOUNDS,
    CIRCULATING,
    DETERMINATION,
    LENS,
    MARKET,
    MARKET_CAP,
    OPENER,
    PLAN_CHOICE,
    PLAN_MEASURE,
    PLAN_MERGE,
    REBALANCER,
    REMAINING,
    STOCK,
    TOKEN,
    Mutant,
    one,
)

_ASKS = "what redeem pays mint asks for"
_SKIPS = "redeem never skips by itself"
_AGAIN = "what is written off is not listed while any is held"
_PREVIEWS = "previews say what happens"
_DUE = "what is due succeeds"
_OTHERS = "one bad token does not stop the others"
_LASTS = "a state lasts"
_DROPPED = "nothing is dropped without a price"
_WITHOUT = "a month without a component"
_ENDED = "a month can always be ended"
_STATE = "a state counts at once"
_ONLY = "only what is suspended is resumed or written off"
_PAUSE = "pause: bounds"
_REMEMBERED = "only what a start confirmed is remembered"
_CONFIRMS = "one block confirms nothing"
_JUMP = "a supply moves by the bound at most"

STATES: tuple[Mutant, ...] = (
    # Mint and redeem
    one(
        "mint-while-suspended",
        "no mint while a component is suspended",
        TOKEN,
        "require(!word.suspended(), ComponentSuspended(word.token()));",
        "",
    ),
    one("mint-pays-what-is-written-off", _PREVIEWS, TOKEN, "return word.writtenOff();\n    }", "return false;\n    }"),
    one(
        "redeem-pays-what-is-written-off",
        _ASKS,
        TOKEN,
        "uint256 amount = word.writtenOff() ? 0 : ProRata.down",
        "uint256 amount = ProRata.down",
    ),
    one(
        "redeem-without-a-limit",
        "a least amount holds",
        TOKEN,
        "if ((skip >> i) & 1 != 0) continue;",
        "if ((skip >> i) & 1 != 0 || word.writtenOff()) continue;",
    ),
    one(
        "redeem-skips-what-is-suspended",
        _SKIPS,
        TOKEN,
        "if ((skip >> i) & 1 != 0) continue;",
        "if ((skip >> i) & 1 != 0 || word.inactive()) continue;",
    ),
    one(
        "redeem-skips-what-is-unsound",
        _SKIPS,
        TOKEN,
        "uint256 amount = word.writtenOff() ? 0 : ProRata.down(Balance.read(token, address(this)), shares, supply);",
        "(, uint256 amount) = Balance.tryRead(token, address(this)); amount = ProRata.down(amount, shares, supply);",
    ),
    one(
        "previews-of-suspended",
        _PREVIEWS,
        TOKEN,
        "if (!sound || (up && list[i].suspended())) blocked |= 1 << i;",
        "if (!sound) blocked |= 1 << i;",
    ),
    one(
        "previews-need-balances",
        _OTHERS,
        TOKEN,
        "(bool sound, uint256 balance) = Balance.tryRead(tokens[i], address(this));",
        "(bool sound, uint256 balance) = (true, Balance.read(tokens[i], address(this)));",
    ),
    # Balances
    one("balances-burn-all-gas", _DUE, BALANCE, "staticcall(MOST_GAS, token", "staticcall(gas(), token"),
    one(
        "balances-of-any-size",
        _PREVIEWS,
        BALANCE,
        "sound := and(sound, iszero(shr(most, amount)))",
        "sound := and(sound, 1)",
    ),
    one(
        "balances-of-any-length",
        _PREVIEWS,
        BALANCE,
        "sound := and(gt(returndatasize(), 31), staticcall(MOST_GAS",
        "sound := and(1, staticcall(MOST_GAS",
    ),
    one(
        "lens-needs-balances",
        _OTHERS,
        LENS,
        "(bool sound, uint256 balance) = Balance.tryRead(c.token, address(index));",
        "(bool sound, uint256 balance) = (true, Balance.read(c.token, address(index)));",
    ),
    # List
    one(
        "written-off-listed-again",
        _AGAIN,
        PLAN_MERGE,
        "Component(token, decimals, 0, index.writtenOff(token))",
        "Component(token, decimals, 0, false)",
    ),
    one(
        "written-off-forgiven-while-held",
        _AGAIN,
        PLAN_MEASURE,
        "if (d.isNewcomer(i) && r.sound && r.balance == 0) d.list[i]",
        "if (d.isNewcomer(i) && r.sound) d.list[i]",
    ),
    one("written-off-forgotten", _AGAIN, TOKEN, "if (writtenOff_) writtenOff[token] = true;", ""),
    one(
        "written-off-stays",
        "what is written off goes off the list",
        PLAN_MEASURE,
        "if (word.writtenOff()) return 0;",
        "if (word.writtenOff()) return PlanDrafts.STAYS;",
    ),
    one("suspended-dropped", _LASTS, PLAN_MEASURE, "if (word.suspended()) return PlanDrafts.STAYS;", ""),
    one(
        "suspended-weighed",
        "no trade of what is not sound",
        PLAN_MEASURE,
        "|| basis + 1 < 2 || word.marked()) {",
        "|| basis + 1 < 2) {",
    ),
    one(
        "suspended-in-nav",
        "NAV of what is sound",
        PLAN_MEASURE,
        "return (r.sound ? r.unit : 0, 0, 0);",
        "return (r.sound ? r.unit : 0, 0, r.sound ? r.value : 0);",
    ),
    one(
        "start-needs-balances",
        _OTHERS,
        PLAN_MEASURE,
        "(bool sound, uint256 balance) = Balance.tryRead(word.token(), address(index));",
        "(bool sound, uint256 balance) = (true, Balance.read(word.token(), address(index)));",
    ),
    # Dropping
    one(
        "dropped-without-a-price",
        _DROPPED,
        PLAN_MEASURE,
        "if (!outside || !r.sound || r.price == 0) return PlanDrafts.STAYS;",
        "if (!outside || !r.sound) return PlanDrafts.STAYS;",
    ),
    one(
        "dropped-by-unit",
        _DROPPED,
        PLAN_MEASURE,
        "if (r.sound && r.balance == 0) return 0;",
        "if (r.sound && r.unit == 0) return 0;",
    ),
    one(
        "dropped-above-dust",
        "only dust is dropped",
        OPENER,
        "d.dropBudget = d.nav * maxDrop / 1e18;",
        "d.dropBudget = d.nav * maxDrop / 1e17;",
    ),
    one(
        "dropped-at-the-lower-price",
        "only dust is dropped",
        PLAN_MEASURE,
        "Math.max(r.price, before)",
        "Math.min(r.price, before)",
    ),
    one(
        "dust-stays",
        "dust goes off the list",
        PLAN_CHOICE,
        "if (d.dropCosts[i] > d.dropBudget) continue;",
        "if (d.dropCosts[i] > d.dropBudget / 4) continue;",
    ),
    # Out of an open month
    one("suspended-in-trading", _WITHOUT, REBALANCER, "if (_month.phase == Phase.Trading) _takeOut(token);", ""),
    one(
        "surplus-of-what-is-out",
        _WITHOUT,
        REBALANCER,
        "(_progress.surplus, _progress.held) = (left.surplus, left.held);",
        "_progress.held = left.held;",
    ),
    one(
        "targets-of-what-is-out",
        _WITHOUT,
        REBALANCER,
        "(_opening.targets, _opening.buyTargets) = (targets, left.buyTargets);",
        "_opening.targets = targets;",
    ),
    one("traded-when-out", _WITHOUT, REMAINING, "r.targets = _hold(targets, gone);", "r.targets = targets;"),
    one(
        "out-needs-balances",
        "a bad token can be suspended",
        REMAINING,
        "(bool sound, uint256 balance) = Balance.tryRead(word.token(), address(index));",
        "(bool sound, uint256 balance) = (true, Balance.read(word.token(), address(index)));",
    ),
    one(
        "open-with-nothing-left",
        "a month with nothing else left ends",
        REBALANCER,
        "if (_done(left.surplus, left.held, left.buyTargets, _bounded.dust)) _close();",
        "",
    ),
    # Brakes
    one(
        "guardian-stops-on",
        "the guardian stops no two periods running",
        REBALANCER,
        "require(uint256(_month.lastStop) + 1 < period, StoppedBefore(_month.lastStop));",
        "",
    ),
    one("owner-stops-count", _ENDED, REBALANCER, "if (msg.sender == owner()) return;", ""),
    one(
        "no-end-while-paused",
        _ENDED,
        REBALANCER,
        "require(_month.phase == Phase.Trading, NothingToEnd());",
        "require(_month.phase == Phase.Trading && block.timestamp >= _bounded.pausedUntil, NothingToEnd());",
    ),
    one(
        "no-end-after-the-period",
        _ENDED,
        REBALANCER,
        "require(_month.phase == Phase.Trading, NothingToEnd());",
        "require(_month.phase == Phase.Trading && block.timestamp <= _opening.end, NothingToEnd());",
    ),
    one(
        "pause-without-end",
        _PAUSE,
        REBALANCER,
        "require(duration != 0 && duration <= MAX_PAUSE - used, PauseOutOfBounds(duration, MAX_PAUSE - used));",
        "",
    ),
    one(
        "pause-again-soon",
        _PAUSE,
        REBALANCER,
        "return block.timestamp >= _guard.pausedAt + WINDOW ? 0 : _guard.pauseUsed;",
        "return block.timestamp >= _guard.pausedAt + WINDOW / 2 ? 0 : _guard.pauseUsed;",
    ),
    one(
        "pauses-not-added",
        _PAUSE,
        REBALANCER,
        "(_guard.pausedAt, _guard.pauseUsed) = (uint40(block.timestamp), uint24(used + duration));",
        "(_guard.pausedAt, _guard.pauseUsed) = (uint40(block.timestamp), uint24(duration));",
    ),
    one(
        "suspended-for-long",
        _STATE,
        REBALANCER,
        "until = uint40(block.timestamp + SUSPENSION);",
        "until = uint40(block.timestamp + 2 * SUSPENSION);",
    ),
    one(
        "suspended-again-soon",
        "suspensions: bounds",
        REBALANCER,
        "require(last == 0 || block.timestamp >= last + WINDOW, SuspendedBefore(token, last + WINDOW));",
        "",
    ),
    one(
        "written-off-at-once",
        _ONLY,
        REBALANCER,
        "require(block.timestamp < _suspendedUntil(token), NotSuspended(token));\n"
        "        INDEX.setState(token, 0, true);",
        "_suspendedUntil(token);\n        INDEX.setState(token, 0, true);",
    ),
    one(
        "resumed-though-written-off",
        _ONLY,
        REBALANCER,
        "require(!list[i].writtenOff, IIndexToken.WrittenOff(token));",
        "if (list[i].writtenOff) return UNTIL_ENDED;",
    ),
    one("no-least-notice", "notice before start", BOUNDS, "MIN_NOTICE = 1 days;", "MIN_NOTICE = 0;"),
    # What is known
    one(
        "not-void",
        "what was determined is void",
        REBALANCER,
        "if (_month.phase == Phase.Determined) _month.phase = Phase.Voided;",
        "",
    ),
    one(
        "forgotten-by-a-new-methodology",
        _REMEMBERED,
        REBALANCER,
        "if (basis == 0 || basis != _basisOf(before)) _month.determination = address(0);",
        "_month.determination = basis == 0 ? _month.determination : address(0);",
        MARKET,
    ),
    one(
        "determined-counts-as-confirmed",
        _REMEMBERED,
        DETERMINATION,
        "list[i].basis = list[i].confirmed;",
        "",
        MARKET,
    ),
    one(
        "member-by-determination",
        _REMEMBERED,
        DETERMINATION,
        "list[i].status = list[i].member ? Status.Included : Status.Outside;",
        "",
        MARKET,
    ),
    one(
        "confirmation-thrown-away",
        _CONFIRMS,
        REBALANCER,
        "if (p.confirmed.length != 0) _month.determination = Words.write(p.confirmed);",
        "",
        MARKET,
    ),
    one(
        "the-later-reading-counts",
        _CONFIRMS,
        CIRCULATING,
        "if (known != 0) return basis.dist(known) < was.dist(known);",
        "if (known != 0) return basis != was;",
        MARKET,
    ),
    one(
        "jump-twice",
        _JUMP,
        CIRCULATING,
        "uint256 bound = known * maxJump / ONE;",
        "uint256 bound = 2 * known * maxJump / ONE;",
        MARKET,
    ),
    one(
        "newcomer-at-once",
        "a newcomer waits for a month to confirm it",
        CIRCULATING,
        "date == block.timestamp ? Flags.UNCONFIRMED : 0",
        "date > block.timestamp ? Flags.UNCONFIRMED : 0",
        MARKET,
    ),
    one(
        "chosen-by-this-block",
        "one block does not choose",
        CIRCULATING,
        "return member || known < basis ? known : basis;",
        "return basis;",
        MARKET,
    ),
    one(
        "bought-though-taken-out",
        "what was taken out since is not bought",
        MARKET_CAP,
        "uint256 status = Choice.atStart(state, Constituents.status(r.more), Constituents.flags(was));",
        "uint256 status = uint256(Constituents.status(r.more)) + 0 * state;",
        MARKET,
    ),
    # Solvers
    one(
        "solver-takes-anything",
        "a solver gets what it pays for",
        STOCK,
        "require(amounts[k] >= leastSells[k], TooLittleSold(sells[k], amounts[k], leastSells[k]));",
        "",
    ),
)
