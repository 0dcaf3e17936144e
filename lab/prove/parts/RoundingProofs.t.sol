// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ProRata} from "../../../contracts/libraries/ProRata.sol";
import {Value} from "../../../contracts/libraries/Value.sol";
import {vm} from "../Vm.sol";

/// @notice Rounding of what shares are due, and of USD values.
/// @dev A quotient q of n / d is stated by multiplication: q d <= n and n - q d < d.
contract RoundingProofs {
    /* PRO RATA */

    function check_proRataDown(uint128 amount, uint128 shares, uint128 supply) external pure {
        vm.assume(supply != 0);
        _isDown(ProRata.down(amount, shares, supply), uint256(amount) * shares, supply);
    }

    function check_proRataUp(uint128 amount, uint128 shares, uint128 supply) external pure {
        vm.assume(supply != 0);
        _isUp(ProRata.up(amount, shares, supply), uint256(amount) * shares, supply);
    }

    function check_proRataApart(uint128 amount, uint128 shares, uint128 supply) external pure {
        vm.assume(supply != 0);
        (uint256 up, uint256 down) = (ProRata.up(amount, shares, supply), ProRata.down(amount, shares, supply));
        assert(up >= down && up - down <= 1);
    }

    function check_proRataAtMostAll(uint128 amount, uint128 shares, uint128 supply) external pure {
        vm.assume(supply != 0 && shares <= supply);
        assert(ProRata.down(amount, shares, supply) <= amount);
    }

    function check_proRataInTwo(uint96 amount, uint96 a, uint96 b, uint96 supply) external pure {
        vm.assume(supply != 0);
        uint256 whole = ProRata.up(amount, uint256(a) + b, supply);
        assert(ProRata.up(amount, a, supply) + ProRata.up(amount, b, supply) >= whole);
    }

    function check_proRataDownInTwo(uint96 amount, uint96 a, uint96 b, uint96 supply) external pure {
        vm.assume(supply != 0);
        uint256 whole = ProRata.down(amount, uint256(a) + b, supply);
        assert(ProRata.down(amount, a, supply) + ProRata.down(amount, b, supply) <= whole);
    }

    function check_proRataOutAndIn(uint96 balance, uint80 shares, uint80 supply) external pure {
        vm.assume(shares < supply);
        uint256 paid = ProRata.down(balance, shares, supply);
        vm.assume(paid <= balance);
        assert(ProRata.up(balance - paid, shares, supply - shares) >= paid);
    }

    function check_proRataInAndOut(uint80 balance, uint80 shares, uint80 supply) external pure {
        vm.assume(supply != 0);
        uint256 asked = ProRata.up(balance, shares, supply);
        uint256 after_ = uint256(supply) + shares;
        uint256 paid = ProRata.down(balance + asked, shares, after_);
        unchecked {
            assert(paid * after_ <= asked * after_); // below 2^242: paid <= asked
        }
    }

    /* VALUES */

    function check_oneOf() external pure {
        uint256 power = 1;
        for (uint256 decimals; decimals <= 77; ++decimals) {
            assert(Value.oneOf(decimals) == power);
            if (decimals != 77) power *= 10;
        }
    }

    function check_valueDown(uint128 amount, uint128 price) external pure {
        uint8[5] memory all = [0, 6, 8, 18, 27];
        for (uint256 i; i < all.length; ++i) {
            _isDown(Value.down(amount, price, all[i]), uint256(amount) * price, 10 ** uint256(all[i]));
        }
    }

    function check_valueDownPer(uint128 amount, uint128 price, uint96 one) external pure {
        vm.assume(one != 0);
        _isDown(Value.downPer(amount, price, one), uint256(amount) * price, one);
    }

    function check_valueUpPer(uint128 amount, uint128 price, uint96 one) external pure {
        vm.assume(one != 0);
        _isUp(Value.upPer(amount, price, one), uint256(amount) * price, one);
    }

    function check_valueApart(uint128 amount, uint128 price, uint96 one) external pure {
        vm.assume(one != 0);
        (uint256 up, uint256 down) = (Value.upPer(amount, price, one), Value.downPer(amount, price, one));
        assert(up >= down && up - down <= 1);
    }

    /* WHAT IT MEANS */

    function _isDown(uint256 quotient, uint256 n, uint256 d) private pure {
        unchecked {
            uint256 back = quotient * d;
            assert(back <= n && n - back < d);
        }
    }

    function _isUp(uint256 quotient, uint256 n, uint256 d) private pure {
        unchecked {
            uint256 back = quotient * d;
            assert(back >= n && back - n < d);
        }
    }
}
