// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ERC20} from "solady/src/tokens/ERC20.sol";
import {LibClone} from "solady/src/utils/LibClone.sol";

/// @notice What makes one test token another than the next; part of its code.
/// @param claim Token wei that the faucet gives at once.
/// @param wait Seconds after which it gives to the same account again.
struct Terms {
    string name;
    string symbol;
    uint8 decimals;
    uint256 claim;
    uint256 wait;
}

/// @title SandboxToken
/// @notice A token of a test network: ERC-20 with permits (ERC-2612) and a faucet. Worth nothing, and to be deployed
/// where nothing is worth anything. It wraps no ether, also where it stands in for wrapped ether.
/// @dev A clone whose terms stand behind its code, so that nothing has to be initialised.
contract SandboxToken is ERC20 {
    /// @notice Only the market that lists a token mints it.
    error NotTheMarket(address caller);
    /// @notice The faucet gives `to` again from this time on, Unix seconds.
    error ClaimedAlready(address to, uint256 from);
    /// @notice This token takes no ether and gives none.
    error NoEther();

    event Claimed(address indexed to, uint256 amount);

    /// @notice The market that lists this token.
    address public immutable MARKET;

    /// @notice Unix seconds from which on the faucet gives an account again; 0 for one that has never claimed.
    mapping(address account => uint256) public claimableFrom;

    constructor() {
        MARKET = msg.sender;
    }

    /* FAUCET */

    /// @notice Gives `to` what a claim is, once in `wait` seconds. Anyone may claim for anyone.
    function claim(address to) external {
        Terms memory t = terms();
        uint256 from = claimableFrom[to];
        require(block.timestamp >= from, ClaimedAlready(to, from));
        claimableFrom[to] = block.timestamp + t.wait;
        _mint(to, t.claim);
        emit Claimed(to, t.claim);
    }

    /// @notice Creates `amount` token wei for `to`.
    function mint(address to, uint256 amount) external {
        require(msg.sender == MARKET, NotTheMarket(msg.sender));
        _mint(to, amount);
    }

    /* ETHER */

    /// @notice Refused: a caller that wants to wrap ether learns why it cannot.
    function deposit() external payable {
        revert NoEther();
    }

    /// @notice Refused, as `deposit`.
    function withdraw(uint256) external pure {
        revert NoEther();
    }

    /* VIEWS */

    function terms() public view returns (Terms memory) {
        return abi.decode(LibClone.argsOnClone(address(this)), (Terms));
    }

    function name() public view override returns (string memory) {
        return terms().name;
    }

    function symbol() public view override returns (string memory) {
        return terms().symbol;
    }

    function decimals() public view override returns (uint8) {
        return terms().decimals;
    }

    /// @dev As other tokens: what nobody has approved, nobody takes.
    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}
