"""The WebSocket reader, and frames of a client."""

import contextlib
import itertools
import random
import tracemalloc
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nsroom.protocol import websocket
from nsroom.protocol.websocket import Message, Opcode, Reader, client_frames
from tests.frames import MASK, frame


def read(data: bytes, cuts: Iterable[int] = (), deflate: bool = False) -> list[Message]:
    reader = Reader(deflate)
    edges = [0, *sorted(cuts), len(data)]
    return [each for a, b in itertools.pairwise(edges) for each in reader.feed(data[a:b])]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70001])
@pytest.mark.parametrize("mask", [b"", MASK])
def test_sizes_and_masks(size: int, mask: bytes) -> None:
    data = bytes(index % 256 for index in range(size))
    (message,) = read(frame(2, data, mask=mask))
    assert (message.opcode, message.data, message.start, message.whole) == (Opcode.BINARY, data, 0, True)


def test_fragments_with_a_ping_between_them() -> None:
    data = frame(1, b"4h", final=False) + frame(9, b"?") + frame(0, b"el", final=False) + frame(0, b"lo")
    ping, text = read(data)
    assert (ping.opcode, ping.data) == (Opcode.PING, b"?")
    assert (text.opcode, text.data, text.whole, text.stop) == (Opcode.TEXT, "4hello", False, len(data))


@pytest.mark.parametrize("size", [5, 125, 126, 65535, 65536])
@pytest.mark.parametrize("mask", [b"", MASK])
def test_the_start_of_the_next_frame_is_known_once_a_size_is(size: int, mask: bytes) -> None:
    data = frame(2, bytes(size), mask=mask)
    header = 2 if size < 126 else 4 if size < 65536 else 10
    for cut in [*range(20), len(data) - 1, len(data)]:
        reader = Reader()
        list(reader.feed(data[:cut]))
        is_known = header <= cut < len(data)
        assert reader.missing == (len(data) - cut if is_known else 0)
        list(reader.feed(data[cut:]))
        assert reader.missing == 0


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                frame(1, b'42["tick",1]'),
                frame(1, "4π".encode() * 60),
                frame(1, b"x" * 65_535),
                frame(1, b""),
                frame(1, b"3"),
                frame(1, b"4\xff"),
                frame(1, b"masked", mask=MASK),
                frame(1, b"a", final=False) + frame(9, b"?") + frame(0, b"b"),
                frame(1, b"y" * 65_536),
            ]
        ),
        st.binary(max_size=200).map(lambda data: frame(2, data)),
    )
)


@given(PIECES, st.lists(st.integers(0, 2000)))
def test_messages_returns_the_same_as_feed(pieces: list[bytes], cuts: list[int]) -> None:
    data, reader = b"".join(pieces), Reader()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    found: list[str | bytes] = []
    for a, b in itertools.pairwise(edges):
        found += reader.messages(data[a:b])
        found += [message.data for message in reader.feed(b"")]
    messages = read(data)
    assert found == [message.data for message in messages]
    last = frame(2, b"last")
    assert [(each.start, each.stop) for each in reader.feed(last)] == [(len(data), len(data) + len(last))]


def test_messages_keeps_the_limit() -> None:
    reader = Reader(limit=10)
    assert reader.messages(frame(1, b"short") + frame(1, b"eleven char")) == ["short"]
    with pytest.raises(ValueError, match="larger than the limit of 10"):
        next(reader.feed(b""))


@pytest.mark.parametrize("size", [0, 2])
def test_small_fragments_take_little_memory(size: int) -> None:
    reader, fragments = Reader(), frame(0, b"a" * size, final=False) * 1000
    assert list(reader.feed(frame(1, b"", final=False))) == []
    tracemalloc.start()
    for _ in range(50):
        assert list(reader.feed(fragments)) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    (message,) = reader.feed(frame(0, b""))
    assert message.data == "a" * size * 50_000


def test_a_large_frame_in_small_pieces_is_joined_once() -> None:
    data, reader = frame(2, bytes(1_000_000)), Reader()
    tracemalloc.start()
    for at in range(0, len(data) - 32, 32):
        assert reader.messages(data[at : at + 32]) == []
        assert list(reader.feed(b"")) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_500_000
    (message,) = reader.feed(data[at + 32 :])
    assert message.data == bytes(1_000_000)


def test_text_that_is_not_utf8_is_kept() -> None:
    assert read(frame(1, b"4\xff"))[0].data == "4\udcff"


@pytest.mark.parametrize("takeover", [True, False])
def test_compression(takeover: bool) -> None:
    texts = [b'42["price",%d]' % number for number in range(5)]
    deflate = zlib.compressobj(wbits=-12)
    data = b""
    for text in texts:
        packed = (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\0\0\xff\xff")
        data += frame(1, packed, compressed=True, mask=MASK) + frame(1, b"2")
        deflate = deflate if takeover else zlib.compressobj(wbits=-12)
    assert [message.data for message in read(data, deflate=True)][::2] == [text.decode() for text in texts]


def test_a_compressed_message_with_a_last_block() -> None:
    deflate = zlib.compressobj(wbits=-15)
    packed = deflate.compress(b"4hello") + deflate.flush(zlib.Z_FINISH)
    messages = read(frame(1, packed, compressed=True) * 2, deflate=True)
    assert [message.data for message in messages] == ["4hello", "4hello"]


@pytest.mark.parametrize(
    "data",
    [
        frame(3, b""),
        b"\x91\x00",
        frame(1, b"", compressed=True),
        frame(9, b"", final=False),
        frame(0, b""),
        frame(1, b"", final=False) * 2,
        b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_data_that_is_not_a_websocket(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(data)


def test_limits() -> None:
    bomb = zlib.compressobj(wbits=-15)
    packed = bomb.compress(bytes(10_000)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    for data, deflate in (
        (frame(2, bytes(1001)), False),
        (frame(2, bytes(600), final=False) + frame(0, bytes(600)), False),
        (frame(2, packed, compressed=True), True),
        (frame(2, b"\xff\xff", compressed=True), True),
    ):
        with pytest.raises(ValueError, match=r"than the limit|of more than|cannot be decompressed"):
            list(Reader(deflate, limit=1000).feed(data))


@given(st.lists(st.tuples(st.sampled_from([1, 2, 9, 10]), st.binary(max_size=200), st.booleans())), st.data())
def test_pieces_do_not_matter(frames: list[tuple[int, bytes, bool]], data: st.DataObject) -> None:
    wire = [frame(opcode, payload, mask=MASK if masked else b"") for opcode, payload, masked in frames]
    cuts = data.draw(st.lists(st.integers(0, len(b"".join(wire))), max_size=20))
    messages = read(b"".join(wire), cuts)
    assert [int(message.opcode) for message in messages] == [opcode for opcode, _, _ in frames]
    assert [b"".join(wire)[each.start : each.stop] for each in messages] == wire


def test_random_bytes_are_messages_or_an_error() -> None:
    chance = random.Random(4)
    for _ in range(3000):
        reader = Reader(deflate=True)
        with contextlib.suppress(ValueError):
            for _ in range(5):
                list(reader.feed(chance.randbytes(chance.randrange(40))))


@pytest.mark.parametrize(
    ("data", "code", "text"), [(b"", None, ""), (b"\x03\xe9", 1001, ""), (b"\x03\xe8bye\xff", 1000, "bye�")]
)
def test_close_reason(data: bytes, code: int | None, text: str) -> None:
    assert websocket.close_reason(data) == (code, text)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536])
def test_frames_of_a_client(size: int) -> None:
    data = b"x" * size
    (message,) = read(websocket.client_frame(Opcode.TEXT, data))
    assert (message.opcode, message.data, message.whole) == (Opcode.TEXT, data.decode(), True)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536])
def test_frames_of_a_server(size: int) -> None:
    data = b"x" * size
    assert websocket.server_frame(Opcode.TEXT, data) == frame(1, data)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535])
def test_a_single_whole_text(size: int) -> None:
    data = b"x" * size
    one = frame(1, data)
    assert one[websocket.whole_text(one) :] == data
    for other in (one[:-1], one + b"\x81", frame(2, data), frame(1, data, final=False), frame(9, data[:125])):
        assert websocket.whole_text(other) == 0
    assert websocket.whole_text(frame(1, data, mask=MASK)) == 0


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=5), st.integers(0, 2000))
def test_is_between_messages(texts: list[bytes], cut: int) -> None:
    data = b"".join(frame(1, text, final=False) + frame(0, b"") for text in texts)
    reader = Reader()
    assert reader.is_between
    list(reader.feed(data[:cut]))
    ends = set(itertools.accumulate(len(frame(1, text)) + 2 for text in texts))
    assert reader.is_between == (min(cut, len(data)) in {0, *ends})


@pytest.mark.parametrize(
    ("opcode", "data", "fault"),
    [
        *((8, code.to_bytes(2, "big"), None) for code in (1000, 1003, 1007, 1014, 3000, 4000, 4999)),
        *(
            (8, code.to_bytes(2, "big") + b"why", f"the invalid code {code}")
            for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
        ),
        (8, b"", None),
        (8, b"\x03", "a close frame of one byte"),
        (8, b"\x03\xe8" + "grüße".encode(), None),
        (8, b"\x03\xe8\xff", "a close frame whose reason is not UTF-8"),
        (8, b"\x03\xe8" + b"x" * 123, None),
        (8, b"\x03\xe8" + b"x" * 124, "a control frame of 126 bytes"),
        (9, bytes(125), None),
        (9, bytes(126), "a control frame of 126 bytes"),
        (10, bytes(126), "a control frame of 126 bytes"),
    ],
)
def test_faults_of_control_frames(opcode: int, data: bytes, fault: str | None) -> None:
    (message,) = read(frame(opcode, data))
    found = websocket.control_fault(message)
    assert found is None if fault is None else fault in str(found)


def test_a_server_may_not_mask() -> None:
    data = frame(1, b"2") + frame(1, b"3", mask=MASK)
    assert [message.data for message in read(data)] == ["2", "3"]
    with pytest.raises(ValueError, match="a masked frame"):
        list(Reader(may_mask=False).feed(data))


@pytest.mark.parametrize(
    ("code", "reason", "text"),
    [
        (1000, "", "code 1000"),
        (4001, " token expired ", "code 4001: token expired"),
        (1013, "", "code 1013: the server is overloaded"),
    ],
)
def test_a_close_frame_in_words(code: int, reason: str, text: str) -> None:
    assert websocket.describe_close(code, reason) == text


@given(
    st.lists(
        st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536]).flatmap(
            lambda size: st.sampled_from(["x" * size, "é" * size, b"x" * size])
        ),
        max_size=5,
    )
)
def test_the_messages_in_a_clients_frames_are_those_that_it_sent(messages: list[str | bytes]) -> None:
    masks = bytes(range(4 * len(messages)))
    assert [message.data for message in Reader().feed(client_frames(messages, masks))] == messages
