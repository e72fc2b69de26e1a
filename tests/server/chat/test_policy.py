from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom_server.chat import policy
from nsroom_server.errors import Refusal
from nsroom_server.settings.names import is_distinct, is_name


def test_the_longest_names_pass() -> None:
    assert policy.room_name("ä" * 128, 128)
    assert policy.nick_name("b" * 64, 64)


@given(st.text(max_size=140))
def test_a_room_name_is_printable(name: str) -> None:
    try:
        assert policy.room_name(name, 128) == name
        assert is_name(name, 128)
        assert is_distinct(name)
    except Refusal:
        assert not is_name(name, 128) or not is_distinct(name)


@pytest.mark.parametrize("name", ["lobby ", "n\u0303", "\u3164", "\u2800", "a\ufe0f", "\u0301"])
def test_names_that_look_alike_are_refused(name: str) -> None:
    with pytest.raises(Refusal, match="room: could look like another name"):
        policy.room_name(name, 128)
    with pytest.raises(Refusal, match="nick: could look like another name"):
        policy.nick_name(name, 64)


def test_only_members_send() -> None:
    policy.require_member(["a", "b"], ["a", "b"])
    with pytest.raises(Refusal, match="only a member"):
        policy.require_member(["a"], ["a", "b"])


def test_a_sid_is_no_room() -> None:
    with pytest.raises(Refusal, match="socket's id"):
        policy.require_joinable("sid", [], 128, lambda name: name == "sid")


def test_rooms_of_a_socket() -> None:
    rooms = [str(number) for number in range(128)]
    policy.require_joinable("0", rooms, 128, lambda _: False)
    policy.require_joinable("more", rooms[1:], 128, lambda _: False)
    with pytest.raises(Refusal) as refusal:
        policy.require_joinable("more", rooms, 128, lambda _: False)
    assert refusal.value.code == "too_many_rooms"


@pytest.mark.parametrize("name", [7, 7.5, None, True, ["a"]])
def test_a_room_name_is_text(name: Any) -> None:
    with pytest.raises(Refusal, match="room has to be text"):
        policy.room_name(name, 128)
