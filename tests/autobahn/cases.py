"""The cases of the Autobahn|Testsuite, by its numbers: what to write, and what RFC 6455 says must come back.

The suite itself needs Python 2. Bytes are written by hand here; the data of messages is what an echo returns.
12 and 13 are left out: neither side offers compression, which 3.x and `tests/cli`'s handshakes check.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

NORMAL, PROTOCOL_ERROR, INVALID_DATA, TOO_BIG = 1000, 1002, 1007, 1009
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GREEK = "κόσμε".encode()
BEYOND = b"\xf4\x90\x80\x80"
"""0x110000, which is not a character."""
SURROGATE = b"\xed\xa0\x80"


class Frame(NamedTuple):
    """A frame to write. One that is part `of` a text or binary message may start or end it."""

    opcode: int
    data: bytes = b""
    final: bool = True
    reserved: int = 0
    of: int = 0
    first: bool = False
    last: bool = False


class Event(NamedTuple):
    """A frame that came back."""

    opcode: int
    data: bytes


Pause = None
"""Between what is written: wait, to see what comes back by then."""


@dataclass(frozen=True)
class Case:
    """What to write, and what is expected."""

    number: str
    write: tuple[Frame | None, ...]
    events: tuple[Event, ...] = ()
    codes: tuple[int | None, ...] = (NORMAL,)
    """Of the CLOSE that comes back; None: without a code, or none at all."""
    lenient: tuple[int | None, ...] = ()
    """Codes that are not strict, but allowed."""
    closes: bool = True
    """Whether the case ends with a CLOSE of ours, after its frames."""
    chop: int = 0
    """Bytes to write at once; 0 for all."""
    may_drop: bool = False
    """Whether earlier messages may be lost when the connection fails."""
    quick: bool = True
    fails_by: int | None = None
    """How many frames a strict peer needs to see, if it fails before the last."""


def message(opcode: int, *parts: bytes) -> tuple[Frame, ...]:
    """Return a message in fragments."""
    end = len(parts) - 1
    return tuple(
        Frame(CONTINUATION if at else opcode, part, at == end, 0, opcode, not at, at == end)
        for at, part in enumerate(parts)
    )


def pieces(data: bytes, size: int) -> tuple[bytes, ...]:
    """Return the data in pieces of a size."""
    return tuple(data[at : at + size] for at in range(0, len(data), size)) or (b"",)


def echo(number: str, opcode: int, *parts: bytes, chop: int = 0, quick: bool = True) -> Case:
    """Return a case whose message must come back."""
    whole = b"".join(parts)
    return Case(number, message(opcode, *parts), (Event(opcode, whole),), chop=chop, quick=quick)


def failing(number: str, *frames: Frame | None, before: tuple[Event, ...] = (), chop: int = 0) -> Case:
    """Return a case that breaks the protocol."""
    return Case(number, frames, before, (PROTOCOL_ERROR,), (None,), False, chop, bool(before))


def closing(number: str, data: bytes, *codes: int | None, lenient: tuple[int | None, ...] = ()) -> Case:
    """Return a case that is one CLOSE frame."""
    return Case(number, (Frame(CLOSE, data),), (), codes, lenient, False)


def close_data(code: int, reason: bytes = b"") -> bytes:
    """Return the data of a CLOSE."""
    return code.to_bytes(2, "big") + reason


def cases(quick: bool = False) -> Iterator[Case]:
    """Yield all cases, or the quick ones."""
    return (case for case in _cases(not quick) if case.quick or not quick)


def _cases(large: bool) -> Iterator[Case]:
    yield from _framing()
    yield from _pings()
    yield from _reserved_bits()
    yield from _opcodes()
    yield from _fragments()
    yield from _utf8()
    yield from _closes()
    yield echo("10.1.1", TEXT, *pieces(b"*" * 65536, 1300))
    if large:
        yield from _sizes()


def _framing() -> Iterator[Case]:
    for group, opcode, octet in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        for at, size in enumerate((0, 125, 126, 127, 128, 65535, 65536), 1):
            yield echo(f"1.{group}.{at}", opcode, octet * size, quick=size < 1000 or size == 65536)
        yield echo(f"1.{group}.8", opcode, octet * 65536, chop=997, quick=False)


def _pings() -> Iterator[Case]:
    for at, data in enumerate((b"", b"Hello, world!", bytes(range(0xF0, 0x100)), b"\xfe" * 125), 1):
        yield Case(f"2.{at}", (Frame(PING, data),), (Event(PONG, data),))
    yield failing("2.5", Frame(PING, b"\xfe" * 126))
    yield Case("2.6", (Frame(PING, b"\xfe" * 125),), (Event(PONG, b"\xfe" * 125),), chop=1)
    yield Case("2.7", (Frame(PONG),))
    yield Case("2.8", (Frame(PONG, b"unsolicited"),))
    yield Case("2.9", (Frame(PONG, b"unsolicited"), Frame(PING, b"ping")), (Event(PONG, b"ping"),))
    ten = [f"payload-{number}".encode() for number in range(10)]
    many = Case("2.10", tuple(Frame(PING, each) for each in ten), tuple(Event(PONG, each) for each in ten))
    yield many
    yield replace(many, number="2.11", chop=1)


HELLO = b"Hello, world!"
GREETING, GREETED = message(TEXT, HELLO), (Event(TEXT, HELLO),)


def _reserved_bits() -> Iterator[Case]:
    wrong = [Frame(TEXT, HELLO, reserved=bits) for bits in range(1, 5)]
    yield failing("3.1", wrong[0])
    yield failing("3.2", *GREETING, wrong[1], Frame(PING), before=GREETED)
    yield failing("3.3", *GREETING, wrong[2], Frame(PING), before=GREETED)
    yield failing("3.4", *GREETING, wrong[3], Frame(PING), before=GREETED, chop=1)
    yield failing("3.5", Frame(BINARY, b"\0\xff\xfe\xfd", reserved=5))
    yield failing("3.6", Frame(PING, HELLO, reserved=6))
    yield failing("3.7", Frame(CLOSE, reserved=7))


def _opcodes() -> Iterator[Case]:
    for group, first in ((1, 3), (2, 11)):
        yield failing(f"4.{group}.1", Frame(first))
        yield failing(f"4.{group}.2", Frame(first + 1, b"reserved opcode payload"))
        for at in (3, 4, 5):
            data = b"" if at == 3 else HELLO
            wrong = Frame(first + at - 1, data)
            chop = int(at == 5)
            yield failing(f"4.{group}.{at}", *GREETING, wrong, Frame(PING), before=GREETED, chop=chop)


def _fragments() -> Iterator[Case]:
    one, two = message(TEXT, b"fragment1", b"fragment2")
    both = (Event(TEXT, b"fragment1fragment2"),)
    ping, pong = Frame(PING, b"ping payload"), Event(PONG, b"ping payload")
    yield failing("5.1", Frame(PING, b"fragment1", False), Frame(CONTINUATION, b"fragment2"))
    yield failing("5.2", Frame(PONG, b"fragment1", False), Frame(CONTINUATION, b"fragment2"))
    for at, chop in ((3, 0), (4, 0), (5, 1)):
        yield Case(f"5.{at}", (one, two), both, chop=chop)
    for at, chop in ((6, 0), (7, 0), (8, 1)):
        yield Case(f"5.{at}", (one, ping, two), (pong, *both), chop=chop)
    for at, final in ((9, True), (12, False)):
        for more, chop in ((0, 0), (1, 0), (2, 1)):
            stray = Frame(CONTINUATION, b"non-continuation payload", final)
            yield failing(f"5.{at + more}", stray, *GREETING, chop=chop)
    for at, final in ((15, True), (16, False), (17, True)):
        if at == 15:
            yield failing("5.15", one, two, Frame(CONTINUATION, b"x"), *GREETING, before=both)
        else:
            yield failing(f"5.{at}", Frame(CONTINUATION, b"fragment1", final), one, two)
    yield failing("5.18", one, Frame(TEXT, b"fragment2"))
    parts = message(TEXT, *(f"fragment{number}".encode() for number in range(1, 6)))
    pings = [Frame(PING, f"pongme {number}!".encode()) for number in (1, 2)]
    write = (*parts[:2], pings[0], Pause, *parts[2:4], pings[1], parts[4])
    events = (*(Event(PONG, each.data) for each in pings), Event(TEXT, b"".join(part.data for part in parts)))
    yield Case("5.19", write, events)
    yield Case("5.20", write, events, chop=1)


VALID = {
    "6.5": ("κόσμε", "Hello-µ@ßöäüàá-UTF-8!!"),
    "6.6": ("κ", "κό", "κόσ", "κόσμ"),
    "6.7": ("\0", "\x80", "\u0800", "\U00010000"),
    "6.8": (),
    "6.9": ("\x7f", "\u07ff", "\uffff", "\U0010ffff"),
    "6.11": ("\ud7ff", "\ue000", "\ufffd", "\U0010ffff"),
    "6.22": ("\ufffe", "\uffff", "\U0001fffe", "\U0001ffff", "\U0002fffe", "\U0010ffff"),
    "6.23": ("\ufff9", "\ufffa", "\ufffb", "\ufffc", "\ufffd", "\u2028", "\ufeff"),
}
INVALID = {
    "6.6": tuple(GREEK[:size] for size in (1, 3, 5, 7, 9)),
    "6.8": (b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80"),
    "6.10": (b"\xf7\xbf\xbf\xbf", b"\xfb\xbf\xbf\xbf\xbf", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
    "6.12": (b"\x80", b"\xbf", b"\x80\xbf", b"\x80\xbf\x80", b"\x80\xbf\x80\xbf", bytes(range(0x80, 0xC0))),
    "6.13": (
        b" ".join(bytes([octet]) for octet in range(0xC0, 0xE0)),
        b"\xe0 \xe1 ",
        b"\xf0 ",
        b"\xf8 ",
        b"\xfc ",
    ),
    "6.14": (
        b"\xc0",
        b"\xe0\x80",
        b"\xf0\x80\x80",
        b"\xdf",
        b"\xef\xbf",
        b"\xf7\xbf\xbf",
        b"\xfb\xbf\xbf\xbf",
    ),
    "6.15": (b"\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf\xf7\xbf\xbf",),
    "6.16": (b"\xfe", b"\xff", b"\xfe\xfe\xff\xff"),
    "6.17": (b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf", b"\xf8\x80\x80\x80\xaf"),
    "6.18": (b"\xc1\xbf", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf", b"\xf8\x87\xbf\xbf\xbf"),
    "6.19": (b"\xc0\x80", b"\xe0\x80\x80", b"\xf0\x80\x80\x80", b"\xf8\x80\x80\x80\x80"),
    "6.20": (SURROGATE, b"\xed\xad\xbf", b"\xed\xae\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbf\xbf"),
    "6.21": (SURROGATE + b"\xed\xb0\x80", b"\xed\xad\xbf\xed\xbf\xbf", b"\xed\xaf\xbf\xed\xb0\x80"),
}
"""By group; the suite has more of each kind."""


def _utf8() -> Iterator[Case]:
    long = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    yield echo("6.1.1", TEXT, b"")
    yield echo("6.1.2", TEXT, b"", b"", b"")
    yield echo("6.1.3", TEXT, b"", b"middle frame payload", b"")
    yield echo("6.2.1", TEXT, long)
    yield echo("6.2.2", TEXT, "Hello-µ@ßöä".encode(), "üàá-UTF-8!!".encode())
    yield echo("6.2.3", TEXT, *pieces(long, 1))
    yield echo("6.2.4", TEXT, *pieces(GREEK, 1))
    wrong = GREEK + SURROGATE + b"edited"
    yield invalid("6.3.1", wrong)
    yield invalid("6.3.2", *pieces(wrong, 1))
    yield late("6.4.1", GREEK, BEYOND, b"edited")
    yield late("6.4.2", GREEK + b"\xf4", b"\x90", b"\x80\x80edited")
    for group, texts in VALID.items():
        for at, text in enumerate(texts, 1):
            yield echo(f"{group}.{at}", TEXT, text.encode(), quick=at == 1)
    for group, octets in INVALID.items():
        for at, data in enumerate(octets, len(VALID.get(group, ())) + 1):
            yield replace(invalid(f"{group}.{at}", data), quick=at == 1)


def invalid(number: str, *parts: bytes) -> Case:
    """Return a case with a text that is not UTF-8."""
    return Case(number, message(TEXT, *parts), (), (INVALID_DATA,), (None,), False)


def late(number: str, *parts: bytes) -> Case:
    """Return a case that a strict peer fails at the second of its three fragments."""
    first, second, third = message(TEXT, *parts)
    return replace(invalid(number, *parts), write=(first, Pause, second, Pause, third), fails_by=2)


def _closes() -> Iterator[Case]:
    close = Frame(CLOSE, close_data(NORMAL))
    yield Case("7.1.1", GREETING, GREETED)
    yield Case("7.1.2", (close, close), closes=False)
    yield Case("7.1.3", (close, Frame(PING)), closes=False)
    yield Case("7.1.4", (close, *GREETING), closes=False)
    one, two = message(TEXT, b"fragment1", b"fragment2")
    yield Case("7.1.5", (one, close, two), closes=False)
    large = b"BAsd7&jh23" * (2**18 // 10)
    events = (Event(TEXT, large), *GREETED)
    yield Case(
        "7.1.6", (*message(TEXT, large), *GREETING, close, Frame(PING)), events, closes=False, may_drop=True
    )
    yield closing("7.3.1", b"", None, NORMAL)
    yield closing("7.3.2", b"a", PROTOCOL_ERROR, lenient=(None,))
    yield closing("7.3.3", close_data(NORMAL), NORMAL)
    yield closing("7.3.4", close_data(NORMAL, b"Hello World!"), NORMAL)
    yield closing("7.3.5", close_data(NORMAL, b"*" * 123), NORMAL)
    yield closing("7.3.6", close_data(NORMAL, b"*" * 124), PROTOCOL_ERROR, lenient=(None,))
    broken = close_data(NORMAL, GREEK + SURROGATE + b"edited")
    yield closing("7.5.1", broken, INVALID_DATA, PROTOCOL_ERROR, lenient=(None,))
    valid = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    for at, code in enumerate(valid, 1):
        yield closing(f"7.7.{at}", close_data(code), code, lenient=(NORMAL,))
    for at, code in enumerate((0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999), 1):
        yield closing(f"7.9.{at}", close_data(code), PROTOCOL_ERROR, lenient=(None,))
    for at, code in enumerate((5000, 65535), 1):
        yield closing(f"7.13.{at}", close_data(code), PROTOCOL_ERROR, None, NORMAL, code)


def _sizes() -> Iterator[Case]:
    megabytes = (2**16, 2**18, 2**20, 2**22, 2**23, 2**24)
    for group, opcode, octet in ((1, TEXT, b"*"), (2, BINARY, b"\xfe")):
        for at, size in enumerate(megabytes, 1):
            yield echo(f"9.{group}.{at}", opcode, octet * size, quick=False)
    for group, opcode in ((3, TEXT), (4, BINARY)):
        for at, power in enumerate((6, 8, 10, 12, 14, 16, 18, 20, 22), 1):
            parts = pieces(b"*" * 2**22, 2**power)
            yield echo(f"9.{group}.{at}", opcode, *parts, quick=False)
    for group, opcode in ((5, TEXT), (6, BINARY)):
        for at, chop in enumerate((64, 128, 256, 512, 1024, 2048), 1):
            yield echo(f"9.{group}.{at}", opcode, b"*" * 2**20, chop=chop, quick=False)
    for group, opcode in ((7, TEXT), (8, BINARY)):
        for at, size in enumerate((0, 16, 64, 256, 1024, 4096), 1):
            data = b"*" * size
            yield Case(
                f"9.{group}.{at}",
                message(opcode, data) * 1000,
                (Event(opcode, data),) * 1000,
                quick=False,
            )
