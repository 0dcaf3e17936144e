// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {Constituent, IMethodology, Status} from "../../../contracts/interfaces/IMethodology.sol";
import {IOpener} from "../../../contracts/interfaces/IOpener.sol";
import {IOracle} from "../../../contracts/interfaces/IOracle.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {OpenerBench} from "./OpenerBench.sol";

/// @title DeterminingTest
/// @notice What a month is determined with: what the methodology says, and the components that it does not name.
contract DeterminingTest is OpenerBench {
    function _constituents(address determination, bool started) private view returns (Constituent[] memory) {
        return opener.constituents(
            IIndexToken(address(index)),
            IOracle(address(oracle)),
            IMethodology(address(methodology)),
            determination,
            started
        );
    }

    function _question(Constituent[] memory previous) private view returns (bytes memory) {
        return abi.encodeCall(IMethodology.determine, (IOracle(address(oracle)), IIndexToken(address(index)), previous));
    }

    /// @dev The methodology determines this of nothing before.
    function _determines(Constituent[] memory list) private {
        vm.mockCall(address(methodology), _question(new Constituent[](0)), abi.encode(list));
    }

    function _is(Constituent[] memory found, Constituent[] memory expected) private pure {
        equal(abi.encode(found), abi.encode(expected), "constituents");
    }

    function _fails(Constituent[] memory list) private {
        _determines(list);
        vm.expectRevert(abi.encodeWithSelector(IOpener.UnfitConstituents.selector));
        _constituents(address(0), false);
    }

    function _passes(Constituent[] memory list) private {
        _determines(list);
        _is(_constituents(address(0), false), list);
    }

    function _included(address token) private pure returns (Constituent memory) {
        return Constituent(token, 5, Status.Included, 3, 7, 8, 9, true);
    }

    function _outside(address token, uint128 price) private pure returns (Constituent memory) {
        return Constituent(token, 0, Status.Outside, 0, price, 0, 0, false);
    }

    /* WHAT THE METHODOLOGY IS TOLD */

    /// @dev Of rows that were determined Leaving and Included, and confirmed with a basis and as member, or not.
    function _last() private returns (Constituent[] memory list) {
        list = new Constituent[](3);
        list[0] = Constituent(A, 5, Status.Leaving, 3, 7, 8, 9, true);
        list[1] = Constituent(B, 6, Status.Included, 4, 8, 9, 10, false);
        list[2] = Constituent(C, 7, Status.Frozen, 5, 9, 10, 11, true);
        bytes memory code = abi.encodePacked(bytes1(0));
        for (uint256 i; i < 3; ++i) {
            Constituent memory c = list[i];
            code = abi.encodePacked(code, c.token, c.flags, uint88(c.basis));
            uint256 more = uint256(c.price) * (1 << 156) + uint256(c.weight) * (1 << 92) + uint256(c.confirmed) * 16;
            code = abi.encodePacked(code, more + (c.member ? 8 : 0) + uint256(c.status));
        }
        vm.etch(DETERMINATION, code);
    }

    function test_a_started_month_is_told_as_it_is() external {
        Constituent[] memory previous = _last();
        Constituent[] memory now_ = new Constituent[](1);
        now_[0] = _included(A);
        vm.mockCall(address(methodology), _question(previous), abi.encode(now_));
        _is(_constituents(DETERMINATION, true), now_);
    }

    /// @dev Its rows tell what the last started month had confirmed.
    function test_of_a_month_that_never_started_what_was_before_it() external {
        Constituent[] memory previous = _last();
        (previous[0].basis, previous[0].status) = (9, Status.Included);
        (previous[1].basis, previous[1].status) = (10, Status.Outside);
        (previous[2].basis, previous[2].status) = (11, Status.Included);
        Constituent[] memory now_ = new Constituent[](1);
        now_[0] = _included(A);
        vm.mockCall(address(methodology), _question(previous), abi.encode(now_));
        _is(_constituents(DETERMINATION, false), now_);
    }

    /* COMPONENTS THAT ARE NO CANDIDATES */

    /// @dev B and D are candidates; A, B, C and E are held.
    function test_components_before_between_and_behind() external {
        Constituent[] memory list = new Constituent[](2);
        (list[0], list[1]) = (_included(B), _included(D));
        _determines(list);
        index.addComponent(A);
        index.addComponent(B);
        index.addComponent(C);
        index.addComponent(E);
        oracle.setPrice(A, 0);
        oracle.setPrice(C, (1 << 100) - 1);
        oracle.setPrice(E, 1 << 100);
        address[] memory others = new address[](3);
        (others[0], others[1], others[2]) = (A, C, E);
        vm.expectCall(address(oracle), abi.encodeCall(IOracle.prices, (others)));
        Constituent[] memory expected = new Constituent[](5);
        (expected[0], expected[1], expected[3]) = (_outside(A, 0), list[0], list[1]);
        (expected[2], expected[4]) = (_outside(C, (1 << 100) - 1), _outside(E, 0));
        _is(_constituents(address(0), false), expected);
    }

    function test_all_components_are_candidates() external {
        index.addComponent(B);
        index.addComponent(D);
        Constituent[] memory list = new Constituent[](4);
        (list[0], list[1]) = (_included(A), _included(B));
        (list[2], list[3]) = (_included(C), _included(D));
        vm.expectCall(address(oracle), abi.encodeCall(IOracle.prices, (new address[](0))));
        _passes(list);
    }

    function test_components_behind_all_candidates() external {
        index.addComponent(B);
        index.addComponent(C);
        oracle.setPrice(B, 3);
        oracle.setPrice(C, 4);
        Constituent[] memory list = new Constituent[](1);
        list[0] = _included(A);
        _determines(list);
        Constituent[] memory expected = new Constituent[](3);
        (expected[0], expected[1], expected[2]) = (list[0], _outside(B, 3), _outside(C, 4));
        _is(_constituents(address(0), false), expected);
    }

    /* WHAT IS REFUSED */

    function _many(uint256 n) private pure returns (Constituent[] memory list) {
        list = new Constituent[](n);
        for (uint256 i; i < n; ++i) {
            list[i] = _included(address(uint160(i + 1)));
        }
    }

    function test_none_and_the_most_candidates() external {
        _fails(_many(0));
        _passes(_many(100));
        _fails(_many(101));
    }

    function test_candidates_ascend() external {
        Constituent[] memory list = _many(3);
        list[2].token = list[1].token;
        _fails(list);
        list[2].token = list[0].token;
        _fails(list);
        list = _many(1);
        list[0].token = address(0);
        _fails(list);
    }

    function test_what_is_included_has_a_basis() external {
        Constituent[] memory list = _many(3);
        list[1].basis = 0;
        _fails(list);
        list[1].status = Status.Outside;
        _passes(list);
        (list[1].basis, list[1].status) = (1, Status.Included);
        _passes(list);
    }

    function test_prices_are_within_measure() external {
        Constituent[] memory list = _many(3);
        list[1].price = (1 << 100) - 1;
        _passes(list);
        list[1].price = 1 << 100;
        _fails(list);
    }
}
