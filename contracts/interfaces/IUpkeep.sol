// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action, IRebalancer} from "./IRebalancer.sol";

/// @title IUpkeep
/// @notice Determine, start and close of one fund behind the two functions that keeper networks call: they ask
/// `checkUpkeep` off chain, and where it says so they send its `performData` to `performUpkeep`. Anyone may do the
/// same. It never trades: a batch needs a plan, which is made off chain.
///
/// AGREEMENT. `performUpkeep` succeeds exactly where `workable()` names the same action in the same block, for the same
/// period. It does not ask `workable()`, which tries the action dry, but calls the action, which holds itself against
/// the same rule under the fund's lock and reverts if it is not due.
///
/// ONCE. `performData` names action and period. What has been done is not due again in its period, and what was meant
/// for another period is refused, so that of two performers the second reverts.
///
/// It keeps nothing, holds nothing, and has no role in the fund.
interface IUpkeep {
    /* ERRORS */

    /// @notice The rebalancer must be a contract.
    error NotContract(address given);
    /// @notice Not what `checkUpkeep` answers: two words, of which the first is Determine, Start or Close.
    error UnfitPerformData(bytes performData);
    /// @notice The action was named for period `named`; done now it would be one of `period`.
    error OtherPeriod(Action action, uint256 named, uint256 period);

    /* CONSTANTS */

    function REBALANCER() external view returns (IRebalancer);

    /* KEEPER NETWORKS */

    /// @notice Whether determine, start or close is due in this block. Never reverts.
    /// @param checkData Not looked at.
    /// @return upkeepNeeded `performUpkeep(performData)` succeeds in this block.
    /// @return performData The action (see `Action`) and the period that it belongs to (see `Schedule`), a word each;
    /// empty if nothing is needed.
    function checkUpkeep(bytes calldata checkData) external view returns (bool upkeepNeeded, bytes memory performData);

    /// @notice Does what `performData` names if it is due. Reverts with the rebalancer's error if it is not (`NotDue`).
    /// @param performData What `checkUpkeep` answered.
    function performUpkeep(bytes calldata performData) external;
}
