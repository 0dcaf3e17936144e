// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @notice A stream of random numbers from one seed.
struct Draw {
    uint256 state;
}

/// @title Drawing
/// @notice Draws from a stream.
library Drawing {
    function from(uint256 seed) internal pure returns (Draw memory) {
        return Draw(seed);
    }

    function next(Draw memory d) internal pure returns (uint256 word) {
        word = uint256(keccak256(abi.encode(d.state)));
        d.state = word;
    }

    /// @notice 0 to `bound` - 1.
    function below(Draw memory d, uint256 bound) internal pure returns (uint256) {
        return next(d) % bound;
    }

    /// @notice `least` to `most`.
    function between(Draw memory d, uint256 least, uint256 most) internal pure returns (uint256) {
        return least + next(d) % (most - least + 1);
    }

    /// @notice 1 to `most`: one time in two of any order of magnitude, else evenly.
    function amount(Draw memory d, uint256 most) internal pure returns (uint256) {
        uint256 word = next(d);
        if (word & 1 != 0) most = most >> ((word >> 8) % 90);
        return most == 0 ? 1 : 1 + (word >> 16) % most;
    }
}
