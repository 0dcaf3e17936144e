// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {ReferenceToken} from "./ReferenceToken.sol";

/// @title ReferenceDollar
/// @notice Stands in for USDC **on a local chain only**, see `ReferenceToken`. Its permits are as USDC's: ERC-2612, with
/// a domain that `name()` and `version()` tell and no `eip712Domain()`.
contract ReferenceDollar is ReferenceToken {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    string public constant version = "2";

    mapping(address owner => uint256) public nonces;

    error PermitExpired(uint256 deadline);
    error InvalidSignature();

    // The standard's own name. solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        bytes32 nameHash = keccak256(bytes(name));
        return keccak256(abi.encode(DOMAIN, nameHash, keccak256(bytes(version)), block.chainid, address(this)));
    }

    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        require(block.timestamp <= deadline, PermitExpired(deadline));
        bytes32 asked = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, nonces[owner]++, deadline));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR(), asked));
        require(ECDSA.recover(digest, v, r, s) == owner, InvalidSignature());
        allowance[owner][spender] = value;
        emit Approval(owner, spender, value);
    }
}
