// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {IIndexToken} from "../../../interfaces/IIndexToken.sol";
import {IMintCallback} from "../../../interfaces/IMintCallback.sol";
import {BareFund} from "./BareFund.sol";

/// @title BareMinter
/// @notice For benchmarks: pays for mints out of what it holds, when it is called back, or a bare fund beforehand.
contract BareMinter is IMintCallback {
    function mint(IIndexToken index, uint256 shares) external {
        index.mintWith(shares, msg.sender, "");
    }

    function onMint(address[] calldata tokens, uint256[] calldata amounts, bytes calldata) external {
        for (uint256 i; i < tokens.length; ++i) {
            IERC20(tokens[i]).transfer(msg.sender, amounts[i]);
        }
    }

    function mintBare(BareFund fund, uint256 shares, address[] calldata tokens, uint256[] calldata amounts) external {
        for (uint256 i; i < tokens.length; ++i) {
            IERC20(tokens[i]).transfer(address(fund), amounts[i]);
        }
        fund.mint(shares, msg.sender, new address[](0), new uint256[](0));
    }
}
