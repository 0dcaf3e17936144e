// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../interfaces/IFiller.sol";
import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IRebalancer} from "../interfaces/IRebalancer.sol";

/// @title BatchCalls
/// @notice The calls that a batch makes, in assembly: the lists they take are written where the calls are made from, and no
/// list is copied. Solidity copies each of them for each call, which costs more than the batch's own arithmetic.
/// @dev A *encodedCalls* is where the calls of the index token's `settle` and the filler's `fill` begin in memory: a word with the
/// selector of `settle` and 3 offsets, a word with the selector of `fill`, the index token and 4 offsets, then the lists of
/// sells, amounts, recipients and buys, and the filler's data. Each call skips what is the other's, as offsets may.
library BatchCalls {
    /* LISTS */

    /// @notice Room for the two calls, with the lists still to be filled in: `entries` sells and `buyCount` buys.
    function newSheet(address index, uint256 entries, uint256 buyCount, bytes calldata data)
        internal
        pure
        returns (
            uint256 encodedCalls,
            address[] memory sells,
            uint256[] memory amounts,
            address[] memory recipients,
            address[] memory buys
        )
    {
        uint256 settling = uint32(IIndexToken.settle.selector);
        uint256 filling = uint32(IFiller.fill.selector);
        assembly ("memory-safe") {
            encodedCalls := mload(0x40)
            let list := shl(5, add(entries, 1))
            sells := add(encodedCalls, 320)
            amounts := add(sells, list)
            recipients := add(amounts, list)
            buys := add(recipients, list)
            let text := add(buys, shl(5, add(buyCount, 1)))
            let end := add(add(text, 32), data.length)
            mstore(0x40, and(add(end, 63), not(31)))
            // settle(sells, amounts, recipients)
            let head := add(encodedCalls, 32)
            mstore(encodedCalls, settling)
            mstore(head, sub(sells, head))
            mstore(add(head, 32), sub(amounts, head))
            mstore(add(head, 64), sub(recipients, head))
            // fill(index, sells, amounts, buys, data)
            head := add(encodedCalls, 160)
            mstore(add(encodedCalls, 128), filling)
            mstore(head, index)
            mstore(add(head, 32), sub(sells, head))
            mstore(add(head, 64), sub(amounts, head))
            mstore(add(head, 96), sub(buys, head))
            mstore(add(head, 128), sub(text, head))
            mstore(sells, entries)
            mstore(amounts, entries)
            mstore(recipients, entries)
            mstore(buys, buyCount)
            mstore(end, 0) // the padding
            mstore(text, data.length)
            calldatacopy(add(text, 32), data.offset, data.length)
        }
    }

    /// @notice Room for a list of `most` tokens to ask prices of, empty.
    function newTokens(uint256 most) internal pure returns (address[] memory tokens) {
        assembly ("memory-safe") {
            // A word with the selector and two arguments stand before the list.
            tokens := add(mload(0x40), 96)
            mstore(tokens, 0)
            mstore(0x40, add(tokens, shl(5, add(most, 1))))
        }
    }

    /* CALLS */

    /// @notice What the tokens of a list from `newTokens` count for, the first `sold` of them as sells. Reverts with NoPrice(0)
    /// unless there is a price for each.
    function pricesOf(IOracle oracle, address[] memory tokens, uint256 sold)
        internal
        view
        returns (uint256[] memory values)
    {
        uint256 asking = uint32(IOracle.tradePrices.selector);
        bool whole;
        assembly ("memory-safe") {
            let size := shl(5, add(mload(tokens), 1))
            mstore(sub(tokens, 96), asking)
            mstore(sub(tokens, 64), 64)
            mstore(sub(tokens, 32), sold)
            let answer := mload(0x40)
            if iszero(staticcall(gas(), oracle, sub(tokens, 68), add(size, 68), 0, 0)) {
                returndatacopy(answer, 0, returndatasize())
                revert(answer, returndatasize())
            }
            // An offset, the number of values, the values.
            values := add(answer, 32)
            if gt(returndatasize(), add(size, 31)) {
                returndatacopy(answer, 0, add(size, 32))
                whole := and(eq(mload(answer), 32), eq(mload(values), mload(tokens)))
                mstore(0x40, add(values, size))
            }
        }
        require(whole, IRebalancer.NoPrice(address(0)));
    }

    /// @notice Sends the sells out.
    function settle(uint256 encodedCalls, address index) internal {
        assembly ("memory-safe") {
            // Up to where the buys begin.
            let size := sub(add(add(encodedCalls, 160), mload(add(encodedCalls, 256))), add(encodedCalls, 28))
            if iszero(call(gas(), index, 0, add(encodedCalls, 28), size, 0, 0)) {
                let at := mload(0x40)
                returndatacopy(at, 0, returndatasize())
                revert(at, returndatasize())
            }
        }
    }

    /// @notice Lets the filler fill. Reverts as it does, and where there is no code.
    function fill(uint256 encodedCalls, IFiller filler) internal {
        assembly ("memory-safe") {
            let text := add(add(encodedCalls, 160), mload(add(encodedCalls, 288)))
            let size := sub(and(add(add(text, mload(text)), 63), not(31)), add(encodedCalls, 156))
            let done := call(gas(), filler, 0, add(encodedCalls, 156), size, 0, 0)
            if iszero(and(done, gt(extcodesize(filler), 0))) {
                let at := mload(0x40)
                returndatacopy(at, 0, mul(returndatasize(), iszero(done)))
                revert(at, mul(returndatasize(), iszero(done)))
            }
        }
    }
}
