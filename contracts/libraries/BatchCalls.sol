// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../interfaces/IFiller.sol";
import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {IRebalancer} from "../interfaces/IRebalancer.sol";

/// @title BatchCalls
/// @notice The calls that a batch makes: the index token's `settle`, the filler's `fill`, and the question for prices.
/// They share their lists, which are written once, where the calls are made from.
/// @dev In assembly, because Solidity would encode each list anew for each call: some 100 gas an entry, 0.9 % of a
/// batch's part for a component with the seven lists that are sent or received.
///
/// `encodedCalls` is where this begins in memory:
///
///     SETTLE   0    selector of `settle`, in the word's last 4 bytes: the call begins at 28
///             32    offset of sells, amounts, recipients
///     FILL   128    selector of `fill`, in the word's last 4 bytes: the call begins at 156
///            160    index token, offset of sells, amounts, buys, data
///     LISTS  320    sells, amounts, recipients: each its length and its entries
///                   buys                                      <- `settle` is sent up to here
///                   data: its length, its bytes, padded       <- `fill` is sent up to here
///
/// An offset counts from the word after the selector. So each call also sends what is the other's, and skips it.
library BatchCalls {
    uint256 private constant SELECTOR = 28; // where a selector begins in its word
    uint256 private constant WORD = 32;

    uint256 private constant SETTLE_ARGUMENTS = 32;
    uint256 private constant FILL = 128;
    uint256 private constant FILL_ARGUMENTS = 160;
    uint256 private constant FILL_BUYS = 256; // the offset of the buys
    uint256 private constant FILL_DATA = 288; // the offset of the data
    uint256 private constant LISTS = 320;

    /// @dev Before a list of tokens: a word that ends with the selector of `tradePrices`, the list's offset, and
    /// `sold`.
    uint256 private constant PRICES_HEAD = 96;

    /* LISTS */

    /// @notice Room for the two calls, with the lists still to be filled in: `entries` sells and `buyCount` buys.
    function newCalls(address index, uint256 entries, uint256 buyCount, bytes calldata data)
        internal
        pure
        returns (
            uint256 encodedCalls,
            uint256[] memory sells,
            uint256[] memory amounts,
            uint256[] memory recipients,
            uint256[] memory buys
        )
    {
        uint256 settling = uint32(IIndexToken.settle.selector);
        uint256 filling = uint32(IFiller.fill.selector);
        // Saves what the library's head says: both calls are written here, once.
        assembly ("memory-safe") {
            encodedCalls := mload(0x40)
            let list := shl(5, add(entries, 1))
            sells := add(encodedCalls, LISTS)
            amounts := add(sells, list)
            recipients := add(amounts, list)
            buys := add(recipients, list)
            let bytes_ := add(buys, shl(5, add(buyCount, 1)))
            let end := add(add(bytes_, WORD), data.length)
            mstore(0x40, and(add(end, 63), not(31)))

            mstore(encodedCalls, settling)
            let head := add(encodedCalls, SETTLE_ARGUMENTS)
            mstore(head, sub(sells, head))
            mstore(add(head, 32), sub(amounts, head))
            mstore(add(head, 64), sub(recipients, head))

            mstore(add(encodedCalls, FILL), filling)
            head := add(encodedCalls, FILL_ARGUMENTS)
            mstore(head, index)
            mstore(add(head, 32), sub(sells, head))
            mstore(add(head, 64), sub(amounts, head))
            mstore(add(encodedCalls, FILL_BUYS), sub(buys, head))
            mstore(add(encodedCalls, FILL_DATA), sub(bytes_, head))

            mstore(sells, entries)
            mstore(amounts, entries)
            mstore(recipients, entries)
            mstore(buys, buyCount)
            mstore(end, 0) // the padding
            mstore(bytes_, data.length)
            calldatacopy(add(bytes_, WORD), data.offset, data.length)
        }
    }

    /// @notice Room for a list of `most` tokens to ask prices of. They are still to be filled in, and those beyond to
    /// be cut off.
    function newTokens(uint256 most) internal pure returns (uint256[] memory tokens) {
        // Saves a copy of the list when prices are asked: the call is written around it.
        assembly ("memory-safe") {
            tokens := add(mload(0x40), PRICES_HEAD)
            mstore(tokens, most)
            mstore(0x40, add(tokens, shl(5, add(most, 1))))
        }
    }

    /* CALLS */

    /// @notice What the tokens of a list from `newTokens` count for, the first `sold` of them as sells. Reverts with
    /// NoPrice(0) unless there is a price for each.
    function pricesOf(IOracle oracle, uint256[] memory tokens, uint256 sold)
        internal
        view
        returns (uint256[] memory values)
    {
        uint256 asking = uint32(IOracle.tradePrices.selector);
        bool whole;
        // Saves some 140 gas for each token with its price.
        assembly ("memory-safe") {
            let size := shl(5, add(mload(tokens), 1)) // of either list with its length
            let call_ := sub(tokens, PRICES_HEAD)
            mstore(call_, asking)
            mstore(add(call_, 32), 64) // the list stands after the two arguments
            mstore(add(call_, 64), sold)
            let answer := mload(0x40)
            if iszero(staticcall(gas(), oracle, add(call_, SELECTOR), add(size, sub(PRICES_HEAD, SELECTOR)), 0, 0)) {
                returndatacopy(answer, 0, returndatasize())
                revert(answer, returndatasize())
            }
            // An offset, the number of values, the values.
            values := add(answer, WORD)
            if gt(returndatasize(), add(size, 31)) {
                returndatacopy(answer, 0, add(size, WORD))
                whole := and(eq(mload(answer), 32), eq(mload(values), mload(tokens)))
                mstore(0x40, add(values, size))
            }
        }
        require(whole, IRebalancer.NoPrice(address(0)));
    }

    /// @notice Sends the sells out.
    function settle(uint256 encodedCalls, address index) internal {
        // Saves some 100 gas for each entry of three lists.
        assembly ("memory-safe") {
            let at := add(encodedCalls, SELECTOR)
            let end := add(add(encodedCalls, FILL_ARGUMENTS), mload(add(encodedCalls, FILL_BUYS)))
            if iszero(call(gas(), index, 0, at, sub(end, at), 0, 0)) {
                let answer := mload(0x40)
                returndatacopy(answer, 0, returndatasize())
                revert(answer, returndatasize())
            }
        }
    }

    /// @notice Lets the filler fill. Reverts as it does, and where there is no code.
    function fill(uint256 encodedCalls, IFiller filler) internal {
        // Saves some 100 gas for each entry of three lists, and a copy of the data.
        assembly ("memory-safe") {
            let at := add(add(encodedCalls, FILL), SELECTOR)
            let bytes_ := add(add(encodedCalls, FILL_ARGUMENTS), mload(add(encodedCalls, FILL_DATA)))
            let end := and(add(add(bytes_, mload(bytes_)), 63), not(31))
            let done := call(gas(), filler, 0, at, sub(end, at), 0, 0)
            if iszero(and(done, gt(extcodesize(filler), 0))) {
                let answer := mload(0x40)
                let size := mul(returndatasize(), iszero(done))
                returndatacopy(answer, 0, size)
                revert(answer, size)
            }
        }
    }
}
