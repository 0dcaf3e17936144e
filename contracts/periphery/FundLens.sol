// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Period} from "../interfaces/ICalendar.sol";
import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {Constituent} from "../interfaces/IMethodology.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {
    Action,
    IRebalancer,
    Limits,
    Month,
    Opening,
    Progress,
    Reason,
    Side,
    Target,
    Timetable
} from "../interfaces/IRebalancer.sol";
import {IUniswapV2Pair} from "../interfaces/external/IUniswapV2Pair.sol";
import {Balance} from "../libraries/Balance.sol";
import {Bucket} from "../libraries/Bucket.sol";
import {Component} from "../libraries/ComponentList.sol";
import {Constituents} from "../libraries/Constituents.sol";
import {Settlement} from "../libraries/Settlement.sol";
import {Targets} from "../libraries/Targets.sol";

/// @notice A component as it stands.
/// @param suspendedUntil It is suspended before this time, unless written off. See `Component`.
/// @param sound Whether its balance can be relied on (see `Balance.tryRead`). Where it is not, balance and prices are
/// 0.
/// @param balance Token wei in the index token.
/// @param price USD for one whole token now, 18 decimals; 0: none.
/// @param tradePrice What a batch counts it for on its side: as `price`, unless the oracle knows a second source.
/// @param target Side, target unit and start price of the month; zero while the month is not trading.
struct Holding {
    address token;
    uint8 decimals;
    uint40 suspendedUntil;
    bool writtenOff;
    bool sound;
    uint256 balance;
    uint256 price;
    uint256 tradePrice;
    Target target;
}

/// @notice A fund as it stands in one block.
/// @param current The period now, by the calendar; `month` may be of an earlier one.
/// @param former In effect until `timetable` begins.
/// @param pauseLeft For how many seconds the guardian may pause now.
/// @param supply Accrued supply. `shares`: the same in shares of the start while trading, else 0.
/// @param idle Idle seconds of the bucket, `capacity` of a batch (share of NAV) and its `tolerance`, 18 decimals.
struct Fund {
    uint256 blockNumber;
    uint256 time;
    Action action;
    Reason reason;
    uint256 next;
    Period current;
    Month month;
    Opening opening;
    Progress progress;
    Limits limits;
    uint64 band;
    Timetable timetable;
    Timetable former;
    uint256 pausedUntil;
    uint256 pauseLeft;
    uint256 supply;
    uint256 shares;
    uint256 idle;
    uint256 capacity;
    int256 tolerance;
    Holding[] holdings;
}

/// @title FundLens
/// @notice One-call views for keeper and page. Nothing on chain depends on it.
contract FundLens {
    /// @notice The fund of a rebalancer as it stands.
    function fund(IRebalancer rebalancer) public view returns (Fund memory f) {
        IIndexToken index = rebalancer.INDEX();
        (f.blockNumber, f.time) = (block.number, block.timestamp);
        (f.action, f.reason, f.next) = rebalancer.workable();
        f.month = rebalancer.month();
        f.opening = rebalancer.opening();
        f.progress = rebalancer.progress();
        f.limits = rebalancer.limits();
        f.band = rebalancer.band();
        (f.timetable, f.former) = (rebalancer.timetable(), rebalancer.formerTimetable());
        f.current = rebalancer.CALENDAR().period(f.former, f.timetable, block.timestamp);
        (f.pausedUntil, f.pauseLeft) = rebalancer.pause();
        f.supply = index.totalSupply();
        bool trading = rebalancer.trading();
        if (trading) {
            f.shares = Settlement.startShares(index, f.opening.exponent);
            (f.idle, f.capacity, f.tolerance) = Settlement.bucket(f.limits, f.progress);
            f.idle /= Bucket.SCALE;
        }
        f.holdings = _holdings(rebalancer, index, trading);
    }

    /// @notice `fund`, and the reserves of pools of the Uniswap V2 family (zeros for what is no pool).
    function fundAndPools(IRebalancer rebalancer, address[] calldata pairs)
        external
        view
        returns (Fund memory f, uint112[2][] memory reserves)
    {
        f = fund(rebalancer);
        reserves = new uint112[2][](pairs.length);
        for (uint256 i; i < pairs.length; ++i) {
            if (pairs[i].code.length == 0) continue;
            try IUniswapV2Pair(pairs[i]).getReserves() returns (uint112 reserve0, uint112 reserve1, uint32) {
                reserves[i] = [reserve0, reserve1];
            } catch {}
        }
    }

    /// @notice Constituents of the month's determination.
    function constituents(IRebalancer rebalancer) external view returns (Constituent[] memory) {
        return Constituents.read(rebalancer.month().determination);
    }

    function _holdings(IRebalancer rebalancer, IIndexToken index, bool trading)
        private
        view
        returns (Holding[] memory list)
    {
        Component[] memory components = index.components();
        Target[] memory targets;
        if (trading) targets = Targets.unpack(Targets.read(rebalancer.opening().targets));
        address[] memory tokens = new address[](components.length);
        list = new Holding[](components.length);
        for (uint256 i; i < components.length; ++i) {
            Component memory c = components[i];
            tokens[i] = c.token;
            (bool sound, uint256 balance) = Balance.tryRead(c.token, address(index));
            list[i] = Holding({
                token: c.token,
                decimals: c.decimals,
                suspendedUntil: c.suspendedUntil,
                writtenOff: c.writtenOff,
                sound: sound,
                balance: balance,
                price: 0,
                tradePrice: 0,
                target: trading ? targets[i] : Target(Side.Held, 0, 0)
            });
        }
        IOracle oracle = rebalancer.ORACLE();
        uint256[] memory prices = oracle.prices(tokens);
        uint256[] memory sold = oracle.tradePrices(tokens, tokens.length);
        uint256[] memory bought = oracle.tradePrices(tokens, 0);
        for (uint256 i; i < list.length; ++i) {
            if (!list[i].sound) continue;
            Side side = list[i].target.side;
            list[i].price = prices[i];
            list[i].tradePrice = side == Side.Sell ? sold[i] : side == Side.Buy ? bought[i] : prices[i];
        }
    }
}
