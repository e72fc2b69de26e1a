"""Error messages of clients, exact or similar, lead to their causes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nsroom.doctor.client_errors import known_errors, look_up
from tests.peers.program import Runner


@pytest.mark.parametrize("words", sorted({words for error in known_errors() for words in error.messages}))
def test_each_message_finds_its_error_first(words: str) -> None:
    assert words in look_up(words)[0].messages


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("xhr pol eror", "xhr poll error"),
        ("Error: xhr poll error", "xhr poll error"),
        ("connect_error due to xhr poll error", "xhr poll error"),
        ("websocket eror", "websocket error"),
        ("TRANSPORT CLOSE", "transport close"),
        ('{"code":1,"message":"Session ID unknown"}', "Session ID unknown"),
        ("Access to XMLHttpRequest at 'http://x' has been blocked by CORS policy", "CORS error"),
        ("connect ECONNREFUSED ::1:3000", "ECONNREFUSED"),
        (
            "socketio.exceptions.ConnectionError: One or more namespaces failed to connect: /",
            "Invalid namespace",
        ),
        ("pymy certificate verify failed: self signed", "CERT_HAS_EXPIRED"),
        ("io.socket.engineio.client.EngineIOException: websocket error", "websocket error"),
    ],
)
def test_similar_messages_are_found(typed: str, words: str) -> None:
    assert words in look_up(typed)[0].messages


@pytest.mark.parametrize("typed", ["", "   ", "hello", "42", "the quick brown fox", "\x00"])
def test_other_text_is_not_found(typed: str) -> None:
    assert look_up(typed) == []


@given(st.text(max_size=500))
@settings(max_examples=30, deadline=None)
def test_any_text_finds_three_errors_at_most(text: str) -> None:
    assert len(look_up(text)) <= 3


async def test_the_command_is_offline(nsroom: Runner) -> None:
    result = await nsroom("doctor", "--explain", "xhr poll error")
    assert (result.code, result.stderr) == (0, "")
    assert result.lines[0].startswith("xhr poll error | ")
    assert any("CORS" in line for line in result.lines)
    [found] = (await nsroom("doctor", "--explain", "xhr poll error", "--json")).records()
    assert found["words"][0] == "xhr poll error"
    assert json.dumps(found["causes"])


async def test_an_unknown_message_exits_with_1(nsroom: Runner) -> None:
    result = await nsroom("doctor", "--explain", "zzz \x1b[31m")
    assert (result.code, result.stdout) == (1, "")
    assert result.stderr.startswith("nsroom: no known error matches: paste the message exactly")
