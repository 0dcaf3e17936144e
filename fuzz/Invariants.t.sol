// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IMethodology} from "../contracts/interfaces/IMethodology.sol";
import {State} from "../contracts/libraries/Candidates.sol";
import {Cap} from "../contracts/libraries/MarketCapMath.sol";
import {Draw, Drawing} from "./Draw.sol";
import {Handler} from "./Handler.sol";
import {
    Candidate,
    IFixedWeightOwner,
    IMarketCapOwner,
    IPostedSupplyOwner,
    Posted,
    Rule,
    Weight
} from "./Methodologies.sol";
import {vm} from "./Vm.sol";

/// @notice A fund of given weights.
contract FixedWeightHandler is Handler {
    using Drawing for Draw;

    function _makeMethodology() internal override returns (IMethodology) {
        return IMethodology(
            vm.deployCode("FixedWeight.sol:FixedWeight", abi.encode(address(this), _weights(Drawing.from(0))))
        );
    }

    function _changeRule(Draw memory d) internal override {
        IFixedWeightOwner(address(methodology)).setWeights(_weights(d));
    }

    /// @dev Random weights; one time in four one component has none.
    function _weights(Draw memory d) private view returns (Weight[] memory list) {
        uint256 left = 1e18;
        uint256 out = d.below(4) == 0 ? d.below(N) : N;
        list = new Weight[](out == N ? N : N - 1);
        uint256 k;
        for (uint256 i; i < N; ++i) {
            if (i == out) continue;
            uint256 weight = k + 1 == list.length ? left : d.between(left / 10, left / 2);
            list[k++] = Weight(address(tokens[i]), uint64(weight));
            left -= weight;
        }
    }
}

/// @notice A fund by market cap, with posted supplies.
contract MarketCapHandler is Handler {
    using Drawing for Draw;

    IPostedSupplyOwner private _supplies;

    function _makeMethodology() internal override returns (IMethodology) {
        Posted[] memory posted = new Posted[](N);
        for (uint256 i; i < N; ++i) {
            posted[i] = Posted(address(tokens[i]), uint88(1e27 / price[i] + 1), uint40(block.timestamp));
        }
        _supplies = IPostedSupplyOwner(
            vm.deployCode("PostedSupply.sol:PostedSupply", abi.encode(address(this), posted))
        );
        Rule memory rule = Rule({
            cap: Cap.Hard,
            capWeight: 0.4e18,
            floorWeight: 0.01e18,
            entryWeight: 0.02e18,
            topN: 4,
            floorEach: true,
            maxSupplyAge: 60 days,
            maxSupplyJump: 0.5e18,
            capPasses: 2
        });
        return IMethodology(
            vm.deployCode("MarketCap.sol:MarketCap", abi.encode(address(this), rule, _candidates(N, State.Active)))
        );
    }

    /// @dev Posts a supply, or changes the state of a candidate.
    function _changeRule(Draw memory d) internal override {
        if (d.below(4) == 0) {
            State state = State(d.below(3));
            IMarketCapOwner(address(methodology)).setCandidates(_candidates(d.below(2 * N), state));
            return;
        }
        Posted[] memory posted = new Posted[](N);
        for (uint256 i; i < N; ++i) {
            // A market cap of 0.2 to 2 billion dollars.
            uint256 wholeTokens = d.between(2e26, 2e27) / lastPrice[i] + 1;
            posted[i] = Posted(address(tokens[i]), uint88(wholeTokens), uint40(time));
        }
        _supplies.post(posted);
    }

    /// @dev All active but `which`, which has this state.
    function _candidates(uint256 which, State state) private view returns (Candidate[] memory list) {
        list = new Candidate[](N);
        for (uint256 i; i < N; ++i) {
            list[i] = Candidate(address(tokens[i]), address(_supplies), i == which ? state : State.Active, 0);
        }
    }
}

/// @dev What forge asks a test for.
struct FuzzSelector {
    address addr;
    bytes4[] selectors;
}

/// @notice Runs random sequences of a handler's functions. The invariants are held after each call, inside the handler; what
/// must be possible at the end of a sequence is tried at the end of each.
abstract contract Invariants {
    Handler internal handler;

    function targetContracts() external view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory list) {
        list = new FuzzSelector[](1);
        list[0] = FuzzSelector(address(handler), handler.handlers());
    }

    function invariant_fund() external view {
        require(handler.index().totalSupply() >= 0.1e18, "supply above the locked seed");
    }

    function afterInvariant() external {
        handler.finish();
    }
}

contract FixedWeightInvariants is Invariants {
    function setUp() external {
        handler = new FixedWeightHandler();
    }
}

contract MarketCapInvariants is Invariants {
    function setUp() external {
        handler = new MarketCapHandler();
    }
}
