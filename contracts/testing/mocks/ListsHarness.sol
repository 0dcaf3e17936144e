// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Lists} from "../../libraries/Lists.sol";

/// @title ListsHarness
/// @notice For tests: the library `Lists` from both sides. `ask...` asks any contract; `one` and `four` take lists as
/// Solidity decodes them, and answer through the library.
contract ListsHarness {
    /// @notice What another contract answers to `one`.
    function askOne(address to, uint256[] calldata list) external view returns (uint256[] memory) {
        return _kept(Lists.ask(to, this.one.selector, list));
    }

    /// @notice The same with a list of addresses.
    function askAddresses(address to, address[] calldata list) external view returns (uint256[] memory) {
        return _kept(Lists.ask(to, this.one.selector, list));
    }

    /// @notice What another contract answers to `four`.
    function askFour(address to, uint256[] calldata a, uint256[] calldata b, uint256[] calldata c, uint256[] calldata d)
        external
        view
        returns (uint256[] memory)
    {
        return _kept(Lists.ask(to, this.four.selector, a, b, c, d));
    }

    /// @notice Answers with the same list.
    function one(uint256[] calldata list) external pure returns (uint256[] memory) {
        Lists.directReturn(list);
    }

    /// @notice Answers with the four lists, each with its length before it.
    function four(uint256[] calldata a, uint256[] calldata b, uint256[] calldata c, uint256[] calldata d)
        external
        pure
        returns (uint256[] memory all)
    {
        all = new uint256[](4 + a.length + b.length + c.length + d.length);
        uint256 at = _append(all, 0, a);
        at = _append(all, at, b);
        at = _append(all, at, c);
        _append(all, at, d);
        Lists.directReturn(all);
    }

    function _append(uint256[] memory all, uint256 at, uint256[] calldata list) private pure returns (uint256) {
        all[at++] = list.length;
        for (uint256 i; i < list.length; ++i) {
            all[at++] = list[i];
        }
        return at;
    }

    /// @dev The list, after memory behind it has been taken and filled.
    function _kept(uint256[] memory list) private pure returns (uint256[] memory) {
        uint256[] memory behind = new uint256[](4);
        for (uint256 i; i < behind.length; ++i) {
            behind[i] = type(uint256).max;
        }
        return list;
    }
}
