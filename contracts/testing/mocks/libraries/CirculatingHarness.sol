// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Circulating} from "../../../libraries/Circulating.sol";

/// @title CirculatingHarness
/// @notice For tests: the functions of `Circulating`.
contract CirculatingHarness {
    function ask(address token, address source) external view returns (uint256 supply, uint256 date) {
        return Circulating.ask(token, source);
    }

    function fresh(uint256 supply, uint256 date, uint256 maxAge) external view returns (bool) {
        return Circulating.fresh(supply, date, maxAge);
    }

    function judge(uint256 supply, uint256 date, uint256 known, bool member, uint256 maxAge, uint256 maxJump)
        external
        view
        returns (uint256 basis, uint256 flags)
    {
        return Circulating.judge(supply, date, known, member, maxAge, maxJump);
    }

    function decisive(uint256 basis, uint256 flags, uint256 date, uint256 known, bool member)
        external
        view
        returns (uint256)
    {
        return Circulating.decisive(basis, flags, date, known, member);
    }

    function confirmedBasis(uint256 was, uint256 basis, uint256 flags, uint256 known) external pure returns (uint256) {
        return Circulating.confirmedBasis(was, basis, flags, known);
    }
}
