// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../../contracts/interfaces/IFiller.sol";
import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {IRebalancer, Order} from "../../../contracts/interfaces/IRebalancer.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {BatchScene} from "./BatchScene.sol";

/// @dev The calls that a batch makes, byte by byte, and what becomes of those that fail.
contract CallsTest is BatchScene {
    function setUp() external {
        _openUsual();
        _idle(1800);
    }

    function _small() private view returns (Order memory) {
        return _order(wordList(GOLD, EVEN), wordList(500_000, 4e18), wordList(DOLLAR));
    }

    function _tokens(uint256[] memory indexes) private view returns (address[] memory list) {
        list = new address[](indexes.length);
        for (uint256 k; k < indexes.length; ++k) {
            list[k] = address(parts[indexes[k]].token);
        }
    }

    /// @dev A list as it is encoded: its length and its entries.
    function _encoded(uint256[] memory list) private pure returns (bytes memory) {
        return abi.encodePacked(list.length, list);
    }

    function _encoded(address[] memory list) private pure returns (bytes memory) {
        return abi.encodePacked(list.length, list);
    }

    /// @dev Both calls hold the lists where `BatchCalls` says; `received` is who gets each entry.
    function _sent(Order memory order, address[] memory received) private view {
        uint256 list = 32 * (order.sells.length + 1);
        uint256 buys = 32 * (order.buys.length + 1);
        bytes memory lists =
            abi.encodePacked(_encoded(_tokens(order.sells)), _encoded(order.amounts), _encoded(received));
        // From the word after the selector, at 32: the lists begin at 320.
        bytes memory settled = bytes.concat(
            IIndexToken.settle.selector, abi.encode(288, 288 + list, 288 + 2 * list), _gap(fund.settled()), lists
        );
        equal(fund.settled(), settled, "settle");
        // From 160, and the buys with them.
        lists = bytes.concat(lists, _encoded(_tokens(order.buys)));
        bytes memory head = abi.encode(fund, 160, 160 + list, 160 + 3 * list, 160 + 3 * list + buys);
        bytes memory filled = filler.filled();
        bytes memory written = abi.encodePacked(IFiller.fill.selector, head, lists, order.data.length, order.data);
        // Zeros up to the end of a word, of those in memory.
        equal(filled.length - written.length < 32, true, "padded to a word at most");
        equal(filled, bytes.concat(written, new bytes(filled.length - written.length)), "fill");
    }

    /// @dev What `settle` skips: the head of the other call.
    function _gap(bytes memory settled) private pure returns (bytes memory gap) {
        gap = new bytes(192);
        for (uint256 i; i < 192; ++i) {
            gap[i] = settled[100 + i];
        }
    }

    /// @dev Data of every length of up to a word. The calls grow by whole words only.
    function test_calls_are_as_their_encoding_says() external {
        uint256 before;
        uint256 steps;
        for (uint256 length; length < 34; ++length) {
            Order memory order = _order(wordList(WHOLE), wordList(1), wordList(CENTS));
            order.data = new bytes(length);
            for (uint256 i; i < length; ++i) {
                order.data[i] = bytes1(uint8(255 - i));
            }
            uint256 snapshot = vm.snapshotState();
            _pay(order, wordList(1100e18));
            rebalancer.trade(order);
            address[] memory received = new address[](1);
            received[0] = address(filler);
            _sent(order, received);
            uint256 sent = filler.filled().length;
            if (before != 0 && sent != before) {
                equal(sent, before + 32, "a word more");
                ++steps;
            }
            before = sent;
            vm.revertToState(snapshot);
        }
        equal(steps == 1 || steps == 2, true, "a step for each word");
    }

    function test_calls_with_several_of_each() external {
        Order memory order =
            _order(wordList(ETHER, GOLD, GOLD), wordList(1e16, 500_000, 400_000), wordList(DOLLAR, CENTS, FINE));
        order.recipients[1] = address(0xa1);
        order.data = "for the filler";
        _trade(order, wordList(100e6, 2000e18, 10e27));
        address[] memory received = new address[](3);
        (received[0], received[1], received[2]) = (address(filler), address(0xa1), address(filler));
        _sent(order, received);
    }

    /// @dev What is told is what was sent: amounts are clamped.
    function test_amounts_are_told_as_they_are_sent() external {
        parts[EVEN].token.setBalance(address(fund), 3 * SUPPLY + 1e18);
        Order memory order = _small();
        _trade(order, wordList(120e6));
        order.amounts[1] = 1e18;
        address[] memory received = new address[](2);
        (received[0], received[1]) = (address(filler), address(filler));
        _sent(order, received);
    }

    /* FAILURES */

    function test_what_the_fund_reverts_with_is_passed_on() external {
        parts[EVEN].token.setStuck(true);
        _refused(_small(), abi.encodeWithSelector(FuzzToken.Stuck.selector));
    }

    function test_what_the_filler_reverts_with_is_passed_on() external {
        filler.add(address(parts[GOLD].token), abi.encodeCall(FuzzToken.transfer, (address(this), 1e18)));
        _refused(_small(), abi.encodeWithSelector(FuzzToken.TooLittle.selector));
        Order memory order = _small();
        order.filler = IFiller(address(oracle));
        _refused(order, "");
    }

    function test_a_filler_without_code_is_none() external {
        Order memory order = _small();
        // Nobody; precompiles, which answer something; an account.
        address[4] memory fillers = [address(0), address(2), address(4), address(0xa1)];
        for (uint256 k; k < 4; ++k) {
            order.filler = IFiller(fillers[k]);
            _refused(order, "");
        }
    }

    /// @dev One byte is code: it stops, and has paid nothing.
    function test_a_filler_of_one_byte_is_one() external {
        Order memory order = _small();
        order.filler = IFiller(address(0xa1));
        vm.etch(address(0xa1), hex"00");
        bytes memory reason =
            abi.encodeWithSelector(IRebalancer.BelowTolerance.selector, 0, _expected(order, wordList(0)).least);
        _refused(order, reason);
    }

    /// @dev The lock is held while others act.
    function test_no_batch_within_a_batch() external {
        filler.add(address(rebalancer), abi.encodeCall(rebalancer.trade, (_small())));
        _refused(_small(), abi.encodeWithSignature("WrongLock()"));
    }
}
