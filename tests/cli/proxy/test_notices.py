"""Lines for the user, each once."""

from nsroom.proxy.notices import Notices


def test_the_first_session_is_a_command() -> None:
    said: list[str] = []
    notices = Notices("http://localhost:3000", said.append)
    notices.report_session("/ws/socket.io/", "/chat", ["token", "a b"], is_old=False)
    notices.report_session("/socket.io/", "/", [], is_old=True)
    assert said == [
        "first session: nsroom connect http://localhost:3000/chat --path /ws/socket.io/ "
        "--auth 'token=…' --auth 'a b=…'"
    ]
    Notices("http://a", said.append).report_session("/socket.io/", "/", [], is_old=True)
    assert said[1] == "first session: nsroom connect http://a --protocol 3"


def test_hostile_names_stay_one_word_of_the_command() -> None:
    said: list[str] = []
    Notices("http://a", said.append).report_session("/'; rm -rf ~", "/$(id)" * 100, [], is_old=False)
    assert said[0].startswith("first session: nsroom connect 'http://a/$(id)/$(id)")
    assert said[0].endswith("""' --path '/'"'"'; rm -rf ~'""")
    assert len(said[0]) < 300


def test_refusals_are_reported_once_and_within_a_bound() -> None:
    said: list[str] = []
    notices = Notices("http://localhost:3000", said.append)
    for _ in range(2):
        notices.report_refusal("HTTP 400 'no'", "http://localhost:5173")
        notices.report_refusal("HTTP 401", "")
        notices.report_forbidden("attacker.example is not a name of this proxy")
    assert said == [
        "handshake refused: HTTP 400 'no': does the server allow pages of http://localhost:5173? "
        "else try --origin http://localhost:3000",
        "handshake refused: HTTP 401: the client's records and the server's log say more",
        "refused: attacker.example is not a name of this proxy",
    ]
    for number in range(1000):
        notices.report_refusal(f"HTTP {number}", "")
    assert len(said) == 100
