// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Action, IRebalancer} from "../interfaces/IRebalancer.sol";
import {IUpkeep} from "../interfaces/IUpkeep.sol";

/// @title Upkeep
/// @notice See `IUpkeep` for the specification. Nothing on chain depends on it.
/// @dev One for each fund: whom it calls is fixed at its creation, so nobody's data can send it anywhere else.
contract Upkeep is IUpkeep {
    IRebalancer public immutable REBALANCER;

    constructor(IRebalancer rebalancer) {
        require(address(rebalancer).code.length != 0, NotContract(address(rebalancer)));
        REBALANCER = rebalancer;
    }

    /* KEEPER NETWORKS */

    /// @inheritdoc IUpkeep
    function checkUpkeep(bytes calldata) external view returns (bool upkeepNeeded, bytes memory performData) {
        (Action action,,) = REBALANCER.workable();
        upkeepNeeded = _performs(uint256(action));
        if (upkeepNeeded) performData = abi.encode(action, _period(action));
    }

    /// @inheritdoc IUpkeep
    function performUpkeep(bytes calldata performData) external {
        require(performData.length == 64, UnfitPerformData(performData));
        (uint256 word, uint256 named) = abi.decode(performData, (uint256, uint256));
        require(_performs(word), UnfitPerformData(performData));
        Action action = Action(word);
        uint256 period = _period(action);
        require(named == period, OtherPeriod(action, named, period));
        if (action == Action.Determine) REBALANCER.determine();
        else if (action == Action.Start) REBALANCER.start();
        else REBALANCER.close();
    }

    /* INTERNAL */

    /// @dev Whether this is one of the actions that need no plan.
    function _performs(uint256 due) private pure returns (bool) {
        return due == uint256(Action.Determine) || due == uint256(Action.Start) || due == uint256(Action.Close);
    }

    /// @dev The period that an action belongs to, if it is done now: that which has begun for a determination, else the
    /// last one determined.
    function _period(Action action) private view returns (uint256) {
        return action == Action.Determine ? REBALANCER.currentPeriod() : REBALANCER.month().period;
    }
}
