"""Application fixes quote the names of namespaces and events."""

import pytest

from nsroom.doctor.finding import Fixes
from nsroom.doctor.fixes import application

HOSTILE = 'x"); process.exit(); ("\n'


@pytest.mark.parametrize(
    "fixes",
    [
        application.namespace(HOSTILE),
        application.other_namespace(HOSTILE),
        application.acknowledge(HOSTILE),
        application.late_handlers(HOSTILE),
    ],
)
def test_hostile_names_stay_strings(fixes: Fixes) -> None:
    for fix in fixes:
        assert HOSTILE not in fix.text or fix.place == "shell"


def test_credentials_of_socket_io_2_are_in_the_query() -> None:
    assert all("auth" not in fix.text for fix in application.query_credentials())
    assert any("auth: {" in fix.text for fix in application.credentials())
