// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../../interfaces/IFiller.sol";

/// @notice A call to make. What a tolerated one reverts with is noted; another's revert is passed on.
struct Step {
    address target;
    bytes data;
    bool tolerated;
}

/// @title ScriptedFiller
/// @notice For tests: does what it is told, as a filler and by itself. Keeps whatever it is sent.
contract ScriptedFiller is IFiller {
    /// @notice What a tolerated step ended with: what it returned, or its revert data.
    event Tried(uint256 indexed step, bool succeeded, bytes answer);

    /// @notice What `fill` was called with.
    event Filled(address caller, address index, address[] sells, uint256[] amounts, address[] buys);

    /// @inheritdoc IFiller
    /// @dev `data` is abi.encode(Step[]).
    function fill(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        address[] calldata buys,
        bytes calldata data
    ) external {
        emit Filled(msg.sender, index, sells, amounts, buys);
        run(abi.decode(data, (Step[])));
    }

    /// @notice Makes the calls in order.
    function run(Step[] memory steps) public {
        for (uint256 k; k < steps.length; ++k) {
            (bool succeeded, bytes memory answer) = steps[k].target.call(steps[k].data);
            if (steps[k].tolerated) {
                emit Tried(k, succeeded, answer);
            } else if (!succeeded) {
                assembly ("memory-safe") {
                    revert(add(answer, 32), mload(answer))
                }
            }
        }
    }
}
