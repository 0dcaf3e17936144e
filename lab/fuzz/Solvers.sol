// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IFiller} from "../../contracts/interfaces/IFiller.sol";
import {Order} from "../../contracts/interfaces/IRebalancer.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Splits} from "./Splits.sol";

/// @dev What the owner of a stock calls, as it stands in `StockFiller`.
interface IStock {
    function trade(Order calldata order) external;
}

/// @title Solvers
/// @notice Batches filled out of a stock, with least sells, and people who come first.
abstract contract Solvers is Splits {
    using Drawing for Draw;

    /// @notice A solver pays a fixed amount for what it wants to be sold. One time in two somebody trades just before,
    /// or gives something. It gets all that it asked for, or pays nothing.
    function tradeStock(uint256 seed) external whileTrading(seed) {
        Draw memory d = Drawing.from(seed);
        Before memory b = _before();
        Deal memory deal = _propose(d, b);
        for (uint256 i; i < N; ++i) {
            if (deal.amount[i] != 0) deal.amount[i] = _min(deal.amount[i], b.seen.balance[i] - b.goal[i]);
        }
        _payFairly(b, deal, deal.value * d.between(0.99e18, 1.035e18) / ONE + 1);
        Order memory o = _orderOf(deal);
        if (d.below(2) == 0) _comeFirst(d, deal);
        b = _giveFirst(d, _before());
        uint256[N] memory had;
        for (uint256 i; i < N; ++i) {
            had[i] = tokens[i].held(stock);
        }
        (bool made, bytes memory reason) = stock.call{gas: GAS}(abi.encodeCall(IStock.trade, (o)));
        if (!made) return _noPanic(reason);
        for (uint256 i; i < N; ++i) {
            bool holds = tokens[i].held(stock) + deal.pay[i] >= had[i] + deal.amount[i];
            _hold(holds, "a solver gets what it pays for");
        }
        _settled(b, deal.buys);
    }

    /// @dev The order, with what is paid of each buy and the least that is wanted of each sell; the stock is given what
    /// it pays.
    function _orderOf(Deal memory deal) private returns (Order memory o) {
        o = _order(deal, IFiller(stock), PLAIN);
        uint256[] memory pays = new uint256[](o.buys.length);
        uint256 k;
        for (uint256 i; i < N; ++i) {
            if (deal.pay[i] != 0) tokens[i].deal(stock, deal.pay[i]);
            if ((deal.buys >> i) & 1 != 0) pays[k++] = deal.pay[i];
        }
        o.data = abi.encode(pays, o.amounts);
    }

    /// @dev Somebody trades a part of the same, and pays the least that the fund takes.
    function _comeFirst(Draw memory d, Deal memory deal) private {
        Deal memory first = _copy(deal);
        uint256 part = d.below(ONE);
        for (uint256 i; i < N; ++i) {
            first.amount[i] = deal.amount[i] * part / ONE;
        }
        uint256 least = _least(first);
        if (least == 0) return;
        _payLeast(first, least, 0);
        _make(_before(), first, PLAIN);
    }
}
