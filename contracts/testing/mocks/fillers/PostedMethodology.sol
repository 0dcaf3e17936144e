// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../interfaces/IIndexToken.sol";
import {Constituent, Flags, IMethodology} from "../../../interfaces/IMethodology.sol";
import {IOracle} from "../../../interfaces/IOracle.sol";
import {Constituents} from "../../../libraries/Constituents.sol";

/// @title PostedMethodology
/// @notice For tests: the basis of a constituent is its target unit; it refuses, or answers something else, when told
/// to.
contract PostedMethodology is IMethodology {
    error Refusing();

    bytes32 public BASIS = "unit";

    Constituent[] private _list;
    bool public refusesToDetermine;
    bool public refusesTargets;
    bool public carries;
    uint256[] private _bases;
    uint256[] private _targets;

    /// @notice Replaces the constituents; nothing about them is checked.
    function post(Constituent[] calldata list) external {
        delete _list;
        for (uint256 i; i < list.length; ++i) {
            _list.push(list[i]);
        }
    }

    function refuse(bool determination, bool targets) external {
        (refusesToDetermine, refusesTargets) = (determination, targets);
    }

    /// @notice While it carries, last month's basis of the constituent at the same position is kept as its confirmed
    /// one, and added to that of `determine` and of `confirm`: what was passed as `previous` shows.
    function carry(bool carries_) external {
        carries = carries_;
    }

    function setBasis(bytes32 basis) external {
        BASIS = basis;
    }

    /// @notice What `confirm` and `targetUnits` answer, whatever they are asked; an empty list: as posted.
    function answer(uint256[] calldata bases, uint256[] calldata targets) external {
        (_bases, _targets) = (bases, targets);
    }

    function determine(IOracle, IIndexToken, Constituent[] calldata previous)
        external
        view
        returns (Constituent[] memory list)
    {
        require(!refusesToDetermine, Refusing());
        list = _list;
        for (uint256 i; carries && i < list.length && i < previous.length; ++i) {
            list[i].confirmed = previous[i].basis;
            list[i].basis += previous[i].basis;
        }
    }

    function confirm(uint256[] calldata determined) external view returns (uint256[] memory bases) {
        if (_bases.length != 0) return _bases;
        bases = Constituents.asDetermined(determined);
        for (uint256 i; carries && i < bases.length; ++i) {
            uint256 last = Constituents.confirmed(determined[2 * i + 1]);
            if (last != 0) bases[i] = (bases[i] + last) | (uint256(Flags.CONFIRMED_AT_START) << 88);
        }
    }

    function targetUnits(uint256[] calldata basis, uint256[] calldata, uint256[] calldata prices, uint256[] calldata)
        external
        view
        returns (uint256[] memory targets)
    {
        require(!refusesTargets, Refusing());
        if (_targets.length != 0) return _targets;
        targets = new uint256[](basis.length);
        for (uint256 i; i < basis.length; ++i) {
            if (prices[i] != 0) targets[i] = uint88(basis[i]);
        }
    }
}
