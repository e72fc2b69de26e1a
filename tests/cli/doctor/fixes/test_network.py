"""Network fixes: hostile values stay one word in a shell and one string in code."""

import shlex

import pytest

from nsroom.doctor.finding import Fixes
from nsroom.doctor.fixes import network
from nsroom.output.terminal import safe

HOSTILE = "http://x/';$(rm -rf ~)\"\n`reboot`\x1b[2J"


def texts(fixes: Fixes, place: str) -> list[str]:
    return [fix.text for fix in fixes if fix.place == place]


def test_a_shell_command_keeps_a_strange_url_in_one_word() -> None:
    url = "http://x/';$(rm -rf ~)`reboot`"
    [command] = texts(network.moved(url, "/a b/"), "shell")
    assert shlex.split(command) == ["nsroom", "doctor", url, "--path", "/a b/"]


@pytest.mark.parametrize("path", ["/socket.io/", "/socket.io"])
def test_a_url_that_is_not_safe_to_paste_is_in_no_command(path: str) -> None:
    fixes = network.moved(HOSTILE, path) + network.use_url(HOSTILE)
    commands = [text for text in texts(fixes, "shell") if not text.startswith("# not shown")]
    assert all("reboot" not in command for command in commands)
    for fix in fixes:
        assert all(safe(line) == line for line in fix.text.split("\n"))
        assert "\nreboot" not in fix.text


def test_code_keeps_a_hostile_url_in_one_string() -> None:
    [code] = texts(network.moved(HOSTILE, "/socket.io/"), "client, JavaScript")
    assert '\\"' in code
    assert "\n" not in code


def test_host_names_are_quoted_for_the_shell() -> None:
    for fixes in (network.renew("a b"), network.other_host("a b"), network.chain("a b")):
        assert any("'a b'" in text for text in texts(fixes, "shell"))
    assert network.look_up("a b").text == "getent hosts 'a b' || nslookup 'a b'"


@pytest.mark.parametrize(("refused", "count"), [(False, 1), (True, 3)])
def test_only_a_refused_port_needs_another_address(refused: bool, count: int) -> None:
    assert len(network.listen(3000, refused)) == count


@pytest.mark.parametrize(("status", "place"), [(429, "proxy"), (502, "shell")])
def test_gateways(status: int, place: str) -> None:
    assert network.gateway(status)[0].place == place
