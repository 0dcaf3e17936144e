// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {Owned} from "../access/Owned.sol";
import {IIndexToken} from "../interfaces/IIndexToken.sol";
import {IOracle} from "../interfaces/IOracle.sol";
import {Action, IRebalancer, Order} from "../interfaces/IRebalancer.sol";
import {IUpkeep, Terms} from "../interfaces/IUpkeep.sol";
import {IReceiver} from "../interfaces/external/IReceiver.sol";
import {Balance} from "../libraries/Balance.sol";
import {Component} from "../libraries/ComponentList.sol";
import {GasTable} from "../libraries/GasTable.sol";
import {Value} from "../libraries/Value.sol";

/// @title Upkeep
/// @notice See `IUpkeep` for the specification. Nothing on chain depends on it.
/// @dev One for each fund: whom it calls is fixed at its creation, so nobody's data can send it anywhere else.
contract Upkeep is IUpkeep, IReceiver, Owned {
    using SafeERC20 for IERC20;

    /* CONSTANTS AND IMMUTABLES */

    /// @dev The oracle's name for ether.
    address private constant ETH = address(0);
    uint256 private constant MAX_AGE = 1 days;
    /// @dev Bytes of a constituent in a determination's code.
    uint256 private constant CONSTITUENT = 64;

    IRebalancer public immutable REBALANCER;
    IIndexToken public immutable INDEX;
    IOracle public immutable ORACLE;
    uint64 private immutable PREMIUM;
    uint64 private immutable LEAST_SALE;
    uint64 private immutable MAX_BASE_FEE;
    uint96 private immutable MONTHLY;

    /* STORAGE */

    /// @dev In one slot: price of a whole share in wei and its time, what was paid in the last paid period, in wei.
    struct Ledger {
        uint96 price;
        uint40 pricedAt;
        uint24 period;
        uint96 paid;
    }

    Ledger private _ledger;
    /// @dev Whether a step of this transaction was paid already: what a transaction takes by itself is paid once.
    bool private transient _paidBefore;

    /* CONSTRUCTOR */

    /// @param owner The timelock.
    constructor(IRebalancer rebalancer, address owner, Terms memory t) Owned(owner) {
        require(address(rebalancer).code.length != 0, NotContract(address(rebalancer)));
        require(t.premium <= 0.1e18, TermOutOfBounds("premium"));
        require(t.leastSale >= 0.001e18 && t.leastSale <= 0.1e18, TermOutOfBounds("leastSale"));
        require(t.maxBaseFee >= 1 gwei && t.maxBaseFee <= 500 gwei, TermOutOfBounds("maxBaseFee"));
        require(t.monthly <= 10 ether, TermOutOfBounds("monthly"));
        (REBALANCER, INDEX, ORACLE) = (rebalancer, rebalancer.INDEX(), rebalancer.ORACLE());
        (PREMIUM, LEAST_SALE, MAX_BASE_FEE, MONTHLY) = (t.premium, t.leastSale, t.maxBaseFee, t.monthly);
    }

    /* VIEWS */

    /// @inheritdoc IUpkeep
    function terms() external view returns (Terms memory) {
        return Terms(PREMIUM, LEAST_SALE, MAX_BASE_FEE, MONTHLY);
    }

    /// @inheritdoc IUpkeep
    function purse() external view returns (uint256 shares, uint256 price, uint256 left) {
        Ledger memory l = _ledger;
        shares = INDEX.balanceOf(address(this));
        price = _stale(l) ? _priceNow() : l.price;
        left = MONTHLY - (l.period == REBALANCER.month().period ? l.paid : 0);
    }

    /// @inheritdoc IUpkeep
    function sharePrice() external view returns (uint256) {
        Component[] memory list = INDEX.components();
        uint256 n = list.length;
        address[] memory tokens = new address[](n + 1);
        for (uint256 i; i < n; ++i) {
            tokens[i] = list[i].token;
        }
        tokens[n] = ETH;
        uint256[] memory prices = ORACLE.prices(tokens);
        uint256 value;
        for (uint256 i; i < n; ++i) {
            if (list[i].writtenOff) continue;
            (bool sound, uint256 balance) = Balance.tryRead(tokens[i], address(INDEX));
            if (!sound || prices[i] == 0) return 0;
            // {USD} = {tok} * {USD / whole tok} / {tok / whole tok}, up; a component may hold what trading refuses
            value += Math.mulDiv(balance, prices[i], Value.oneOf(list[i].decimals), Math.Rounding.Ceil);
        }
        if (prices[n] == 0) return 0;
        // {USD / 1e18 share} = {USD} * {1e18 share} / {share}, up
        uint256 nav = Math.ceilDiv(value * 1e18, INDEX.totalSupply());
        // {wei / 1e18 share} = {USD / 1e18 share} * {wei / ETH} / {USD / ETH}, up
        return Math.ceilDiv(nav * 1e18, prices[n]);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 id) external pure returns (bool) {
        return id == type(IReceiver).interfaceId || id == type(IERC165).interfaceId;
    }

    /* ANYONE */

    /// @inheritdoc IUpkeep
    function perform(Action action, uint256 period, address payee) external {
        require(_performs(uint256(action)), NotPerformed(action));
        _perform(action, period, payee);
    }

    /// @inheritdoc IUpkeep
    function trade(Order calldata order, address payee) external {
        uint256 gas = gasleft();
        uint256 surplus = REBALANCER.progress().surplus;
        REBALANCER.trade(order);
        // Under the fund's lock only a batch changes the surplus, and it only falls.
        uint256 sold = surplus - REBALANCER.progress().surplus;
        if (sold < LEAST_SALE && REBALANCER.trading()) return;
        (uint256 least, uint256 most) = GasTable.ofTrade(order, sold, LEAST_SALE);
        _pay(Action.Trade, REBALANCER.month().period, payee, gas, least, most);
    }

    /* KEEPER NETWORKS */

    /// @inheritdoc IUpkeep
    function checkUpkeep(bytes calldata checkData) external view returns (bool upkeepNeeded, bytes memory performData) {
        (Action action,,) = REBALANCER.workable();
        upkeepNeeded = _performs(uint256(action));
        if (!upkeepNeeded) return (false, "");
        address payee = checkData.length == 32 ? address(uint160(uint256(bytes32(checkData)))) : address(0);
        performData = abi.encode(action, _period(action), payee);
    }

    /// @inheritdoc IUpkeep
    function performUpkeep(bytes calldata performData) external {
        _performNamed(performData);
    }

    /// @inheritdoc IReceiver
    /// @dev Whoever calls may perform: the forwarder need not be known.
    function onReport(bytes calldata, bytes calldata report) external {
        _performNamed(report);
    }

    /* OWNER */

    /// @inheritdoc IUpkeep
    function withdraw(address token, address to, uint256 amount) external onlyOwner {
        IERC20(token).safeTransfer(to, amount);
    }

    /* INTERNAL: STEPS */

    function _performNamed(bytes calldata performData) private {
        require(performData.length == 96, UnfitPerformData(performData));
        (uint256 action, uint256 period, uint256 payee) = abi.decode(performData, (uint256, uint256, uint256));
        require(_performs(action) && payee <= type(uint160).max, UnfitPerformData(performData));
        _perform(Action(action), period, address(uint160(payee)));
    }

    /// @param action One that is performed.
    function _perform(Action action, uint256 named, address payee) private {
        uint256 gas = gasleft();
        uint256 period = _period(action);
        require(named == period, OtherPeriod(action, named, period));
        if (action == Action.Determine) REBALANCER.determine();
        else if (action == Action.Start) REBALANCER.start();
        else REBALANCER.close();
        if (payee == address(0)) return;
        uint256 most = GasTable.ofAction(action, REBALANCER.month().determination.code.length / CONSTITUENT);
        _pay(action, period, payee, gas, most, most);
    }

    /// @dev Whether this is one of the actions that need no plan.
    function _performs(uint256 due) private pure returns (bool) {
        return due == uint256(Action.Determine) || due == uint256(Action.Start) || due == uint256(Action.Close);
    }

    /// @dev The period that an action belongs to, if it is done now: that which has begun for a determination, else the
    /// last one determined.
    function _period(Action action) private view returns (uint256) {
        return action == Action.Determine ? REBALANCER.currentPeriod() : REBALANCER.month().period;
    }

    /* INTERNAL: PAYMENT */

    /// @dev Pays for a step that is done. Does not revert.
    /// @param gas What was left when the step began. @param least See `IUpkeep`, as `most`.
    function _pay(Action action, uint256 period, address payee, uint256 gas, uint256 least, uint256 most) private {
        if (payee == address(0)) return;
        uint256 held = INDEX.balanceOf(address(this));
        if (held == 0) return;
        Ledger memory l = _ledger;
        // A close takes the price that there is: to ask for all prices costs more than it does.
        if (_stale(l) && (action != Action.Close || l.price == 0)) {
            (l.price, l.pricedAt) = (uint96(_priceNow()), uint40(block.timestamp));
        }
        if (l.price == 0) return;
        if (l.period != period) (l.period, l.paid) = (uint24(period), 0);
        uint256 used = gas - gasleft() + (_paidBefore ? GasTable.FURTHER_OVERHEAD : GasTable.OVERHEAD);
        uint256 own = Math.min(used, least);
        // {gas} = {gas} + {gas} + {gas} * {1e18} / {1e18}, down
        uint256 counted = own + (Math.min(used, most) - own) * 4 / 5 + own * PREMIUM / 1e18;
        // {wei} = {gas} * {wei / gas}
        uint256 amount = Math.min(counted * Math.min(block.basefee, MAX_BASE_FEE), MONTHLY - l.paid);
        // {share} = {wei} * {1e18 share} / {wei}, down
        uint256 shares = Math.min(amount * 1e18 / l.price, held);
        if (shares == 0) return;
        // {wei} = {share} * {wei / 1e18 share} / {1e18}, up: no more than `amount`
        amount = Math.ceilDiv(shares * l.price, 1e18);
        l.paid += uint96(amount);
        _ledger = l;
        _paidBefore = true;
        IERC20(address(INDEX)).safeTransfer(payee, shares);
        emit Paid(period, action, payee, shares, amount);
    }

    function _stale(Ledger memory l) private view returns (bool) {
        return block.timestamp - l.pricedAt >= MAX_AGE;
    }

    /// @dev `sharePrice`; 0 where it fails, or has no bounds that the ledger keeps.
    function _priceNow() private view returns (uint256) {
        try this.sharePrice() returns (uint256 price) {
            return price <= type(uint96).max ? price : 0;
        } catch {
            return 0;
        }
    }
}
