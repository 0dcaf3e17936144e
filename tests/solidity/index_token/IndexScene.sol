// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IIndexToken} from "../../../contracts/interfaces/IIndexToken.sol";
import {FuzzToken} from "../../../lab/fuzz/parts/FuzzToken.sol";
import {vm} from "../../../lab/fuzz/Vm.sol";
import {Test} from "../Test.sol";

/// @title IndexScene
/// @notice An index token of three components, seeded by this contract, with an account for each other role. Nothing
/// divides evenly: what is rounded the wrong way shows.
abstract contract IndexScene is Test {
    uint256 internal constant N = 3;
    address internal constant OWNER = address(0x0a);
    address internal constant REBALANCER = address(0x0b);
    address internal constant RECIPIENT = address(0x0c);
    address internal constant HOLDER = address(0x0d);
    address internal constant STRANGER = address(0x0e);
    address internal constant DEAD = 0x000000000000000000000000000000000000dEaD;
    uint256 internal constant SEEDED = 1000e18;
    uint32 internal constant CAP = 5000;
    /// @dev The highest there may be.
    uint256 internal constant A_FEE = 0.05e18;

    IIndexToken internal index;
    FuzzToken[N] internal tokens;

    /// @dev The components' addresses ascend and use all their bits.
    function _makeTokens() internal {
        address[N] memory places = [
            0x1000000000000000000000000000000000000001,
            0x7AaaAaaaaaaaaaaaAaaAAAAaaaaAaAaAaAAaaAAa,
            0xf555555555555555555555555555555555555555
        ];
        bytes memory code = address(new FuzzToken()).code;
        uint8[N] memory decimals = [6, 18, 8];
        for (uint256 i; i < N; ++i) {
            vm.etch(places[i], code);
            tokens[i] = FuzzToken(places[i]);
            tokens[i].init(decimals[i]);
        }
    }

    function _makeIndex(uint256 fee) internal returns (IIndexToken) {
        return
            IIndexToken(
                deploy("IndexToken", abi.encode("Index", "IDX", REBALANCER, OWNER, RECIPIENT, fee, uint256(CAP)))
            );
    }

    function _makeSeeded(uint256 fee) internal {
        _makeTokens();
        index = _makeIndex(fee);
        _dealToAll(address(this));
        _dealToAll(HOLDER);
        index.seed(_list(), _units(), SEEDED, HOLDER);
    }

    function _dealToAll(address account) internal {
        for (uint256 i; i < N; ++i) {
            tokens[i].deal(account, 1e30);
            vm.prank(account);
            tokens[i].approve(address(index), type(uint256).max);
        }
    }

    /* ARGUMENTS */

    function _list() internal view returns (address[] memory list) {
        list = new address[](N);
        for (uint256 i; i < N; ++i) {
            list[i] = address(tokens[i]);
        }
    }

    /// @dev Token wei of 1e18 shares.
    function _units() internal pure returns (uint256[] memory units) {
        units = new uint256[](N);
        (units[0], units[1], units[2]) = (25_000_001, 7e18 + 1, 12_345);
    }

    function _none() internal pure returns (uint256[] memory) {
        return new uint256[](N);
    }

    function _most() internal pure returns (uint256[] memory most) {
        most = new uint256[](N);
        (most[0], most[1], most[2]) = (type(uint256).max, type(uint256).max, type(uint256).max);
    }

    function _recipients() internal pure returns (address[] memory list) {
        list = new address[](N);
        (list[0], list[1], list[2]) = (address(0x101), address(0x102), address(0x103));
    }

    /* WHAT IS EXPECTED */

    function _held(uint256 i, address account) internal view returns (uint256) {
        return tokens[i].held(account);
    }

    function _heldByAll(address account) internal view returns (uint256[] memory amounts) {
        amounts = new uint256[](N);
        for (uint256 i; i < N; ++i) {
            amounts[i] = _held(i, account);
        }
    }

    /// @dev What the fund holds for these shares, rounded up for a mint and down for a redemption.
    function _parts(uint256 shares, bool up) internal view returns (uint256[] memory amounts) {
        uint256 supply = index.totalSupply();
        amounts = _heldByAll(address(index));
        for (uint256 i; i < N; ++i) {
            uint256 product = amounts[i] * shares;
            amounts[i] = product / supply + (up && product % supply != 0 ? 1 : 0);
        }
    }

    /// @dev What an account holds more than it did.
    function _more(address account, uint256[] memory before) internal view returns (uint256[] memory amounts) {
        amounts = _heldByAll(account);
        for (uint256 i; i < N; ++i) {
            amounts[i] -= before[i];
        }
    }

    function _less(address account, uint256[] memory before) internal view returns (uint256[] memory amounts) {
        amounts = _heldByAll(account);
        for (uint256 i; i < N; ++i) {
            amounts[i] = before[i] - amounts[i];
        }
    }

    function equal(address[] memory found, address[] memory expected, string memory what) internal pure {
        equal(abi.encode(found), abi.encode(expected), what);
    }

    /* WHAT IS CALLED */

    function _expect(bytes memory reason) internal {
        vm.expectRevert(reason);
    }

    function _expectEventOfIndex() internal {
        vm.expectEmit(true, true, true, true, address(index));
    }

    function _as(address account) internal {
        vm.prank(account);
    }

    function _lock() internal {
        vm.prank(REBALANCER);
        index.lock();
    }

    function _unlock() internal {
        vm.prank(REBALANCER);
        index.unlock();
    }

    function _setState(uint256 i, uint40 until, bool off) internal {
        _lock();
        vm.prank(REBALANCER);
        index.setState(address(tokens[i]), until, off);
        _unlock();
    }
}
