// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// Not a contract of this project: each line marked is what a rule of ballast.yaml has to find, the others what it must not.
contract IndexToken {
    function seen() external view returns (uint256) {
        return 1;
    }

    function kept(uint256 shares) external override nonReentrant returns (uint256) {
        return shares;
    }

    function settled(uint256 shares) external onlyRebalancer {
        _supply = shares;
    }

    function minted(uint256 shares) external onlyOwner { // found: without-lock
        _supply = shares;
    }

    function burned(uint256 shares) public returns (uint256) { // found: without-lock
        _supply -= shares;
    }

    function price() external view returns (uint256) {
        (uint160 root,,,,,,) = POOL.slot0(); // found: price-of-the-moment
        return root;
    }
}
