from tests.cli.tui.records import ack, emit, event, message, observed, view


def test_going_to_a_room_clears_its_unread_count() -> None:
    viewed = view(message("lobby", "ann", "hi"), event("x", namespace="/news"))
    namespaces = viewed.model.namespaces
    assert namespaces["/chat"].rooms["lobby"].unread == 1
    viewed.go_to("/chat", "lobby")
    assert namespaces["/chat"].rooms["lobby"].unread == 0
    assert namespaces["/news"].unread == 1
    viewed.go_to("/news")
    assert (namespaces["/news"].unread, namespaces.current, namespaces.room) == (0, "/news", "")


def test_leaving_a_chat_remembers_the_last_line() -> None:
    viewed = view(message("lobby", "ann", "hi"), room="lobby")
    viewed.go_to("/chat", "ops")
    assert viewed.chat_read["/chat", "lobby"] == 1


def test_the_number_of_remembered_chats_is_limited() -> None:
    viewed = view()
    for n in range(1100):
        viewed.go_to("/chat", f"r{n}")
    assert len(viewed.chat_read) == 1000
    assert ("/chat", "r0") not in viewed.chat_read


def test_the_detail_is_kept_until_another_record_or_an_answer() -> None:
    viewed = view(emit("join", id=1), event("hi"))
    viewed.model.select(0)
    viewed.show_detail()
    detail = viewed.detail
    viewed.show_detail()
    assert viewed.detail is detail
    viewed.model.add(ack("join", id=1))
    viewed.show_detail()
    assert viewed.detail is not detail
    assert viewed.detail is not None
    assert viewed.detail.answer is viewed.model[2]


def test_without_a_selection_there_is_a_notice() -> None:
    viewed = view(event("hi"))
    assert viewed.require_selected() is None
    assert viewed.notice.failed
    viewed.model.select(0)
    assert viewed.require_selected() is viewed.model[0]


def test_only_a_connection_of_our_own_can_send() -> None:
    assert (view().can_send, view().is_observing) == (True, False)
    assert (observed().can_send, observed().is_observing) == (False, True)
