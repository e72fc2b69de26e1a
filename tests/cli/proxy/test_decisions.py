"""Lines of stdin about intercepted packets."""

import pytest

from nsroom.client.events import Acknowledge, Emit
from nsroom.proxy.decisions import Decided, Sending, parse_command
from nsroom.proxy.intercepting import Action, Decision
from nsroom.record import Direction

IN, OUT = Direction.IN, Direction.OUT


@pytest.mark.parametrize(
    ("line", "decision"),
    [
        ('{"intercept": 1, "action": "forward"}', Decision(Action.FORWARD)),
        ('{"intercept": 1, "action": "drop"}', Decision(Action.DROP)),
        ('{"intercept": 1, "action": "edit", "event": "a"}', Decision(Action.EDIT, "a")),
        (
            '{"intercept": 1, "action": "edit", "args": [{"$binary": "AQ=="}]}',
            Decision(Action.EDIT, None, [b"\1"]),
        ),
    ],
)
def test_decisions(line: str, decision: Decision) -> None:
    assert parse_command(line.encode()) == Decided(1, decision)


@pytest.mark.parametrize(
    ("line", "sending"),
    [
        ('["a", 1]', Sending(None, OUT, Emit("/", "a", [1], '["a",1]'), False)),
        ('{"event": "a"}', Sending(None, OUT, Emit("/", "a", []), False)),
        (
            '{"event": "a", "args": [{"$binary": "AQ=="}], "namespace": "/x",'
            ' "client": "s", "direction": "in", "ack": true}',
            Sending("s", IN, Emit("/x", "a", [b"\1"]), True),
        ),
        (
            '{"kind": "ack", "id": 3, "args": [1], "sid": "s", "direction": "in"}',
            Sending("s", IN, Acknowledge("/", 3, [1]), False),
        ),
    ],
)
def test_packets_to_send(line: str, sending: Sending) -> None:
    assert parse_command(line.encode()) == sending


def test_the_digits_of_a_number_stay() -> None:
    command = parse_command(b'["a", 1e3]')
    assert isinstance(command, Sending)
    assert isinstance(command.item, Emit)
    assert str(command.item.args[0]) != "1000.0"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("\xff", "not UTF-8"),
        ("{", "not JSON|Expect|object"),
        ('{"intercept": "1", "action": "drop"}', "intercept must be the id"),
        ('{"intercept": true, "action": "drop"}', "intercept must be the id"),
        ('{"intercept": 1}', "action must be forward, edit, drop"),
        ('{"intercept": 1, "action": ["drop"]}', "action must be"),
        ('{"intercept": 1, "action": "edit"}', 'an edit needs "event" or "args"'),
        ('{"intercept": 1, "action": "drop", "args": []}', "only an edit has them"),
        ('{"intercept": 1, "action": "edit", "args": {}}', "args must be a list"),
        ('{"intercept": 1, "action": "edit", "event": true}', "event must be a string"),
        ('{"intercept": 1, "action": "drop", "x": 1}', "unknown key 'x'"),
        ('{"intercept": 1, "action": "edit", "args": [{"$binary": "!"}]}', "must be base64"),
        ('{"event": "a", "direction": "local"}', "direction must be out"),
        ('{"event": "a", "client": 1}', "client must be the sid"),
        ('{"event": "a", "ack": 1}', "ack must be true or false"),
        ('{"kind": "connect"}', "only events and acknowledgements"),
        ('{"kind": "event", "event": "a", "data": {"intercept": {"id": 1}}}', "to decide about it"),
        ("1", "must be a JSON object"),
        ("[]", "an event needs a name"),
    ],
)
def test_lines_that_are_refused(line: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_command(line.encode("latin-1"))
