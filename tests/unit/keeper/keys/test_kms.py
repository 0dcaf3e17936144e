"""A key in AWS KMS: the real client against a service with a real key, and vectors that OpenSSL made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from Crypto.Util.asn1 import DerSequence
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.constants import SECPK1_N
from hexbytes import HexBytes

from keeper.errors import KeyServiceError, SettingsError
from keeper.keys.kms import KmsSigner, address_of, kms_client, numbers_of
from tests.helpers.waiting import PATIENCE_S, wait_for
from tests.keeper.kms import AWS, KEY_ID, REGION, SECRET_KEY, FakeKms, fake_kms

KEY = "0x" + "6b" * 32
TRANSACTION: dict[str, Any] = {
    "type": 2,
    "chainId": 1,
    "nonce": 0,
    "to": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
    "data": "0x1234",
    "value": 0,
    "gas": 100_000,
    "maxFeePerGas": 10**11,
    "maxPriorityFeePerGas": 10**9,
    "accessList": (),
}

# openssl ecparam -name secp256k1 -genkey; ec -pubout -outform DER; pkeyutl -sign of 32 bytes 07.
VECTOR_KEY = "0xce8b1670c954c68e79de276c38a174d3d468bdfaaf6f385e97c900c979c0ce07"
VECTOR_PUBLIC = bytes.fromhex(
    "3056301006072a8648ce3d020106052b8104000a0342000464ac941d9329070ec440e336218f1da2b933333af675663565741f12f78735cfdece"
    "569c0fe45edf82222f5885fc00c8ad196f4e44716cf017042a735aa50e22"
)
VECTOR_HIGH = bytes.fromhex(
    "30450220307e6a54c7940f1e65e3a38618b6b70a6be1228a2994cbae3ad95a673e2e228d02210081a128b4819348689a6fb350389101448111b1"
    "4b49451112f102229b209eb0a5"
)
VECTOR_LOW = bytes.fromhex(
    "304402200659b60eec26891d1ad6781aaf330ec62da0f9f177cdfbe8e226867fa6319ee502202c29c33467177d56d86e2e03ac33aedd12317a2f"
    "5b02527a2a595d806d1c4191"
)


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKms]:
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    with fake_kms(KEY) as found:
        yield found


def signer_of(kms: FakeKms, answer_s: float = PATIENCE_S) -> KmsSigner:
    return KmsSigner(kms_client(REGION, kms.url, answer_s=answer_s), KEY_ID)


def test_address_is_the_keys(kms: FakeKms) -> None:
    assert signer_of(kms).address == Account.from_key(KEY).address
    assert kms.calls == ["GetPublicKey"]


def test_signatures_are_what_the_key_itself_would_give(kms: FakeKms) -> None:
    signer, local = signer_of(kms), Account.from_key(KEY)
    recovery = set()
    for nonce in range(8):
        transaction = TRANSACTION | {"nonce": nonce}
        found, expected = signer.sign(transaction), local.sign_transaction(transaction)
        assert (found.raw, found.hash) == (expected.raw_transaction.to_0x_hex(), expected.hash.to_0x_hex())
        assert Account.recover_transaction(found.raw) == local.address
        v, _, s = TypedTransaction.from_bytes(HexBytes(found.raw)).vrs()
        assert 0 < s <= SECPK1_N // 2
        recovery.add(v)
    # Both kinds were among them, or this shows nothing.
    assert recovery == {0, 1}
    assert kms.high == [True, False] * 4
    assert "nonce" in TRANSACTION and "v" not in TRANSACTION


def test_an_access_list_is_signed_too(kms: FakeKms) -> None:
    listed = ({"address": TRANSACTION["to"], "storageKeys": ["0x" + "01" * 32]},)
    transaction = TRANSACTION | {"accessList": listed}
    assert (
        signer_of(kms).sign(transaction).raw
        == Account.from_key(KEY).sign_transaction(transaction).raw_transaction.to_0x_hex()
    )


def test_what_openssl_writes_is_read() -> None:
    assert address_of(VECTOR_PUBLIC) == Account.from_key(VECTOR_KEY).address
    r, s = numbers_of(VECTOR_HIGH)
    assert (hex(r)[2:10], hex(s)[2:10]) == ("307e6a54", "81a128b4") and s > SECPK1_N // 2
    r, s = numbers_of(VECTOR_LOW)
    assert (hex(r)[2:9], hex(s)[2:10]) == ("659b60e", "2c29c334")


@pytest.mark.parametrize("der", [VECTOR_HIGH, VECTOR_LOW])
def test_what_openssl_signs_is_the_keys(der: bytes) -> None:
    class Client:
        """OpenSSL's answers in place of KMS's."""

        def get_public_key(self, **_: Any) -> dict[str, Any]:
            return {"PublicKey": VECTOR_PUBLIC, "KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY"}

    signer = KmsSigner(Client(), "vector")
    v, r, s = signer._signature(b"\x07" * 32, der)
    assert v in (0, 1) and r == numbers_of(der)[0] and s <= SECPK1_N // 2
    with pytest.raises(KeyServiceError, match="signed with another key"):
        signer._signature(b"\x08" * 32, der)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        VECTOR_LOW[:-1],
        VECTOR_LOW + b"\x00",
        bytes(DerSequence([0, 1]).encode()),
        bytes(DerSequence([1, SECPK1_N]).encode()),
        bytes(DerSequence([-5, 7]).encode()),
        bytes(DerSequence([1, 2, 3]).encode()),
        b"\x30\x03\x04\x01\x01",
        bytes.fromhex("300702020001020101"),
    ],
)
def test_what_is_no_signature_is_refused(der: bytes) -> None:
    with pytest.raises(KeyServiceError, match="no signature on secp256k1"):
        numbers_of(der)


@pytest.mark.parametrize("der", [b"", VECTOR_PUBLIC[:-1], VECTOR_PUBLIC + b"\x00", b"\x00" + VECTOR_PUBLIC[1:]])
def test_what_is_no_public_key_is_refused(der: bytes) -> None:
    with pytest.raises(KeyServiceError, match="not on secp256k1"):
        address_of(der)


@pytest.mark.parametrize(
    ("fault", "expected", "tries"),
    [
        ("AccessDeniedException", r"refused sign \(AccessDeniedException\): allow kms:Sign and kms:GetPublicKey", 1),
        ("DisabledException", r"refused sign \(DisabledException\): enable the key", 1),
        ("KMSInvalidStateException", r"\(KMSInvalidStateException\): the key must be enabled", 1),
        ("NotFoundException", r"\(NotFoundException\): look at BALLAST_KMS_KEY_ID and BALLAST_KMS_REGION", 1),
        ("ThrottlingException", r"\(ThrottlingException\): KMS is asked too often", 3),
        ("KMSInternalException", r"\(KMSInternalException\): KMS is in trouble", 3),
        ("OtherException", r"\(OtherException\): KMS is in trouble", 1),
        ("late", r"did not answer sign \(ReadTimeoutError\): KMS is in trouble or out of reach", 3),
        ("other key", "signed with another key than that of 0x", 1),
        ("other digest", "signed with another key than that of 0x", 1),
        ("garbage", "gave 9 bytes that are no signature", 1),
        ("empty", "gave 0 bytes that are no signature", 1),
    ],
)
def test_a_signature_that_does_not_come_or_is_wrong(kms: FakeKms, fault: str, expected: str, tries: int) -> None:
    signer = signer_of(kms)
    patient = signer._client
    if fault == "late":
        # Hurried only where no answer comes, however long it waits: what is answered may take its time.
        signer._client = kms_client(REGION, kms.url, answer_s=0.2)
    kms.fault, kms.of = fault, ("Sign",)
    with pytest.raises(KeyServiceError, match=expected) as caught:
        signer.sign(TRANSACTION)
    assert SECRET_KEY not in repr(caught.value) and "\n" not in str(caught.value)
    # Who did not wait for an answer may be further than the service that has just heard of the call.
    wait_for(lambda: len(kms.calls) > tries, "the last try")
    assert kms.calls == ["GetPublicKey"] + ["Sign"] * tries
    # It is of no consequence for the next one.
    kms.fault, signer._client = None, patient
    assert Account.recover_transaction(signer.sign(TRANSACTION).raw) == kms.address


def test_no_key_that_could_be_ethereums(kms: FakeKms) -> None:
    kms.kind = "ECC_NIST_P256"
    with pytest.raises(SettingsError, match=f"^BALLAST_KMS_KEY_ID: {KEY_ID} is a key of kind ECC_NIST_P256 for SIGN"):
        signer_of(kms)
    kms.kind = "ECC_SECG_P256K1"
    with pytest.raises(KeyServiceError, match=r"refused get_public_key \(NotFoundException\)"):
        KmsSigner(kms_client(REGION, kms.url), "alias/other")


def test_an_answer_without_a_key(kms: FakeKms) -> None:
    kms.fault = "empty"
    with pytest.raises(KeyServiceError, match="gave a public key of 0 bytes that is not on secp256k1"):
        signer_of(kms)


def test_nobody_answers(kms: FakeKms) -> None:
    with pytest.raises(KeyServiceError, match=r"did not answer get_public_key \(EndpointConnectionError\)"):
        KmsSigner(kms_client(REGION, "http://127.0.0.1:1"), KEY_ID)


def test_no_credentials(kms: FakeKms, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(KeyServiceError, match="no AWS credentials; give the keeper a role"):
        signer_of(kms)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "half")
    with pytest.raises(SettingsError, match="AWS credentials: not usable"):
        signer_of(kms)


def test_a_region_that_cannot_be() -> None:
    with pytest.raises(SettingsError, match=r"^BALLAST_KMS_REGION"):
        kms_client("not a region", None)
