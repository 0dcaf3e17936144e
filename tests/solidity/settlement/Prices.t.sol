// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer, Order} from "../../../contracts/interfaces/IRebalancer.sol";
import {BatchScene} from "./BatchScene.sol";
import {Outcome} from "./Model.sol";

/// @dev What a batch asks of the oracle, and which answers it takes.
contract PricesTest is BatchScene {
    function setUp() external {
        _openUsual();
        _idle(1800);
    }

    function _small() private view returns (Order memory) {
        return _order(wordList(GOLD, EVEN), wordList(500_000, 4e18), wordList(DOLLAR));
    }

    function _noPrice(address token) private {
        _refused(_small(), wordList(110e6), abi.encodeWithSelector(IRebalancer.NoPrice.selector, token));
    }

    function test_sells_count_for_one_price_and_buys_for_another() external {
        _price(GOLD, 21_000e18, 1);
        _price(EVEN, 0.3e18, 1);
        _price(DOLLAR, 1, 0.9e18);
        Outcome memory o = _trade(_small(), wordList(130e6));
        equal(o.result.valueOut, 106.2e18, "sold");
        equal(o.result.valueIn, 117e18, "bought");
    }

    function test_no_price_stops_the_batches_of_its_token() external {
        _price(GOLD, 0, 1e18);
        _noPrice(address(parts[GOLD].token));
        _price(GOLD, 20_000e18, 0);
        _price(EVEN, 0, 0);
        _noPrice(address(parts[EVEN].token));
        _price(EVEN, 0.25e18, 0.25e18);
        _price(DOLLAR, 1e18, 0);
        _noPrice(address(parts[DOLLAR].token));
        _price(CENTS, 0, 0);
        _price(DOLLAR, 1e18, 1e18);
        _trade(_small(), wordList(110e6));
    }

    function test_a_price_of_one_wei_is_one() external {
        _price(EVEN, 1, 0);
        _trade(_small(), wordList(110e6));
    }

    /// @dev 2**100 is the most.
    function test_prices_above_all_measure_are_none() external {
        _price(DOLLAR, 0, (1 << 100) + 1);
        _noPrice(address(parts[DOLLAR].token));
        _price(DOLLAR, 0, 1 << 100);
        _trade(_small(), wordList(110e6));
        _price(GOLD, (1 << 100) + 1, 0);
        _noPrice(address(parts[GOLD].token));
    }

    /// @dev One price for each token, in the plain encoding of a list, and more bytes at will.
    function test_an_oracle_that_does_not_answer_for_each() external {
        uint256[3] memory values = [uint256(20_000e18), 0.25e18, 1e18];
        bytes memory whole = abi.encode(32, 3, values);
        bytes[8] memory answers = [
            bytes(""),
            abi.encode(32),
            abi.encode(32, 3, values[0], values[1]),
            abi.encodePacked(abi.encode(32, 3, values[0], values[1]), bytes31(bytes32(values[2]))),
            abi.encode(31, 3, values),
            abi.encode(33, 3, values),
            abi.encode(32, 2, values),
            abi.encode(32, 4, values, 1e18)
        ];
        for (uint256 k; k < answers.length; ++k) {
            oracle.answer(answers[k], false);
            _noPrice(address(0));
        }
        oracle.answer(whole, false);
        _trade(_small(), wordList(110e6));
        oracle.answer(abi.encodePacked(whole, uint256(7)), false);
        _trade(_small(), wordList(110e6));
    }

    /// @dev What it reverts with is passed on, whatever it is.
    function test_an_oracle_that_reverts() external {
        oracle.answer("spent", true);
        _refused(_small(), "spent");
        oracle.answer(abi.encode(32, 3, 1e18, 1e18, 1e18, 1e18), true);
        _refused(_small(), abi.encode(32, 3, 1e18, 1e18, 1e18, 1e18));
        oracle.answer("", true);
        _refused(_small(), "");
    }

    /// @dev Values at the prices of now; the month's progress at those of the start.
    function test_progress_is_measured_at_the_prices_of_the_start() external {
        _price(GOLD, 30_000e18 + 7, 0);
        _price(DOLLAR, 0, 2e18 + 1);
        Order memory order = _order(wordList(GOLD), wordList(500_001), wordList(DOLLAR));
        Outcome memory o = _trade(order, wordList(80e6));
        // {USD} * {1e18} / {USD}, of the kept price of 20,000 dollars, which is 68 bits more than 25.
        uint256 kept = 20_000e18 >> 52 << 52;
        uint256 nav = NAV * SUPPLY / 1e18;
        equal(o.next.surplus, SURPLUS - 500_001 * kept / 1e8 * 1e18 / nav, "surplus");
        kept = 1e18 >> 36 << 36;
        equal(o.next.held, HELD + 80e6 * kept / 1e6 * 1e18 / nav, "held");
        equal(o.result.valueOut, 150.0003e18 + 1, "out, rounded up");
        equal(o.result.valueIn, 160e18 + 80, "in");
    }
}
