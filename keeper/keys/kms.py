"""Signs with a key that never leaves AWS KMS: of kind ECC_SECG_P256K1, signing 32 bytes at a time.

KMS does not support Ethereum's format. Its DER signature may have either of two values of s, of which Ethereum accepts
only the lower one (EIP-2), and has no recovery id, so the signer tries both. It uses a signature only if that recovers
to this key's account.
"""

from __future__ import annotations

from typing import Any, Final

from Crypto.Util.asn1 import DerSequence
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys import keys
from eth_keys.constants import SECPK1_N
from eth_keys.exceptions import BadSignature, ValidationError
from eth_utils import keccak

from keeper.errors import KeyServiceError, SettingsError
from keeper.keys.signer import Signed
from keeper.output import redact

SPEC: Final = "ECC_SECG_P256K1"
ALGORITHM: Final = "ECDSA_SHA_256"
CONNECT_S: Final = 5.0
ANSWER_S: Final = 10.0
ATTEMPTS: Final = 3
"""Retrying is harmless: a signature that the keeper did not receive was never broadcast."""

_PUBLIC_KEY = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a03420004")
"""DER prefix of an uncompressed public key on secp256k1 (SubjectPublicKeyInfo), before x and y."""

_REMEDIES: Final = {
    "AccessDeniedException": "allow kms:Sign and kms:GetPublicKey on the key to the keeper's AWS identity",
    "DisabledException": "enable the key, or name another one in BALLAST_KMS_KEY_ID",
    "KMSInvalidStateException": "the key must be enabled and not about to be deleted",
    "NotFoundException": "look at BALLAST_KMS_KEY_ID and BALLAST_KMS_REGION: there is no such key there",
    "InvalidKeyUsageException": f"the key must be of kind {SPEC} for SIGN_VERIFY",
    "UnsupportedOperationException": f"the key must be of kind {SPEC} for SIGN_VERIFY",
    "UnrecognizedClientException": "AWS does not know the access key: look at the keeper's AWS credentials",
    "InvalidSignatureException": "look at the AWS secret key and at this machine's clock",
    "ExpiredTokenException": "renew the keeper's AWS credentials",
    "ThrottlingException": "KMS is asked too often; it is tried again",
}
_RETRIED: Final = "KMS is in trouble or out of reach; it is tried again, look at the AWS status if it stays"


class KmsSigner:
    """Signs with a key in KMS. `client` is boto3's."""

    def __init__(self, client: Any, key_id: str) -> None:
        """Reads the public key. Raises KeyServiceError, or SettingsError if the key cannot sign for Ethereum."""
        self._client = client
        self._key_id = key_id
        answer = _ask(client, "get_public_key", KeyId=key_id)
        kind, usage = answer.get("KeySpec"), answer.get("KeyUsage")
        if (kind, usage) != (SPEC, "SIGN_VERIFY"):
            raise SettingsError(
                f"BALLAST_KMS_KEY_ID: {key_id} is a key of kind {kind} for {usage}; expected {SPEC} for SIGN_VERIFY"
            )
        self._address = address_of(answer.get("PublicKey", b""))

    @property
    def address(self) -> str:
        return self._address

    def sign(self, transaction: dict[str, Any]) -> Signed:
        digest = TypedTransaction.from_dict(transaction).hash()
        answer = _ask(
            self._client,
            "sign",
            KeyId=self._key_id,
            Message=digest,
            MessageType="DIGEST",
            SigningAlgorithm=ALGORITHM,
        )
        v, r, s = self._signature(digest, answer.get("Signature", b""))
        raw = TypedTransaction.from_dict({**transaction, "v": v, "r": r, "s": s}).encode()
        return Signed("0x" + keccak(raw).hex(), "0x" + raw.hex())

    def _signature(self, digest: bytes, der: bytes) -> tuple[int, int, int]:
        """Recovery id (0 or 1), r and low s. Raises KeyServiceError if the signature is not this key's."""
        r, s = numbers_of(der)
        low = min(s, SECPK1_N - s)
        for v in (0, 1):
            try:
                public = keys.Signature(vrs=(v, r, low)).recover_public_key_from_msg_hash(digest)
            except (BadSignature, ValidationError):
                continue
            if public.to_checksum_address() == self._address:
                return v, r, low
        raise KeyServiceError(
            f"KMS signed with another key than that of {self._address}; if BALLAST_KMS_KEY_ID is an alias that names "
            "another key by now, start the keeper again"
        )


def kms_client(region: str, endpoint: str | None, connect_s: float = CONNECT_S, answer_s: float = ANSWER_S) -> Any:
    """A client that finds credentials as AWS's tools do, with time-outs (seconds) and few attempts. Raises
    SettingsError."""
    # A slow import that only KMS needs.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    limits = Config(
        connect_timeout=connect_s,
        read_timeout=answer_s,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
    try:
        session = boto3.session.Session()
        credentials = session.get_credentials()
        if credentials is not None:
            frozen = credentials.get_frozen_credentials()
            redact.learn(frozen.secret_key, frozen.token or "")
        return session.client("kms", region_name=region, endpoint_url=endpoint, config=limits)
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(
            f"BALLAST_KMS_REGION, BALLAST_KMS_ENDPOINT or AWS credentials: not usable ({type(error).__name__}: "
            f"{_line(error)})"
        ) from None


def address_of(der: bytes) -> str:
    """The account of a public key in KMS's format (SubjectPublicKeyInfo). Raises KeyServiceError."""
    prefix, point = der[: len(_PUBLIC_KEY)], der[len(_PUBLIC_KEY) :]
    try:
        if prefix != _PUBLIC_KEY:
            raise ValidationError("not on secp256k1")
        return str(keys.PublicKey(point).to_checksum_address())
    except ValidationError:
        raise KeyServiceError(
            f"KMS gave a public key of {len(der)} bytes that is not on secp256k1; the key must be of kind {SPEC}"
        ) from None


def numbers_of(der: bytes) -> tuple[int, int]:
    """r and s of a DER signature. Raises KeyServiceError."""
    try:
        sequence: Any = DerSequence().decode(der, strict=True, nr_elements=2, only_ints_expected=True)
        r, s = int(sequence[0]), int(sequence[1])
    except (ValueError, IndexError):
        r = s = 0
    if not (0 < r < SECPK1_N and 0 < s < SECPK1_N):
        raise KeyServiceError(f"KMS gave {len(der)} bytes that are no signature on secp256k1; it is tried again")
    return r, s


def _ask(client: Any, call: str, **arguments: Any) -> dict[str, Any]:
    """KMS's answer. Raises KeyServiceError with a remedy."""
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        PartialCredentialsError,
    )

    try:
        answer: dict[str, Any] = getattr(client, call)(**arguments)
    except ClientError as error:
        # Only the code: the message may be long and name the caller.
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        raise KeyServiceError(f"KMS refused {call} ({code}): {_REMEDIES.get(code, _RETRIED)}") from None
    except (NoCredentialsError, PartialCredentialsError):
        raise KeyServiceError(
            f"KMS cannot be asked to {call}: no AWS credentials; give the keeper a role, or set AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY in its environment"
        ) from None
    except BotoCoreError as error:
        raise KeyServiceError(f"KMS did not answer {call} ({type(error).__name__}): {_RETRIED}") from None
    return answer


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
