"""Writes calls as a file for the Transaction Builder of Safe, a multi-signature account, in its format 1.0.

The checksum is the one that the builder computes when it reads the file (safe-global/safe-react-apps,
apps/tx-builder/src/lib/checksum.ts): keccak256 over the file's values, with sorted keys, without the batch's name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from eth_utils import keccak

from ballast.steering.operations import TimelockCall

VERSION = "1.0"
BUILDER_VERSION = "1.16.5"
"""A version of the builder that wrote such files; the builder accepts others too."""


def batch_file(
    calls: Iterable[TimelockCall], chain_id: int, time: int, name: str, description: str, safe: str = ""
) -> dict[str, Any]:
    """The file's content. `time`: Unix seconds; `safe`: the account that is to send it, if known."""
    meta = {
        "name": name,
        "description": description,
        "txBuilderVersion": BUILDER_VERSION,
        "createdFromSafeAddress": safe,
        "createdFromOwnerAddress": "",
    }
    content: dict[str, Any] = {
        "version": VERSION,
        "chainId": str(chain_id),
        "createdAt": time * 1000,
        "meta": meta,
        "transactions": [
            {
                "to": call.target,
                "value": str(call.value),
                "data": "0x" + call.data.hex(),
                "contractMethod": None,
                "contractInputsValues": None,
            }
            for call in calls
        ],
    }
    return {**content, "meta": {**meta, "checksum": checksum(content)}}


def checksum(content: dict[str, Any]) -> str:
    """The checksum of a file's content; ignores one that it already has."""
    meta = {key: value for key, value in content["meta"].items() if key != "checksum"}
    return "0x" + keccak(text=_serialized({**content, "meta": {**meta, "name": None}})).hex()


def _serialized(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_serialized, value))}]"
    if isinstance(value, dict):
        keys = sorted(value)
        return f"{{{_json(keys)}{''.join(f'{_serialized(value[key])},' for key in keys)}}}"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
