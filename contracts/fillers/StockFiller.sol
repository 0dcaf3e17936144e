// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {Owned} from "../access/Owned.sol";
import {IFiller} from "../interfaces/IFiller.sol";
import {IRebalancer, Order} from "../interfaces/IRebalancer.sol";
import {IUpkeep} from "../interfaces/IUpkeep.sol";

/// @title StockFiller
/// @notice An example of a solver: fills batches out of what it holds, and keeps what the fund sells. It needs no pool,
/// so it can pay more than one who trades in pools. Nothing in the fund depends on it.
/// @dev Warning: anyone can name any filler in an order. Without its own check that its owner began the batch, whoever
/// wrote the data would take the stock.
/// @dev Warning: a batch's sells are clamped to the surplus that is left when it is mined, and its buys are not. Who
/// pays a fixed amount has to name the least that it wants for it, or whoever trades just before gets the batch's sells
/// and this contract's stock pays for them.
contract StockFiller is IFiller, Owned {
    using SafeERC20 for IERC20;

    /// @notice The rebalancer that it fills for.
    IRebalancer public immutable REBALANCER;

    /// @dev Whether the owner's own batch is on its way.
    bool private transient _trading;

    /// @notice Nobody but the rebalancer, in a batch that the owner began, may ask for anything.
    error NotTrading(address caller);
    /// @notice The data does not name an amount for each buy, or a least amount for each entry of the sells.
    error UnfitData(uint256 amounts, uint256 entries);
    /// @notice Less was sent of a sell than it is filled for: somebody came first. Nothing is paid.
    error TooLittleSold(address token, uint256 amount, uint256 least);

    constructor(IRebalancer rebalancer, address owner) Owned(owner) {
        REBALANCER = rebalancer;
    }

    /// @notice Trades a batch that this contract fills.
    function trade(Order calldata order) external onlyOwner {
        _trading = true;
        REBALANCER.trade(order);
        _trading = false;
    }

    /// @notice As `trade`, through the fund's upkeep, which pays `payee` for it.
    /// @dev Warning: name the fund's own upkeep. Another may trade somebody else's batch first, and take the stock.
    function tradeThrough(IUpkeep upkeep, Order calldata order, address payee) external onlyOwner {
        _trading = true;
        upkeep.trade(order, payee);
        _trading = false;
    }

    /// @inheritdoc IFiller
    /// @dev `data`: `(uint256[] pays, uint256[] leastSells)`: token wei to pay of each of the order's buys, and least
    /// token wei that must have been sent of each entry of its sells.
    function fill(
        address index,
        address[] calldata sells,
        uint256[] calldata amounts,
        address[] calldata buys,
        bytes calldata data
    ) external {
        require(msg.sender == address(REBALANCER) && _trading, NotTrading(msg.sender));
        (uint256[] memory pays, uint256[] memory leastSells) = abi.decode(data, (uint256[], uint256[]));
        require(pays.length == buys.length, UnfitData(pays.length, buys.length));
        require(leastSells.length == sells.length, UnfitData(leastSells.length, sells.length));
        for (uint256 k; k < sells.length; ++k) {
            require(amounts[k] >= leastSells[k], TooLittleSold(sells[k], amounts[k], leastSells[k]));
        }
        for (uint256 k; k < buys.length; ++k) {
            IERC20(buys[k]).safeTransfer(index, pays[k]);
        }
    }

    /// @notice Takes tokens out of the stock.
    function withdraw(IERC20 token, address to, uint256 amount) external onlyOwner {
        token.safeTransfer(to, amount);
    }
}
