// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Reverter
/// @notice For tests of the tests: fails in every way there is.
contract Reverter {
    error Expected(uint256 number, address account);
    error Other(uint256 number, address account);

    function succeed() external pure returns (uint256) {
        return 1;
    }

    function expected(uint256 number, address account) external pure {
        revert Expected(number, account);
    }

    function other(uint256 number, address account) external pure {
        revert Other(number, account);
    }

    function text() external pure {
        revert("Expected(uint256,address)");
    }

    function silent() external pure {
        revert();
    }

    function overflow(uint256 number) external pure returns (uint256) {
        return number * type(uint256).max;
    }

    /// @notice A write that fails for all but one account.
    function onlyFor(address account) external {
        require(msg.sender == account, Expected(block.timestamp, msg.sender));
        assembly {
            sstore(0, 1)
        }
    }
}
