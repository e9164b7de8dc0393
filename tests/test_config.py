"""Settings: what is missing or malformed is said at start, and no secret has a default where it matters."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from config import Settings, SettingsError

PRODUCTION = {
    "CLINIKOOP_ENV": "production",
    "SECRET_KEY": "x" * 32,
    "CLINIKOOP_BASE_DOMAIN": "clinics.example",
    "DATABASE_URL": "postgresql://app@db/clinikoop",
    "DATABASE_PLATFORM_URL": "postgresql://platform@db/clinikoop",
    "CLINIKOOP_DATA_KEYS": f"k1:{base64.b64encode(bytes(32)).decode()}",
}


def test_production_is_https_with_json_logs_and_no_embedded_database() -> None:
    settings = Settings.from_environment(PRODUCTION)
    assert settings.secure
    assert settings.log_format == "json"
    assert settings.url_for_host("demo") == "https://demo.clinics.example"
    assert settings.databases is not None
    assert settings.databases.app == "postgresql+psycopg://app@db/clinikoop"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is required"),
        ({"SECRET_KEY": "short"}, "at least 32 characters"),
        ({"CLINIKOOP_BASE_DOMAIN": ""}, "CLINIKOOP_BASE_DOMAIN"),
        ({"DATABASE_URL": None}, "DATABASE_URL is required"),
        ({"DATABASE_PLATFORM_URL": None}, "DATABASE_PLATFORM_URL is required"),
        ({"DATABASE_URL": "sqlite:///clinikoop.db"}, "PostgreSQL is the only engine"),
        ({"PORT": "80a"}, "PORT must be a whole number"),
        ({"PORT": "٨٠"}, "PORT must be a whole number"),
        ({"CLINIKOOP_ENV": "prod"}, "CLINIKOOP_ENV must be one of"),
        ({"CLINIKOOP_PROXIES": "9"}, "from 0 to 5"),
        ({"CLINIKOOP_DATA_KEYS": None}, "CLINIKOOP_DATA_KEYS is required"),
        ({"CLINIKOOP_DATA_KEYS": "k1:dG9vIHNob3J0"}, "k1 has 9 bytes, not 32"),
        ({"CLINIKOOP_DATA_KEYS": "k1:no base64"}, "k1 is not base64"),
        ({"CLINIKOOP_DATA_KEYS": base64.b64encode(bytes(32)).decode()}, "key 1 has no name"),
        ({"CLINIKOOP_DATA_KEYS": ",".join([PRODUCTION["CLINIKOOP_DATA_KEYS"]] * 2)}, "two keys are named k1"),
    ],
)
def test_a_setting_that_is_missing_or_wrong_is_named(changed: dict[str, str | None], why: str) -> None:
    environ = {name: value for name, value in {**PRODUCTION, **changed}.items() if value is not None}
    with pytest.raises(SettingsError, match=why):
        Settings.from_environment(environ)


def test_the_development_key_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = (Settings.from_environment({"CLINIKOOP_INSTANCE": str(tmp_path)}) for _ in range(2))
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) == 64
    assert first.data_keys == second.data_keys
    assert len(first.data_keys) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data_keys", "secret_key"]
    assert [path.stat().st_mode & 0o077 for path in tmp_path.iterdir()] == [0, 0]


def test_an_empty_key_left_by_a_run_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    assert len(Settings.from_environment({"CLINIKOOP_INSTANCE": str(tmp_path)}).secret_key) == 64


def test_an_instance_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        Settings.from_environment({"CLINIKOOP_INSTANCE": str(tmp_path / "file" / "instance")})
