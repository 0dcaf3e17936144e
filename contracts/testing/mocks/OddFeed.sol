// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title OddFeed
/// @notice For tests: a feed that answers `latestRoundData()` with whatever bytes it is given, or fails.
contract OddFeed {
    /// @notice Bytes: it answers with `data`. Reverting: it reverts with `data`. Burning: it takes all the gas it gets.
    enum Mode {
        Bytes,
        Reverting,
        Burning
    }

    uint8 public decimals;
    Mode public mode;
    bytes private _data;

    function post(uint8 decimals_, Mode mode_, bytes calldata data) external {
        (decimals, mode, _data) = (decimals_, mode_, data);
    }

    function latestRoundData() external view {
        bytes memory data = _data;
        if (mode == Mode.Burning) {
            assembly {
                invalid()
            }
        }
        if (mode == Mode.Reverting) {
            assembly ("memory-safe") {
                revert(add(data, 32), mload(data))
            }
        }
        assembly ("memory-safe") {
            return(add(data, 32), mload(data))
        }
    }
}
