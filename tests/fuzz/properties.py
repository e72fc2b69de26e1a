"""What must hold for any bytes: each function takes an input and raises if a parser breaks its word.

A parser raises its own error alone, reads the same whatever the pieces in which bytes arrive, and reads back
what it wrote. The client accepts what the server accepts, with the same value; the server accepts the same
as the client, except beyond its own limits.
"""

import itertools
import json
import random
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from nsroom.capture.capture import Capture
from nsroom.capture.files import MAGICS
from nsroom.errors import DataError, DecodeError
from nsroom.output.ndjson import encode_value
from nsroom.protocol import (
    engineio,
    engineio3,
    http11,
    messagepack,
    msgpack_parser,
    socketio,
    strict_json,
    websocket,
)
from nsroom.protocol.explain.explainer import Explainer, Found
from nsroom.protocol.session import Observer
from nsroom.record import Direction, from_json, to_json
from nsroom_server import strict_json as server_json
from nsroom_server.engineio import packets as server_packets
from nsroom_server.errors import Malformed
from nsroom_server.settings.limits import Limits
from nsroom_server.socketio.packet import Packet as ServerPacket
from nsroom_server.socketio.packet import PacketType as ServerPacketType
from tests.cli.capture import wire

T = TypeVar("T")
Property = Callable[[bytes], None]

LIMITS = Limits()
SECONDS, SECONDS_PER_BYTE = 0.3, 0.0005
"""The CPU time that an input may take, read ten times over and instrumented: far more than it does."""
TRIES = 3
"""How often to measure before an input is called slow."""
DEPTH, CONTAINERS = 64, 10_000
"""Levels of JSON that both sides accept, and arrays and objects: more than an input can hold."""
SMALL = 4096
"""Bytes of a WebSocket message: a compressed one must not become larger."""


def pieces(data: bytes) -> Iterator[list[bytes]]:
    """Yield the data in single bytes, and cut at random places that the data itself determines."""
    yield [data[at : at + 1] for at in range(len(data))]
    rng = random.Random(zlib.crc32(data))
    for _ in range(3):
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randrange(1, 5)))
        yield [data[start:stop] for start, stop in itertools.pairwise([0, *cuts, len(data)])]


def attempt(parse: Callable[[], T], *errors: type[Exception]) -> T | None:
    """Return what a parser returns, or None if it refused with its own error."""
    try:
        return parse()
    except errors:
        return None


def same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal, where 1 and True, and 1 and 1.0 in a text, are not."""
    return repr(one) == repr(other)


def http11_reader(data: bytes) -> None:
    """Requests, and responses to three methods: the first byte selects."""
    method = ("", "GET", "HEAD", "CONNECT")[data[0] % 4] if data else ""
    expected = _http_parts([data[1:]], method)
    for chunks in pieces(data[1:]):
        assert _http_parts(chunks, method) == expected


def _http_parts(chunks: list[bytes], method: str) -> list[tuple[str, bytes, bytes]]:
    """Return the parts of messages, with the pieces of a body joined, which depend on the cuts."""
    framing = (lambda head: http11.response_framing(head, method)) if method else http11.request_framing
    reader = http11.Reader(framing, b"HTTP/1." if method else b"")
    parts = [part for chunk in chunks for part in reader.feed(chunk)]
    rest = reader.end()
    assert b"".join(part.raw for part in parts) + rest == b"".join(chunks)
    joined: list[tuple[str, bytes, bytes]] = []
    for part in parts:
        kind, body = type(part).__name__, part.data if isinstance(part, http11.Body) else b""
        if joined and joined[-1][0] == kind in ("Body", "Opaque"):
            joined[-1] = (kind, joined[-1][1] + part.raw, joined[-1][2] + body)
        else:
            joined.append((kind, part.raw, body))
    return [*joined, ("rest", rest, b"")]


def websocket_reader(data: bytes) -> None:
    """The first byte selects compression; both ways to read give the same messages and the same error."""
    deflate, data = bool(data[:1] and data[0] & 1), data[1:]
    expected = _messages([data], deflate, False)
    assert _messages([data], deflate, True) == expected
    for chunks in pieces(data):
        assert _messages(chunks, deflate, False) == expected
        assert _messages(chunks, deflate, True) == expected
    _writes_frames(data)


def _messages(chunks: list[bytes], deflate: bool, fast: bool) -> list[Any]:
    reader = websocket.Reader(deflate, SMALL)
    found: list[Any] = []
    try:
        for chunk in chunks:
            found += map(_with_opcode, reader.messages(chunk)) if fast else []
            for message in reader.feed(b"" if fast else chunk):
                found.append(message[:2])  # one by one: an error may follow
    except ValueError as error:
        return [*found, str(error)]
    assert all(len(text) <= SMALL for _, text in found)
    return found


def _with_opcode(data: str | bytes) -> tuple[websocket.Opcode, str | bytes]:
    return websocket.Opcode.TEXT if isinstance(data, str) else websocket.Opcode.BINARY, data


def _writes_frames(payload: bytes) -> None:
    frame = websocket.client_frame(websocket.Opcode.BINARY, payload, payload[:4].ljust(4, b"\1"))
    [message] = websocket.Reader().feed(frame)
    assert message[:2] == (websocket.Opcode.BINARY, payload)
    websocket.close_reason(payload)


def engineio_packets(data: bytes) -> None:
    """Packets and payloads of both revisions, in text where the bytes are UTF-8."""
    attempt(lambda: engineio3.split_payload(data), DecodeError)
    text = data.decode("utf-8", "surrogateescape")
    attempt(lambda: engineio.parse_handshake(text), DecodeError)
    _old_payload(text)
    ours = attempt(lambda: engineio.decode_payload(text), DecodeError)
    theirs = attempt(lambda: server_packets.decode_payload(data), Malformed)
    if text.isascii() or not any("\udc80" <= character <= "\udcff" for character in text):
        assert _plain(ours) == _plain(theirs)
    else:
        assert theirs is None
    if ours is not None:
        assert engineio.decode_payload(engineio.encode_payload(ours)) == ours
    if theirs is not None:
        sent = [server_packets.Outgoing(packet.type, packet.data) for packet in theirs]
        assert server_packets.decode_payload(server_packets.encode_payload(sent).encode()) == theirs


def _old_payload(text: str) -> None:
    frames = text.split("\n")
    assert engineio3.split_text(engineio3.join_payload(frames)) == frames
    assert all(engineio3.to_4(engineio3.from_4(frame)) == frame for frame in frames if frame[:2] != "b4")


def _plain(packets: Any) -> list[tuple[int, str | bytes]] | None:
    return None if packets is None else [(int(packet.type), packet.data) for packet in packets]


def socketio_packets(data: bytes) -> None:
    """A packet's text; its attachments are the input itself."""
    text = data.decode("utf-8", "surrogateescape")
    packet = attempt(lambda: socketio.decode(text), DecodeError)
    if packet is not None:
        _round_trip(packet, data)
    if text.isprintable() or text.isascii():
        _compare_with_server(packet, text, data)


def _round_trip(packet: socketio.Packet, attachment: bytes) -> None:
    whole = attempt(lambda: socketio.join(packet, [attachment] * packet.attachments), DecodeError)
    frames = whole and attempt(lambda: socketio.encode(whole), ValueError)
    if whole is None or not frames:
        return
    again = socketio.decode(str(frames[0]))
    plain = socketio.join(again, [frame for frame in frames[1:] if isinstance(frame, bytes)])
    assert plain.namespace == whole.namespace
    assert plain.id == whole.id
    assert same(plain.data, _combined(whole.data))


def _compare_with_server(packet: socketio.Packet | None, text: str, attachment: bytes) -> None:
    served = attempt(lambda: ServerPacket.parse(text, LIMITS), Malformed)
    if served is None:
        return
    while len(served.attachments) < served.attachment_count:
        served.attach(attachment)
    if served.id is not None and served.id > socketio.LIMITS.id:
        return  # the server has no number that it would round
    assert packet is not None, "the server accepts what the client refuses"
    plain = ServerPacket(server_type(served), served.data, served.namespace, served.id)
    again = ServerPacket.parse(str(plain.encode()[0]), LIMITS)
    assert (again.namespace, again.id) == (served.namespace, served.id)
    assert (packet.type, packet.id) == (served.packet_type, served.id)
    assert packet.namespace == served.namespace.partition("?")[0]


def server_type(packet: ServerPacket) -> ServerPacketType:
    """Return the type to send a packet with: the server's encoder looks for binary values itself."""
    binary = {
        ServerPacketType.BINARY_EVENT: ServerPacketType.EVENT,
        ServerPacketType.BINARY_ACK: ServerPacketType.ACK,
    }
    return binary.get(packet.packet_type, packet.packet_type)


def json_values(data: bytes) -> None:
    """The client's and the server's JSON."""
    text = data.decode("utf-8", "surrogateescape")
    ours, theirs = _accepted(text)
    assert (ours is None) == (theirs is None), "one of client and server refuses"
    if ours is None or theirs is None:
        return
    assert same(_in_javascript(ours[0]), _in_javascript(theirs[0]))
    assert same(strict_json.load(strict_json.dump(ours[0])), _combined(ours[0]))
    assert same(server_json.loads(server_json.dumps(theirs[0]), DEPTH, CONTAINERS), _combined(theirs[0]))
    if text.lstrip(" \t\n\r")[:1] in ("[", "{"):
        _elements(text, ours[0])


def _accepted(text: str) -> tuple[list[Any] | None, list[Any] | None]:
    limits = strict_json.Limits(depth=DEPTH)
    return (
        attempt(lambda: [strict_json.load(text, 0, limits)], DecodeError),
        attempt(lambda: [server_json.loads(text, DEPTH, CONTAINERS)], Malformed),
    )


def _elements(text: str, value: Any) -> None:
    found = list(strict_json.elements(text, 0))
    for element in found:
        assert same(strict_json.load(text[element.start : element.end]), element.value)
    if isinstance(value, list):
        assert same([element.value for element in found], value)
    else:
        assert same({element.key: element.value for element in found}, value)


def _in_javascript(value: Any) -> Any:
    """Return the value as a JavaScript peer reads it: every number is a double."""
    return json.loads(json.dumps(value), parse_int=float)


def _combined(value: Any) -> Any:
    """Return the value with pairs of surrogates combined, as any decoder of JSON does."""
    match value:
        case str():
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        case list():
            return [_combined(item) for item in value]
        case dict():
            return {_combined(key): _combined(item) for key, item in value.items()}
    return value


def messagepack_values(data: bytes) -> None:
    """Values, and the packets of socket.io-msgpack-parser."""
    packet = attempt(lambda: msgpack_parser.decode(data), DecodeError)
    if packet is not None and (sent := attempt(lambda: msgpack_parser.encode(packet), ValueError)):
        assert same(msgpack_parser.decode(sent), packet)
    loaded = attempt(lambda: [messagepack.load(data)], DecodeError)
    if loaded is None:
        return
    written = messagepack.dump(loaded[0])
    assert same(messagepack.load(written), loaded[0])
    if isinstance(loaded[0], list | dict) and data[0] & 0xC0 == 0x80:
        found = list(messagepack.elements(data))
        assert isinstance(loaded[0], dict) or same([element.value for element in found], loaded[0])


def session_records(data: bytes) -> None:
    """Frames in both directions, one a line: the observer and the explainer never raise."""
    old = data[:1] == b"3"
    observer, explainer = Observer(raw=True, is_old=old), Explainer()
    for at, line in enumerate(data.split(b"\n")):
        direction = Direction.OUT if line[:1] == b">" else Direction.IN
        line = line.removeprefix(b">")
        frame = line[1:] if line[:1] == b"=" else line.decode("utf-8", "surrogateescape")
        record = observer.feed(direction, frame, at)
        if record is not None:
            assert same(from_json(json.loads(json.dumps(to_json(record)))), record)
        encode_value(explainer.explain(Found(frame, direction=direction, is_old=old)).to_json())


def captured_traffic(data: bytes) -> None:
    """A capture file, or a script of segments, one a line: their side, flags, position and data."""
    if data[:4] not in MAGICS:
        data = wire.pcap(_segments(data))
    expected = _captured([data])
    for chunks in pieces(data):
        assert same(_captured(chunks), expected)


def _captured(chunks: list[bytes]) -> list[Any]:
    capture = Capture(lambda _: None, raw=True)
    found: list[Any] = [record for chunk in chunks for record in capture.feed(chunk)]
    try:
        for record in capture.end():
            found.append(record)  # one by one: an error may follow
    except DataError as error:
        found.append(str(error))
    for record in found[:-1]:
        assert same(from_json(json.loads(json.dumps(to_json(record)))), record)
    return found


def _segments(script: bytes) -> Iterator[wire.Packet]:
    """Yield the packets of a script; after side and flags come two digits, the distance to the end."""
    ends = [1, 1]
    for at, line in enumerate(script.split(b"\n")):
        kind, distance = (line[:1] or b"0")[0], line[1:3]
        payload = line[3:].replace(b"\r", b"\r\n")
        side, step = kind & 1, int(distance) - 50 if distance.isdigit() else 0
        start = ends[side] + step
        ends[side] = max(ends[side], start + len(payload))
        ports, addresses = (1, 2), ("10.0.0.1", "10.0.0.2")
        if side:
            ports, addresses = ports[::-1], addresses[::-1]
        segment = wire.tcp(ports, (start, ends[1 - side]), kind >> 1 & 0x17, payload)
        yield at * 10_000, wire.ipv4(addresses, segment)


TARGETS: dict[str, Property] = {
    "http11": http11_reader,
    "websocket": websocket_reader,
    "engineio": engineio_packets,
    "socketio": socketio_packets,
    "strict_json": json_values,
    "messagepack": messagepack_values,
    "session": session_records,
    "capture": captured_traffic,
}


def check(target: str, data: bytes) -> None:
    """Raise AssertionError, or a parser's unexpected error, if a target fails for this input."""
    limit = SECONDS + len(data) * SECONDS_PER_BYTE
    took = [_timed(TARGETS[target], data)]
    while min(took) > limit and len(took) < TRIES:
        took.append(_timed(TARGETS[target], data))
    assert min(took) <= limit, f"{min(took):.2f} s of CPU for {len(data)} bytes"


def _timed(check: Property, data: bytes) -> float:
    start = time.thread_time()
    check(data)
    return time.thread_time() - start
