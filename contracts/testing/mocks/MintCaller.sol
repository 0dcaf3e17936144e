// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IIndexToken} from "../../interfaces/IIndexToken.sol";
import {IMintCallback} from "../../interfaces/IMintCallback.sol";

/// @title MintCaller
/// @notice Mints with `mintWith` out of what it holds, pays more or less than it is asked for, and tries other calls
/// meanwhile.
contract MintCaller is IMintCallback {
    /// @param more Of each component, what is paid beyond what is due; below zero: short of it. Empty: nothing.
    /// @param targets Called one after the other with `calls`, before anything is paid.
    struct Conduct {
        int256[] more;
        address[] targets;
        bytes[] calls;
    }

    event Asked(address caller, address[] tokens, uint256[] amounts);
    event Tried(bool succeeded, bytes answer);

    function mint(IIndexToken index, uint256 shares, address to, Conduct calldata conduct) external {
        index.mintWith(shares, to, abi.encode(conduct));
    }

    function onMint(address[] calldata tokens, uint256[] calldata amounts, bytes calldata data) external {
        emit Asked(msg.sender, tokens, amounts);
        Conduct memory conduct = abi.decode(data, (Conduct));
        for (uint256 k; k < conduct.targets.length; ++k) {
            (bool succeeded, bytes memory answer) = conduct.targets[k].call(conduct.calls[k]);
            emit Tried(succeeded, answer);
        }
        for (uint256 i; i < tokens.length; ++i) {
            int256 more = conduct.more.length == 0 ? int256(0) : conduct.more[i];
            IERC20(tokens[i]).transfer(msg.sender, uint256(int256(amounts[i]) + more));
        }
    }
}
