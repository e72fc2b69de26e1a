"""Credentials for the admin namespace, from an option, a file or the environment."""

import json
from typing import Any

import pytest

from nsroom.cli.admin_credentials import payload, usable_payload
from nsroom.errors import UsageError


def test_credentials(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NSROOM_ADMIN", raising=False)
    (tmp_path / "secret").write_text("admin:s3cret:x\n")
    admin = {"username": "admin", "password": "s3cret:x"}
    assert payload(None, None) is None
    assert payload("admin:s3cret:x", None) == admin
    assert payload(f"@{tmp_path / 'secret'}", None) == admin
    assert payload(json.dumps(admin), None) == admin
    assert payload(None, "known") == {"sessionId": "known"}
    monkeypatch.setenv("NSROOM_ADMIN", "admin:s3cret:x")
    assert payload(None, None) == admin
    assert payload("other:1", None) == {"username": "other", "password": "1"}


@pytest.mark.parametrize(
    ("auth", "session", "complaint"),
    [
        ("a:b", "c", "use either --admin-session or --admin-auth"),
        ("@/nowhere", None, "--admin-auth: cannot read the file after @: No such file"),
        ('{"username":"admin"}', None, "a username needs a password"),
        ('{"password":s3cret', None, "--admin-auth: not a valid JSON object"),
    ],
)
def test_messages_about_wrong_credentials_do_not_contain_them(
    auth: str, session: str | None, complaint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        payload(auth, session)
    assert complaint in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_payload_that_would_crash_a_server_is_not_used() -> None:
    assert usable_payload({"token": "x"}) == {"token": "x"}
    assert usable_payload({"username": "admin", "password": "x"}) == {"username": "admin", "password": "x"}
    assert usable_payload({"username": "admin"}) is None
    assert usable_payload(None) is None
