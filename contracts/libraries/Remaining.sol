// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Remainder} from "../interfaces/IOpener.sol";
import {Opening, Progress, Side} from "../interfaces/IRebalancer.sol";
import {Balance} from "./Balance.sol";
import {ComponentList} from "./ComponentList.sol";
import {Domain} from "./Domain.sol";
import {Settlement} from "./Settlement.sol";
import {Targets} from "./Targets.sol";
import {Value} from "./Value.sol";
import {Words} from "./Words.sol";

/// @title Remaining
/// @notice What is left of an open month once a component has gone out of it, see `IOpener`.
/// @dev What is left is added up from the balances of the others, as that of the component that goes may not be
/// readable. A component whose balance is not sound, or too large to be traded, adds nothing on either side.
library Remaining {
    using ComponentList for uint256;
    using Targets for bytes;

    /// @dev USD (18 decimals) at the month's start prices.
    struct Sums {
        uint256 surplus;
        uint256 held;
        uint256 goal;
    }

    /// @notice The month without `token`. Each sum is rounded down; the surplus never grows.
    function without(IIndexToken index, Opening memory opening, Progress memory progress, address token)
        internal
        view
        returns (Remainder memory r)
    {
        uint256[] memory list = Words.read(index.componentsPointer());
        bytes memory targets = Targets.read(opening.targets);
        uint256 n = Math.min(list.length, targets.count());
        uint256 gone;
        while (gone < n && list[gone].token() != token) ++gone;
        if (gone == n) return r;
        (uint256 side,,) = targets.at(gone);
        if (side == uint256(Side.Held)) return r;

        uint256 shares = Settlement.startShares(index, opening.exponent);
        Sums memory sums;
        for (uint256 i; i < n; ++i) {
            if (i != gone) _add(sums, index, list[i], targets, i, shares);
        }
        r.targets = _hold(targets, gone);
        // {USD} = {USD / 1e18 share} * {share} / {1e18}
        uint256 nav = opening.nav * shares / 1e18;
        // {1e18} = {USD} * {1e18} / {USD}, down
        r.surplus = uint64(Math.min(Math.mulDiv(sums.surplus, 1e18, nav), progress.surplus));
        r.buyTargets = uint64(Math.min(Math.mulDiv(sums.goal, 1e18, nav), opening.buyTargets));
        r.held = uint64(Math.min(Math.mulDiv(sums.held, 1e18, nav), r.buyTargets));
    }

    function _add(Sums memory sums, IIndexToken index, uint256 word, bytes memory targets, uint256 i, uint256 shares)
        private
        view
    {
        (uint256 side, uint256 unit, uint256 price) = targets.at(i);
        if (side == uint256(Side.Held)) return;
        (bool sound, uint256 balance) = Balance.tryRead(word.token(), address(index));
        // {tok} = {tok / 1e18 share} * {share} / {1e18}
        uint256 goal =
            Math.mulDiv(unit, shares, 1e18, side == uint256(Side.Sell) ? Math.Rounding.Ceil : Math.Rounding.Floor);
        if (!sound || (balance | goal) >> Domain.TRADED_BITS != 0) return;
        uint256 one = Value.oneOf(word.decimals());
        if (side == uint256(Side.Sell)) {
            if (balance > goal) sums.surplus += Value.downPer(balance - goal, price, one);
        } else {
            sums.goal += Value.downPer(goal, price, one);
            sums.held += Value.downPer(Math.min(balance, goal), price, one);
        }
    }

    /// @dev The targets with one component held.
    function _hold(bytes memory targets, uint256 gone) private pure returns (bytes memory list) {
        uint256 n = targets.count();
        uint256 widest;
        for (uint256 i; i < n; ++i) {
            (, uint256 unit,) = targets.at(i);
            widest |= unit;
        }
        list = Targets.room(n, widest);
        for (uint256 i; i < n; ++i) {
            (uint256 side, uint256 unit, uint256 price) = targets.at(i);
            if (i == gone) (side, price) = (uint256(Side.Held), 0);
            list.put(i, Side(side), unit, price);
        }
    }
}
