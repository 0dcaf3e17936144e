"""A fund whose proposer is a Safe of two of three owners: the files of `govern --safe`, sent by Safe's contracts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ape
import pytest

from ballast.fund_file import FundConfig
from ballast.steering.safe import checksum
from ballast.units import WAD
from lab.localnet.market import Market
from tests.helpers.edits import set_field
from tests.helpers.safe import Safe
from tests.scripts.conftest import SteeredWith, deployed_into
from tests.scripts.steered import Steered


@pytest.fixture
def owners() -> list[Any]:
    return list(ape.accounts.test_accounts[4:7])


@pytest.fixture
def safe(owners: list[Any]) -> Safe:
    return Safe(ape.accounts.test_accounts[3], owners, 2)


@pytest.fixture
def steered(safe: Safe, steered_with: SteeredWith, config: FundConfig, market: Market, tmp_path: Path) -> Steered:
    """The month's fund, with the Safe as its only proposer."""
    roles = config.roles.model_copy(update={"proposers": (safe.address,)})
    ours = config.model_copy(update={"roles": roles})
    return steered_with(ours, deployed_into(tmp_path, ours, market))


def batch(path: Path, steered: Steered, safe: Safe) -> list[dict[str, Any]]:
    """The transactions of a file, after a look at what the builder looks at."""
    content = json.loads(path.read_text())
    assert (content["version"], content["chainId"]) == ("1.0", str(steered.book.chain_id))
    assert content["meta"]["createdFromSafeAddress"] == safe.address
    assert content["meta"]["checksum"] == checksum(content)
    assert all(one["to"] == steered.book["timelock"] for one in content["transactions"])
    return list(content["transactions"])


def test_two_of_three_owners_steer(steered: Steered, safe: Safe, owners: list[Any], tmp_path: Path) -> None:
    steered.edit(set_field("streaming_fee")("1.2 %"), set_field("supply_cap")(2_000_000))
    path, nonce = tmp_path / "propose.json", steered.account.nonce
    assert steered.run("propose", safe=path).code == 0
    assert "nothing was sent" in steered.shown and steered.account.nonce == nonce
    assert steered.run("list").code == 0 and "nothing is scheduled" in steered.shown
    ran = steered.run("propose", safe=path)
    assert ran.code == 1 and "exists already" in ran.errors

    (schedule,) = batch(path, steered, safe)
    with pytest.raises(ape.exceptions.ContractLogicError, match="GS020"):
        safe.execute(schedule, owners[:1], steered.account)
    safe.execute(schedule, owners[:2], steered.account)
    assert steered.run("list").code == 0
    assert f"by {safe.address} (the file's proposer 1), delay 2 days" in steered.shown
    key = next(word for word in steered.shown.split() if len(word) == 66)

    steered.pass_delay()
    path = tmp_path / "execute.json"
    assert steered.run("execute", key=key, safe=path).code == 0
    for transaction in json.loads(path.read_text())["transactions"]:
        safe.execute(transaction, owners[1:], steered.account)
    assert steered.view("index_token", "streamingFee()", "uint256") == 12 * WAD // 1_000
    assert steered.run("plan").code == 0

    assert steered.run("act", what="suspend", arguments=("UNI",), safe=tmp_path / "suspend.json").code == 0
    (schedule,) = batch(tmp_path / "suspend.json", steered, safe)
    safe.execute(schedule, (owners[2], owners[0]), steered.account)
    assert steered.run("list").code == 0
    key = next(word for word in steered.shown.split() if len(word) == 66)
    assert steered.run("cancel", key=key, safe=tmp_path / "cancel.json").code == 0
    (cancel,) = batch(tmp_path / "cancel.json", steered, safe)
    safe.execute(cancel, owners[:2], steered.account)
    assert steered.run("list").code == 0 and "nothing is scheduled" in steered.shown
    assert steered.run("list", everything=True).code == 0 and f"{key[:10]} cancelled" in steered.shown


def test_an_account_beside_the_safe_may_not(steered: Steered, tmp_path: Path) -> None:
    steered.edit(set_field("supply_cap")(2_000_000))
    ran = steered.run("propose")
    assert ran.code == 1 and "may not propose" in ran.errors
    ran = steered.run("propose", safe=tmp_path / "a.json", account=None)
    assert ran.code == 0
    ran = steered.run("cancel", key="0x00", safe=None)
    assert ran.code == 1 and "expected either --account, or --safe" in ran.errors
