"""A room of a measured server, of which every member checks what it receives."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.crowd import Crowd, Poller, frames, text
from benchmarks.serving import Served

_TEXT = "x" * 93
"""The text of a message after its number and a space: 100 bytes."""


class Spent(NamedTuple):
    """CPU time, in µs."""

    cpu: float
    system: float
    """The part of it in system calls."""


class Room:
    """A room with all members: one sends, one polls, and one is excluded from relayed events."""

    def __init__(self, served: Served, size: int) -> None:
        self._served = served
        self._size = size
        self._crowd = Crowd(served.urls)
        self._members = self._crowd.connect(size - 1)
        self._talker, self._quiet, *self._others = self._members
        self._crowd.ask(self._members, '420["join","room"]', b'430[{"ok":true')
        self._crowd.ask([self._quiet], '421["join","quiet"]', b'431[{"ok":true')
        self._poller = Poller(served.urls[-1])
        for packet, answer in (("40", "40"), ('420["join","room"]', "430")):
            self._poller.send(packet)
            self._poller.wait(answer)
        # Over Redis, the last announcement may arrive after the answer to the client itself.
        self._crowd.settle()

    def cost(self, event: str, count: int, window: int) -> Spent:
        """Return the cost of a delivery to the servers, over `count` messages."""
        self._begin()
        left_out = [self._quiet] if event == "emit" else []
        listeners = [each for each in self._members[1:] if each not in left_out]
        self._crowd.compare(listeners)
        before, system = self._served.cpu, self._served.system
        self._crowd.talk(self._talker, [_packet(event, number) for number in range(count)], window)
        heard = [frame for frame in frames(self._talker.data) if text(frame).startswith("42")]
        self._crowd.read_while(lambda: any(each.at != sum(map(len, heard)) for each in listeners))
        polled = [packet for packet in self._poller.gather(count) if packet.startswith("42")]
        spent = self._served.cpu - before, self._served.system - system
        assert b"".join(heard) == self._crowd.stream, "the sender received something else"
        assert polled == [text(frame) for frame in heard], "the member that polls received something else"
        assert not any(each.data for each in left_out), "a member that is left out received something"
        _check_order(polled, count)
        return Spent(*(each * 1e6 / count / (self._size - len(left_out)) for each in spent))

    def _begin(self) -> None:
        """Mark the start of a round in the stream of every member."""
        self._crowd.expect(self._members, b'42["start"]')
        self._talker.send('42["emit",{"event":"start","args":[],"to":"room"}]')
        self._crowd.read_while_expected()
        self._poller.wait('42["start"]')


def _packet(event: str, number: int) -> str:
    said = f"{number:06} {_TEXT}"
    body: dict[str, object] = {"room": "room", "text": said}
    if event == "emit":
        body = {"event": "said", "args": [said], "to": "room", "except": "quiet"}
    return f"42{number}{json.dumps([event, body], separators=(',', ':'))}"


def _check_order(packets: Sequence[str], count: int) -> None:
    assert len(packets) == count, f"{len(packets)} of {count} messages came"
    for number, packet in enumerate(packets):
        assert f'"{number:06} {_TEXT}"' in packet, packet
