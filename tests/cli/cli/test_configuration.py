"""The user's file and the project's: read, merged, and refused with the file and the setting."""

from pathlib import Path

import pytest

from nsroom.cli.configuration import PROJECT_FILE, Configuration, load, project_file, user_file
from nsroom.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, with a user who has no configuration."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    project = tmp_path / "project" / "deep"
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    return project.parent


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


@pytest.mark.usefixtures("folder")
def test_without_files() -> None:
    assert load() == Configuration()
    assert project_file() is None


def test_the_nearest_project_file_counts(folder: Path) -> None:
    write(folder.parent / PROJECT_FILE, '[servers.far]\nurl = "http://far"')
    write(folder / PROJECT_FILE, '[servers.near]\nurl = "http://near"')
    assert list(load().servers) == ["near"]


def test_the_project_beats_the_user(folder: Path) -> None:
    write(
        user_file(),
        'theme = "light"\n[defaults]\npath = "/a/"\ninsecure = true\n'
        '[servers.prod]\nurl = "https://one"\nheader = ["Authorization: Bearer x"]\n[keys]\nquit = "q"',
    )
    write(
        folder / PROJECT_FILE,
        '[defaults]\npath = "/b/"\n[servers.prod]\nurl = "https://two"\nprotocol = 3\n[servers.staging]\n'
        'url = "https://three"\nnamespace = "/chat"\nconnect-timeout = 5\n',
    )
    found = load()
    assert found.options() == {"path": "/b/", "insecure": True}
    assert found.options("prod") == {
        "path": "/b/",
        "insecure": True,
        "url": "https://two",
        "header": ["Authorization: Bearer x"],
        "protocol": "3",
    }
    assert found.options("staging")["namespace"] == ["/chat"]
    assert found.options("staging")["connect-timeout"] == 5.0
    assert (found.theme, found.keys) == ("light", {"quit": "q"})
    assert found.origins == {"prod": folder / PROJECT_FILE, "staging": folder / PROJECT_FILE}


def test_files_are_found_from_the_folder_of_the_configuration(folder: Path) -> None:
    write(
        folder / PROJECT_FILE, '[defaults]\nauth = ["@auth.json"]\ncacert = "/etc/ca.pem"\nkey = "~/key.pem"'
    )
    values = load().options()
    assert values["auth"] == [f"@{folder}/auth.json"]
    assert values["cacert"] == "/etc/ca.pem"
    assert values["key"] == str(folder.parent / "home" / "key.pem")


@pytest.mark.parametrize(
    "line",
    [
        'auth = "token=x"',
        'auth = ["@file", "{}"]',
        'cookie = "session=x"',
        'header = "Authorization: Bearer x"',
        'header = ["X-Tenant: 7", "x-api-key: 8"]',
        'query = "token=x"',
        'url = "https://ann:secret@example.org"',
    ],
)
def test_a_project_must_not_have_secrets(folder: Path, line: str) -> None:
    write(folder / PROJECT_FILE, f"[servers.prod]\n{line}")
    with pytest.raises(
        UsageError, match=r"\.nsroom\.toml: servers\.prod\.\w+: a (secret|password)"
    ) as raised:
        load()
    assert "secret@" not in str(raised.value)
    assert "Bearer" not in str(raised.value)
    write(user_file(), f"[servers.prod]\n{line}")
    (folder / PROJECT_FILE).unlink()
    assert "prod" in load().servers


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("theme = ", "Invalid value"),
        ("theme = 5", "theme must be text"),
        ('colour = "red"', "unknown setting 'colour'"),
        ("servers = 5", "servers must be a table"),
        ('servers.a = "x"', "a must be a table"),
        ('[servers."a b"]\nurl = "x"', "a name has letters"),
        ('[servers.a]\nurll = "x"', "servers.a.urll: unknown option; did you mean url?"),
        ("[servers.a]\nurl = 5", "servers.a.url must be text"),
        ('[servers.a]\ninsecure = "yes"', "servers.a.insecure must be true or false"),
        ("[defaults]\nconnect-timeout = -1", "defaults.connect-timeout must be a number of seconds"),
        ("[defaults]\nheader = [5]", "defaults.header must be text or a list of texts"),
        ("a = " + "[" * 5000, ""),
        ("x" * 1_000_001, "larger than 1000000 bytes"),
        ("theme = '\ufffe\x00'", "invalid character"),
    ],
)
def test_invalid_files(folder: Path, text: str, message: str) -> None:
    write(folder / PROJECT_FILE, text)
    with pytest.raises(UsageError) as raised:
        load()
    assert str(raised.value).startswith(f"{folder / PROJECT_FILE}: ")
    assert message in str(raised.value)


@pytest.mark.usefixtures("folder")
def test_an_unreadable_file() -> None:
    user_file().mkdir(parents=True)
    with pytest.raises(UsageError, match="Is a directory"):
        load()


def test_unknown_servers(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"add \[servers.prod\] with its url"):
        load().options("prod")
    write(folder / PROJECT_FILE, '[servers.prod]\nurl = "https://x"')
    with pytest.raises(UsageError, match="did you mean prod"):
        load().options("porx")
    with pytest.raises(UsageError, match="`nsroom servers` lists"):
        load().options("elsewhere")
