// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

import {FeeAccrual} from "../../../contracts/FeeAccrual.sol";
import {StreamingFee} from "../../../contracts/libraries/StreamingFee.sol";
import {vm} from "../Vm.sol";

/// @dev An accrual of its own.
contract Accruing is FeeAccrual {
    constructor() ERC20("", "") {
        _writeAccrual(0, 0);
    }

    function write(uint256 pending, uint256 exponent) external {
        _writeAccrual(pending, exponent);
    }

    function accrued(uint256 rate, uint256 minted) external view returns (uint256, uint256) {
        return _accrued(rate, minted);
    }
}

/// @notice The streaming fee.
contract FeeProofs {
    function check_nothingWithoutTime(uint128 supply, uint88 earlier, uint24 later) external pure {
        unchecked {
            uint256 year = StreamingFee.YEAR;
            vm.assume(uint256(earlier) % year + later < year); // less than 1e-18 of the supply
            assert(StreamingFee.shares(supply, earlier, uint256(earlier) + later) == 0);
            assert(StreamingFee.decay(earlier, uint256(earlier) + later) == 1e18);
        }
    }

    function check_exponentExact(uint40 begin, uint24 first, uint24 second, uint64 rate) external {
        unchecked {
            vm.assume(rate <= 0.0513e18);
            vm.warp(begin);
            Accruing once = new Accruing();
            Accruing twice = new Accruing();
            vm.warp(uint256(begin) + first);
            (uint256 pending, uint256 exponent) = twice.accrued(rate, 0);
            assert(pending == 0);
            twice.write(pending, exponent);
            vm.warp(uint256(begin) + first + second);
            (, uint256 inTwo) = twice.accrued(rate, 0);
            (, uint256 inOne) = once.accrued(rate, 0);
            assert(inTwo == inOne && inOne == (uint256(first) + second) * rate);
        }
    }

    function check_accrualKept(uint40 time, uint96 pending, uint88 exponent, uint64 rate, uint128 minted) external {
        vm.warp(time);
        Accruing fee = new Accruing();
        fee.write(pending, exponent);
        (uint256 keptPending, uint256 keptExponent) = fee.accrued(rate, minted);
        assert(keptPending == pending && keptExponent == exponent);
    }

    function check_sharesRise(uint96 less, uint96 more, uint64 x) external pure {
        unchecked {
            vm.assume(less <= more && x <= 4);
            uint256 later = uint256(x) * StreamingFee.YEAR;
            assert(StreamingFee.shares(less, 0, later) <= StreamingFee.shares(more, 0, later));
        }
    }

    function check_rateBounded(uint64 fee) external pure {
        vm.assume(fee <= 0.05e18);
        assert(StreamingFee.rate(fee) <= 0.0513e18);
    }

    function check_decayAtMostOne(uint64 x) external pure {
        unchecked {
            vm.assume(x <= 1e18);
            assert(StreamingFee.decay(0, uint256(x) * StreamingFee.YEAR) <= 1e18);
        }
    }
}
