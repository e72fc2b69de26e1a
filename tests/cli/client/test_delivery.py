"""For every outcome of the events the tally adds up: read = acked + nacked + unknown + not sent."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from nsroom.cli.delivery import run_delivery
from nsroom.client import delivery as module
from nsroom.client.client import Client
from nsroom.client.delivery import Delivery
from nsroom.client.events import Acknowledge, Emit, Line
from nsroom.client.flow_control import Tally
from nsroom.client.target import Target
from nsroom.errors import (
    DataError,
    LimitError,
    LostError,
    NackError,
    NsroomError,
    OutputError,
    RefusedError,
    UsageError,
    WaitError,
)
from nsroom.record import Json, Record
from nsroom_server.settings.limits import Limits
from tests.cli.clients import WAIT, Connect, Reference
from tests.cli.scripted import Polling, stock
from tests.peers import bad

BIG = "x" * 2000
Item = Emit | Acknowledge


def lab(event: str, *args: Json) -> Emit:
    return Emit("/lab", event, [*args])


async def lines(
    *items: Item, batch: int = 100, fault: NsroomError | None = None
) -> AsyncIterator[list[Line]]:
    """Yield numbered lines in batches, then raise the error of a bad line, if any."""
    numbered = [Line(number, item) for number, item in enumerate(items, 1)]
    for start in range(0, len(numbered), batch):
        yield numbered[start : start + batch]
    if fault is not None:
        raise fault


async def deliver(client: Client, *items: Item, **options: Any) -> tuple[Tally, NsroomError | None]:
    """Deliver the items; return the counts and the error."""
    feed = lines(*items, fault=options.pop("fault", None), batch=options.pop("batch", 100))
    work = Delivery(client, **{"ack": True, "timeout": WAIT, **options})
    error = None
    try:
        await client.guard(work.run(feed))
    except NsroomError as caught:
        error = caught
    return work.tally, error


@pytest.fixture
async def client(reference: Reference, connect: Connect, transport: str) -> Client:
    """A client in the test namespace of a server that accepts at most 1000 bytes."""
    return await connect(
        (await reference(max_payload=1000)).url, "/lab", transport=transport, reconnect=False
    )


@pytest.mark.parametrize("batch", [1, 7, 1000])
async def test_all_is_acknowledged(client: Client, batch: int) -> None:
    seen: list[Record] = []
    tally, error = await deliver(
        client, *(lab("echo", n) for n in range(250)), batch=batch, on_ack=seen.append
    )
    assert (tally, tally.unknown, error) == (Tally(250, 250, 250, 0), 0, None)
    assert [record.args for record in seen] == [[n] for n in range(250)]


async def test_without_ack_all_are_unknown(client: Client) -> None:
    tally, error = await deliver(client, *(lab("echo", n) for n in range(20)), ack=False)
    assert (tally, tally.unknown, error) == (Tally(20, 20, 0, 0), 20, None)
    assert tally.to_json() == {"read": 20, "sent": 20, "acked": 0, "nacked": 0, "unknown": 20}


async def test_refused_events_are_counted(client: Client) -> None:
    tally, error = await deliver(client, lab("error"), lab("echo"), lab("nonsense"))
    assert tally == Tally(3, 3, 1, 2)
    assert isinstance(error, NackError)
    assert str(error).startswith("2 of 3 events were refused, first: ")


async def test_a_single_refusal_is_the_servers_answer(client: Client) -> None:
    tally, error = await deliver(client, lab("nonsense"))
    assert tally == Tally(1, 1, 0, 1)
    assert str(error) == "the server answered unknown_event: no handler for nonsense"


async def test_unacknowledged_events_are_unknown(client: Client) -> None:
    tally, error = await deliver(client, lab("echo"), lab("never"), lab("never"), timeout=0.3)
    assert (tally, tally.unknown) == (Tally(3, 3, 1, 0), 2)
    assert isinstance(error, WaitError)
    assert str(error) == "no acknowledgement of 2 of 3 events within 0.3 s"


async def test_a_single_unacknowledged_event(client: Client) -> None:
    _, error = await deliver(client, lab("never"), timeout=0.2)
    assert str(error) == "no acknowledgement of the event within 0.2 s"


async def test_the_timeout_is_for_each_acknowledgement(client: Client) -> None:
    tally, error = await deliver(client, *(lab("delay", {"ms": 150 * n}) for n in range(1, 5)), timeout=0.4)
    assert (tally.acked, error) == (4, None)


async def test_the_lines_before_a_bad_one_are_delivered(client: Client) -> None:
    tally, error = await deliver(client, lab("echo"), lab("echo"), fault=DataError("line 3: no"))
    assert (tally, str(error)) == (Tally(2, 2, 2, 0), "line 3: no")


@pytest.mark.parametrize("ack", [True, False])
@pytest.mark.parametrize(
    ("item", "kind", "text"),
    [
        (lab("echo", BIG), LimitError, "line 3: 20.. bytes, but the server accepts at most 1000"),
        (lab("connect"), DataError, "line 3: 'connect' is a reserved event name"),
        (Emit("/b,d", "x", []), DataError, "line 3: "),
    ],
)
async def test_an_event_that_cannot_be_sent_is_reported_with_its_line(
    item: Emit, kind: type[NsroomError], text: str, ack: bool, client: Client
) -> None:
    tally, error = await deliver(client, lab("echo"), lab("echo"), item, lab("echo"), ack=ack)
    assert (tally.read, tally.sent, tally.acked) == (4, 2, 2 if ack else 0)
    assert type(error) is kind
    with pytest.raises(kind, match=f"^{text}.*; the lines before it were sent$"):
        raise error


async def test_a_single_event_has_no_line(client: Client) -> None:
    async def one(emit: Emit) -> AsyncIterator[list[Line]]:
        yield [Line(None, emit)]

    with pytest.raises(UsageError, match=r"^'connect' is a reserved event name"):
        await Delivery(client).run(one(lab("connect")))
    with pytest.raises(LimitError, match=r"not sent$"):
        await Delivery(client).run(one(lab("echo", BIG)))


async def test_namespaces_of_the_lines_are_entered(client: Client) -> None:
    tally, error = await deliver(client, lab("echo"), Emit("/chat", "rooms", []), Emit("/", "rooms", []))
    assert (tally, error) == (Tally(3, 3, 3, 0), None)
    assert list(client.namespaces) == ["/lab", "/chat", "/"]


async def test_a_line_may_name_a_refused_namespace(client: Client) -> None:
    tally, error = await deliver(client, lab("echo"), Emit("/secret", "x", []), lab("echo"))
    assert (tally.read, tally.acked, tally.unknown) == (3, 1, 0)
    assert type(error) is RefusedError
    assert str(error) == "line 2: /secret is refused: Invalid namespace; the lines before it were sent"


async def test_an_error_of_on_ack_ends_the_delivery(client: Client) -> None:
    def full(_: Record) -> None:
        raise OutputError("cannot write")

    tally, error = await deliver(client, *(lab("echo", n) for n in range(50)), on_ack=full)
    assert str(error) == "cannot write"
    assert tally.sent == tally.acked + tally.unknown


async def test_acknowledgements_are_sent_in_order(
    stack: AsyncExitStack, connect: Connect, transport: str
) -> None:
    """A recording may contain them, and they are not acknowledged themselves."""
    url, server = await stack.enter_async_context(stock(lambda _sid, _environ, _auth: None))
    seen: list[Any] = []
    server.on("n", lambda _sid, n: seen.append(n) or n)
    client = await connect(url, transport=transport, reconnect=False)
    asked = asyncio.ensure_future(server.call("question", to=client.namespaces["/"], timeout=WAIT))
    await client.settle(WAIT)
    tally, error = await deliver(
        client, Emit("/", "n", [1]), Acknowledge("/", 1, ["yes"]), Emit("/", "n", [2]), timeout=1
    )
    assert await asked == "yes"
    assert (tally, tally.unknown, error) == (Tally(3, 3, 2, 0), 1, None)


# Failing peers


async def test_a_reset_leaves_the_rest_unknown_or_unsent(stack: AsyncExitStack, connect: Connect) -> None:
    url = await stack.enter_async_context(bad.resets_after_receiving(3))
    client = await connect(url, reconnect=False)
    tally, error = await deliver(client, *(Emit("/", "n", [n]) for n in range(9)))
    assert (tally.read, tally.acked, tally.nacked) == (9, 3, 0)
    assert tally.sent == 3 + tally.unknown
    assert type(error) is LostError


async def test_a_post_that_fails_leaves_its_events_unknown(stack: AsyncExitStack, connect: Connect) -> None:
    polling = Polling()
    client = await connect(
        await stack.enter_async_context(polling.listening()), transport="polling", reconnect=False
    )
    polling.status = 500
    tally, error = await deliver(client, *(Emit("/", "n", [n]) for n in range(250)), batch=250)
    assert (tally.read, tally.sent, tally.acked) == (250, 100, 0)
    assert type(error) is LostError


async def test_the_window_limits_unanswered_events(
    monkeypatch: pytest.MonkeyPatch, stack: AsyncExitStack, connect: Connect
) -> None:
    monkeypatch.setattr(module, "_WINDOW", 3)
    early: list[str | bytes] = []

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        coming = asyncio.ensure_future(talk.receive())
        for first in range(0, 9, 3):
            for _ in range(3):
                await coming
                coming = asyncio.ensure_future(talk.receive())
            done, _ = await asyncio.wait([coming], timeout=0.1)
            early.extend(each.result() for each in done)
            await talk.send(*(f"43{first + n}[]" for n in range(3)))
        await coming

    client = await connect(await stack.enter_async_context(bad.conversation(script)), reconnect=False)
    tally, _ = await deliver(client, *(Emit("/", "n", [n]) for n in range(9)))
    assert (tally.acked, early) == (9, [])


# run_delivery


async def test_the_summary_is_printed_after_errors_too(
    reference: Reference, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await reference()
    target = Target(url=server.url, namespaces=("/lab",), reconnect=False)
    await run_delivery(target, lines(lab("echo"), lab("echo")), timeout=WAIT, ack=True, summary=True)
    with pytest.raises(NackError):
        await run_delivery(target, lines(lab("nonsense")), timeout=WAIT, ack=True, summary=True)
    with pytest.raises(WaitError):
        await run_delivery(target, lines(lab("never")), timeout=0.1, ack=True, summary=True)
    await run_delivery(target, lines(lab("echo")), timeout=WAIT)
    stdout, stderr = capsys.readouterr()
    assert stdout == ""
    assert [[*json.loads(line).values()] for line in stderr.splitlines()] == [
        [2, 2, 2, 0, 0],
        [1, 1, 0, 1, 0],
        [1, 1, 0, 0, 1],
    ]


@pytest.mark.parametrize("ack", [True, False])
async def test_rate_limited_events_are_resent(
    ack: bool, reference: Reference, connect: Connect, transport: str
) -> None:
    slow = Limits(events_per_second=400, events_burst=50)
    client = await connect((await reference(limits=slow)).url, "/lab", transport=transport, reconnect=False)
    tally, error = await deliver(
        client, *(lab("echo", number) for number in range(800)), ack=ack, timeout=1.2
    )
    assert error is None
    assert (tally.sent, tally.acked, tally.nacked) == (800, 800 if ack else 0, 0)
