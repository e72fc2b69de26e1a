import pytest

from nsroom.output.terminal import cells
from nsroom.tui.screen.state import Mode, View
from nsroom.tui.screen.status import status
from tests.cli.intercepted import OUT, Running
from tests.cli.tui.records import NOON, event, observed, opened, packet, plain, view

EVIL = "\x1b[2J\u202e"


def connected(*more: object) -> View:
    viewed = view(packet("connect", sid="abc"), *more)  # type: ignore[arg-type]
    viewed.transport, viewed.rtt_ms = "websocket", 2.04
    return viewed


def test_server_transport_and_round_trip() -> None:
    line = plain(status(connected(event("x"), event("y")), 110))
    assert line.startswith(" nsroom  ● localhost:3000 ")
    assert "websocket  rtt 2.0 ms" in line
    assert "in     0/s" in line


@pytest.mark.parametrize("width", [*range(10, 130, 7), 300])
def test_the_line_has_exactly_the_width(width: int) -> None:
    viewed = connected()
    viewed.server, viewed.saved_to, viewed.saved = "a-long-host.example.org:3000", f"f{EVIL}", 123_456
    viewed.model.filter('event="a long expression that goes on" & ns=/chat')
    viewed.model.pause()
    viewed.model.ring.first = 0
    for viewed.mode in Mode:
        line = "".join(part for _, part in status(viewed, width))
        assert cells(line) == width
        assert line.isprintable()


def test_a_pause_is_shown_even_on_a_narrow_line() -> None:
    viewed = connected()
    viewed.model.pause()
    assert "paused, 0 held" in plain(status(viewed, 50))
    assert "websocket" not in plain(status(viewed, 50))


def test_dropped_and_saved_records_are_counted() -> None:
    viewed = connected()
    viewed.saved_to, viewed.saved = "run.ndjson", 12_408
    viewed.model.ring.first = 4096
    viewed.model.ring.records.clear()
    line = plain(status(viewed, 140))
    assert "4,096 older dropped" in line
    assert "⏺ run.ndjson  12,408" in line


def test_a_lost_connection_shows_the_next_attempt() -> None:
    trying = packet("reconnect", "local", time=NOON + 60_000_000, data={"attempt": 2, "delay_ms": 4000})
    line = plain(status(connected(packet("close", "local"), trying), 110))
    assert line.startswith(" nsroom  ◌ localhost:3000  retry 2 in 4 s")


def test_a_failed_connection() -> None:
    viewed = connected()
    viewed.failure = "refused"
    assert plain(status(viewed, 80)).startswith(" nsroom  ✗ localhost:3000  no connection")


def test_a_proxy_shows_both_servers_and_its_clients_on_80_columns() -> None:
    line = plain(status(observed(opened("abc")), 80))
    assert line.startswith(" nsroom  ● 127.0.0.1:3001 → localhost:3000")
    assert "1 client" in line
    assert "0/s" in line


async def test_packets_that_wait_are_counted() -> None:
    viewed, proxy = observed(opened("a")), Running()
    viewed.interceptor = proxy.interceptor
    assert " wait " not in plain(status(viewed, 110))
    proxy.arrive(OUT, '42["wait"]', '42["behind"]', '42["wait"]')
    for width in (60, 80, 110):
        assert " 2 wait" in plain(status(viewed, width))
