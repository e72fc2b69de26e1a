"""The plan of a load of scenarios, sent to the worker processes as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from nsroom.bench.plan import Load
from nsroom.cli.connection_options import ConnectionOptions
from nsroom.client.target import Parser, Protocol, Transport
from nsroom.scenarios.check import is_refusal, load
from nsroom.scenarios.script import Line, Script
from nsroom.scenarios.variables import parse_values

_ENUMS = {"transport": Transport, "protocol": Protocol, "parser": Parser}
START, RUN = "start", "run"
"""The names of two measurements besides the lines: how late runs started, and how long they took."""
SENDING = ("connect", "join", "leave", "emit", "call")
"""The verbs that wait for the server."""
_LONGEST = 40
"""Characters of the first argument in the name of a line."""


@dataclass(frozen=True, slots=True)
class ScriptPlan:
    """The plan of one worker: groups of clients that run the scenario again and again."""

    module: ClassVar[str] = "nsroom.bench.script.worker"

    file: str
    values: Sequence[str]
    """The words of --set."""
    options: ConnectionOptions
    load: Load
    clients: int
    """The clients of the scenario, which are a group."""
    worker: int = 0

    @property
    def groups(self) -> int:
        """The number of groups in all workers."""
        return self.load.clients // self.clients

    @property
    def own_groups(self) -> range:
        """The numbers of this worker's groups."""
        return range(self.worker, self.groups, self.load.workers)

    def script(self) -> Script:
        """Read the scenario. Raises: UsageError."""
        return load(Path(self.file), self.file, parse_values(self.values))

    def for_worker(self, worker: int) -> Self:
        """Return the plan of another worker."""
        return replace(self, worker=worker)

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""
        return asdict(self) | {"options": vars(self.options) | {"given": sorted(self.options.given)}}


def from_json(value: dict[str, Any]) -> ScriptPlan:
    """Return the plan that `to_json` made this object from."""
    options = dict(value["options"])
    options["given"] = frozenset(options["given"])
    options |= {name: kind(options[name]) for name, kind in _ENUMS.items()}
    return ScriptPlan(**{**value, "options": ConnectionOptions(**options), "load": Load(**value["load"])})


def clients_of(script: Script) -> int:
    """Return the number of clients in a scenario."""
    return len({line.client for line in script.lines})


def name_of(line: Line) -> str:
    """Return the name of a line in the report: `lobby.nsroom:7 call message`."""
    words = line.texts or line.expression.split()
    shown = words[: 2 if words and words[0].startswith("/") and line.verb != "connect" else 1]
    return " ".join([line.place, line.verb, *(word[:_LONGEST] for word in shown)])


def is_measured(line: Line) -> bool:
    """Return whether the time of a line is a latency, and not a wait or work of the client alone."""
    return line.verb in (*SENDING, "expect") and not is_refusal(line)


def names_of(script: Script, load: Load) -> Mapping[str, Sequence[str]]:
    """Return the names of measurements by what a threshold can call them.

    That is the number of a line, FILE:LINE, a verb, `run`, and with a rate `start`. A threshold without a
    name applies to all lines but those that connect.
    """
    names: dict[str, list[str]] = {"": [], RUN: [RUN]} | ({START: [START]} if load.rate else {})
    for line in filter(is_measured, script.lines):
        name = name_of(line)
        also = [""] if line.verb != "connect" else []
        number = [str(line.number)] if line.file == script.file else []
        for each in (line.place, line.verb, *number, *also):
            known = names.setdefault(each, [])
            known += [] if name in known else [name]
    return names
