// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {vm} from "./Vm.sol";

/// @title Deploys
/// @notice Deploys what is under test as it was compiled for the chain, or the mutants that `BALLAST_ARTIFACTS` names a
/// folder of. What tests it is compiled with settings of its own, see `foundry.toml`.
abstract contract Deploys {
    /// @dev Deploys a compiled contract from this one; `arguments`: those of its constructor.
    function deploy(string memory name, bytes memory arguments) internal returns (address) {
        string memory folder = vm.envOr("BALLAST_ARTIFACTS", string(".cache/forge/contracts"));
        return vm.deployCode(string.concat(folder, "/", name, ".sol/", name, ".json"), arguments);
    }
}
