"""A key service that speaks AWS's JSON protocol for the two calls the keeper makes, with a real key on secp256k1."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from Crypto.Util.asn1 import DerSequence
from eth_account import Account
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey

from lab.testbed.loopback import serving
from tests.keeper.endpoints import HOLDS_S

REGION = "eu-central-1"
KEY_ID = "alias/keeper"
ACCESS_KEY = "AKIATESTTESTTESTTEST"
SECRET_KEY = "aws-secret-key-that-nobody-may-see/+012345"
TOKEN = "session-token-that-nobody-may-see"
AWS = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_SESSION_TOKEN": TOKEN,
    # Nothing of this machine's own, and no question to a cloud's.
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_EC2_METADATA_DISABLED": "true",
}
_SPKI = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a03420004")


@dataclass
class FakeKms:
    """A running service. Every second signature has the higher of the two values of s, as KMS gives either.

    `fault`: an error's code, or "late" (no answer before `released`), "other key", "garbage", "empty", "other digest";
    on calls that `of` names. `kind` is the key's.
    """

    url: str
    key: PrivateKey
    kind: str = "ECC_SECG_P256K1"
    fault: str | None = None
    of: tuple[str, ...] = ("Sign", "GetPublicKey")
    calls: list[str] = field(default_factory=list)
    high: list[bool] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        return str(Account.from_key(self.key.to_hex()).address)

    @property
    def environment(self) -> dict[str, str]:
        """A keeper's variables for this key."""
        return {
            "BALLAST_KMS_KEY_ID": KEY_ID,
            "BALLAST_KMS_REGION": REGION,
            "BALLAST_KMS_ENDPOINT": self.url,
            **AWS,
        }

    def answer(self, call: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body."""
        self.calls.append(call)
        fault = self.fault if call in self.of else None
        if fault == "late":
            self.released.wait(HOLDS_S)
        if fault is not None and fault.endswith("Exception"):
            message = f"User: arn:aws:iam::111122223333:user/keeper may not, signed with {SECRET_KEY}"
            return 500 if fault == "KMSInternalException" else 400, {"__type": fault, "message": message}
        if fault == "empty":
            return 200, {"KeyId": KEY_ID, "KeySpec": self.kind, "KeyUsage": "SIGN_VERIFY"}
        if asked.get("KeyId") != KEY_ID:
            return 400, {"__type": "NotFoundException", "message": "no such key"}
        if call == "GetPublicKey":
            der = _SPKI + self.key.public_key.to_bytes()
            return 200, {
                "KeyId": KEY_ID,
                "KeySpec": self.kind,
                "KeyUsage": "SIGN_VERIFY",
                "PublicKey": base64.b64encode(der).decode(),
                "SigningAlgorithms": ["ECDSA_SHA_256"],
            }
        digest = base64.b64decode(asked["Message"])
        if (asked["MessageType"], asked["SigningAlgorithm"], len(digest)) != ("DIGEST", "ECDSA_SHA_256", 32):
            return 400, {"__type": "ValidationException", "message": "expected the digest of 32 bytes"}
        der = b"\x30\x03garbage" if fault == "garbage" else self._sign(digest, fault)
        return 200, {
            "KeyId": KEY_ID,
            "Signature": base64.b64encode(der).decode(),
            "SigningAlgorithm": "ECDSA_SHA_256",
        }

    def _sign(self, digest: bytes, fault: str | None) -> bytes:
        key = PrivateKey(b"\x42" * 32) if fault == "other key" else self.key
        signature = key.sign_msg_hash(bytes(32) if fault == "other digest" else digest)
        low = min(signature.s, SECPK1_N - signature.s)
        self.high.append(len(self.high) % 2 == 0)
        s = SECPK1_N - low if self.high[-1] else low
        return bytes(DerSequence([signature.r, s]).encode())


@contextlib.contextmanager
def fake_kms(key: str) -> Iterator[FakeKms]:
    """Runs one with the private key `key` (0x...) until the block ends."""
    found = FakeKms("", PrivateKey(bytes.fromhex(key.removeprefix("0x"))))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service, _, call = self.headers["X-Amz-Target"].partition(".")
            assert service == "TrentService" and self.headers["Content-Type"] == "application/x-amz-json-1.1"
            scope = self.headers["Authorization"]
            assert scope.startswith("AWS4-HMAC-SHA256 Credential=" + ACCESS_KEY) and f"/{REGION}/kms/" in scope
            status, answer = found.answer(call, asked)
            body = json.dumps(answer).encode()
            with contextlib.suppress(OSError):  # whoever waited too long has gone
                self.send_response(status)
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with serving(Handler) as found.url:
        try:
            yield found
        finally:
            found.released.set()
