// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Period} from "../../../contracts/interfaces/ICalendar.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

interface IPackedPeriod {
    function pack(Period calldata period) external pure returns (uint256);
    function id(uint256 word) external pure returns (uint24);
    function end(uint256 word) external pure returns (uint40);
    function execution(uint256 word) external pure returns (uint256);
    function minNotice(uint256 word) external pure returns (uint256);
    function minTrading(uint256 word) external pure returns (uint256);
}

interface ISafeCastErrors {
    error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value);
}

contract PackedPeriodTest is Test {
    uint256 private constant ID = type(uint24).max;
    uint256 private constant TIME = type(uint40).max;
    uint256 private constant SPAN = type(uint32).max;

    IPackedPeriod private _packed;

    function setUp() external {
        _packed = IPackedPeriod(deploy("PackedPeriodHarness", ""));
    }

    function test_each_field_has_bits_of_its_own() external view {
        equal(_packed.pack(Period(ID, 0, 0, 0, 0, 0)), ID, "id");
        equal(_packed.pack(Period(0, 0, TIME, 0, 0, 0)), TIME * 2 ** 24, "end");
        equal(_packed.pack(Period(0, 0, 0, TIME, 0, 0)), TIME * 2 ** 64, "execution");
        equal(_packed.pack(Period(0, 0, 0, 0, SPAN, 0)), SPAN * 2 ** 104, "minNotice");
        equal(_packed.pack(Period(0, 0, 0, 0, 0, SPAN)), SPAN * 2 ** 136, "minTrading");
        equal(_packed.pack(Period(ID, 0, TIME, TIME, SPAN, SPAN)), 2 ** 168 - 1, "all");
    }

    function test_the_start_is_not_kept() external view {
        equal(_packed.pack(Period(0, type(uint256).max, 0, 0, 0, 0)), 0, "start");
    }

    /// @dev From a word in which its bits alone are set, and from one in which its bits alone are not.
    function test_each_field_is_read_from_its_bits_alone() external view {
        uint256 word = ID;
        equal(_packed.id(word), ID, "id");
        equal(_packed.id(~word), 0, "no id");
        word = TIME * 2 ** 24;
        equal(_packed.end(word), TIME, "end");
        equal(_packed.end(~word), 0, "no end");
        word = TIME * 2 ** 64;
        equal(_packed.execution(word), TIME, "execution");
        equal(_packed.execution(~word), 0, "no execution");
        word = SPAN * 2 ** 104;
        equal(_packed.minNotice(word), SPAN, "minNotice");
        equal(_packed.minNotice(~word), 0, "no minNotice");
        word = SPAN * 2 ** 136;
        equal(_packed.minTrading(word), SPAN, "minTrading");
        equal(_packed.minTrading(~word), 0, "no minTrading");
    }

    function test_what_does_not_fit_is_refused() external {
        _refused(Period(ID + 1, 0, 0, 0, 0, 0), 24, ID + 1);
        _refused(Period(0, 0, TIME + 1, 0, 0, 0), 40, TIME + 1);
        _refused(Period(0, 0, 0, TIME + 1, 0, 0), 40, TIME + 1);
        _refused(Period(0, 0, 0, 0, SPAN + 1, 0), 32, SPAN + 1);
        _refused(Period(0, 0, 0, 0, 0, SPAN + 1), 32, SPAN + 1);
    }

    function _refused(Period memory period, uint8 bits, uint256 value) private {
        vm.expectRevert(abi.encodeWithSelector(ISafeCastErrors.SafeCastOverflowedUintDowncast.selector, bits, value));
        _packed.pack(period);
    }
}
