"""Keeps secrets out of everything that is shown or written: texts go through here before they leave the process.

AWS echoes the signed request in some refusals (SignatureDoesNotMatch carries the session token), and addresses can be signed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["redact"]

MASK = "***"
PATTERNS = (
    # What precedes the secret is kept, so that the text still says what it was.
    re.compile(r"(?i)(x-amz-security-token\s*[:=]\s*)[^\s&\"'<>]+"),
    re.compile(r"(?i)((?:x-amz-)?(?:signature|credential)\s*=\s*)[^\s&,\"'<>]+"),
    re.compile(r"(?i)(aws_?secret_?access_?key\s*[\"']?\s*[:=]\s*[\"']?)[^\s&,\"'<>]+"),
    re.compile(r"(?i)(aws_?session_?token\s*[\"']?\s*[:=]\s*[\"']?)[^\s&,\"'<>]+"),
    re.compile(r"(?i)(authorization\s*:\s*).+"),
)
ACCESS_KEY = re.compile(r"\b(A(?:KIA|SIA|IDA|ROA))[A-Z0-9]{12,}([A-Z0-9]{4})\b")
SHORTEST = 8
"""Known secrets shorter than this are not searched for: they would blacken ordinary words."""


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without keys, tokens, signatures and the given secrets; access key ids keep their last four characters."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = text.replace(secret, MASK)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\g<1>{MASK}", text)
    return ACCESS_KEY.sub(rf"\1{MASK}\2", text)
