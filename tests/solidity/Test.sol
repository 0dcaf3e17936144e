// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Deploys} from "../../lab/fuzz/Deploys.sol";
import {vm} from "../../lab/fuzz/Vm.sol";

/// @title Test
/// @notice What tests compare with.
abstract contract Test is Deploys {
    function equal(uint256 found, uint256 expected, string memory what) internal pure {
        if (found != expected) {
            revert(string.concat(what, ": ", vm.toString(found), ", expected ", vm.toString(expected)));
        }
    }

    function equal(address found, address expected, string memory what) internal pure {
        require(found == expected, what);
    }

    function equal(bool found, bool expected, string memory what) internal pure {
        require(found == expected, what);
    }

    function equal(bytes memory found, bytes memory expected, string memory what) internal pure {
        require(keccak256(found) == keccak256(expected), what);
    }

    function equal(uint256[] memory found, uint256[] memory expected, string memory what) internal pure {
        equal(found.length, expected.length, string.concat(what, ", how many"));
        for (uint256 i; i < found.length; ++i) {
            equal(found[i], expected[i], string.concat(what, " ", vm.toString(i)));
        }
    }
}
