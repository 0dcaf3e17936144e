// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Limits, Progress, Result, Side} from "../../../contracts/interfaces/IRebalancer.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";

/// @notice A component of the fund. `unit`: of its target. `startPrice`: as the month keeps it. `soldAt`, `boughtAt`:
/// what a whole token counts for now, as a sell and as a buy.
struct Part {
    FuzzToken token;
    uint256 decimals;
    Side side;
    uint256 unit;
    uint256 startPrice;
    uint256 soldAt;
    uint256 boughtAt;
}

/// @notice A month as it stands before a batch. `nav`: of the fund, USD. `shares`: in shares of the start.
struct Standing {
    uint256 shares;
    uint256 nav;
    uint256 buyTargets;
    Limits limits;
    Progress was;
}

/// @notice What a batch comes to: its value as a share of NAV, what the bucket gives, the least that has to come in.
struct Outcome {
    Result result;
    Progress next;
    uint256 value;
    uint256 capacity;
    uint256 least;
}

/// @notice What changed hands of each part of the fund: `before`: its balances; `sold`: what left; `got`: what came of
/// what the batch buys.
struct Moved {
    uint256[] before;
    uint256[] sold;
    uint256[] got;
}

/// @title Model
/// @notice The rules of a batch as `IRebalancer` has them, in plain arithmetic.
library Model {
    uint256 private constant ONE = 1e18;
    uint256 private constant SECOND = 16_777_216;

    /// @notice A start price as the month keeps it: its leading bits, 25 at most, cut in steps of four.
    function kept(uint256 price) internal pure returns (uint256 mantissa, uint256 steps) {
        mantissa = price;
        while (mantissa >= 33_554_432) (mantissa, steps) = (mantissa / 16, steps + 1);
    }

    /// @notice Balance at which a part is at its target.
    function goal(Part memory part, uint256 shares) internal pure returns (uint256) {
        uint256 product = part.unit * shares;
        return part.side == Side.Sell ? _up(product, ONE) : product / ONE;
    }

    function settle(Part[] memory parts, Standing memory s, Moved memory m) internal view returns (Outcome memory o) {
        uint256 share = _sells(parts, s, m, o);
        o.next.surplus = s.was.surplus > share ? uint64(s.was.surplus - share) : 0;
        _buys(parts, s, m, o);
        o.value = _up(o.result.valueOut * ONE, s.nav);
        _pace(s, share, o);
        uint256 loss = o.result.valueOut > o.result.valueIn ? o.result.valueOut - o.result.valueIn : 0;
        o.next.spent = uint64(s.was.spent + _up(loss * ONE, s.nav));
        o.least = _up(o.result.valueOut * uint256(1e18 - o.result.tolerance), ONE);
    }

    /// @dev Value that went out; returns it at start prices as a share of NAV.
    function _sells(Part[] memory parts, Standing memory s, Moved memory m, Outcome memory o)
        private
        pure
        returns (uint256)
    {
        uint256 atStart;
        for (uint256 i; i < parts.length; ++i) {
            uint256 one = 10 ** parts[i].decimals;
            o.result.valueOut += _up(m.sold[i] * parts[i].soldAt, one);
            atStart += m.sold[i] * parts[i].startPrice / one;
        }
        return atStart * ONE / s.nav;
    }

    /// @dev Value that came in, up to the part of each target that all can attain.
    function _buys(Part[] memory parts, Standing memory s, Moved memory m, Outcome memory o) private pure {
        uint256[] memory counted = new uint256[](parts.length);
        uint256 atStart;
        for (uint256 i; i < parts.length; ++i) {
            if (parts[i].side != Side.Buy) continue;
            counted[i] = _min(m.got[i], _less(goal(parts[i], s.shares), m.before[i]));
            atStart += counted[i] * parts[i].startPrice / 10 ** parts[i].decimals;
        }
        uint256 mayLose = _min(
            uint256(o.next.surplus) * uint256(int256(s.limits.lastTolerance)) / ONE,
            _less(s.limits.lossBudget, s.was.spent)
        );
        uint256 lambda = s.was.held + atStart * ONE / s.nav + o.next.surplus - mayLose;
        lambda = _min(lambda * ONE / s.buyTargets, ONE);
        atStart = 0;
        for (uint256 i; i < parts.length; ++i) {
            uint256 limit = goal(parts[i], s.shares) * lambda / ONE;
            uint256 credited = _min(counted[i], _less(limit, m.before[i]));
            o.result.valueIn += credited * parts[i].boughtAt / 10 ** parts[i].decimals;
            atStart += credited * parts[i].startPrice / 10 ** parts[i].decimals;
        }
        o.result.attainable = lambda;
        o.next.held = uint64(s.was.held + atStart * ONE / s.nav);
    }

    /// @dev What the bucket gives and what it allows to lose; `share`: what is sold at start prices.
    function _pace(Standing memory s, uint256 share, Outcome memory o) private view {
        Limits memory l = s.limits;
        uint256 longest = l.maxIdle * SECOND;
        uint256 idle = _min(_less(block.timestamp * SECOND, s.was.tat), longest);
        o.capacity = _min(idle * l.batchCap / (l.coolOff * SECOND), l.batchCap);
        uint256 from = block.timestamp * SECOND - longest;
        if (s.was.tat > from) from = s.was.tat;
        o.next.tat = uint64(from + _up(o.value * l.coolOff * SECOND, l.batchCap));
        int256 opened = int256(uint256(int256(l.lastTolerance) - l.firstTolerance) * idle / longest);
        o.result.tolerance = l.firstTolerance + opened;
        if (o.result.tolerance <= 0) return;
        uint256 budget = _less(l.lossBudget, s.was.spent) * _min(share, s.was.surplus) * ONE;
        budget /= s.was.surplus * o.value;
        if (budget < uint256(o.result.tolerance)) o.result.tolerance = int256(budget);
    }

    function _up(uint256 amount, uint256 by) private pure returns (uint256) {
        return amount / by + (amount % by == 0 ? 0 : 1);
    }

    function _less(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : 0;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
