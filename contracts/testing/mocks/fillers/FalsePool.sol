// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

interface IPayer {
    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata data) external;
}

/// @title FalsePool
/// @notice For tests: says that it is a pool of Uniswap V3, or V2, asks for what it was told to ask for, and gives
/// nothing.
contract FalsePool {
    address public token0;
    address public token1;
    int256 private _amount0;
    int256 private _amount1;
    uint256 private _times;
    FalsePool private _accomplice;

    /// @notice What `swap` shall do: call back so many times with these amounts, itself or through an accomplice.
    function init(address token0_, address token1_, int256 amount0, int256 amount1, uint256 times, FalsePool accomplice)
        external
    {
        (token0, token1, _amount0, _amount1) = (token0_, token1_, amount0, amount1);
        (_times, _accomplice) = (times, accomplice);
    }

    /// @notice As a pool of Uniswap V3.
    function swap(address, bool, int256, uint160, bytes calldata) external returns (int256, int256) {
        _ask();
        return (_amount0, _amount1);
    }

    /// @notice As a pair.
    function swap(uint256, uint256, address, bytes calldata) external {
        _ask();
    }

    /// @notice As a pair.
    function getReserves() external pure returns (uint112, uint112, uint32) {
        return (1e18, 1e18, 0);
    }

    function _ask() private {
        FalsePool caller = address(_accomplice) == address(0) ? this : _accomplice;
        for (uint256 i; i < _times; ++i) {
            if (caller == this) IPayer(msg.sender).uniswapV3SwapCallback(_amount0, _amount1, "");
            else caller.callBack(IPayer(msg.sender), _amount0, _amount1);
        }
    }

    /// @notice Calls back for somebody else.
    function callBack(IPayer payer, int256 amount0, int256 amount1) external {
        payer.uniswapV3SwapCallback(amount0, amount1, "");
    }
}
