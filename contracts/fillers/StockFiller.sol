// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import {IFiller} from "../interfaces/IFiller.sol";
import {IRebalancer, Order} from "../interfaces/IRebalancer.sol";

/// @title StockFiller
/// @notice An example of a solver: fills batches out of what it holds, and keeps what the fund sells. It needs no pool, so it
/// can pay more than one who trades in pools. Nothing in the fund depends on it.
/// @dev Warning: anyone can name any filler in an order. Without its own check that its owner began the batch, whoever
/// wrote the data would take the stock.
contract StockFiller is IFiller, Ownable {
    using SafeERC20 for IERC20;

    /// @notice The rebalancer that it fills for.
    IRebalancer public immutable REBALANCER;

    /// @dev Whether the owner's own batch is on its way.
    bool private transient _trading;

    /// @notice Nobody but the rebalancer, in a batch that the owner began, may ask for anything.
    error NotTrading(address caller);
    /// @notice The data does not name an amount for each buy.
    error UnfitData(uint256 amounts, uint256 buys);

    constructor(IRebalancer rebalancer, address owner) Ownable(owner) {
        REBALANCER = rebalancer;
    }

    /// @notice Trades a batch that this contract fills.
    function trade(Order calldata order) external onlyOwner {
        _trading = true;
        REBALANCER.trade(order);
        _trading = false;
    }

    /// @inheritdoc IFiller
    /// @dev `data`: token wei to pay of each of the order's buys, `uint256[]`.
    function fill(
        address index,
        address[] calldata,
        uint256[] calldata,
        address[] calldata buys,
        bytes calldata data
    ) external {
        require(msg.sender == address(REBALANCER) && _trading, NotTrading(msg.sender));
        uint256[] memory pays = abi.decode(data, (uint256[]));
        require(pays.length == buys.length, UnfitData(pays.length, buys.length));
        for (uint256 k; k < buys.length; ++k) {
            IERC20(buys[k]).safeTransfer(index, pays[k]);
        }
    }

    /// @notice Takes tokens out of the stock.
    function withdraw(IERC20 token, address to, uint256 amount) external onlyOwner {
        token.safeTransfer(to, amount);
    }
}
