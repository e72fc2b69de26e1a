"""Transport fixes: configuration of proxies, and limits."""

import pytest

from nsroom.doctor.fixes import transport


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/socket.io/", "location /socket.io/ {"),
        ("/a b/", 'location "/a b/" {'),
        ("/x; deny all/", 'location "/x; deny all/" {'),
        ("/$host/", 'location "/$host/" {'),
        ("/\x03\n}/", 'location "/\\u0003\\n}/" {'),
    ],
)
def test_a_path_is_one_word_of_nginx(path: str, location: str) -> None:
    assert transport.nginx(path).text.startswith(location)


def test_limits_are_large_enough() -> None:
    assert transport.body_size(1_000_000)[0].text == "client_max_body_size 2m;"
    assert "maxHttpBufferSize: 4026" in transport.payload(2013)[0].text


def test_sticky_sessions_by_cookie_need_clients_that_send_it() -> None:
    assert all(fix.place == "client, JavaScript" for fix in transport.sticky("node"))
    assert any("ip_hash" in fix.text for fix in transport.sticky())


def test_credentials_are_allowed_only_if_needed() -> None:
    assert "credentials: true" in transport.cors("https://x.example", True)[0].text
    assert "credentials" not in transport.cors("https://x.example", False)[0].text


def test_ping_intervals_are_shorter_than_the_idle_time() -> None:
    assert "pingInterval: 30000" in transport.idle(60)[-1].text
    assert "pingInterval: 1000" in transport.idle(0.5)[-1].text
