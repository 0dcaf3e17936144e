// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {State} from "../../contracts/libraries/Candidates.sol";
import {Cap} from "../../contracts/libraries/MarketCapMath.sol";

// What the owner of the methodologies and of the supplies calls, as it stands in their contracts.

struct Weight {
    address token;
    uint64 weight;
}

struct Candidate {
    address token;
    address source;
    State state;
    uint88 wholeTokens;
}

struct Posted {
    address token;
    uint88 wholeTokens;
    uint40 date;
}

struct Rule {
    Cap cap;
    uint64 capWeight;
    uint64 floorWeight;
    uint64 entryWeight;
    uint8 topN;
    bool floorEach;
    uint32 maxSupplyAge;
    uint64 maxSupplyJump;
    uint8 capPasses;
}

interface IFixedWeightOwner {
    function setWeights(Weight[] calldata list) external;
}

interface IMarketCapOwner {
    function setCandidates(Candidate[] calldata list) external;
}

interface IPostedSupplyOwner {
    function post(Posted[] calldata list) external;
}
