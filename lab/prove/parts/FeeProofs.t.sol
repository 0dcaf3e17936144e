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
    uint256 private constant YEAR = StreamingFee.YEAR;

    function check_nothingWithoutTime(uint128 supply, uint88 earlier, uint24 later) external pure {
        unchecked {
            vm.assume(uint256(earlier) % YEAR + later < YEAR); // less than 1e-18 of the supply
            assert(StreamingFee.shares(supply, earlier, uint256(earlier) + later) == 0);
        }
    }

    function check_exponentExact(uint40 begin, uint24 first, uint24 second, uint64 rate) external {
        unchecked {
            vm.assume(rate <= 0.0513e18);
            vm.warp(begin);
            Accruing once = new Accruing();
            Accruing twice = new Accruing();
            vm.warp(uint256(begin) + first);
            uint256 exponent = _exponent(twice, rate);
            twice.write(0, exponent);
            vm.warp(uint256(begin) + first + second);
            (uint256 inTwo, uint256 inOne) = (_exponent(twice, rate), _exponent(once, rate));
            assert(inTwo == inOne && inOne == (uint256(first) + second) * rate);
        }
    }

    /// @dev Without shares nothing is pending. That exp is at least 1 the prover does not know.
    function _exponent(Accruing fee, uint256 rate) private view returns (uint256) {
        try fee.accrued(rate, 0) returns (uint256 pending, uint256 exponent) {
            assert(pending == 0);
            return exponent;
        } catch {
            vm.assume(false);
            return 0;
        }
    }

    function check_accrualKept(uint40 time, uint96 pending, uint88 exponent, uint64 rate, uint128 minted) external {
        vm.warp(time);
        Accruing fee = new Accruing();
        fee.write(pending, exponent);
        (uint256 keptPending, uint256 keptExponent) = fee.accrued(rate, minted);
        assert(keptPending == pending && keptExponent == exponent);
    }

    // Of exp and ln each value is looked at for itself: what they are of anything is beyond a solver.

    function check_sharesRise(uint96 less, uint96 more) external pure {
        vm.assume(less <= more);
        uint256[] memory spans = _spans();
        for (uint256 i; i < spans.length; ++i) {
            uint256 later = spans[i] * StreamingFee.rate(0.05e18);
            assert(StreamingFee.shares(less, 0, later) <= StreamingFee.shares(more, 0, later));
        }
    }

    function check_lowFeeInTwo(uint96 supply) external pure {
        _inTwo(supply, 0.001e18);
    }

    function check_feeInTwo(uint96 supply) external pure {
        _inTwo(supply, 0.01e18);
    }

    function check_highFeeInTwo(uint96 supply) external pure {
        _inTwo(supply, 0.05e18);
    }

    /// @dev Fee shares of two spans, written between them or not.
    function _inTwo(uint256 supply, uint256 fee) private pure {
        unchecked {
            (uint256[] memory spans, uint256 rate) = (_spans(), StreamingFee.rate(fee));
            for (uint256 i; i < spans.length; ++i) {
                for (uint256 j; j < spans.length; ++j) {
                    (uint256 middle, uint256 later) = (spans[i] * rate, (spans[i] + spans[j]) * rate);
                    uint256 first = StreamingFee.shares(supply, 0, middle);
                    uint256 parts = first + StreamingFee.shares(supply + first, middle, later);
                    uint256 whole = StreamingFee.shares(supply, 0, later);
                    // Two accruals differ from one by at most 2 x (supply / 1e18 + 1), either way.
                    uint256 most = 2 * supply + 2e18;
                    assert(parts * 1e18 + most - whole * 1e18 <= 2 * most);
                }
            }
        }
    }

    function check_rateBounded() external pure {
        unchecked {
            uint256 before;
            for (uint256 fee; fee <= 0.05e18; fee += 0.0001e18) {
                uint256 rate = StreamingFee.rate(fee);
                // fee <= -ln(1 - fee) <= fee + fee^2 / 2 + fee^3
                assert(rate >= fee && rate <= fee + fee * fee / 2e18 + fee * fee * fee / 1e36);
                assert(rate >= before);
                before = rate;
            }
            assert(before <= 0.0513e18);
        }
    }

    function check_yearTakesTheFee() external pure {
        unchecked {
            for (uint256 fee; fee <= 0.05e18; fee += 0.0001e18) {
                uint256 later = StreamingFee.rate(fee) * YEAR;
                uint256 left = StreamingFee.decay(0, later);
                assert(left <= 1e18 - fee + 2 && left >= 1e18 - fee - 2);
                // What the shares of all holders are of the supply that there is after the fee.
                uint256 supply = 1e30;
                uint256 after_ = supply + StreamingFee.shares(supply, 0, later);
                assert(after_ * (1e18 - fee) / 1e18 <= supply + 2e12 && after_ * (1e18 - fee) / 1e18 >= supply - 2e12);
            }
        }
    }

    function check_decayFalls() external pure {
        unchecked {
            uint256 rate = StreamingFee.rate(0.05e18);
            uint256 before = StreamingFee.decay(0, 0);
            assert(before == 1e18);
            for (uint256 time = 1 days; time <= 10 * 365 days; time += 1 days) {
                uint256 left = StreamingFee.decay(0, time * rate);
                assert(left < before);
                before = left;
            }
        }
    }

    /// @dev A block, an hour, a day, thirty days, a year.
    function _spans() private pure returns (uint256[] memory spans) {
        spans = new uint256[](5);
        (spans[0], spans[1], spans[2], spans[3], spans[4]) = (12, 1 hours, 1 days, 30 days, 365 days);
    }
}
