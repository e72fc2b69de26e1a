"""Plans for load tests of one server."""

from typing import Any

from nsroom.bench.events import parse_events
from nsroom.bench.plan import Load, Plan, endpoint_of
from nsroom.client.target import Target


def make_plan(
    url: str,
    *,
    namespace: str = "/chat",
    connect_timeout: float = 5.0,
    ack: str | None = None,
    join: str | None = None,
    **load: Any,
) -> Plan:
    """Return a plan with four clients.

    The events are the reference server's unless others are given for `ack` and `join`; the options are those
    of a Load.
    """
    target = Target(url=url, namespaces=(namespace,), connect_timeout=connect_timeout)
    events = parse_events((ack, None), (None, None), (None, join, None))
    options = {"clients": 4, "duration": 0.3, "timeout": 2.0, "size": 40, **load}
    return Plan(endpoint_of(target, "127.0.0.1"), Load(**options), events, 0, "test")
