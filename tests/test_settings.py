"""Settings: read once, refused by name, and documented all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comments_service.errors import CannotStart
from comments_service.settings import PREFIX, Settings, load_settings

DOCS = Path(__file__).resolve().parent.parent / "docs" / "settings.md"


def refusal(**environment: str) -> list[str]:
    """The lines with which an environment is refused."""
    with pytest.raises(CannotStart) as refused:
        load_settings(environment)
    return refused.value.detail.splitlines()[1:]


def test_without_any_variable_there_are_good_defaults() -> None:
    settings = load_settings({"PATH": "/usr/bin"})
    assert (settings.port, settings.is_sqlite, settings.trusted_proxies) == (8000, True, ())


def test_all_wrong_settings_are_named_at_once() -> None:
    lines = refusal(COMMENTS_PORT="0", COMMENTS_PUBLIC_URL="example.org", COMMENTS_TRHEADS="8")
    named = {line.strip().partition(":")[0] for line in lines}
    assert named == {"COMMENTS_TRHEADS", "COMMENTS_PORT", "COMMENTS_PUBLIC_URL"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://localhost/comments"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "sqlite://"),
        ("REDIS_URL", "http://localhost"),
        ("PUBLIC_URL", "https://example.org/?a=b"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy"),
        ("THREADS", "many"),
        ("DATABASE_WAIT_SECONDS", "0"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(name: str, value: str) -> None:
    assert [line.strip().partition(":")[0] for line in refusal(**{PREFIX + name: value})] == [PREFIX + name]


def test_no_value_is_quoted_when_it_is_refused() -> None:
    lines = refusal(COMMENTS_DATABASE_URL="mysql://me:hunter2@localhost/x", COMMENTS_SECRET_KEYS="hunter2")
    assert "hunter2" not in " ".join(lines)


def test_every_setting_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("1:" + "k" * 40 + "\n")
    settings = load_settings({"COMMENTS_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == "1:" + "k" * 40


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert refusal(COMMENTS_SECRET_KEY_FILE=str(tmp_path / "gone")) == [
        "  COMMENTS_SECRET_KEY_FILE: cannot be read (FileNotFoundError)"
    ]


def test_the_key_is_shown_by_no_description_of_the_settings() -> None:
    settings = load_settings({"COMMENTS_SECRET_KEY": "1:" + "k" * 40})
    assert "kkkk" not in repr(settings) + str(settings)


def test_trusted_proxies_are_networks_with_commas_between() -> None:
    settings = load_settings({"COMMENTS_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32"})
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.0/8", "2001:db8::/32"]


def test_the_short_names_of_postgresql_get_the_driver_we_have() -> None:
    settings = load_settings({"COMMENTS_DATABASE_URL": "postgres://me:pw@db/comments"})
    assert settings.database_url == "postgresql+psycopg://me:pw@db/comments"


def test_the_description_and_the_settings_name_the_same_variables() -> None:
    described = set(re.findall(r"^\| `(COMMENTS_[A-Z_]+)`", DOCS.read_text(), re.MULTILINE))
    assert described == {PREFIX + name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_the_description_tells_the_default(name: str) -> None:
    line = next(
        line for line in DOCS.read_text().splitlines() if line.startswith(f"| `{PREFIX}{name.upper()}`")
    )
    default = Settings.model_fields[name].default
    written = "" if default in (None, ()) else f"`{default}`"
    assert line.split("|")[2].strip() == written
