"""Settings of the portal, read from the environment and validated once at start."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import unquote, urlsplit

from fsspec.registry import known_implementations

from portal.core.keyring import DataKey, new_key, read_keys

Environment = Literal["development", "testing", "production"]
ROOT = Path(__file__).resolve().parent


class SettingsError(RuntimeError):
    """A setting is missing or cannot be understood; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class DatabaseUrls:
    """One URL a database role: the walls of docs/architecture.md rest on their being different."""

    app: str
    platform: str
    owner: str | None
    backup: str | None = None


@dataclass(frozen=True, kw_only=True)
class BackupSettings:
    """Where backups go and how long they stay.

    ``recipient`` is an age public key; with one, backups are encrypted. ``identity_file`` holds the private key
    that restoring needs. ``programs`` is the folder of pg_dump and pg_restore; None: looked for.
    Kept are the newest ``keep_newest``, one a day for ``keep_days`` days and one a month for ``keep_months`` months.
    """

    folder: Path
    recipient: str | None = None
    identity_file: Path | None = None
    programs: Path | None = None
    keep_newest: int = 5
    keep_days: int = 30
    keep_months: int = 12


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """The server that takes our mails, and the address they come from.

    ``tls`` from the first byte; without it STARTTLS, where the server offers it or a password has to be sent.
    """

    host: str
    port: int
    tls: bool
    sender: str
    user: str | None = None
    password: str | None = None


@dataclass(frozen=True, kw_only=True)
class FileSettings:
    """Where files of patients are kept: a URL of fsspec, and what its file system is told, keys among it."""

    url: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything the environment decides.

    ``databases`` is None where the portal must start its embedded PostgreSQL itself.
    """

    environment: Environment
    secret_key: str
    base_domain: str
    scheme: str
    port: int | None
    instance: Path
    databases: DatabaseUrls | None
    proxies: int
    log_format: Literal["json", "console"]
    session_idle: timedelta
    session_lifetime: timedelta
    backups: BackupSettings
    max_form_bytes: int = 2 * 1024 * 1024
    mail: MailSettings | None = None  # None: mails stay queued
    files: FileSettings
    data_keys: tuple[DataKey, ...] = ()  # what sealed columns open with; the first one seals

    @property
    def secure(self) -> bool:
        """Whether pages are reached over HTTPS, so cookies carry Secure and the __Host- prefix."""
        return self.scheme == "https"

    def url_for_host(self, label: str) -> str:
        """Return the address of a clinic's subdomain, or of ``admin``, without a trailing slash."""
        default = {"https": 443, "http": 80}[self.scheme]
        port = "" if self.port in (None, default) else f":{self.port}"
        return f"{self.scheme}://{label}.{self.base_domain}{port}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Raises SettingsError where a value is missing or malformed.
        """
        env = os.environ if environ is None else environ
        environment = _choice(env, "CLINIKOOP_ENV", get_args(Environment), "development")
        instance = Path(env.get("CLINIKOOP_INSTANCE", ROOT / "instance")).resolve()
        production = environment == "production"
        scheme = _choice(env, "CLINIKOOP_SCHEME", ("http", "https"), "https" if production else "http")
        return cls(
            environment=environment,  # type: ignore[arg-type]
            secret_key=_secret_key(env, instance, production=production),
            base_domain=_base_domain(env, production=production),
            scheme=scheme,
            port=_integer(env, "PORT", 8000, 1, 65535) if not production or "PORT" in env else None,
            instance=instance,
            databases=_databases(env, production=production),
            proxies=_integer(env, "CLINIKOOP_PROXIES", 0, 0, 5),
            log_format=_choice(env, "CLINIKOOP_LOG", ("json", "console"), "json" if production else "console"),  # type: ignore[arg-type]
            session_idle=timedelta(minutes=_integer(env, "CLINIKOOP_SESSION_IDLE_MINUTES", 60, 1, 1440)),
            session_lifetime=timedelta(hours=_integer(env, "CLINIKOOP_SESSION_HOURS", 12, 1, 720)),
            backups=_backups(env, instance),
            mail=_mail(env),
            files=_files(env, instance),
            data_keys=_data_keys(env, instance, environment),
        )


def _choice(env: Mapping[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = env.get(name, default)
    if value not in allowed:
        raise SettingsError(f"{name} must be one of {', '.join(allowed)}; it is {value!r}.")
    return value


def _integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    raw = env.get(name, str(default))
    if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
        raise SettingsError(f"{name} must be a whole number from {low} to {high}; it is {raw!r}.")
    return int(raw)


def _base_domain(env: Mapping[str, str], *, production: bool) -> str:
    value = env.get("CLINIKOOP_BASE_DOMAIN", "" if production else "localhost").lower().strip(".")
    if not value:
        raise SettingsError("CLINIKOOP_BASE_DOMAIN must name the domain whose subdomains are the clinics.")
    return value


def _databases(env: Mapping[str, str], *, production: bool) -> DatabaseUrls | None:
    if "DATABASE_URL" not in env:
        if production:
            raise SettingsError("DATABASE_URL is required in production; the embedded server is for development.")
        return None
    if "DATABASE_PLATFORM_URL" not in env:
        raise SettingsError(
            "DATABASE_PLATFORM_URL is required beside DATABASE_URL: the admin host logs in as a role "
            "that cannot read patients. `flask db roles` creates it; see docs/deployment.md."
        )
    return DatabaseUrls(
        app=_psycopg(env["DATABASE_URL"]),
        platform=_psycopg(env["DATABASE_PLATFORM_URL"]),
        owner=_psycopg(env["DATABASE_OWNER_URL"]) if "DATABASE_OWNER_URL" in env else None,
        backup=_psycopg(env["DATABASE_BACKUP_URL"]) if "DATABASE_BACKUP_URL" in env else None,
    )


def _backups(env: Mapping[str, str], instance: Path) -> BackupSettings:
    recipient = env.get("CLINIKOOP_BACKUP_RECIPIENT") or None
    if recipient and not recipient.startswith("age1"):
        raise SettingsError("CLINIKOOP_BACKUP_RECIPIENT must be an age public key; it begins with age1.")
    paths = {
        name: Path(env[name]).resolve() if env.get(name) else None
        for name in ("CLINIKOOP_BACKUPS", "CLINIKOOP_BACKUP_IDENTITY_FILE", "CLINIKOOP_PG_BIN")
    }
    return BackupSettings(
        folder=paths["CLINIKOOP_BACKUPS"] or instance / "backups",
        recipient=recipient,
        identity_file=paths["CLINIKOOP_BACKUP_IDENTITY_FILE"],
        programs=paths["CLINIKOOP_PG_BIN"],
        keep_newest=_integer(env, "CLINIKOOP_BACKUP_KEEP_NEWEST", 5, 1, 1000),
        keep_days=_integer(env, "CLINIKOOP_BACKUP_KEEP_DAYS", 30, 0, 3650),
        keep_months=_integer(env, "CLINIKOOP_BACKUP_KEEP_MONTHS", 12, 0, 240),
    )


def _mail(env: Mapping[str, str]) -> MailSettings | None:
    raw, sender = env.get("CLINIKOOP_SMTP_URL", ""), env.get("CLINIKOOP_MAIL_FROM", "")
    if not raw:
        return None
    url = urlsplit(raw)
    if url.scheme not in ("smtp", "smtps") or not url.hostname:
        raise SettingsError("CLINIKOOP_SMTP_URL must read smtp://user:password@host:port, or smtps:// for TLS at once.")
    if "@" not in sender or any(char.isspace() for char in sender):
        raise SettingsError("CLINIKOOP_MAIL_FROM must be the address that mails come from, beside CLINIKOOP_SMTP_URL.")
    tls = url.scheme == "smtps"
    return MailSettings(
        host=url.hostname, port=url.port or (465 if tls else 587), tls=tls, sender=sender,
        user=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
    )  # fmt: skip


def _files(env: Mapping[str, str], instance: Path) -> FileSettings:
    url, written = env.get("CLINIKOOP_FILES_URL") or f"file://{instance}/files", env.get("CLINIKOOP_FILES_OPTIONS")
    scheme = url.partition("://")[0]
    if "://" not in url or scheme not in known_implementations:
        raise SettingsError("CLINIKOOP_FILES_URL must be a URL such as file:///srv/files or s3://bucket/folder.")
    try:
        options = json.loads(written or "{}")
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise SettingsError('CLINIKOOP_FILES_OPTIONS must be a JSON object such as {"endpoint_url": "https://..."}.')
    return FileSettings(url=url, options=options)


def _psycopg(url: str) -> str:
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+psycopg://" + url.removeprefix(scheme)
    if not url.startswith("postgresql+psycopg://"):
        raise SettingsError("A database URL must start with postgresql://; PostgreSQL is the only engine.")
    return url


def _secret_key(env: Mapping[str, str], instance: Path, *, production: bool) -> str:
    key = env.get("SECRET_KEY", "")
    if key:
        if production and len(key) < 32:
            raise SettingsError("SECRET_KEY must have at least 32 characters in production.")
        return key
    if production:
        raise SettingsError("SECRET_KEY is required in production; there is no default.")
    return _kept(instance / "secret_key", lambda: secrets.token_hex(32))


def _data_keys(env: Mapping[str, str], instance: Path, environment: str) -> tuple[DataKey, ...]:
    written = env.get("CLINIKOOP_DATA_KEYS", "")
    if not written and environment == "production":
        raise SettingsError(
            "CLINIKOOP_DATA_KEYS is required in production: name:key, the key being 32 random bytes in base64, as "
            "`openssl rand -base64 32` writes them. Medical data cannot be read without it: keep a copy elsewhere."
        )
    if not written and environment == "development":
        written = _kept(instance / "data_keys", lambda: new_key("development").written() + "\n")
    try:
        return read_keys(written) if written else ()
    except ValueError as error:
        raise SettingsError(f"CLINIKOOP_DATA_KEYS must be name:key pairs, the current one first: {error}.") from error


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Return what a file of the instance folder holds, made once and readable by nobody else."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or not path.read_text():
            draft = path.with_name(f"{path.name}.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_text(make())
            draft.replace(path)  # whole or not at all, also when two processes start together
        return path.read_text()
    except OSError as error:
        raise SettingsError(f"The instance folder {path.parent} cannot be written: {error.strerror}.") from error
