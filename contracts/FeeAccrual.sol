// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {StreamingFee} from "./libraries/StreamingFee.sol";

/// @title FeeAccrual
/// @notice What a streaming fee adds to a share's supply before it is minted. The rate is the inheritor's.
abstract contract FeeAccrual is ERC20 {
    using SafeCast for uint256;

    /// @dev What an accrual writes: time of the last one (high, {s}), exponent (88 bits, {1e18 * s}: integral of the
    /// rate over time), pending fee (96 bits, {share}: accrued, not minted).
    uint256 private _accrual;

    /// @dev The shares that accounts hold: `totalSupply()` without the pending fee.
    function _minted() internal view returns (uint256) {
        return ERC20.totalSupply();
    }

    /// @dev Pending fee shares and exponent as of this block's time, for `_minted()`. Writes nothing.
    function _accrued(uint256 rate, uint256 minted) internal view returns (uint256 pending, uint256 exponent) {
        uint256 word = _accrual;
        (pending, exponent) = (uint96(word), uint88(word >> 96));
        uint256 elapsed = block.timestamp - (word >> 184);
        if (elapsed == 0) return (pending, exponent);
        uint256 later = exponent + elapsed * rate;
        return (pending + StreamingFee.shares(minted + pending, exponent, later), later);
    }

    /// @dev `totalSupply()` and exponent as of this block's time.
    function _supplyAndExponent(uint256 rate) internal view returns (uint256 supply, uint256 exponent) {
        uint256 minted = _minted();
        (supply, exponent) = _accrued(rate, minted);
        supply += minted;
    }

    /// @dev Writes the accrual as of this block's time.
    function _writeAccrual(uint256 pending, uint256 exponent) internal {
        _accrual = (block.timestamp << 184) | (uint256(exponent.toUint88()) << 96) | pending.toUint96();
    }

    /// @dev Brings the accrual to this block's time at this rate and returns the supply.
    function _accrue(uint256 rate) internal returns (uint256) {
        uint256 minted = _minted();
        (uint256 pending, uint256 exponent) = _accrued(rate, minted);
        _writeAccrual(pending, exponent);
        return minted + pending;
    }
}
