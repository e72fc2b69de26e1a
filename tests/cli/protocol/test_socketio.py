"""Socket.IO 5: the specification's own examples, and any other input."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.errors import DecodeError
from nsroom.protocol import socketio
from nsroom.protocol.limits import Limits
from nsroom.protocol.socketio import Packet, PacketType

CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR, BINARY_EVENT, BINARY_ACK = PacketType
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.binary()
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=20)
NAMES = TEXT | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
NAMESPACES = st.from_regex(r"/[^,?\ud800-\udfff]{0,20}", fullmatch=True)
IDS = st.integers(0, 2**53 - 1)
EVENTS = st.builds(
    lambda namespace, id, name, args: Packet(EVENT, namespace, id, [name, *args]),
    NAMESPACES,
    st.none() | IDS,
    NAMES,
    st.lists(JSON),
)
ACKS = st.builds(
    lambda namespace, id, args: Packet(ACK, namespace, id, args), NAMESPACES, IDS, st.lists(JSON)
)


def error_offset(text: str) -> int:
    """Return the offset of the error in the text, or 0 if it is valid."""
    try:
        packet = socketio.decode(text)
        socketio.join(packet, [b""] * packet.attachments, text)
    except DecodeError as error:
        return error.offset
    return 0


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", Packet(CONNECT)),
        ("0/admin,", Packet(CONNECT, "/admin")),
        ('0/admin,{"token":"123"}', Packet(CONNECT, "/admin", data={"token": "123"})),
        (
            '0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}',
            Packet(CONNECT, "/admin", data={"sid": "oSO0OpakMV_3jnilAAAA"}),
        ),
        ('0{"sid":"wZX3oN0bSVIhsaknAAAI"}', Packet(CONNECT, data={"sid": "wZX3oN0bSVIhsaknAAAI"})),
        ('4{"message":"Not authorized"}', Packet(CONNECT_ERROR, data={"message": "Not authorized"})),
        ('2["foo"]', Packet(EVENT, data=["foo"])),
        ('2/admin,["bar"]', Packet(EVENT, "/admin", data=["bar"])),
        ('212["foo"]', Packet(EVENT, id=12, data=["foo"])),
        ('2["hey","Jude"]', Packet(EVENT, data=["hey", "Jude"])),
        ('2/admin,1["tellme"]', Packet(EVENT, "/admin", 1, ["tellme"])),
        ("2[1]", Packet(EVENT, data=[1])),
        ('20["zero"]', Packet(EVENT, id=0, data=["zero"])),
        ("312[]", Packet(ACK, id=12, data=[])),
        ('3/admin,13["bar"]', Packet(ACK, "/admin", 13, ["bar"])),
        ("1", Packet(DISCONNECT)),
        ("1/admin,", Packet(DISCONNECT, "/admin")),
    ],
)
def test_text_packets_of_the_specification(text: str, packet: Packet) -> None:
    assert socketio.decode(text) == packet
    assert socketio.encode(packet) == [text]


@pytest.mark.parametrize(
    ("text", "attachments", "plain", "joined"),
    [
        (
            '51-["baz",{"_placeholder":true,"num":0}]',
            [b"\1\2\3\4"],
            EVENT,
            Packet(BINARY_EVENT, data=["baz", b"\1\2\3\4"], attachments=1),
        ),
        (
            '52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]',
            [b"\1\2", b"\3\4"],
            EVENT,
            Packet(BINARY_EVENT, "/admin", data=["baz", b"\1\2", b"\3\4"], attachments=2),
        ),
        (
            '61-15["bar",{"_placeholder":true,"num":0}]',
            [b"\1\2\3\4"],
            ACK,
            Packet(BINARY_ACK, id=15, data=["bar", b"\1\2\3\4"], attachments=1),
        ),
        (
            '61-/admin,1[{"_placeholder":true,"num":0}]',
            [b""],
            ACK,
            Packet(BINARY_ACK, "/admin", 1, [b""], attachments=1),
        ),
    ],
)
def test_binary_packets_of_the_specification(
    text: str, attachments: list[bytes], plain: PacketType, joined: Packet
) -> None:
    assert socketio.join(socketio.decode(text), attachments) == joined
    assert socketio.encode(joined) == [text, *attachments]
    assert socketio.encode(joined._replace(type=plain, attachments=0)) == [text, *attachments]


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0/admin", Packet(CONNECT, "/admin")),
        ("0/chat?token=x,", Packet(CONNECT, "/chat")),
        ('4"nope"', Packet(CONNECT_ERROR, data="nope")),
        ("4", Packet(CONNECT_ERROR)),
        ('2 ["a" , 1 ] ', Packet(EVENT, data=["a", 1])),
        ('2["connect"]', Packet(EVENT, data=["connect"])),
        ('29007199254740991["a"]', Packet(EVENT, id=2**53 - 1, data=["a"])),
        ('2["a",{"_placeholder":true,"num":0}]', Packet(EVENT, data=["a", {"_placeholder": True, "num": 0}])),
    ],
)
def test_other_valid_packets(text: str, packet: Packet) -> None:
    assert socketio.decode(text) == packet


@pytest.mark.parametrize(
    ("text", "reason", "offset"),
    [
        ("", "an empty Socket.IO packet", 0),
        ("7", "unknown Socket.IO packet type '7'", 0),
        ("x", "unknown Socket.IO packet type 'x'", 0),
        ("٣[]", "unknown Socket.IO packet type '٣'", 0),
        ("2", "the payload of EVENT is missing", 1),
        ("2/admin,", "the payload of EVENT is missing", 8),
        ('2/admin["bar"]', "the payload of EVENT is missing", 14),
        ("312", "the payload of ACK is missing", 3),
        ("2[]", "the payload of EVENT must be", 1),
        ("2{}", "the payload of EVENT must be", 1),
        ("2[true]", "the payload of EVENT must be", 1),
        ("2[null]", "the payload of EVENT must be", 1),
        ('2[["a"]]', "the payload of EVENT must be", 1),
        ('51-[{"_placeholder":true,"num":0}]', "the payload of BINARY_EVENT must be", 3),
        ("31{}", "the payload of ACK must be a list", 2),
        ("3[]", "an acknowledgement without an id", 1),
        ("0[]", "the payload of CONNECT must be an object", 1),
        ("0null", "the payload of CONNECT must be an object", 1),
        ("1{}", "the payload of DISCONNECT must be absent", 1),
        ("1null", "the payload of DISCONNECT must be absent", 1),
        ("4[]", "the payload of CONNECT_ERROR must be an object or a string", 1),
        ("5", "a binary packet without its number of attachments", 1),
        ('5["a"]', "a binary packet without its number of attachments", 1),
        ('50-["a"]', "a binary packet without its number of attachments", 1),
        ('5-["a"]', "a binary packet without its number of attachments", 1),
        ('5-1-["a"]', "a binary packet without its number of attachments", 1),
        ('51e1-["a"]', "a binary packet without its number of attachments", 1),
        ('5٣-["a"]', "a binary packet without its number of attachments", 1),
        ('51001-["a"]', "the number of attachments is larger than 1000", 1),
        pytest.param(
            "5" + "9" * 100_000 + '-["a"]',
            "the number of attachments is larger than 1000",
            1,
            id="huge count",
        ),
        ('29007199254740992["a"]', "the id is larger than 9007199254740991", 1),
        pytest.param(
            "2/x," + "1" * 100_000 + '["a"]', "the id is larger than 9007199254740991", 4, id="huge id"
        ),
        ('2-1["a"]', "not JSON: extra data after the value", 3),
        ('21-["a"]', "not JSON", 2),
        ('2٣["a"]', "not JSON", 1),
        ('2chat,["a"]', "not JSON", 1),
        ('2["a"', "not JSON", 5),
        ('2["a"]]', "not JSON: extra data after the value", 6),
        ('2["a",NaN]', "not JSON: NaN", 6),
        ('2["a",1e400]', "number out of range", 6),
        pytest.param("0/" + "n" * 1024, "a namespace longer than 1024 characters", 1, id="long namespace"),
        pytest.param('2["a",' + "[" * 100_000, "nested more than 256 levels deep", 6 + 255, id="deep"),
    ],
)
def test_malformed_packets(text: str, reason: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        socketio.decode(text)
    assert caught.value.reason.startswith(reason)
    assert (caught.value.frame, caught.value.offset) == (text, offset)


def test_an_attachment_that_is_named_often_counts_as_often() -> None:
    packet = socketio.decode('51-["x"' + ',{"_placeholder":true,"num":0}' * 4 + "]")
    assert socketio.join(packet, [bytes(5)], limits=Limits(packet=20)).data == ["x", *[bytes(5)] * 4]
    with pytest.raises(DecodeError, match="placeholders for more than 19 bytes"):
        socketio.join(packet, [bytes(5)], limits=Limits(packet=19))


def test_the_limits_are_the_callers() -> None:
    server = Limits(attachments=10, frame=100)
    assert socketio.decode('510-["a"]', server).attachments == 10
    with pytest.raises(DecodeError, match="larger than 10 at offset 1"):
        socketio.decode('511-["a"]', server)
    with pytest.raises(DecodeError, match="larger than 100 characters"):
        socketio.decode("2" * 101, server)


@pytest.mark.parametrize(
    ("num", "attachments", "reason"),
    [
        ("1", [b"x"], "a placeholder for attachment 1, of 1"),
        ("-1", [b"x"], "a placeholder for attachment -1, of 1"),
        ("0.0", [b"x"], "a placeholder for attachment 0.0, of 1"),
        ("true", [b"x"], "a placeholder for attachment True, of 1"),
        ('"0"', [b"x"], "a placeholder for attachment '0', of 1"),
        ("null", [b"x"], "a placeholder for attachment None, of 1"),
        pytest.param("9" * 4000, [b"x"], "a placeholder for attachment 99999", id="huge num"),
        ("0", [], "1 attachments were announced, 0 received"),
        ("0", [b"x", b"y"], "1 attachments were announced, 2 received"),
    ],
)
def test_placeholders_that_do_not_match(num: str, attachments: list[bytes], reason: str) -> None:
    text = f'51-["a",{{"_placeholder":true,"num":{num}}}]'
    with pytest.raises(DecodeError) as caught:
        socketio.join(socketio.decode(text), attachments, text)
    assert caught.value.reason.startswith(reason)
    assert caught.value.frame == text


def test_every_attachment_needs_a_placeholder() -> None:
    packet = socketio.decode('52-["a",{"_placeholder":true,"num":1},{"_placeholder":true,"num":1}]')
    with pytest.raises(DecodeError, match="no placeholder for attachment 0"):
        socketio.join(packet, [b"x", b"y"])


def test_a_placeholder_must_be_true() -> None:
    packet = socketio.decode('51-["a",{"_placeholder":1,"num":0},{"b":[{"_placeholder":true,"num":0}]}]')
    assert socketio.join(packet, [b"x"]).data == ["a", {"_placeholder": 1, "num": 0}, {"b": [b"x"]}]


def test_joining_data_nested_too_deeply_is_a_decode_error() -> None:
    data: list[Any] = [b""]
    for _ in range(100_000):
        data = [data]
    with pytest.raises(DecodeError, match="nested too deeply"):
        socketio.join(Packet(BINARY_EVENT, data=["a", data]), [])


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (Packet(EVENT), "the payload of EVENT must be"),
        (Packet(EVENT, data=[]), "the payload of EVENT must be"),
        (Packet(EVENT, data=[True]), "the payload of EVENT must be"),
        (Packet(ACK, id=1), "the payload of ACK must be a list"),
        (Packet(ACK, data=[]), "an acknowledgement must have an id"),
        (Packet(DISCONNECT, data={}), "the payload of DISCONNECT must be absent"),
        (Packet(EVENT, "chat", data=["a"]), "cannot be a namespace"),
        (Packet(EVENT, "/a,b", data=["a"]), "cannot be a namespace"),
        (Packet(EVENT, "/a?b", data=["a"]), "cannot be a namespace"),
        (Packet(EVENT, "/\ud800", data=["a"]), "cannot be a namespace"),
        (Packet(EVENT, id=-1, data=["a"]), "an id must not be negative"),
        (Packet(CONNECT, data={"a": b"x"}), "CONNECT cannot carry binary values"),
        (Packet(EVENT, data=["a", b"x", {"_placeholder": True, "num": 7}]), '"_placeholder": true'),
        (Packet(BINARY_EVENT, data=["a", {"_placeholder": True, "num": 0}], attachments=1), "not joined"),
        (Packet(EVENT, data=["a", float("nan")]), "JSON"),
        (Packet(EVENT, data=["a", object()]), "JSON"),
    ],
)
def test_refuses_to_send(packet: Packet, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        socketio.encode(packet)


def test_text_that_looks_like_a_placeholder_can_be_sent_with_binary() -> None:
    data = ["a", b"x", '{"_placeholder":true}', {'"_placeholder': True, ',"_placeholder': True}]
    text, attachment = socketio.encode(Packet(EVENT, data=data))
    assert isinstance(text, str)
    assert isinstance(attachment, bytes)
    assert socketio.join(socketio.decode(text), [attachment]).data == data


def test_a_lone_surrogate_is_sent_as_an_escape() -> None:
    packet = Packet(EVENT, data=["a", "\ud800", {"\udfff": "é😀"}])
    assert socketio.encode(packet) == ['2["a","\\ud800",{"\\udfff":"é😀"}]']
    assert socketio.decode('2["a","\\ud800",{"\\udfff":"é😀"}]') == packet


@given(EVENTS | ACKS)
def test_packets_round_trip(packet: Packet) -> None:
    text, *attachments = socketio.encode(packet)
    assert isinstance(text, str)
    received = socketio.decode(text.encode().decode())
    assert received.attachments == len(attachments)
    joined = socketio.join(received, [part for part in attachments if isinstance(part, bytes)])
    assert joined[1:4] == packet[1:4]
    assert joined.type == (packet.type + 3 if attachments else packet.type)


@given(
    st.text(st.characters(exclude_categories=[])), st.sampled_from(["", "2", "5", "51-", "2/a,", "31", "0"])
)
def test_any_text_is_a_packet_or_an_error_in_it(text: str, prefix: str) -> None:
    assert 0 <= error_offset(prefix + text) <= len(prefix + text)


@given(
    st.one_of(
        JSON.map(lambda value: f"{json.dumps(value, default=str)}]"), st.text('[]{}",: \\u0aeE-'), st.text()
    )
)
def test_the_fast_paths_read_events_like_the_general_one(text: str) -> None:
    def read(header: str) -> tuple[Any, ...]:
        try:
            return socketio.decode(f"{header}[{text}")._replace(namespace="/", id=None)
        except DecodeError as error:
            return error.reason, error.offset - len(header)

    assert read("2") == read("27") == read("2/chat,") == read("2/chat,7")
    assert read("51-") == read("51-7")


@given(EVENTS | ACKS, st.data())
def test_a_frame_damaged_anywhere_is_a_packet_or_an_error_in_it(packet: Packet, data: st.DataObject) -> None:
    text = str(socketio.encode(packet)[0])
    at = data.draw(st.integers(0, len(text)))
    damaged = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    assert 0 <= error_offset(damaged) <= len(damaged)


@given(EVENTS, st.data())
def test_a_truncated_event_is_never_valid(packet: Packet, data: st.DataObject) -> None:
    text = str(socketio.encode(packet)[0])
    torn = text[: data.draw(st.integers(0, len(text) - 1))]
    with pytest.raises(DecodeError):
        socketio.decode(torn)


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("1", Packet(DISCONNECT)),
        ('1{"message":"no"}', Packet(DISCONNECT, data={"message": "no"})),
        ('1/a,{"message":"no"}', Packet(DISCONNECT, "/a", data={"message": "no"})),
        ('1"no"', Packet(DISCONNECT, data="no")),
        ('2["a"]', Packet(EVENT, data=["a"])),
    ],
)
def test_a_server_may_give_a_reason_in_a_disconnect(text: str, packet: Packet) -> None:
    assert socketio.decode_from_server(text) == packet


@pytest.mark.parametrize("text", ["1[]", "1{", "1null", "1/a,[]"])
def test_a_disconnect_with_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(DecodeError):
        socketio.decode_from_server(text)
