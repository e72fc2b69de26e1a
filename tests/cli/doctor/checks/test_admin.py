"""The admin namespace of instrumented servers."""

import pytest

from nsroom.doctor.checks.admin import check_admin
from nsroom.doctor.finding import State
from tests.cli.clients import Reference
from tests.cli.doctor.checks.conftest import Examine
from tests.peers import bad

PASSWORD = "/admin exists, with a password: nsroom rooms, sockets and tail can use it"


async def test_a_server_without_it(examine: Examine, reference: Reference) -> None:
    finding = await check_admin(await examine((await reference()).url))
    assert (finding.state, finding.found) == (State.OK, "not instrumented, or not at /admin")


async def test_an_admin_namespace_without_a_password_on_this_machine(examine: Examine) -> None:
    async with bad.sends('42/admin,["config",{}]') as url:
        finding = await check_admin(await examine(url))
    assert (finding.state, finding.found) == (State.OK, "/admin exists, without a password")


async def test_a_namespace_that_sends_other_events(examine: Examine) -> None:
    async with bad.sends('42/admin,["hello","config"]') as url:
        assert (await check_admin(await examine(url))).found == "not instrumented, or not at /admin"


@pytest.mark.parametrize("message", ["invalid credentials", "authentication failed"])
async def test_an_admin_namespace_with_a_password(message: str, examine: Examine) -> None:
    async with bad.refuses({"message": message}) as url:
        assert (await check_admin(await examine(url))).found == PASSWORD


async def test_a_silent_server(examine: Examine) -> None:
    async with bad.open_then_silence() as url:
        finding = await check_admin(await examine(url, connect_timeout=0.3))
    assert (finding.state, finding.found) == (State.SKIPPED, "no answer from /admin")
