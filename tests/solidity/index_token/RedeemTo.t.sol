// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {IndexScene} from "./IndexScene.sol";

/// @title RedeemToTest
/// @notice `redeemTo`: what differs from `redeem`.
contract RedeemToTest is IndexScene {
    uint256 private constant SHARES = 3.3e18 + 7;

    function setUp() external {
        _makeSeeded(0);
        _as(HOLDER);
        index.transfer(address(this), 100e18);
    }

    function _redeem(address[] memory recipients, uint256 skip) private returns (uint256[] memory) {
        return index.redeemTo(SHARES, address(this), _list(), _none(), recipients, skip);
    }

    function test_it_pays_each_component_to_its_recipient() external {
        address[] memory recipients = _recipients();
        uint256[] memory expected = _parts(SHARES, false);
        equal(_redeem(recipients, 0), expected, "amount");
        for (uint256 i; i < N; ++i) {
            for (uint256 k; k < N; ++k) {
                equal(_held(i, recipients[k]), i == k ? expected[i] : 0, "received");
            }
        }
        equal(index.balanceOf(address(this)), 100e18 - SHARES, "shares");
    }

    function test_it_tells_who_redeemed_whose_shares() external {
        _as(HOLDER);
        index.approve(address(this), SHARES);
        _expectEventOfIndex();
        emit IIndexToken.RedeemedTo(address(this), HOLDER, SHARES, 2);
        index.redeemTo(SHARES, HOLDER, _list(), _none(), _recipients(), 2);
    }

    function test_it_spends_the_holders_allowance() external {
        _as(HOLDER);
        index.approve(address(this), SHARES + 5);
        index.redeemTo(SHARES, HOLDER, _list(), _none(), _recipients(), 0);
        equal(index.allowance(HOLDER, address(this)), 5, "allowance");
        equal(index.balanceOf(HOLDER), SEEDED - 0.1e18 - 100e18 - SHARES, "shares");
        equal(index.balanceOf(address(this)), 100e18, "shares of the caller");
    }

    function test_it_needs_an_allowance_for_all_of_it() external {
        _as(HOLDER);
        index.approve(address(this), SHARES - 1);
        _expect(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(this), SHARES - 1, SHARES)
        );
        index.redeemTo(SHARES, HOLDER, _list(), _none(), _recipients(), 0);
    }

    function test_a_holder_needs_no_allowance() external {
        equal(index.allowance(address(this), address(this)), 0, "allowance");
        _redeem(_recipients(), 0);
        equal(index.balanceOf(address(this)), 100e18 - SHARES, "shares");
    }

    function test_it_needs_a_recipient_for_each_token() external {
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N - 1));
        _redeem(new address[](N - 1), 0);
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, N + 1));
        _redeem(new address[](N + 1), 0);
    }

    function test_it_needs_as_many_tokens_and_limits_as_components() external {
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, 2));
        index.redeemTo(SHARES, address(this), new address[](2), _none(), new address[](2), 0);
        _expect(abi.encodeWithSelector(IIndexToken.LengthMismatch.selector, N, 4));
        index.redeemTo(SHARES, address(this), _list(), new uint256[](4), _recipients(), 0);
    }

    /// @dev Not even of what is skipped.
    function test_it_pays_neither_nobody_nor_the_fund() external {
        for (uint256 i; i < N; ++i) {
            address[] memory recipients = _recipients();
            recipients[i] = address(0);
            _expect(abi.encodeWithSelector(IIndexToken.UnfitRecipient.selector, address(0)));
            _redeem(recipients, 7);
            recipients[i] = address(index);
            _expect(abi.encodeWithSelector(IIndexToken.UnfitRecipient.selector, address(index)));
            _redeem(recipients, 7);
        }
    }

    function test_it_pays_the_first_address_too() external {
        address[] memory recipients = _recipients();
        recipients[2] = address(1);
        uint256[] memory amounts = _redeem(recipients, 0);
        equal(_held(2, address(1)), amounts[2], "received");
    }

    function test_it_refuses_no_shares() external {
        _expect(abi.encodeWithSelector(IIndexToken.ZeroShares.selector));
        index.redeemTo(0, address(this), _list(), _none(), _recipients(), 0);
    }

    function test_it_needs_the_lock() external {
        _lock();
        _expect(abi.encodeWithSelector(IIndexToken.Locked.selector));
        _redeem(_recipients(), 0);
    }
}
