// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../interfaces/IIndexToken.sol";
import {Limits, Progress} from "../../../interfaces/IRebalancer.sol";
import {Settlement} from "../../../libraries/Settlement.sol";

/// @title SettlementHarness
/// @notice For tests: what `Settlement` says to others than the rebalancer.
contract SettlementHarness {
    function startShares(IIndexToken index, uint256 exponentAtStart) external view returns (uint256) {
        return Settlement.startShares(index, exponentAtStart);
    }

    function bucket(Limits calldata limits, Progress calldata progress)
        external
        view
        returns (uint256 idle, uint256 capacity, int256 tolerance)
    {
        return Settlement.bucket(limits, progress);
    }
}
