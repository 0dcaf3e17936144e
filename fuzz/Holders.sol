// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Side} from "../contracts/interfaces/IRebalancer.sol";
import {Component} from "../contracts/libraries/ComponentList.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Ghost} from "./Ghost.sol";
import {vm} from "./Vm.sol";

/// @title Holders
/// @notice What holders and strangers do: mint, redeem, transfer, give, collect the fee.
abstract contract Holders is Ghost {
    using Drawing for Draw;

    /// @dev The list as a caller names it.
    function _list() internal view returns (address[] memory list, uint256[] memory most, uint256[] memory least) {
        Component[] memory components = index.components();
        list = new address[](components.length);
        (most, least) = (new uint256[](list.length), new uint256[](list.length));
        for (uint256 i; i < list.length; ++i) {
            (list[i], most[i]) = (components[i].token, type(uint256).max);
        }
    }

    /// @dev Mints for `who`, who has what it takes. False where it is refused: a stuck component that is not retired.
    function _mintFor(address who, uint256 shares) internal returns (bool) {
        (address[] memory list, uint256[] memory most,) = _list();
        Seen memory a = _look();
        uint256 refusing;
        uint256 exempt;
        for (uint256 i; i < N; ++i) {
            tokens[i].deal(who, _up(a.balance[i], shares, a.supply) + 1);
            if (retired[i] || position[i] == N) exempt |= 1 << i;
            else if (stuck[i] && a.balance[i] != 0) refusing |= 1 << i;
        }
        vm.prank(who);
        try index.mint(shares, who, list, most) {
            _hold(refusing == 0, "stuck");
        } catch (bytes memory reason) {
            _hold(refusing != 0, "mint always works");
            _hold(bytes4(reason) != bytes4(0x4e487b71), "no panic");
            return false;
        }
        Seen memory b = _look();
        _hold(b.supply == a.supply + shares && b.minted == a.minted + shares, "nothing minted for nothing");
        for (uint256 i; i < N; ++i) {
            if ((exempt >> i) & 1 != 0) continue;
            uint256 paid = b.balance[i] - a.balance[i];
            _hold(paid * a.supply >= shares * a.balance[i], "nothing minted for nothing");
        }
        _unitsKept(a, b, exempt);
        _countRounding(a, b);
        if (exempt != 0) diluted = true;
        return true;
    }

    /// @dev Redeems for `who`, skipping what is stuck. It must work, whatever state the fund is in.
    function _redeemFor(address who, uint256 shares) internal {
        (address[] memory list,, uint256[] memory least) = _list();
        uint256 skip;
        for (uint256 i; i < N; ++i) {
            if (!stuck[i] || position[i] == N) continue;
            skip |= 1 << position[i];
            // What a redeemer leaves behind is a gift to the others.
            if (side[i] == Side.Buy) given = true;
        }
        Seen memory a = _look();
        vm.prank(who);
        try index.redeem(shares, who, list, least, skip) {}
        catch {
            _hold(false, "redeem always works");
        }
        Seen memory b = _look();
        _unitsKept(a, b, 0);
        _countRounding(a, b);
        _hold(b.supply == a.supply - shares && b.minted == a.minted - shares, "redeem burns what it pays");
        for (uint256 i; i < N; ++i) {
            uint256 paid = a.balance[i] - b.balance[i];
            bool due = position[i] < N && !stuck[i];
            _hold(due ? (paid + 1) * a.supply > shares * a.balance[i] : paid == 0, "redeem pays a share's part");
        }
        _locked();
    }

    /* HANDLERS */

    function mint(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        if (!_mintFor(holder(d.below(HOLDERS)), d.amount(1e22))) _discard();
    }

    function redeem(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        address who = d.below(16) == 0 ? RECIPIENT : holder(d.below(HOLDERS));
        uint256 most = index.balanceOf(who);
        if (most == 0) return _discard();
        _redeemFor(who, d.below(8) == 0 ? most : d.amount(most));
    }

    /// @notice Mints twice and redeems all of it at once: nobody is a wei richer by it.
    function roundTrip(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        (uint256 first, uint256 second) = (d.amount(1e22), d.amount(1e22));
        for (uint256 i; i < N; ++i) {
            if (retired[i] || stuck[i]) return _discard();
        }
        address who = holder(0);
        uint256[N] memory had;
        for (uint256 i; i < N; ++i) {
            had[i] = tokens[i].balanceOf(who);
            uint256 held = tokens[i].balanceOf(address(index));
            had[i] += _up(held, first, index.accruedSupply()) + 1;
        }
        _mintFor(who, first);
        for (uint256 i; i < N; ++i) {
            had[i] += _up(tokens[i].balanceOf(address(index)), second, index.accruedSupply()) + 1;
        }
        _mintFor(who, second);
        _redeemFor(who, first + second);
        for (uint256 i; i < N; ++i) {
            _hold(tokens[i].balanceOf(who) <= had[i], "nothing minted for nothing");
        }
    }

    function transfer(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        address from = holder(d.below(HOLDERS));
        address to = d.below(16) == 0 ? address(index) : holder(d.below(HOLDERS));
        uint256 most = index.balanceOf(from);
        if (most == 0) return _discard();
        uint256 amount = d.amount(most);
        if (to == address(index)) amount = _min(amount, 1e18);
        Seen memory a = _look();
        vm.prank(from);
        index.transfer(to, amount);
        Seen memory b = _look();
        _unitsKept(a, b, 0);
        _supplyKept(a, b);
        _hold(a.minted == b.minted, "nothing minted for nothing");
    }

    function donate(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        uint256 i = d.below(N);
        Seen memory a = _look();
        // Up to a thousandth of what is there; sometimes as much again.
        uint256 most = d.below(32) == 0 ? a.balance[i] : a.balance[i] / 1000;
        tokens[i].deal(address(index), d.amount(most + 1));
        if (side[i] == Side.Buy) given = true;
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
    }

    function collectFee(uint256) external {
        Seen memory a = _look();
        uint256 pending = index.pendingFee();
        uint256 had = index.balanceOf(index.feeRecipient());
        index.collectFee();
        Seen memory b = _look();
        _unitsKept(a, b, 0);
        _supplyKept(a, b);
        _hold(index.balanceOf(index.feeRecipient()) - had == pending, "the fee is not lost");
        _hold(b.minted == a.supply && index.pendingFee() == 0, "nothing minted for nothing");
    }
}
