"""How both edges protect a connection: the server's certificate is checked against the system's, and TLS is 1.2 or newer."""

from __future__ import annotations

import ssl


def client_context() -> ssl.SSLContext:
    """For one connection to a mail server."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
