// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Balance} from "../../../libraries/Balance.sol";
import {Words} from "../../../libraries/Words.sol";

/// @title WordsHarness
/// @notice For tests: the functions of `Words` and `Balance`.
contract WordsHarness {
    using Words for address[];
    using Words for uint256[];

    function write(uint256[] calldata words) external returns (address) {
        return Words.write(words);
    }

    function read(address pointer) external view returns (uint256[] memory) {
        return Words.read(pointer);
    }

    function givenWord(uint256[] calldata words, uint256 i) external pure returns (uint256) {
        return words.given(i);
    }

    function givenAccount(address[] calldata accounts, uint256 i) external pure returns (address) {
        return accounts.given(i);
    }

    function balance(address token, address account) external view returns (uint256) {
        _fillScratchSpace();
        return Balance.read(token, account);
    }

    function tryBalance(address token, address account) external view returns (bool sound, uint256 amount) {
        _fillScratchSpace();
        return Balance.tryRead(token, account);
    }

    /// @dev Whoever reads a balance may have left anything there.
    function _fillScratchSpace() private pure {
        assembly ("memory-safe") {
            mstore(0x00, not(0))
            mstore(0x20, not(0))
        }
    }
}
