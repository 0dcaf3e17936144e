// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../contracts/interfaces/IIndexToken.sol";
import {IMethodology} from "../../contracts/interfaces/IMethodology.sol";
import {IRebalancer, Limits, Timetable} from "../../contracts/interfaces/IRebalancer.sol";
import {IUpkeep, Terms} from "../../contracts/interfaces/IUpkeep.sol";
import {ExecutionDay} from "../../contracts/libraries/Schedule.sol";
import {Quote} from "../../contracts/libraries/Sources.sol";
import {Deploys} from "./Deploys.sol";
import {vm} from "./Vm.sol";
import {FuzzFeed} from "./parts/FuzzFeed.sol";
import {FuzzFiller} from "./parts/FuzzFiller.sol";
import {FuzzPool} from "./parts/FuzzPool.sol";
import {FuzzToken} from "./parts/FuzzToken.sol";

/// @dev As in ChainlinkOracle.sol.
struct Feed {
    address token;
    address feed;
    uint32 maxAge;
    Quote quote;
    uint128 ratio;
    uint128 lowest;
    uint128 highest;
}

/// @title Scene
/// @notice The fund under test with everything around it: the one place that deploys. This contract is owner and
/// seeder.
/// @dev What is under test is known here by its interfaces and deployed as it was compiled for the chain: the harness
/// has settings of its own, see `foundry.toml`.
abstract contract Scene is Deploys {
    uint256 internal constant N = 5;
    /// @dev The one that the fund is not founded with.
    uint256 internal constant NEWCOMER = 2;
    uint256 internal constant HOLDERS = 3;
    /// @dev What feeds are believed: half of the least, and twice the most, to which prices go.
    uint128 internal constant LEAST_PRICE = 0.5e14;
    uint128 internal constant MOST_PRICE = 2e24;
    address internal constant DEAD = 0x000000000000000000000000000000000000dEaD;
    address internal constant GUARDIAN = address(0x6a);
    address internal constant RECIPIENT = address(0xfee);
    uint256 internal constant SEED_SHARES = 1000e18;
    /// @dev Most that one start may drop, share of NAV: a millionth.
    uint256 internal constant MAX_DROP = 1e12;
    uint256 internal constant BASE_FEE = 30 gwei;
    /// @dev Less than determine and start take together.
    uint96 internal constant MONTHLY = 0.015 ether;
    /// @dev Shares of the first holder's that the upkeep pays with.
    uint256 internal constant PURSE = 5e18;

    IIndexToken public index;
    IRebalancer public rebalancer;
    IUpkeep internal upkeep;
    IMethodology internal methodology;
    /// @dev Another one of the same kind, to take its place.
    IMethodology internal spare;
    address internal uniswap;
    FuzzFiller internal filler;
    address internal stock;
    address internal lens;
    FuzzToken internal weth;

    /// @dev Of each token, ascending by address. `price`: USD with 18 decimals as the oracle must give it, 0 for none;
    /// `lastPrice`: the last one that was not 0.
    FuzzToken[N] internal tokens;
    FuzzFeed[N] internal feeds;
    FuzzFeed internal etherFeed;
    FuzzPool[N] internal pools;
    uint256[N] internal one;
    uint256[N] internal price;
    uint256[N] internal lastPrice;

    constructor() {
        _makeTokens();
        address opener = deploy("Opener", "");
        address calendar = deploy("Calendar", "");
        (methodology, spare) = _makeMethodologies();
        // Oracle and index token name the rebalancer, which is made last.
        address later = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        address oracle = deploy("ChainlinkOracle", abi.encode(address(this), later, address(0), 0, _feeds()));
        index = IIndexToken(
            deploy(
                "IndexToken", abi.encode("Fuzzed", "FUZZ", later, address(this), RECIPIENT, 0.0095e18, 4_000_000_000)
            )
        );
        rebalancer = IRebalancer(
            deploy(
                "Rebalancer",
                abi.encode(
                    index,
                    oracle,
                    opener,
                    calendar,
                    methodology,
                    address(this),
                    GUARDIAN,
                    _firstLimits(),
                    0,
                    _firstTimetable()
                )
            )
        );
        require(address(rebalancer) == later, "scene: the rebalancer's address");
        _makeFillers();
        upkeep = IUpkeep(
            deploy("Upkeep", abi.encode(rebalancer, address(this), Terms(0.1e18, 0.005e18, 100 gwei, MONTHLY)))
        );
        _seed();
    }

    /// @dev The methodology and a second one, and anything that they need.
    function _makeMethodologies() internal virtual returns (IMethodology first, IMethodology second);

    function _firstLimits() internal pure returns (Limits memory) {
        return Limits({
            firstTolerance: -0.015e18,
            lastTolerance: 0.04e18,
            batchCap: 0.05e18,
            lossBudget: 0.005e18,
            maxStep: 0.2e18,
            dust: 1e14,
            coolOff: 600,
            maxIdle: 1800
        });
    }

    function _firstTimetable() internal pure returns (Timetable memory) {
        return Timetable({
            length: 1,
            day: ExecutionDay.FirstBusinessDay,
            fixedDay: 0,
            notice: 7 days,
            minNotice: 1 days,
            minTrading: 1 days,
            begins: 0,
            first: 0
        });
    }

    /* PARTS */

    function _makeTokens() private {
        // A dollar, 20,000, 10, 2,000 and 5 cents for one whole token; the feeds have 8 decimals.
        uint64[N] memory answers = [uint64(1e8), 20_000e8, 10e8, 2_000e8, 0.05e8];
        uint8[N] memory decimals = [6, 8, 4, 18, 18];
        for (uint256 i; i < N; ++i) {
            tokens[i] = new FuzzToken();
        }
        for (uint256 i; i < N; ++i) {
            for (uint256 j = i + 1; j < N; ++j) {
                if (tokens[j] < tokens[i]) (tokens[i], tokens[j]) = (tokens[j], tokens[i]);
            }
        }
        etherFeed = new FuzzFeed();
        etherFeed.set(2_000e8);
        weth = new FuzzToken();
        weth.init(18);
        for (uint256 i; i < N; ++i) {
            tokens[i].init(decimals[i]);
            one[i] = 10 ** decimals[i];
            feeds[i] = new FuzzFeed();
            _setPrice(i, uint256(answers[i]) * 1e10);
            bool first = address(tokens[i]) < address(weth);
            pools[i] = first ? new FuzzPool(tokens[i], weth) : new FuzzPool(weth, tokens[i]);
            _setPool(i, 1e18);
        }
    }

    function _feeds() private view returns (Feed[] memory list) {
        list = new Feed[](N + 1);
        list[N] = Feed(address(0), address(etherFeed), 1 days, Quote.Usd, 0, 0, 0);
        for (uint256 i; i < N; ++i) {
            list[i] = Feed(address(tokens[i]), address(feeds[i]), 1 days, Quote.Usd, 0, LEAST_PRICE, MOST_PRICE);
        }
    }

    function _makeFillers() private {
        uniswap = deploy("UniswapFiller", abi.encode(weth));
        stock = deploy("StockFiller", abi.encode(rebalancer, address(this)));
        lens = deploy("FundLens", "");
        FuzzToken[] memory list = new FuzzToken[](N);
        for (uint256 i; i < N; ++i) {
            list[i] = tokens[i];
        }
        filler = new FuzzFiller(list);
    }

    /// @dev A quarter of a share's 100 dollars in each component.
    function _seed() private {
        address[] memory list = new address[](N - 1);
        uint256[] memory units = new uint256[](N - 1);
        uint256 n;
        for (uint256 i; i < N; ++i) {
            for (uint256 k; k < HOLDERS; ++k) {
                vm.prank(holder(k));
                tokens[i].approve(address(index), type(uint256).max);
            }
            if (i == NEWCOMER) continue;
            (list[n], units[n]) = (address(tokens[i]), 25e18 * one[i] / price[i]);
            tokens[i].deal(address(this), units[n++] * SEED_SHARES / 1e18 + 1);
            tokens[i].approve(address(index), type(uint256).max);
        }
        index.seed(list, units, SEED_SHARES, holder(0));
        vm.prank(holder(0));
        index.transfer(address(upkeep), PURSE);
    }

    /* MARKET */

    function holder(uint256 k) internal pure returns (address) {
        return address(uint160(0xa0 + k));
    }

    /// @dev The feed lives and is wrong: it stands at a floor below its band, and there is no price.
    function _setWrong(uint256 i) internal {
        feeds[i].set(1);
        price[i] = 0;
    }

    /// @dev Sets the oracle's price, USD with 18 decimals, in steps of the feed's 8 decimals; 0: the feed is dead.
    function _setPrice(uint256 i, uint256 value) internal {
        feeds[i].set(int256(value / 1e10));
        price[i] = value / 1e10 * 1e10;
        if (price[i] != 0) lastPrice[i] = price[i];
    }

    /// @dev Puts a pool at `ratio` (18 decimals) x the token's last price, with ether at 2,000 dollars and a billion
    /// dollars on the side of the ether.
    function _setPool(uint256 i, uint256 ratio) internal {
        uint256 ether_ = 500_000e18;
        // {tok} = {USD} * {tok / whole tok} / {USD / whole tok}
        uint256 amount = 1_000_000_000e18 * one[i] / lastPrice[i] * 1e18 / ratio;
        bool first = address(tokens[i]) < address(weth);
        pools[i].set(uint112(first ? amount : ether_), uint112(first ? ether_ : amount));
    }
}
