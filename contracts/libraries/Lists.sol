// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {DynamicArrayLib} from "solady/src/utils/DynamicArrayLib.sol";

/// @title Lists
/// @notice Calls that take lists of words and answer with one, in the ABI's own form. Solidity copies lists entry by
/// entry with a check of each; here they are copied whole.
library Lists {
    using DynamicArrayLib for address[];
    using DynamicArrayLib for uint256[];

    /// @notice The answer is no list.
    error NoList(address from);

    /// @notice Asks `to` with one list.
    /// @param selector Of a view that takes a list of words or addresses and returns a list of words.
    function ask(address to, bytes4 selector, uint256[] memory list) internal view returns (uint256[] memory) {
        uint256[][] memory lists = new uint256[][](1);
        lists[0] = list;
        return _ask(to, selector, lists);
    }

    /// @notice Asks `to` with one list of addresses.
    function ask(address to, bytes4 selector, address[] memory list) internal view returns (uint256[] memory) {
        return ask(to, selector, list.toUint256Array());
    }

    /// @notice Asks `to` with four lists.
    function ask(
        address to,
        bytes4 selector,
        uint256[] memory a,
        uint256[] memory b,
        uint256[] memory c,
        uint256[] memory d
    ) internal view returns (uint256[] memory) {
        uint256[][] memory lists = new uint256[][](4);
        (lists[0], lists[1], lists[2], lists[3]) = (a, b, c, d);
        return _ask(to, selector, lists);
    }

    /// @notice Ends the call with `list` as what it returns. An external function that uses it has it as its last line.
    /// @dev Warning: nothing after it runs.
    function directReturn(uint256[] memory list) internal pure {
        list.directReturn();
    }

    /// @dev The call and its answer. Reverts as `to` does.
    function _ask(address to, bytes4 selector, uint256[][] memory lists) private view returns (uint256[] memory list) {
        bool fits;
        // Saves 140 gas for each entry that is sent and received (measured); a start sends six lists, 1.5 % of it.
        assembly ("memory-safe") {
            // Sent: selector, an offset for each list, the lists. `lists` are pointers to them.
            let n := shl(5, mload(lists))
            let data := mload(0x40)
            mstore(data, selector)
            let head := add(data, 4)
            let end := add(head, n)
            for { let i := 0 } lt(i, n) { i := add(i, 32) } {
                let from := mload(add(add(lists, 32), i))
                let size := add(32, shl(5, mload(from)))
                mstore(add(head, i), sub(end, head))
                mcopy(end, from, size)
                end := add(end, size)
            }
            if iszero(staticcall(gas(), to, data, sub(end, data), 0, 0)) {
                returndatacopy(data, 0, returndatasize())
                revert(data, returndatasize())
            }
            // Received: offset, length, entries. What is shorter, or counts more than it has, is no list.
            let size := returndatasize()
            returndatacopy(data, 0, size)
            list := add(data, 32)
            if gt(size, 63) {
                let count := mload(list)
                fits := and(eq(mload(data), 32), iszero(gt(count, shr(5, sub(size, 64)))))
            }
            mstore(0x40, add(data, and(add(size, 63), not(31))))
        }
        require(fits, NoList(to));
    }
}
