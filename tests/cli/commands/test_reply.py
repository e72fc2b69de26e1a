"""`nsroom reply`, the real program: the other side of `call`."""

import shlex
import sys

import pytest

from tests.peers import bad
from tests.peers.program import Runner

ASKS = ['42["hi",1]', '421["other"]', '422["ask",{"n":1}]', '423["ask",{"n":2}]', '42["ask",3]']
"""Events: without a request for an acknowledgement, of another name, two that ask, and one that does not."""


def asks(received: list[str]) -> bad.Peer:
    """Send the events, and keep the acknowledgements."""

    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        for frame in ASKS:
            await talk.send(frame)
        while True:
            received.append(str(await talk.receive()))

    return bad.conversation(script)


async def test_every_such_event_is_acknowledged_and_printed(nsroom: Runner) -> None:
    received: list[str] = []
    async with asks(received) as url:
        result = await nsroom("reply", url, "ask", "ok:=true", "-C", "2", "-W", "30")
    assert (result.code, received[:2]) == (0, ['432[{"ok":true}]', '433[{"ok":true}]'])
    shown = [(each["kind"], each["event"], each["args"]) for each in result.records()]
    answer = ("ack", "ask", [{"ok": True}])
    assert [each for each in shown if each[0] == "ack"] == [answer, answer]
    assert {each[1] for each in shown} == {"ask"}


async def test_a_filter_and_several_arguments(nsroom: Runner) -> None:
    received: list[str] = []
    async with asks(received) as url:
        line = ("reply", "-u", url, "ask", "-t", "1", "a=b", "--where", "arg.0.n=2", "-C", "1", "--plain")
        result = await nsroom(*line, "--time", "none")
    assert (result.code, received[0]) == (0, '433["1","a=b"]')
    assert [line.split()[:2] for line in result.lines] == [["←", "ask"], ["→", "ack"]]


async def test_the_output_of_a_command_is_the_answer(nsroom: Runner) -> None:
    received: list[str] = []
    code = "import json, sys; print(json.load(sys.stdin)['args'][0]['n'] * 10)"
    async with asks(received) as url:
        command = shlex.join([sys.executable, "-c", code])
        result = await nsroom("reply", url, "ask", "--exec", command, "-C", "2", "-W", "60")
    assert (result.code, sorted(received[:2])) == (0, ["432[10]", "433[20]"])


async def test_an_event_that_is_not_acknowledged_is_an_error(nsroom: Runner) -> None:
    """The program fails for the first event, and answers the second one later."""
    received: list[str] = []
    code = "import json, sys, time; json.load(sys.stdin)['args'][0]['n'] == 1 and sys.exit(1); time.sleep(2)"
    async with asks(received) as url:
        command = shlex.join([sys.executable, "-c", code])
        result = await nsroom("reply", url, "ask", "--exec", command, "-C", "1", timeout=60)
    assert (result.code, received[0]) == (6, "433[]")
    assert (
        f"nsroom: 'ask' is not acknowledged: --exec: {sys.executable} failed with code 1\n" in result.stderr
    )
    assert result.stderr.endswith("nsroom: 1 event was not acknowledged\n")


async def test_an_event_without_a_request_is_noted_once(nsroom: Runner) -> None:
    async with asks([]) as url:
        result = await nsroom("reply", url, "hi", "--for", "1")
    assert (result.code, result.records()[0]["args"]) == (0, [1])
    assert result.stderr.count("the server did not ask for an acknowledgement of it") == 1


@pytest.mark.parametrize(
    ("args", "complaint"),
    [
        (("ask", "1", "--exec", "cat"), "leave out either it or the arguments"),
        (("ask", "--exec", "/no/such/program"), "cannot find '/no/such/program'"),
        (("ask", "@/no/such/file"), "cannot read the file after @"),
        (("ask", "--where", "="), "column 1"),
    ],
)
async def test_bad_arguments(args: tuple[str, ...], complaint: str, nsroom: Runner) -> None:
    result = await nsroom("reply", ":1", *args)
    assert (result.code, result.stdout, complaint in result.stderr) == (2, "", True), result


async def test_nothing_listens(nsroom: Runner) -> None:
    result = await nsroom("reply", ":1", "ask")
    assert result.code == 3
