// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {FuzzToken} from "./FuzzToken.sol";

/// @title FuzzPool
/// @notice A constant-product pool with the interface of the Uniswap V2 family and a fee of 0.3 %.
contract FuzzPool {
    error TooLittle();

    FuzzToken public immutable TOKEN0;
    FuzzToken public immutable TOKEN1;
    uint112 private _reserve0;
    uint112 private _reserve1;

    constructor(FuzzToken token0, FuzzToken token1) {
        (TOKEN0, TOKEN1) = (token0, token1);
    }

    /// @notice Puts the pool at these reserves.
    function set(uint112 reserve0, uint112 reserve1) external {
        (_reserve0, _reserve1) = (reserve0, reserve1);
        TOKEN0.setBalance(address(this), reserve0);
        TOKEN1.setBalance(address(this), reserve1);
    }

    function getReserves() external view returns (uint112, uint112, uint32) {
        return (_reserve0, _reserve1, 0);
    }

    function swap(uint256 out0, uint256 out1, address to, bytes calldata) external {
        if (out0 != 0) TOKEN0.transfer(to, out0);
        if (out1 != 0) TOKEN1.transfer(to, out1);
        (uint256 balance0, uint256 balance1) = (TOKEN0.balanceOf(address(this)), TOKEN1.balanceOf(address(this)));
        (uint256 reserve0, uint256 reserve1) = (_reserve0, _reserve1);
        uint256 in0 = balance0 + out0 - reserve0;
        uint256 in1 = balance1 + out1 - reserve1;
        // {tok * tok * 1e6}
        require((balance0 * 1000 - in0 * 3) * (balance1 * 1000 - in1 * 3) >= reserve0 * reserve1 * 1e6, TooLittle());
        (_reserve0, _reserve1) = (uint112(balance0), uint112(balance1));
    }
}
