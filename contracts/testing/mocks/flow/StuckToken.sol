// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title StuckToken
/// @notice For tests: code for the address of a `ReferenceToken`, whose storage it shares, that no longer transfers.
contract StuckToken {
    string public name;
    string public symbol;
    uint8 public decimals;
    uint256 public totalSupply;
    mapping(address account => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    /// @notice Every transfer ends here.
    error Stuck();

    function transfer(address, uint256) external pure returns (bool) {
        revert Stuck();
    }

    function transferFrom(address, address, uint256) external pure returns (bool) {
        revert Stuck();
    }
}
