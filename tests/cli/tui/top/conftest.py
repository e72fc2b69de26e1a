"""Fixtures for tests of `top`."""

import pytest

from tests.cli.tui.top.terminals import Start
from tests.conftest import StartServer


@pytest.fixture(params=["node", "python"])
def start(request: pytest.FixtureRequest, node_server: StartServer, python_script: StartServer) -> Start:
    """Start an instrumented server."""
    if request.param == "python":
        return lambda *args: python_script("instrumented.py", *args)
    return lambda *args: node_server("admin4.js", *args)
