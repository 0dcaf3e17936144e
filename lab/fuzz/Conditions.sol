// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Draw, Drawing} from "./Draw.sol";
import {Scene} from "./Scene.sol";
import {vm} from "./Vm.sol";
import {Lie} from "./parts/FuzzToken.sol";

/// @title Conditions
/// @notice In what condition each token and component is, as the harness knows it: what a token truly holds and what it
/// says, whether it moves, and what guardian and owner have decided. And what every check needs: names, discards, time.
abstract contract Conditions is Scene {
    using Drawing for Draw;

    uint256 internal constant ONE = 1e18;
    /// @dev Gas that is given to what may meet a bad token: an eighth of what a transaction may use (EIP-7825), several
    /// times what it needs, and so little that a token that burns all but a 64th of it stops it.
    uint256 internal constant GAS = 1 << 21;
    uint256 internal constant ALWAYS = type(uint40).max;

    /// @dev What every call is compared with.
    struct Seen {
        uint256 supply; // {share} accrued
        uint256 minted; // {share} held by accounts
        uint256[N] balance; // {tok} that the index token truly has
    }

    /// @dev The block's time; kept here because the optimizer takes it for constant in a call.
    uint256 internal time = block.timestamp;
    uint256 internal pausedUntil;

    /// @dev In the index token's list, N where it is not on it.
    uint256[N] internal position;
    /// @dev As the list has them. `everWrittenOff` stays when a component has gone off the list.
    uint256[N] internal suspendedUntil;
    bool[N] internal writtenOff;
    bool[N] internal everWrittenOff;
    /// @dev Somebody minted without paying this one, of which the fund holds some: no redeem may pay it.
    bool[N] internal leftOut;
    bool[N] internal stuck;
    Lie[N] internal lie;

    /* CHECKS */

    function _hold(bool holds, string memory name) internal pure {
        // forge reports the string.
        if (!holds) revert(name);
    }

    /// @dev Leaves the call: what was asked for is not possible now, or was refused rightly.
    function _discard() internal pure {
        vm.assume(false);
    }

    /// @dev As `_discard`, after a revert. No refusal may be a panic: arithmetic never ends a call.
    function _refused(bytes memory reason) internal pure {
        _noPanic(reason);
        _discard();
    }

    function _noPanic(bytes memory reason) internal pure {
        _hold(bytes4(reason) != bytes4(0x4e487b71), "no panic");
    }

    /* TOKENS */

    function _look() internal view returns (Seen memory seen) {
        seen.supply = index.totalSupply();
        seen.minted = seen.supply - index.pendingFee();
        for (uint256 i; i < N; ++i) {
            seen.balance[i] = _held(i);
        }
    }

    /// @dev What the index token truly has.
    function _held(uint256 i) internal view returns (uint256) {
        return tokens[i].held(address(index));
    }

    /// @dev What token `i` says of `held`, where that is a number that a fund could hold; else 0.
    function _says(uint256 i, uint256 held) internal view returns (uint256) {
        Lie l = lie[i];
        if (l == Lie.None) return held;
        if (l == Lie.Little) return held / 2;
        return l == Lie.Much ? 2 * held + 1 : 0;
    }

    function _said(uint256 i) internal view returns (uint256) {
        return _says(i, _held(i));
    }

    /// @dev It says a number that a fund could hold, true or not.
    function _plausible(uint256 i) internal view returns (bool) {
        return lie[i] <= Lie.Much;
    }

    /// @dev It answers nothing that the fund takes for a balance: no number, or 2**160 and more.
    function _unsound(uint256 i) internal view returns (bool) {
        return lie[i] > Lie.Absurd;
    }

    /// @dev It says a number that no fund holds: a few wei of shares have a part of it that can be paid.
    function _vast(uint256 i) internal view returns (bool) {
        return lie[i] == Lie.Absurd || lie[i] == Lie.Huge;
    }

    function _lying(uint256 i) internal view returns (bool) {
        return lie[i] != Lie.None;
    }

    /* COMPONENTS */

    function _listed(uint256 i) internal view returns (bool) {
        return position[i] < N;
    }

    function _suspended(uint256 i) internal view returns (bool) {
        return _listed(i) && time < suspendedUntil[i] && !writtenOff[i];
    }

    function _inactive(uint256 i) internal view returns (bool) {
        return _suspended(i) || writtenOff[i];
    }

    /// @dev Components that are suspended or written off.
    function _aside() internal view returns (uint256 n) {
        for (uint256 i; i < N; ++i) {
            if (_inactive(i)) ++n;
        }
    }

    /// @dev Any one, one time in two the first that is suspended, if any.
    function _oneOf(Draw memory d) internal view returns (uint256) {
        uint256 any = d.below(2 * N);
        for (uint256 i; i < N && any % 2 == 0; ++i) {
            if (_suspended(i)) return i;
        }
        return any / 2;
    }

    /* ARITHMETIC */

    function _up(uint256 a, uint256 b, uint256 c) internal pure returns (uint256) {
        return (a * b + c - 1) / c;
    }

    function _min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }
}
