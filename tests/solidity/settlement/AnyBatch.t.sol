// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IRebalancer, Order} from "../../../contracts/interfaces/IRebalancer.sol";
import {BatchScene} from "./BatchScene.sol";
import {Outcome} from "./Model.sol";

/// @dev Any batch does what the model says, to the wei and to the error's arguments.
contract AnyBatchTest is BatchScene {
    function setUp() external {
        _openUsual();
    }

    /// @dev Two batches at moving prices, each of two sells and two buys that pay about as much.
    /// forge-config: default.fuzz.runs = 12
    function test_chain_and_model_agree(uint256 seed) external {
        uint256 time;
        for (uint256 k; k < 2; ++k) {
            seed = uint256(keccak256(abi.encode(seed, k)));
            time += 200 + (seed >> 8) % 1800;
            _idle(time);
            _movePrices(seed);
            (Order memory order, uint256[] memory pays) = _draw(seed);
            _make(order, pays);
        }
    }

    function _movePrices(uint256 seed) private {
        for (uint256 i; i < parts.length; ++i) {
            uint256 price = parts[i].startPrice * (90_000 + uint256(keccak256(abi.encode(seed, "price", i))) % 20_001);
            _price(i, price / 100_000, price / 100_003);
        }
    }

    function _draw(uint256 seed) private view returns (Order memory order, uint256[] memory pays) {
        uint256[4] memory sells = [ETHER, GOLD, EVEN, WHOLE];
        uint256[3] memory buys = [DOLLAR, CENTS, FINE];
        uint256 a = (seed >> 16) % 3;
        uint256 b = (seed >> 24) % 2;
        // {USD} each.
        uint256 value = 500e18 + (seed >> 32) % 2200e18;
        order = _order(wordList(sells[a], sells[a + 1]), wordList(0, 0), wordList(buys[b], buys[b + 1]));
        pays = wordList(0, 0);
        for (uint256 k; k < 2; ++k) {
            uint256 i = order.sells[k];
            order.amounts[k] = value * 10 ** parts[i].decimals / parts[i].soldAt;
            pays[k] = _worth(order.buys[k], value * (97_000 + (seed >> 160) % 4500) / 100_000);
        }
    }

    function _make(Order memory order, uint256[] memory pays) private {
        Outcome memory o = _expected(order, pays);
        if (o.value > o.capacity) {
            _refused(order, pays, abi.encodeWithSelector(IRebalancer.AboveCapacity.selector, o.value, o.capacity));
        } else if (o.result.valueIn < o.least) {
            uint256 found = o.result.valueIn;
            _refused(order, pays, abi.encodeWithSelector(IRebalancer.BelowTolerance.selector, found, o.least));
        } else {
            _trade(order, pays);
        }
    }
}
