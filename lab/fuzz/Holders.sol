// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Side} from "../../contracts/interfaces/IRebalancer.sol";
import {Component} from "../../contracts/libraries/ComponentList.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Openings} from "./Openings.sol";
import {vm} from "./Vm.sol";
import {FuzzToken, Lie} from "./parts/FuzzToken.sol";

/// @title Holders
/// @notice What holders and strangers do: mint, redeem, transfer, give, collect the fee.
abstract contract Holders is Openings {
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

    /* MINT */

    uint256 private constant NONE = type(uint256).max;

    /// @dev Hash of the amounts that the last callback was asked for.
    bytes32 private _asked;
    /// @dev A callback came into the fund.
    bool private _entered;

    function _mintPlainly(address who, uint256 shares) private returns (bool, bytes memory) {
        (address[] memory list, uint256[] memory most,) = _list();
        vm.prank(who);
        return address(index).call{gas: GAS}(abi.encodeCall(index.mint, (shares, who, list, most)));
    }

    /// @param short Place of the component of which a wei too little is paid.
    function _mintWith(address who, uint256 shares, uint256 short) private returns (bool, bytes memory) {
        bytes memory data = abi.encode(who, short);
        return address(index).call{gas: GAS}(abi.encodeCall(index.mintWith, (shares, who, data)));
    }

    /// @notice The fund asks to be paid: by whom, the data say. Nobody gets into it meanwhile.
    function onMint(address[] calldata list, uint256[] calldata amounts, bytes calldata data) external {
        (address who, uint256 short) = abi.decode(data, (address, uint256));
        _asked = keccak256(abi.encode(amounts));
        (bool entered,) = address(index).call{gas: GAS}(abi.encodeCall(index.collectFee, ()));
        if (entered) _entered = true;
        for (uint256 i; i < list.length; ++i) {
            uint256 amount = i == short ? amounts[i] - 1 : amounts[i];
            if (amount == 0) continue;
            vm.prank(who);
            FuzzToken(list[i]).transfer(address(index), amount);
        }
    }

    /// @notice Who pays a wei too little of one component in the callback gets nothing.
    function mintShort(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        (address who, uint256 shares) = (holder(d.below(HOLDERS)), d.amount(1e22));
        (address[] memory list, uint256[] memory amounts,) = _preview(shares, true);
        uint256 short = d.below(list.length);
        if (amounts[short] == 0 || _liars() != 0) return _discard();
        _dealFor(who, shares, _look());
        (bool made,) = _mintWith(who, shares, short);
        _hold(!made, "nothing minted for nothing");
    }

    /// @dev What stands in the way of a mint. `refusing`: it must be refused. `unsure`: a balance that no fund holds.
    /// `exempt`: who mints does not pay them, or not what is due, as bits.
    struct Way {
        bool suspended;
        bool refusing;
        bool unsure;
        uint256 exempt;
    }

    /// @dev Deals `who` what a mint takes, and looks whether it can be.
    function _dealFor(address who, uint256 shares, Seen memory a) private returns (Way memory way) {
        for (uint256 i; i < N; ++i) {
            uint256 says = _says(i, a.balance[i]);
            tokens[i].deal(who, _up(says, shares, a.supply) + 1);
            if (!_listed(i) || writtenOff[i] || _lying(i)) way.exempt |= 1 << i;
            if (!_listed(i) || writtenOff[i]) continue;
            way.suspended = way.suspended || _suspended(i);
            // Who has enough of a token may pay a few shares' part even of 2**160.
            way.unsure = way.unsure || _vast(i);
            way.refusing = way.refusing || _suspended(i) || (stuck[i] && says != 0);
            way.refusing = way.refusing || (_unsound(i) && !_vast(i));
        }
    }

    /// @dev Mints for `who`, who has what it takes, or for an odd number of shares has it paid in the callback. False
    /// where it is refused: while a component is suspended, or where one is stuck or says nothing sound. It takes what
    /// the preview says.
    function _mintFor(address who, uint256 shares) internal returns (bool) {
        Seen memory a = _look();
        Way memory way = _dealFor(who, shares, a);
        (, uint256[] memory previewed, uint256 blocked) = _preview(shares, true);
        // What says the same after it was paid has not been paid, for all that the fund can see.
        bool unsure = way.unsure || (shares & 1 != 0 && _liars() != 0);
        (bool made, bytes memory answer) = shares & 1 == 0 ? _mintPlainly(who, shares) : _mintWith(who, shares, NONE);
        if (!made) {
            _hold(way.refusing || unsure, "mint always works");
            _noPanic(answer);
            return false;
        }
        _hold(!way.suspended, "no mint while a component is suspended");
        _hold(!way.refusing, "stuck");
        _hold(!_entered, "the lock holds");
        if (shares & 1 == 0) _asked = keccak256(abi.encode(abi.decode(answer, (uint256[]))));
        bool same = _asked == keccak256(abi.encode(previewed));
        _hold(way.unsure || (blocked == 0 && same), "previews say what happens");
        Seen memory b = _look();
        _hold(b.supply == a.supply + shares && b.minted == a.minted + shares, "nothing minted for nothing");
        for (uint256 i; i < N; ++i) {
            if ((way.exempt >> i) & 1 == 0) {
                uint256 paid = b.balance[i] - a.balance[i];
                _hold(paid * a.supply >= shares * a.balance[i], "nothing minted for nothing");
            } else if (writtenOff[i] || (everWrittenOff[i] && !_listed(i))) {
                _hold(b.balance[i] == a.balance[i], "what redeem pays mint asks for");
                leftOut[i] = a.balance[i] != 0;
            } else if (_listed(i)) {
                misled = true;
            }
        }
        _unitsKept(a, b, way.exempt);
        _countRounding(a, b);
        return true;
    }

    /// @dev The preview of a mint or a redemption, which answers whatever tokens do; and what it says must be skipped.
    function _preview(uint256 shares, bool up)
        internal
        view
        returns (address[] memory list, uint256[] memory amounts, uint256 blocked)
    {
        if (up) {
            try index.previewMint{gas: GAS}(shares) returns (address[] memory l, uint256[] memory m, uint256 b) {
                (list, amounts, blocked) = (l, m, b);
            } catch {
                _hold(false, "one bad token does not stop the others");
            }
        } else {
            try index.previewRedeem{gas: GAS}(shares) returns (address[] memory l, uint256[] memory m, uint256 b) {
                (list, amounts, blocked) = (l, m, b);
            } catch {
                _hold(false, "one bad token does not stop the others");
            }
        }
        uint256 expected;
        for (uint256 i; i < N; ++i) {
            if (!_listed(i) || writtenOff[i]) continue;
            if (_unsound(i) || (up && _suspended(i))) expected |= 1 << position[i];
        }
        _hold(blocked == expected, "previews say what happens");
    }

    /* REDEEM */

    /// @dev What a redeemer has to skip: what does not move, and what cannot be paid. As bits of the list.
    function _toSkip(uint256 shares) private view returns (uint256 skip) {
        uint256 supply = index.totalSupply();
        for (uint256 i; i < N; ++i) {
            if (!_listed(i) || writtenOff[i]) continue;
            bool tooMuch = _plausible(i) && _said(i) * shares / supply > _held(i);
            if (stuck[i] || !_plausible(i) || tooMuch) skip |= 1 << position[i];
        }
    }

    /// @dev Redeems for `who`, skipping what cannot be paid. It must work, whatever state the fund is in.
    function _redeemFor(address who, uint256 shares) internal {
        uint256 skip = _toSkip(shares);
        (address[] memory list,, uint256[] memory least) = _list();
        Seen memory a = _look();
        (, uint256[] memory previewed,) = _preview(shares, false);
        if (skip != 0) _neverSkipped(who, shares, a);
        _leastHolds(who, shares, skip);
        (address[] memory recipients, uint256[] memory had) = _recipients(list);
        if (shares & 1 == 0) {
            vm.prank(who);
            try index.redeem{gas: GAS}(shares, who, list, least, skip) {}
            catch {
                _hold(false, "redeem always works");
            }
        } else {
            _redeemTo(who, shares, list, least, recipients, skip);
        }
        Seen memory b = _look();
        _countRounding(a, b);
        _hold(b.supply == a.supply - shares && b.minted == a.minted - shares, "redeem burns what it pays");
        uint256 lied;
        for (uint256 i; i < N; ++i) {
            uint256 paid = a.balance[i] - b.balance[i];
            if (_lying(i)) lied |= 1 << i;
            _hold(paid == 0 || !(leftOut[i] || writtenOff[i]), "what redeem pays mint asks for");
            if (!_listed(i) || writtenOff[i] || (skip >> position[i]) & 1 != 0) {
                _hold(paid == 0, "redeem pays a share's part");
                // What a redeemer leaves behind is a gift to the others.
                if (side[i] == Side.Buy) given = true;
                continue;
            }
            uint256 says = _says(i, a.balance[i]);
            _hold(paid != 0 || shares * says < a.supply, "redeem never skips by itself");
            _hold((paid + 1) * a.supply > shares * says, "redeem pays a share's part");
            _hold(paid == previewed[position[i]], "previews say what happens");
            if (shares & 1 != 0) {
                uint256 k = position[i];
                _hold(tokens[i].held(recipients[k]) - had[k] == paid, "each recipient is paid its component");
            }
            if (_lying(i)) (misled, given) = (true, true);
        }
        _unitsKept(a, b, lied);
        _locked();
    }

    /// @dev One for each component, and what each has of it.
    function _recipients(address[] memory list)
        private
        view
        returns (address[] memory recipients, uint256[] memory had)
    {
        (recipients, had) = (new address[](list.length), new uint256[](list.length));
        for (uint256 k; k < list.length; ++k) {
            recipients[k] = address(uint160(0xb000 + k));
            had[k] = FuzzToken(list[k]).held(recipients[k]);
        }
    }

    /// @dev This contract redeems shares of `who`, which takes an allowance, and sends each component elsewhere.
    function _redeemTo(
        address who,
        uint256 shares,
        address[] memory list,
        uint256[] memory least,
        address[] memory recipients,
        uint256 skip
    ) private {
        bytes memory call = abi.encodeCall(index.redeemTo, (shares, who, list, least, recipients, skip));
        (bool made,) = address(index).call{gas: GAS}(call);
        _hold(!made, "nobody redeems what is another's");
        vm.prank(who);
        index.approve(address(this), shares);
        (made,) = address(index).call{gas: GAS}(call);
        _hold(made, "redeem always works");
        _hold(index.allowance(who, address(this)) == 0, "nobody redeems what is another's");
    }

    /// @dev Who asks for something of what is written off gets nothing at all.
    function _leastHolds(address who, uint256 shares, uint256 skip) private {
        (address[] memory list,, uint256[] memory least) = _list();
        bool asks;
        for (uint256 i; i < N; ++i) {
            if (_listed(i) && writtenOff[i]) (asks, least[position[i]]) = (true, 1);
        }
        if (!asks) return;
        vm.prank(who);
        (bool made,) = address(index).call{gas: GAS}(abi.encodeCall(index.redeem, (shares, who, list, least, skip)));
        _hold(!made, "a least amount holds");
    }

    /// @dev Who skips nothing is not paid less: where something cannot be paid, all of it is refused.
    function _neverSkipped(address who, uint256 shares, Seen memory a) private {
        bool due;
        for (uint256 i; i < N; ++i) {
            if (!_listed(i) || writtenOff[i]) continue;
            uint256 part = _says(i, a.balance[i]) * shares / a.supply;
            due = due || (_unsound(i) && !_vast(i)) || (stuck[i] && part != 0) || part > a.balance[i];
        }
        (address[] memory list,, uint256[] memory least) = _list();
        if (!due) return;
        vm.prank(who);
        (bool made,) = address(index).call{gas: GAS}(abi.encodeCall(index.redeem, (shares, who, list, least, 0)));
        _hold(!made, "redeem never skips by itself");
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

    /// @notice Mints twice and redeems all of it at once, while tokens stop, lie and recover and guardian and owner do
    /// what they can: nobody is a wei richer by it. Not counted is a token that lied, at the mint or at the redemption.
    function roundTrip(uint256 seed) external {
        Draw memory d = Drawing.from(seed);
        (uint256 first, uint256 second) = (d.amount(1e22), d.amount(1e22));
        address who = holder(0);
        uint256 lied = _liars();
        uint256[N] memory had;
        for (uint256 i; i < N; ++i) {
            had[i] = tokens[i].held(who) + _up(_said(i), first, index.totalSupply()) + 1;
        }
        if (d.below(4) == 0) _happen(d);
        lied |= _liars();
        if (!_mintFor(who, first)) return _discard();
        if (d.below(4) == 0) _happen(d);
        lied |= _liars();
        for (uint256 i; i < N; ++i) {
            had[i] += _up(_said(i), second, index.totalSupply()) + 1;
        }
        if (!_mintFor(who, second)) return _discard();
        for (uint256 k = d.below(4); k > 0; --k) {
            _happen(d);
        }
        lied |= _liars();
        _redeemFor(who, first + second);
        for (uint256 i; i < N; ++i) {
            bool counts = (lied >> i) & 1 == 0;
            _hold(!counts || tokens[i].held(who) <= had[i], "no order of states gains");
        }
    }

    /// @dev Tokens that lie, as bits.
    function _liars() private view returns (uint256 bits) {
        for (uint256 i; i < N; ++i) {
            if (_lying(i)) bits |= 1 << i;
        }
    }

    /// @dev A token stops, lies or recovers, or guardian or owner decides about one.
    function _happen(Draw memory d) internal virtual;

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
        // Up to a thousandth of what is there; sometimes as much again, or about as much as a start may drop.
        uint256 most = d.below(32) == 0 ? a.balance[i] : a.balance[i] / 1000;
        if (d.below(4) == 0) most = 2 * navOfShare * MAX_DROP / ONE * a.supply / ONE * one[i] / lastPrice[i];
        tokens[i].deal(address(index), d.amount(most + 1));
        if (side[i] == Side.Buy) given = true;
        Seen memory b = _look();
        _supplyKept(a, b);
        _unitsKept(a, b, 0);
    }

    /// @notice What keeper and page ask for is answered, whatever tokens do.
    function lookOn(uint256 seed) external view {
        uint256 shares = Drawing.from(seed).amount(1e22);
        _preview(shares, true);
        _preview(shares, false);
        (bool answered,) = lens.staticcall{gas: 4 * GAS}(abi.encodeWithSignature("fund(address)", rebalancer));
        _hold(answered, "one bad token does not stop the others");
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
