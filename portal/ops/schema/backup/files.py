"""A backup's bytes on disk: a workspace of its own, checksums, encryption with age, and the last move into place."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyrage
from pyrage import x25519

from config import BackupSettings
from portal.ops.evolve.errors import BackupError
from portal.ops.schema.backup.info import sync_folder

SEALED = ".age"
_WORK = ".work-"
_CHUNK = 1024 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def open_folder(folder: Path) -> None:
    """Make the backups' folder where it is missing, for nobody but us; raises BackupError where it cannot be used."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise BackupError(
            f"The backups' folder {folder} cannot be used: {error.strerror}. Make it writable, or set "
            "CLINIKOOP_BACKUPS to another one."
        ) from error


@contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """Yield an empty folder on the backups' own disk, deleted at the end whatever happens.

    What a killed process left there is deleted first. Raises BackupError where the disk is full.
    """
    open_folder(folder)
    _drop_forgotten(folder)
    try:
        with tempfile.TemporaryDirectory(prefix=f"{_WORK}{_here()}-{os.getpid()}-", dir=folder) as made:
            yield Path(made)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise BackupError(
            f"The disk of {folder} is full ({error.strerror}); nothing unfinished was kept. Free some space, prune "
            "with `flask db backups --prune`, or set CLINIKOOP_BACKUPS to another disk."
        ) from error


def require_space(folder: Path, needed: int) -> None:
    """Raise BackupError where the disk of ``folder`` has less than ``needed`` bytes left."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(
            f"A backup will need about {needed / 1e6:,.0f} MB, and the disk of {folder} has {free / 1e6:,.0f} MB left. "
            "Free some space, prune with `flask db backups --prune`, or set CLINIKOOP_BACKUPS to another disk."
        )


def put_in_place(draft: Path, target: Path) -> None:
    """Give a finished file its name: readable for us alone, and on the disk before it is seen."""
    draft.chmod(0o600)
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.rename(target)
    sync_folder(target.parent)


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(plain: Path, settings: BackupSettings) -> Path:
    """Encrypt a file for the recipient of the settings, delete the plain one, and return the new one.

    Raises BackupError where the recipient is no age public key, or the disk is full.
    """
    assert settings.recipient is not None
    sealed = plain.with_name(plain.name + SEALED)
    try:
        recipient = x25519.Recipient.from_str(settings.recipient)
    except pyrage.RecipientError as error:
        raise BackupError("CLINIKOOP_BACKUP_RECIPIENT is no age public key; `age-keygen` makes one.") from error
    try:
        pyrage.encrypt_file(str(plain), str(sealed), [recipient])
    except pyrage.EncryptError as error:  # a full disk, too, comes as one of these
        raise BackupError(f"The backup could not be encrypted: {error}. Nothing unfinished was kept.") from error
    plain.unlink()
    return sealed


def can_open(settings: BackupSettings) -> bool:
    """Tell whether the key for encrypted backups is at hand."""
    return settings.identity_file is not None and settings.identity_file.is_file()


def unseal(sealed: Path, target: Path, settings: BackupSettings) -> None:
    """Decrypt a file to ``target``; raises BackupError without the right key, or where the file is damaged."""
    if not can_open(settings):
        named = f"{settings.identity_file} does not exist" if settings.identity_file else "none is set"
        raise BackupError(
            f"{sealed.name} is encrypted, and the key is not at hand: {named}. Set CLINIKOOP_BACKUP_IDENTITY_FILE to "
            "the file with the age identity (AGE-SECRET-KEY-...)."
        )
    identities = _read_identities(settings)
    target.touch(mode=0o600)
    try:
        pyrage.decrypt_file(str(sealed), str(target), identities)
    except (pyrage.DecryptError, ValueError) as error:
        raise BackupError(f"{sealed.name} cannot be decrypted with {settings.identity_file}: {error}.") from error


def _read_identities(settings: BackupSettings) -> list[x25519.Identity]:
    assert settings.identity_file is not None
    try:
        lines = settings.identity_file.read_text().splitlines()
        found = [x25519.Identity.from_str(line.strip()) for line in lines if line.strip() and line[:1] != "#"]
    except (OSError, UnicodeDecodeError, pyrage.IdentityError) as error:
        raise BackupError(f"{settings.identity_file} cannot be read as a file of age identities.") from error
    if not found:
        raise BackupError(f"{settings.identity_file} holds no age identity.")
    return found


def _drop_forgotten(folder: Path) -> None:
    """Delete the workspaces of dead processes of this machine: a plain dump must not lie about."""
    for path in folder.glob(f"{_WORK}{_here()}-*"):
        pid = path.name.removeprefix(f"{_WORK}{_here()}-").partition("-")[0]
        if pid.isdigit() and not _lives(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _here() -> str:
    """Return the machine's name as part of a file name: two machines may share the folder."""
    return "".join(letter for letter in socket.gethostname() if letter.isalnum()) or "here"
