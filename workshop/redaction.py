"""Keeps secrets out of everything that is shown or written: texts go through here before they leave the process.

In: a text, and secrets that are known. Out: the text with those, and what has the form of a secret, masked. AWS echoes the
signed request in some refusals (SignatureDoesNotMatch carries the session token), and addresses can be signed.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable

__all__ = ["MASK", "SHORTEST", "keep_secret", "redact", "without_secrets"]

MASK = "***"
PATTERNS = (
    # What precedes the secret is kept, so that the text still shows what it was.
    re.compile(r"(?i)(x-amz-security-token\s*[:=]\s*)[^\s&\"'<>]+"),
    re.compile(r"(?i)((?:x-amz-)?(?:signature|credential)\s*=\s*)[^\s&,\"'<>]+"),
    re.compile(r"(?i)(aws_?secret_?access_?key\s*[\"']?\s*[:=]\s*[\"']?)[^\s&,\"'<>]+"),
    re.compile(r"(?i)(aws_?session_?token\s*[\"']?\s*[:=]\s*[\"']?)[^\s&,\"'<>]+"),
    re.compile(r"(?i)(authorization\s*:\s*).+"),
)
ACCESS_KEY = re.compile(r"(?<![A-Z0-9])(A(?:KIA|SIA|IDA|ROA))[A-Z0-9]{12,}([A-Z0-9]{4})\b")
SHORTEST = 8
"""Known secrets shorter than this are not searched for: they would blacken ordinary words."""


_secrets: set[str] = set()
"""The secrets that this process has read, each in the forms in which texts hold it."""


def keep_secret(value: str) -> None:
    """From now on `value` is masked in everything that this process shows or writes, also where JSON or a shell quotes it."""
    if len(value) >= SHORTEST:
        _secrets.update((value, shlex.quote(value), json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]))


def without_secrets(text: str) -> str:
    """The text with the secrets that this process has read masked, and nothing else changed."""
    for secret in sorted(_secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without keys, tokens, signatures and the given secrets; access key ids keep their last four characters."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, MASK)
    text = without_secrets(text)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return ACCESS_KEY.sub(rf"\1{MASK}\2", text)
