"""The acknowledgement of a user's event."""

from nsroom.client.target import Transport
from nsroom.doctor.checks.acknowledgements import check_ack, check_handlers
from nsroom.doctor.examination import Extras
from nsroom.doctor.finding import State
from tests.cli.clients import Reference
from tests.cli.doctor.checks.conftest import Examine
from tests.peers import bad


async def test_without_an_event_there_is_nothing_to_check(examine: Examine) -> None:
    examination = await examine("http://127.0.0.1:1")
    assert (await check_ack(examination)).state is State.SKIPPED
    assert (await check_handlers(examination)).state is State.SKIPPED


async def test_an_acknowledged_event(examine: Examine, reference: Reference) -> None:
    server = await reference()
    examination = await examine(server.url, "/chat", extras=Extras(event="rooms"))
    assert (await check_ack(examination)).found.startswith('"rooms" is acknowledged after ')
    assert (await check_handlers(examination)).state is State.OK


async def test_an_error_in_the_acknowledgement_is_a_warning(examine: Examine, reference: Reference) -> None:
    server = await reference()
    examination = await examine(server.url, "/chat", extras=Extras(event="nonsense"))
    finding = await check_ack(examination)
    assert finding.state is State.WARNING
    assert "acknowledged with an error" in finding.found


async def test_an_event_without_an_acknowledgement(examine: Examine) -> None:
    async with bad.sends() as url:
        examination = await examine(url, extras=Extras(event="order"), connect_timeout=0.5)
        finding = await check_ack(examination)
        assert finding.state is State.FAILED
        assert '"order" is not acknowledged' in finding.found
        assert (await check_handlers(examination)).found == "needs an acknowledgement"


async def test_an_event_after_which_the_server_disconnects(examine: Examine) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk.receive()
        await talk.send("41")
        await talk.receive()

    async with bad.conversation(script) as url:
        finding = await check_ack(await examine(url, extras=Extras(event="order")))
    assert finding.found == '"order" ends the session: the server disconnected /'
    assert "ack(" not in "".join(fix.text for fix in finding.fixes)


async def test_an_event_larger_than_the_limit_is_not_sent(examine: Examine) -> None:
    async with bad.sends(handshake={"maxPayload": 100}) as url:
        extras = Extras(event="big", args=("x" * 200,))
        finding = await check_ack(await examine(url, extras=extras))
    assert finding.state is State.FAILED
    assert "213 bytes, but the server accepts 100" in finding.found


async def test_an_event_on_which_the_server_closes_as_too_big(examine: Examine) -> None:
    async def script(talk: bad.Conversation) -> None:
        await talk.welcome()
        await talk.receive()
        await talk.close(1009)

    async with bad.conversation(script) as url:
        extras = Extras(event="big", args=("x" * 200,))
        finding = await check_ack(await examine(url, extras=extras, transport=Transport.WEBSOCKET))
    assert finding.found.startswith('"big" has 213 bytes, too many for the server: WebSocket closed')
    assert "maxHttpBufferSize: 426" in finding.fixes[0].text
