"""Targets and connection options of the command line."""

from pathlib import Path

import pytest

from nsroom.client.target import (
    Protocol,
    Target,
    Transport,
    UrlOptions,
    is_host,
    is_misplaced,
    is_target,
    masked,
    parse_auth,
    parse_headers,
    parse_pairs,
    resolve,
)
from nsroom.errors import UsageError

LOCAL = "http://localhost:3000"


@pytest.fixture(autouse=True)
def no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the server from the environment."""
    monkeypatch.delenv("NSROOM_URL", raising=False)


@pytest.mark.parametrize(
    ("targets", "url", "namespaces", "server", "names"),
    [
        ([], None, [], LOCAL, ("/",)),
        (["/chat"], None, [], LOCAL, ("/chat",)),
        (["/chat", "/news"], None, ["ops"], LOCAL, ("/chat", "/news", "/ops")),
        (["/chat", "/chat"], None, ["chat"], LOCAL, ("/chat",)),
        ([":3001"], None, [], "http://localhost:3001", ("/",)),
        ([":3001/"], None, [], "http://localhost:3001", ("/",)),
        ([":3001/my-namespace"], None, [], "http://localhost:3001", ("/my-namespace",)),
        (["127.0.0.1:80/x"], None, [], "http://127.0.0.1:80", ("/x",)),
        (["[::1]:3000/x"], None, [], "http://[::1]:3000", ("/x",)),
        (["example.org:443"], None, [], "https://example.org:443", ("/",)),
        (["example.org"], None, [], "https://example.org", ("/",)),
        (["db.localhost:3000/x"], None, [], "http://db.localhost:3000", ("/x",)),
        (["localhost"], None, [], "http://localhost", ("/",)),
        ([], "192.0.2.1:3000", [], "https://192.0.2.1:3000", ("/",)),
        (["https://example.org/a/b"], None, [], "https://example.org", ("/a/b",)),
        (["wss://example.org/a"], None, [], "https://example.org", ("/a",)),
        (["ws://h:1"], None, [], "http://h:1", ("/",)),
        ([], "http://h:1", [], "http://h:1", ("/",)),
        ([], "http://h:1/chat", [], "http://h:1", ("/chat",)),
        ([], "http://h:1/chat", ["/news"], "http://h:1", ("/news",)),
        ([], ":1", [], "http://localhost:1", ("/",)),
        ([], "/chat", [], LOCAL, ("/chat",)),
        (["/news"], "http://h:1/chat", [], "http://h:1", ("/news",)),
        (["http://h:1/a", "http://h:1/b", "/c"], None, [], "http://h:1", ("/a", "/b", "/c")),
        (["http://h:1/a"], "http://h:1", [], "http://h:1", ("/a",)),
        (["http://h/chat?token=1"], None, [], "http://h", ("/chat",)),
        (["ws://h/socket.io/?EIO=4&transport=websocket"], None, [], "http://h", ("/",)),
        (["ws://h/socket.io/", "/chat"], None, [], "http://h", ("/chat",)),
        (["http://[fe80::1%25lo]:9/x"], None, [], "http://[fe80::1%lo]:9", ("/x",)),
        (["http://[fe80::1%lo]:9/x"], None, [], "http://[fe80::1%lo]:9", ("/x",)),
        (["[fe80::1%25lo]:9"], None, [], "https://[fe80::1%lo]:9", ("/",)),
        (["http://a%25b@[::1]:9"], None, [], "http://a%25b@[::1]:9", ("/",)),
        (["/ünïcode"], None, [], LOCAL, ("/ünïcode",)),
        ([], None, ["/"], LOCAL, ("/",)),
        ([], None, ['"/a\\u0003b"'], LOCAL, ("/a\x03b",)),
        ([], None, ['"open'], LOCAL, ('/"open',)),
    ],
)
def test_targets_name_a_server_and_namespaces(
    targets: list[str], url: str | None, namespaces: list[str], server: str, names: tuple[str, ...]
) -> None:
    assert resolve(targets, url, namespaces)[:2] == (server, names)


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("http://h/chat", UrlOptions()),
        ("http://h/chat?token=1&t=2&empty=", UrlOptions((("token", "1"), ("t", "2"), ("empty", "")))),
        ("http://h?a=%20b&a=2", UrlOptions((("a", " b"), ("a", "2")))),
        (":3001?a=1", UrlOptions((("a", "1"),))),
        ("http://h/socket.io/", UrlOptions((), "/socket.io/")),
        ("http://h/api/socket.io", UrlOptions((), "/api/socket.io")),
        ("http://h/socket.io/chat", UrlOptions()),
        (
            "ws://h/socket.io/?EIO=4&transport=websocket&sid=abc",
            UrlOptions((), "/socket.io/", Transport.WEBSOCKET, Protocol.V4),
        ),
        (
            "http://h/my%20path/?EIO=3&transport=polling&t=PX1&sid=a&b64=1&token=x",
            UrlOptions((("token", "x"),), "/my path/", Transport.POLLING, Protocol.V3),
        ),
        ("http://h/socket.io/?EIO=5&transport=webtransport", UrlOptions((), "/socket.io/")),
    ],
)
def test_what_a_url_says_of_the_handshake(url: str, options: UrlOptions) -> None:
    assert resolve([url], None, []).options == options
    assert resolve([], url, []).options == options


def test_the_options_of_several_urls() -> None:
    urls = ["http://h/a?x=1", "http://h/socket.io/?EIO=4&x=1&y=2"]
    found = resolve([*urls, "/c"], None, [])
    assert found == (
        "http://h",
        ("/a", "/c"),
        UrlOptions((("x", "1"), ("y", "2")), "/socket.io/", protocol=Protocol.V4),
    )
    assert str(found.options) == "--path /socket.io/ --protocol 4 --query x=… --query y=…"


def test_the_environment_names_the_default_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NSROOM_URL", "https://example.org/chat")
    assert resolve([], None, [])[:2] == ("https://example.org", ("/chat",))
    assert resolve(["/news"], None, [])[:2] == ("https://example.org", ("/news",))
    assert resolve([":1"], None, [])[:2] == ("http://localhost:1", ("/",))
    assert resolve([], "http://h:1", [])[:2] == ("http://h:1", ("/",))
    monkeypatch.setenv("NSROOM_URL", "")
    assert resolve([], None, [])[:2] == (LOCAL, ("/",))


@pytest.mark.parametrize(
    ("targets", "url", "namespaces", "complaint"),
    [
        (["chat"], None, [], "'chat' is neither a namespace like /chat nor a URL"),
        (["example/chat"], None, [], "neither"),
        (["ftp://h/x"], None, [], "neither"),
        (["http://"], None, [], "neither"),
        (["http://h:99999"], None, [], "is not a URL: invalid host or port"),
        (["http://h:x"], None, [], "is not a URL"),
        (["http://[::1"], None, [], "is not a URL"),
        (["/a,b"], None, [], "'/a,b' cannot be a namespace: no comma"),
        (["/a?b"], None, [], "cannot be a namespace"),
        (["/a\nb"], None, [], "cannot be a namespace"),
        ([], None, ["\x1b[31m"], "cannot be a namespace"),
        ([":1", ":2"], None, [], "two are named: http://localhost:1 and http://localhost:2"),
        ([":1"], "http://h:2", [], "two are named"),
        (["http://h/chat#top"], None, [], "'#'"),
        ([""], None, [], "neither"),
    ],
)
def test_an_invalid_target_is_a_usage_error(
    targets: list[str], url: str | None, namespaces: list[str], complaint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(targets, url, namespaces)
    assert complaint in str(caught.value)


def test_a_target_by_default() -> None:
    target = Target()
    assert (target.url, target.namespaces, target.path) == (LOCAL, ("/",), "/socket.io/")
    assert (target.transport, target.connect_timeout, target.reconnect) == ("auto", 10, True)


# Authentication


@pytest.mark.parametrize(
    ("texts", "stdin", "auth"),
    [
        ([], None, None),
        (["token=a=b"], None, {"token": "a=b"}),
        (["token="], None, {"token": ""}),
        (['{"token":"x","n":1}'], None, {"token": "x", "n": 1}),
        (['  {"a": [1]}\n'], None, {"a": [1]}),
        (["{}"], None, None),
        (["a=1", '{"b":2}', "a=3"], None, {"a": "3", "b": 2}),
        (["-"], '{"a":1}\n', {"a": 1}),
        (["-"], "token=x\n", {"token": "x"}),
        (["a=1", "-"], "b=2", {"a": "1", "b": "2"}),
    ],
)
def test_auth_is_json_or_pairs(texts: list[str], stdin: str | None, auth: object) -> None:
    assert parse_auth(texts, stdin) == auth


def test_auth_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "auth").write_text('{"token":"é"}\n')
    assert parse_auth([f"@{tmp_path}/auth"]) == {"token": "é"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("token", "use a JSON object, key=value, key:=JSON, @file or -"),
        ("=x", "use a JSON object"),
        ("", "use a JSON object"),
        ("[1]", "use a JSON object"),
        ('{"token":', "--auth: "),
        ("{" * 5000, "--auth: "),
        ('{"n":NaN}', "--auth: "),
        ("-", "use a JSON object"),
        ("@/no/such/file", "--auth: cannot read the file after @: No such file"),
        ("@/", "--auth: cannot read the file after @: Is a directory"),
        ("@a\0b", "--auth: cannot read"),
    ],
)
def test_auth_that_cannot_be_read(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_auth([text], "")
    assert complaint in str(caught.value)


def test_an_auth_file_is_text(tmp_path: Path) -> None:
    (tmp_path / "auth").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="--auth: cannot read"):
        parse_auth([f"@{tmp_path}/auth"])


def test_a_secret_is_not_in_the_message() -> None:
    with pytest.raises(UsageError) as caught:
        parse_auth(['{"token":"s3cret"'])
    assert "s3cret" not in str(caught.value)


# Headers, cookies, queries


def test_headers() -> None:
    texts = ["Authorization: Bearer a:b", "X-Empty:", "x-y:  1 "]
    assert parse_headers(texts) == {"Authorization": "Bearer a:b", "X-Empty": "", "x-y": "1"}


@pytest.mark.parametrize("text", ["no colon", ": value", "bad name: x", "X: a\r\nY: b", "X: \0", "é: x"])
def test_an_invalid_header(text: str) -> None:
    with pytest.raises(UsageError, match=r"write it as 'Name: value'"):
        parse_headers([text])


def test_pairs_keep_their_order() -> None:
    assert parse_pairs("--query", ["b=1", "a=", "b=x=y"]) == (("b", "1"), ("a", ""), ("b", "x=y"))


@pytest.mark.parametrize("text", ["", "a", "=b"])
def test_an_invalid_pair(text: str) -> None:
    with pytest.raises(UsageError, match="--cookie: write it as key=value"):
        parse_pairs("--cookie", [text])


def test_auth_values_may_be_json() -> None:
    assert parse_auth(["n:=1", "t=1", 'o:={"a":[true]}']) == {"n": 1, "t": "1", "o": {"a": [True]}}
    with pytest.raises(UsageError, match="n:= needs JSON"):
        parse_auth(["n:=x"])


@pytest.mark.parametrize("text", ["/", "/chat", ":3001", ":1/chat", "http://h", "WSS://h/x?a=b"])
def test_a_text_that_can_only_be_a_target(text: str) -> None:
    assert is_target(text)


@pytest.mark.parametrize("text", ["chat", "localhost:3000", "a.b", ":x", ":", "", "-", "a/b", "a:b"])
def test_a_text_that_can_be_something_else(text: str) -> None:
    assert not is_target(text)


@pytest.mark.parametrize(
    "text",
    ["localhost", "localhost/chat", "h:1", "example.org", "127.0.0.1", "[::1]:3000", "[::1]", "a.b/c?d"],
)
def test_hosts(text: str) -> None:
    assert is_host(text)


@pytest.mark.parametrize("text", ["chat", "", ".", "..", "a.", ".b", "order:created", "a b.c", "/a.b"])
def test_what_is_not_a_host(text: str) -> None:
    assert not is_host(text)


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("ann:pw@host", "…@host"),
        ("http://ann:pw@h@host", "http://…@host"),
        ("/chat?token=x", "/chat?…"),
        (":3001?token=x", ":3001?…"),
        ("why?", "why?"),
        ("ann@host", "ann@host"),
    ],
)
def test_a_url_is_shown_without_its_secrets(word: str, shown: str) -> None:
    assert masked(word) == shown


@pytest.mark.parametrize(
    ("word", "is_one"),
    [
        ("/chat", True),
        (":1", True),
        ("localhost", True),
        ("a.example:1", True),
        ("order.created", False),
        ("", False),
    ],
)
def test_a_word_that_was_probably_meant_as_a_target(word: str, is_one: bool) -> None:
    assert is_misplaced(word) is is_one
