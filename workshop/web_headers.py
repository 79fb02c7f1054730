"""The headers with which every page of a workshop is served, whichever server does it.

In: nothing. Out: one mapping. A page may be framed by no other page, read by no other origin, and sends no referrer.
"""

from __future__ import annotations

__all__ = ["SECURITY_HEADERS"]

SECURITY_HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'; object-src 'none'; base-uri 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""A page's own `<meta>` policy counts beside these: what either forbids is forbidden."""
