"""From the Host header to a clinic, the platform, or nowhere: one pure, table-tested function."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

PLATFORM_LABEL = "admin"

# Names a clinic may not take: ours, a browser's or a mail server's.
RESERVED = frozenset(
    "admin api app apex assets auth autoconfig autodiscover billing blog cdn clinikoop demo-admin dev docs "
    "ftp help host imap internal localhost login mail mta-sts mx ns ns1 ns2 ops pop portal postmaster root "
    "security smtp sso staging static status support test webmail wpad www".split()
)

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_PORT = re.compile(r"[0-9]{1,5}")


class HostKind(StrEnum):
    """Whose host a request came to."""

    SUBDOMAIN = "subdomain"
    DOMAIN = "domain"
    PLATFORM = "platform"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Host:
    """A parsed Host header: its kind, and the subdomain label or custom domain it names."""

    kind: HostKind
    name: str = ""


UNKNOWN_HOST = Host(HostKind.UNKNOWN)


def parse_host(header: str | None, base_domain: str) -> Host:
    """Say whose host ``header`` names; UNKNOWN for anything that is not exactly one well-formed name.

    Lower-cases, strips one trailing dot and a numeric port. Exactly one label may stand before
    ``base_domain``; reserved labels name nobody. IP addresses never name a clinic.
    """
    name = _host_name(header)
    if name is None:
        return UNKNOWN_HOST
    if name == base_domain:
        return UNKNOWN_HOST
    if name.endswith("." + base_domain):
        label = name.removesuffix("." + base_domain)
        if label == PLATFORM_LABEL:
            return Host(HostKind.PLATFORM)
        return Host(HostKind.SUBDOMAIN, label) if is_subdomain(label) else UNKNOWN_HOST
    labels = name.split(".")
    if len(labels) < 2 or labels[-1].isdigit():
        return UNKNOWN_HOST
    return Host(HostKind.DOMAIN, name)


def is_subdomain(label: str) -> bool:
    """Tell whether a clinic may have ``label``: one LDH label (RFC 1123), not reserved, no punycode prefix."""
    return bool(_LABEL.fullmatch(label)) and label[2:4] != "--" and label not in RESERVED


def _host_name(header: str | None) -> str | None:
    """Return the lower-cased name without port and one trailing dot, or None where it is malformed."""
    if not header or len(header) > 300 or not header.isascii():
        return None
    name, colon, port = header.partition(":")
    if colon and not (_PORT.fullmatch(port) and 0 < int(port) <= 65535):
        return None
    name = name.lower()
    name = name[:-1] if name.endswith(".") else name
    if not name or len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        return None
    return name
