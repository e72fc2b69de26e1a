from nsroom.tui.model.namespaces import State
from nsroom.tui.screen.event_list import rows
from tests.cli.tui.records import NOON, ack, emit, event, model, observed, packet, plain


def test_clients_have_their_own_acknowledgement_ids() -> None:
    asked = [emit("ask", id=0, sid=sid) for sid in ("abc", "def")]
    viewed = observed(*asked, ack("ask", id=0, sid="def"), ack("ask", id=0, sid="abc"))
    assert viewed.model.acks.partners == {0: 3, 3: 0, 1: 2, 2: 1}


def test_a_closed_client_leaves_the_others_waiting() -> None:
    asked = [emit("ask", id=0, sid=sid, time=NOON) for sid in ("abc", "def")]
    viewed = observed(*asked, packet("close", "local", sid="abc"))
    first, second, _ = map(plain, rows(viewed, 80, 10)[0])
    assert first.endswith("✗ unconfirmed")
    assert second.endswith("waiting 1.0 s")
    assert viewed.model.namespaces.state is State.CONNECTED


def test_an_event_is_matched_with_its_acknowledgement() -> None:
    paired = model(emit("join", id=3), event("hi"), ack("join", {"ok": True}, id=3))
    assert paired.answer(0) is paired[2]
    assert not paired.is_waiting(0)
    paired.select(0)
    assert (paired.jump(), paired.cursor) == ("", 2)
    assert (paired.jump(), paired.cursor) == ("", 0)
    paired.select(1)
    assert "no acknowledgement" in paired.jump()


def test_pending_events_become_unconfirmed_when_the_connection_ends() -> None:
    lost = model(emit("a", id=1), emit("b", id=2), ack("a", id=1), packet("close", "local", reason="gone"))
    assert lost.acks.unconfirmed == {1}
    assert lost.acks.count_pending() == 0
