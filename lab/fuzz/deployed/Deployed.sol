// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

// What the harness deploys, `Scene.deploy`: imported so that forge compiles it where it was changed on purpose.
import {Calendar} from "../../../contracts/Calendar.sol";
import {IndexToken} from "../../../contracts/IndexToken.sol";
import {Opener} from "../../../contracts/Opener.sol";
import {Rebalancer} from "../../../contracts/Rebalancer.sol";
import {StockFiller} from "../../../contracts/fillers/StockFiller.sol";
import {UniswapFiller} from "../../../contracts/fillers/UniswapFiller.sol";
import {FixedWeight} from "../../../contracts/methodologies/FixedWeight.sol";
import {MarketCap} from "../../../contracts/methodologies/MarketCap.sol";
import {ChainlinkOracle} from "../../../contracts/oracles/ChainlinkOracle.sol";
import {FundLens} from "../../../contracts/periphery/FundLens.sol";
import {Upkeep} from "../../../contracts/periphery/Upkeep.sol";
import {LockedSupply} from "../../../contracts/supplies/LockedSupply.sol";
import {PostedSupply} from "../../../contracts/supplies/PostedSupply.sol";
