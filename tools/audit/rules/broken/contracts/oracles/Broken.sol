// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Not a contract of this project: each line marked is what a rule of ballast.yaml has to find, the others what it must not.
contract Broken {
    modifier byOrigin() {
        require(tx.origin == OWNER, NotOwner()); // found: origin
        _;
    }

    function setFeed(address feed) external onlyOwner {
        FEED = feed;
    }

    function setBand(uint256 band) external { // found: setter-for-all
        BAND = band;
    }

    function withdraw(address to) public { // found: setter-for-all
        IERC20(TOKEN).safeTransfer(to, 1);
    }

    function settle() external {
        _settled = true;
    }

    function run(address code) private {
        code.delegatecall(DATA); // found: foreign-code
        selfdestruct(payable(code)); // found: foreign-code
        // Nobody can delegatecall(code) here.
        assembly ("memory-safe") {
            // Also here: call(code) is only spoken of.
            let done := delegatecall(gas(), code, 0, 0, 0, 0) // found: foreign-code
            done := call(gas(), code, 0, 0, 0, 0, 0) // found: low-level-call
            if iszero(staticcall(gas(), code, 0, 0, 0, 0)) { invalid() } // found: low-level-call
        }
        (bool sent,) = code.call{value: 1}(""); // found: low-level-call
        (sent,) = code.call(DATA); // found: low-level-call
        (sent,) = code.staticcall(DATA); // found: low-level-call
    }

    function chance() private view returns (uint256) {
        uint256 time = block.timestamp;
        uint256 height = block.number; // found: block-number
        return uint256(blockhash(height)) + block.prevrandao + time; // found: block-number
    }

    function move(IERC20 token, address to) private {
        token.safeTransfer(to, 1);
        token.safeTransferFrom(to, address(this), 1);
        token.transfer(to, 1); // found: plain-transfer
        token.transferFrom(to, address(this), 1); // found: plain-transfer
        payable(to).transfer(1); // found: plain-transfer
        payable(to).send(1); // found: plain-transfer
        token.approve(to, type(uint256).max); // found: allowance-given
        token.forceApprove(to, 1); // found: allowance-given
        _approve(address(this), to, 1); // found: allowance-given
    }

    function uniswapV3SwapCallback(int256 amount0, int256, bytes calldata) external {
        require(uint160(msg.sender) == _pool, NotThePool(msg.sender));
        IERC20(TOKEN).safeTransfer(msg.sender, uint256(amount0));
    }

    function onMint(address[] calldata, uint256[] calldata amounts, bytes calldata) external { // found: callback-for-all
        IERC20(TOKEN).safeTransfer(msg.sender, amounts[0]);
        require(msg.sender == FUND, NotTheFund());
    }

    function fill(address index) external { // found: callback-for-all
        IERC20(TOKEN).safeTransfer(index, 1);
    }

    function price() external view returns (uint256) {
        (uint112 a, uint112 b,) = PAIR.getReserves(); // found: price-of-the-moment
        return (a * 1e18) / b;
    }

    function wrap() external payable { // found: ether-taken
        WETH.deposit();
    }

    function sum(uint256 a, uint256 b) private pure returns (uint256 c) {
        unchecked {
            // Both below 2**128.
            c = a + b;
        }
        // A product of two halves fits.
        unchecked {
            c = a * b;
        }
        c = 0; // found: unexplained-block
        unchecked {
            c = a - b;
        }
        // It reads no memory.
        assembly { // found: unsafe-assembly
            c := a
        }
        c = 0; // found: unexplained-block
        assembly ("memory-safe") {
            c := b
        }
    }
}
