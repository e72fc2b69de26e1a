"""The frames in HAR files."""

import base64
import contextlib
import gzip
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DataError
from nsroom.protocol.explain import har
from nsroom.record import Direction

URL = "http://localhost:3000/socket.io/?EIO=4&transport="
OPEN = '0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'


def polling(second: int, *, sid: str = "", sent: str = "", received: Any = "", **more: Any) -> dict[str, Any]:
    return {
        "startedDateTime": f"2026-11-23T19:00:{second:02}Z",
        "time": 500,
        "request": {
            "method": "POST" if sent else "GET",
            "url": f"{URL}polling" + (f"&sid={sid}" if sid else ""),
            "postData": {"text": sent},
        },
        "response": {
            "status": 200,
            "content": received if isinstance(received, dict) else {"text": received},
        },
        **more,
    }


def websocket(*messages: Any, query: str = "websocket") -> dict[str, Any]:
    return {"request": {"method": "GET", "url": URL + query}, "_webSocketMessages": list(messages)}


def message(kind: str, data: Any, opcode: Any = 1, time: Any = 1795460410) -> dict[str, Any]:
    return {"type": kind, "time": time, "opcode": opcode, "data": data}


def parse(*entries: Any) -> list[tuple[str | None, Direction | None, str | bytes]]:
    return [(it.sid, it.direction, it.frame) for it in har.parse(json.dumps({"log": {"entries": entries}}))]


IN, OUT = Direction.IN, Direction.OUT


def test_a_session_from_polling_to_websocket() -> None:
    entries = [
        {"request": {"method": "GET", "url": "http://localhost:3000/index.html"}},
        polling(0, received=OPEN),
        polling(2, sid="abc", received='40{"sid":"x"}\x1e42["hi"]'),
        polling(1, sid="abc", sent="40", received="ok"),
        websocket(
            message("send", "2probe"),
            message("receive", "3probe"),
            message("send", '451-["b",{"_placeholder":true,"num":0}]'),
            message("send", "AQID", opcode=2),
            message("receive", "", opcode=8),
            query="websocket&sid=abc",
        ),
    ]
    assert parse(*entries) == [
        ("abc", IN, OPEN),
        ("abc", OUT, "40"),
        ("abc", IN, '40{"sid":"x"}'),
        ("abc", IN, '42["hi"]'),
        ("abc", OUT, "2probe"),
        ("abc", IN, "3probe"),
        ("abc", OUT, '451-["b",{"_placeholder":true,"num":0}]'),
        ("abc", OUT, b"\1\2\3"),
    ]


def test_sessions_are_not_mixed() -> None:
    other = OPEN.replace("abc", "other")
    entries = [
        polling(0, received=OPEN),
        websocket(message("receive", other), message("receive", "2")),
        polling(1, sid="abc", received="6"),
    ]
    assert parse(*entries) == [
        ("abc", IN, OPEN),
        ("abc", IN, "6"),
        ("other", IN, other),
        ("other", IN, "2"),
    ]


def test_times_of_frames() -> None:
    text = json.dumps(
        {"log": {"entries": [polling(0, received=OPEN), websocket(message("send", "40", time=1.5))]}}
    )
    assert [found.where().get("time") for found in har.parse(text)] == [
        "2026-11-23T19:00:00.500000Z",
        "1970-01-01T00:00:01.500000Z",
    ]


def test_an_invalid_time_is_omitted() -> None:
    entries = [websocket(message("send", "2", time=time)) for time in (float("inf"), None, "1", 10**30)]
    text = json.dumps({"log": {"entries": entries}})
    assert [found.where() for found in har.parse(text)] == [{"direction": "out"}] * 4


def test_an_invalid_url_is_ignored() -> None:
    broken = {"request": {"method": "GET", "url": "http://[?EIO=4&transport=polling"}}
    assert parse(broken, polling(0, received=OPEN)) == [("abc", IN, OPEN)]


def test_a_session_whose_handshake_is_malformed_has_no_sid() -> None:
    assert parse(websocket(message("receive", "0{}"))) == [(None, IN, "0{}")]


def test_a_response_in_base64() -> None:
    entry = polling(0, sid="abc", received={"text": "NMOp", "encoding": "base64"})
    assert parse(entry) == [("abc", IN, "4é")]


def test_an_error_page_is_not_a_frame() -> None:
    refused = polling(1, sid="abc", received='{"code":1,"message":"Session ID unknown"}')
    refused["response"]["status"] = 400
    opened, error = har.parse(json.dumps({"log": {"entries": [refused, polling(0, received=OPEN)]}}))
    assert opened.frame == OPEN
    assert error.error
    assert error.error.reason.startswith("HTTP 400 instead of packets: {")
    assert "Session ID unknown" in error.error.reason


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (polling(0, received={"text": "*", "encoding": "base64"}), "a body that is not UTF-8 in base64"),
        (
            polling(0, received={"text": "/w==", "encoding": "base64"}),
            "a body that is not UTF-8 in base64",
        ),
        (websocket(message("send", "*", opcode=2)), "a binary message that is not base64"),
    ],
)
def test_malformed_entries(entry: Any, reason: str) -> None:
    (found,) = har.parse(json.dumps({"log": {"entries": [entry]}}))
    assert found.error
    assert found.error.reason == reason


def old(entry: dict[str, Any]) -> dict[str, Any]:
    entry["request"]["url"] = entry["request"]["url"].replace("EIO=4", "EIO=3")
    return entry


def test_engine_io_3() -> None:
    assert parse(
        old(polling(0, received=f"{len(OPEN)}:{OPEN}2:40")),
        old(polling(1, sid="abc", sent="4:42😀")),
        old(polling(2, sid="abc", received="10:b4AQIDBA==")),
        old(polling(3, sid="abc", received={"text": "AAL/NDIBAv8EAQ==", "encoding": "base64"})),
        old(websocket(message("receive", "BAE=", opcode=2), query="websocket&sid=abc")),
    ) == [
        ("abc", IN, OPEN),
        ("abc", IN, "40"),
        ("abc", OUT, "42😀"),
        ("abc", IN, "b4AQIDBA=="),
        ("abc", IN, "42"),
        ("abc", IN, b"\4\1"),
        ("abc", IN, b"\4\1"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"\0\2\xff42\1\5\xff\4\xfe\xfd\x80\x81",
        b"\1\3\xff\4\xff\xff",
    ],
)
def test_bytes_that_the_exporter_has_lost(body: bytes) -> None:
    received = body.decode("utf-8", "replace")
    *_, last = har.parse(json.dumps({"log": {"entries": [old(polling(0, received=received))]}}))
    assert last.error
    assert last.error.reason.startswith("the exporter stored these bytes as text and lost them (U+FFFD)")


def test_a_truncated_body_of_engine_io_3() -> None:
    (found,) = har.parse(json.dumps({"log": {"entries": [old(polling(0, received="96:0{}"))]}}))
    assert found.error
    assert found.error.reason == "a packet that is shorter than its length"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            '{"log":{"entries":[',
            "neither a recording nor a whole HAR file: expecting value at line 1 column 20",
        ),
        (
            '{\n"log"',
            "neither a recording nor a whole HAR file: expecting ':' delimiter at line 2 column 6",
        ),
        ("{}", "neither a recording nor a HAR file: log.entries is missing"),
        ('{"log":[]}', "neither a recording nor a HAR file: log.entries is missing"),
        ("[]", "neither a recording nor a HAR file: log.entries is missing"),
        ('{"log":{"entries":[]}}', "no Engine.IO frames in the HAR file"),
        pytest.param('{"log":' * 100_000, "neither a recording nor a HAR file: maximum recursion", id="deep"),
        pytest.param('{"log":' + "1" * 5000 + "}", "neither a recording nor a HAR file: Exceeds", id="huge"),
    ],
)
def test_input_that_is_not_a_har_file(text: str, reason: str) -> None:
    with pytest.raises(DataError) as caught:
        list(har.parse(text))
    assert str(caught.value).startswith(reason)


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "4", "x", "GET", "[", "AQID"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["text", "content", "url"]), inner)
    ),
    max_leaves=5,
)
URLS = st.sampled_from([f"{URL}polling", f"{URL}websocket&sid=x", "http://[?EIO=4&transport=polling"]) | ANY
ENTRIES = st.fixed_dictionaries(
    {
        "request": st.fixed_dictionaries({"url": URLS}, optional={"method": st.just("GET"), "postData": ANY})
        | ANY
    },
    optional={
        "startedDateTime": st.sampled_from(["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+23:59", "x"]) | ANY,
        "time": ANY,
        "response": st.fixed_dictionaries({"status": st.just(200), "content": ANY}) | ANY,
        "_webSocketMessages": st.lists(st.builds(message, ANY, ANY, st.integers(0, 3), ANY)) | ANY,
    },
)


@given(st.lists(ENTRIES | ANY))
def test_any_entries_give_frames_or_one_error(entries: list[Any]) -> None:
    with contextlib.suppress(DataError):
        for found in har.parse(json.dumps({"log": {"entries": entries}})):
            assert json.dumps(found.where())


def test_a_file_that_is_cut_off_is_read_up_to_there() -> None:
    text = json.dumps({"log": {"entries": [polling(0, received=OPEN), polling(1, sid="abc", received="2")]}})
    for end in range(text.rindex('"startedDateTime"'), len(text) - 3):
        found = har.parse(text[:end])
        assert next(found).frame == OPEN
        with pytest.raises(DataError, match="nor a whole HAR file"):
            list(found)


@pytest.mark.parametrize("around", ["  {}", "\t{}", "{}\n\0", "\n{}\n"])
def test_dirt_around_the_file_and_in_other_bodies(around: str) -> None:
    other = {
        "request": {"method": "GET", "url": "http://x/app.js"},
        "response": {"content": {"text": "MARK"}},
    }
    text = json.dumps({"log": {"entries": [other, polling(0, received=OPEN)]}}).replace("MARK", "a\0\x1b[0m")
    assert [found.frame for found in har.parse(around.replace("{}", text))] == [OPEN]


def test_a_compressed_body() -> None:
    packed = base64.b64encode(gzip.compress(OPEN.encode())).decode()
    entry = polling(0, received={"text": packed, "encoding": "base64"})
    entry["response"]["headers"] = [{"name": "content-encoding", "value": "gzip"}]
    assert parse(entry) == [("abc", IN, OPEN)]


def test_jsonp_polling_of_engine_io_3() -> None:
    received = polling(0, received=f"___eio[0]({json.dumps(f'{len(OPEN)}:{OPEN}')});")
    posted = polling(0, sid="abc", sent="d=10%3A42%5B%22hi%22%2C1%5D")
    assert parse(old(posted), old(received)) == [("abc", IN, OPEN), ("abc", OUT, '42["hi",1]')]


@pytest.mark.parametrize("charset", ["latin-1", "utf-8"])
def test_binary_bodies_of_engine_io_3_saved_as_text(charset: str) -> None:
    heads = [b"\0" + bytes(map(int, str(len(frame)))) + b"\xff" for frame in (OPEN, "40")]
    body = heads[0] + OPEN.encode() + heads[1] + b"40"
    assert parse(old(polling(0, received=body.decode(charset, "replace")))) == [
        ("abc", IN, OPEN),
        ("abc", IN, "40"),
    ]


def test_an_exporter_without_websocket_messages_is_named_as_the_cause() -> None:
    with pytest.raises(DataError, match="not its WebSocket messages: this exporter leaves them out"):
        list(har.parse(json.dumps({"log": {"entries": [websocket()]}})))
