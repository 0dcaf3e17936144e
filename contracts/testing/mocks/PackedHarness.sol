// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Constituent} from "../../interfaces/IMethodology.sol";
import {Side, Target} from "../../interfaces/IRebalancer.sol";
import {Constituents} from "../../libraries/Constituents.sol";
import {Targets} from "../../libraries/Targets.sol";
import {Words} from "../../libraries/Words.sol";

/// @title PackedHarness
/// @notice For tests: the libraries `Targets` and `Constituents` from outside.
contract PackedHarness {
    using Targets for bytes;

    /// @notice Puts targets into room for units of up to `widest`: first `before`, then `list` over them. Returns what
    /// is packed, what `at` and `unpack` find in it, and a word that stood behind the room.
    function targets(Target[] calldata before, Target[] calldata list, uint256 widest)
        external
        pure
        returns (bytes memory packed, Target[] memory found, Target[] memory unpacked, uint256 behind)
    {
        packed = Targets.room(list.length, widest);
        uint256[1] memory guard = [type(uint256).max];
        _put(packed, before);
        _put(packed, list);
        found = new Target[](packed.count());
        for (uint256 i; i < found.length; ++i) {
            (uint256 side, uint256 unit, uint256 price) = packed.at(i);
            found[i] = Target(Side(side), uint120(unit), uint128(price));
        }
        return (packed, found, packed.unpack(), guard[0]);
    }

    /// @notice Writes a determination; returns its words, what `read` finds in them, and its bases with flags and
    /// statuses.
    function constituents(Constituent[] calldata list)
        external
        returns (uint256[] memory words, Constituent[] memory found, uint256[] memory bases)
    {
        address pointer = Constituents.write(list);
        words = Words.read(pointer);
        return (words, Constituents.read(pointer), this.basesOf(words));
    }

    /// @notice Bases with flags and statuses.
    function basesOf(uint256[] calldata words) external pure returns (uint256[] memory) {
        return Constituents.asDetermined(words);
    }

    function _put(bytes memory packed, Target[] calldata list) private pure {
        for (uint256 i; i < list.length; ++i) {
            packed.put(i, list[i].side, list[i].unit, list[i].price);
        }
    }
}
