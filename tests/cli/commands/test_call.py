"""`nsroom call`, the real program: request and reply."""

import json
from pathlib import Path

import pytest

from tests.peers import bad
from tests.peers.program import Result, Runner, Server, Spawner


def answers(ack: str, *attachments: bytes) -> bad.Peer:
    """Acknowledge every event with these arguments."""

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        while True:
            frame = str(await talk.receive())
            if frame.startswith("42"):
                head = f"46{len(attachments)}-" if attachments else "43"
                await talk.send(f"{head}{frame[2 : frame.index('[')]}{ack}", *attachments)

    return bad.conversation(script)


async def test_the_acknowledgement_as_a_record(nsroom: Runner, server: Server) -> None:
    result = await nsroom("call", "echo", "a", "b=1", "-n", "/lab", "-u", server.url, "--json")
    assert (result.code, result.stderr) == (0, "")
    [record] = result.records()
    assert (record["kind"], record["event"], record["namespace"]) == ("ack", "echo", "/lab")
    assert record["args"] == ["a", {"b": "1"}]
    assert record["rtt_ms"] > 0


@pytest.mark.parametrize(
    ("ack", "attachments", "args"),
    [
        ("[]", [], []),
        ("[null]", [], [None]),
        ('[1,"two",{"three":[3]}]', [], [1, "two", {"three": [3]}]),
        ('[{"_placeholder":true,"num":0}]', [b"\x01\x02"], [{"$binary": "AQI="}]),
    ],
)
async def test_any_answer_is_printed(
    nsroom: Runner, ack: str, attachments: list[bytes], args: list[object]
) -> None:
    async with answers(ack, *attachments) as url:
        result = await nsroom("call", "x", "-u", url)
    assert result.code == 0
    [line] = result.lines
    assert json.loads(line) == (args[0] if len(args) == 1 else args)


async def test_only_the_arguments_on_a_terminal(spawn: Spawner, server: Server) -> None:
    caller = await spawn("call", "echo", "é", "b:=1", "-n", "/lab", "-u", server.url, tty=True)
    result = await caller.result()
    assert (result.code, result.stdout) == (0, '[\r\n  "\\u00e9",\r\n  {\r\n    "b": 1\r\n  }\r\n]\r\n')


async def test_a_record_on_a_terminal(spawn: Spawner, server: Server) -> None:
    caller = await spawn("call", "echo", "1", "--json", "-n", "/lab", "-u", server.url, tty=True)
    assert json.loads((await caller.result()).stdout)["args"] == [1]


async def test_an_error_is_printed_too_and_code_7(nsroom: Runner, server: Server) -> None:
    result = await nsroom("call", "error", "-n", "/lab", "-u", server.url)
    assert result.code == 7
    assert json.loads(result.stdout)["error"] == "lab_error"
    assert result.stderr == "nsroom: the server answered lab_error: this is the error that was asked for\n"


async def test_no_answer_is_code_5(nsroom: Runner, server: Server) -> None:
    result = await nsroom("call", "never", "--timeout", "0.3", "-n", "/lab", "-u", server.url)
    complaint = "nsroom: no acknowledgement of 'never' within 0.3 s; does the server handle it?\n"
    assert result == Result(5, "", complaint)


async def test_a_connection_lost_before_the_answer_is_code_6(nsroom: Runner) -> None:
    async with bad.resets_after_receiving(0) as url:
        result = await nsroom("call", "x", "-u", url)
    assert (result.code, result.stdout) == (6, "")
    assert result.stderr.startswith("nsroom: the connection ended (")


async def test_a_refused_namespace_is_code_4(nsroom: Runner) -> None:
    async with bad.refuses({"message": "token expired"}) as url:
        result = await nsroom("call", "x", "-u", url)
    assert result == Result(4, "", "nsroom: / is refused: token expired\n")


async def test_a_packet_larger_than_the_limit_is_code_9(nsroom: Runner) -> None:
    async with bad.sends(handshake={"maxPayload": 50}) as url:
        result = await nsroom("call", "x", "y" * 60, "-u", url)
    assert (result.code, result.stdout) == (9, "")


async def test_a_full_disk_is_code_10(nsroom: Runner, server: Server) -> None:
    result = await nsroom("call", "rooms", "-u", server.url, stdout=Path("/dev/full"))
    assert result == Result(10, "", "nsroom: cannot write to standard output: No space left on device\n")


async def test_a_relay_is_acknowledged_with_its_recipients(
    spawn: Spawner, nsroom: Runner, server: Server
) -> None:
    member = await spawn("join", "traders", "-u", server.url)
    await member.err("joined traders")
    result = await nsroom("call", "price", "12.5", "--room", "traders", "-u", server.url)
    assert json.loads(result.stdout) == {"ok": True, "recipients": 2}


@pytest.mark.parametrize(("number", "code"), [(2, 130), (15, 143), (1, 129)])
async def test_a_signal_while_waiting(spawn: Spawner, server: Server, number: int, code: int) -> None:
    caller = await spawn("call", "never", "--timeout", "60", "-n", "/lab", "-u", server.url)
    await server.proc.err("someone connected")
    caller.signal(number)
    assert await caller.result(5) == Result(code, "", "")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("430[" + "[" * 300 + "]" * 301, "nested more than 256 levels deep"),
        ('430[{"v":NaN}]', "not JSON: NaN"),
        ('430["a"]430["b"]', "not JSON: extra data"),
    ],
)
async def test_an_answer_that_cannot_be_read(nsroom: Runner, answer: str, fault: str) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk.receive()
        await talk.send(answer)
        await talk.receive()

    async with bad.conversation(script) as url:
        result = await nsroom("call", "tree", "-u", url, "--timeout", "0.5")
    assert (result.code, result.stdout) == (5, "")
    at_once, last = result.stderr.splitlines()
    assert at_once.startswith(f"nsroom: cannot read a packet of the server: {fault}")
    assert f"no acknowledgement of 'tree' within 0.5 s; a packet that arrived cannot be read: {fault}" in last


@pytest.mark.parametrize(
    ("options", "ack", "complaint"),
    [
        (
            ("--error-first",),
            '[{"name":"NotFound","code":404}]',
            'with an error: {"name":"NotFound","code":404}',
        ),
        (("--error-first",), '["no"]', "with an error: no"),
        (("--preset", "feathers"), '[{"name":"NotFound"}]', 'with an error: {"name":"NotFound"}'),
        (
            ("--preset", "sails"),
            '[{"statusCode":404}]',
            'matches arg.0.statusCode>=400: [{"statusCode":404}]',
        ),
        (("--fail", "arg.0.ok=false"), '[{"ok":false}]', 'matches arg.0.ok=false: [{"ok":false}]'),
        (("--fail", "arg.1=late"), '[null,"late"]', 'matches arg.1=late: [null,"late"]'),
    ],
)
async def test_which_answers_are_errors(
    nsroom: Runner, options: tuple[str, ...], ack: str, complaint: str
) -> None:
    async with answers(ack) as url:
        result = await nsroom("call", "x", "-u", url, *options, "--json")
    assert (result.code, result.records()[0]["args"]) == (7, json.loads(ack))
    assert result.stderr.endswith(f"{complaint}\n")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "ack"),
    [
        (("--error-first",), '[null,{"error":1}]'),
        (("--error-first",), "[]"),
        (("--preset", "feathers"), '[null,"ok"]'),
        (("--preset", "sails"), '[{"statusCode":200}]'),
        (("--fail", "arg.0.ok=false"), '[{"ok":true}]'),
        ((), '[{"statusCode":404}]'),
    ],
)
async def test_which_answers_are_not(nsroom: Runner, options: tuple[str, ...], ack: str) -> None:
    async with answers(ack) as url:
        result = await nsroom("call", "x", "-u", url, *options)
    assert (result.code, result.stderr) == (0, "")


async def test_a_bad_filter_is_a_usage_error(nsroom: Runner) -> None:
    result = await nsroom("call", "x", "--fail", "arg.0=", "-u", "http://127.0.0.1:9")
    assert (result.code, result.stdout) == (2, "")
    assert result.stderr.startswith('nsroom: --fail: column 7: expected a value after "="')


async def test_a_time_out_shows_the_events_that_arrived_instead(nsroom: Runner) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.send("0" + json.dumps(bad.OPEN), '42["before"]')
        await talk.accept(await talk.receive())
        await talk.receive()
        await talk.send('42["exception",{"message":"no such thing"}]', *['42["tick",1,2]'] * 9)
        await talk.receive()

    async with bad.conversation(script) as url:
        result = await nsroom("call", "x", "-u", url, "--timeout", "0.5")
    assert (result.code, result.stdout) == (5, "")
    wanted = 'meanwhile: exception {"message":"no such thing"}, tick 1, tick 1 and 7 more\n'
    assert (
        result.stderr
        == f"nsroom: no acknowledgement of 'x' within 0.5 s; does the server handle it?; {wanted}"
    )
