"""Which package may import which, and which calls may never read text from outside.

Imports inside functions and under TYPE_CHECKING count like any other.
"""

import ast
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = {
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
    for root in (ROOT / "cli", ROOT / "server")
    for path in root.rglob("*.py")
}
LAYERS = {
    "nsroom": (
        "errors lazy folders",
        "record",
        "filters channel comparison encoding protocol",
        "output client.target",
        "client.transports",
        "client",
        "introspection",
        "proxy doctor cli",
        "capture",
        "tui mock scenarios",
        "bench",
        "watch api replaying",
        "commands pytest_plugin",
        "main",
        "__main__",
    ),
    "nsroom_server": (
        "errors counters event_loop token_bucket page",
        "settings strict_json",
        "logs",
        "engineio",
        "socketio",
        "chat",
        "admin cluster operations",
        "backends",
        "app",
    ),
}
"""From the bottom up: a package imports itself and the rows below its own."""
PACKAGES = {
    "nsroom.protocol": "",
    "nsroom.protocol.messagepack": "msgpack",
    "nsroom.output": "rich orjson",
    "nsroom.client.transports": "socketio engineio aiohttp multidict yarl",
    "nsroom.client": "aiohttp orjson yarl",
    "nsroom.proxy": "",
    "nsroom.doctor": "multidict yarl",
    "nsroom.introspection.redis": "redis",
    "nsroom.introspection.exporter": "aiohttp",
    "nsroom.bench": "rich",
    "nsroom.scenarios": "typer",
    "nsroom.cli": "typer",
    "nsroom.folders": "platformdirs",
    "nsroom.commands": "typer",
    "nsroom.main": "typer",
    "nsroom.tui": "prompt_toolkit",
    "nsroom.pytest_plugin": "pytest pytest_asyncio",
    "nsroom": "",
    "nsroom_server.cluster": "redis",
    "nsroom_server.event_loop": "uvloop",
    "nsroom_server.strict_json": "orjson",
    "nsroom_server.settings": "",
    "nsroom_server.chat": "",
    "nsroom_server": "aiohttp multidict yarl",
}
"""Other people's packages, by the longest prefix that fits."""
PURE = (
    "nsroom.protocol",
    "nsroom.tui.model",
    *(
        f"nsroom.capture.{name}"
        for name in ("addresses", "files", "packets", "tcp", "resuming", "dialogue", "capture")
    ),
    *(
        f"nsroom.proxy.{name}"
        for name in (
            "traffic",
            "sessions",
            "addresses",
            "notices",
            "totals",
            "dropping",
            "bodies",
            "messages",
            "heartbeats",
            "ping_timeout",
            "rewriting",
            "intercepting",
            "marks",
            "intercepted_socket",
            "decisions",
        )
    ),
)
NOT_PURE = {"asyncio", "socket", "ssl", "time", "threading", "select", "selectors"}
SCREENLESS = ("nsroom.tui.model", "nsroom.tui.top.model", "nsroom.tui.top.activity", "nsroom.tui.top.rows")
FORBIDDEN_CALLS = {"from_markup", "ANSI", "HTML", "escape_markup", "render_markup"}
REFERENCE_SERVER = (
    "nsroom.commands.serve",
    "nsroom.commands.demo",
    "nsroom.mock.application",
    "nsroom.mock.replay",
)
"""The modules that run it."""


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that a module, or a part of one, imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in SOURCES else str(node.module)


def parse(module: str) -> ast.Module:
    return ast.parse(SOURCES[module].read_text("utf-8"))


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def longest(name: str, prefixes: Collection[str]) -> str:
    return max((prefix for prefix in prefixes if within(name, prefix)), key=len)


def layer_of(module: str) -> tuple[int, str]:
    """Return the row of a module's package, counted from the bottom, and the package."""
    own = module.partition(".")[0]
    rows = {f"{own}.{name}": height for height, row in enumerate(LAYERS[own]) for name in row.split()}
    package = longest(module, rows)
    return rows[package], package


def may_import(module: str, name: str) -> bool:
    """Return whether a module may import this module, ours or another's."""
    root, own = name.partition(".")[0], module.partition(".")[0]
    if root in sys.stdlib_module_names:
        return True
    if root not in LAYERS:
        return root in PACKAGES[longest(module, PACKAGES)].split()
    if root != own:
        return module in REFERENCE_SERVER
    if name == root:
        return True
    height, package = layer_of(module)
    other_height, other = layer_of(name)
    return package == other or other_height < height


def circles(graph: Mapping[str, Collection[str]]) -> list[set[str]]:
    """Return the sets of nodes that reach each other."""

    def reachable(start: str) -> set[str]:
        found: set[str] = set()
        todo = [start]
        while todo:
            new = set(graph.get(todo.pop(), ())) - found
            found |= new
            todo += new
        return found

    reach = {node: reachable(node) for node in graph}
    return [
        {other for other in reach[node] if node in reach.get(other, ())}
        for node in graph
        if node in reach[node]
    ]


GRAPH = {
    module: {name for name in imports(parse(module)) if name in SOURCES and name != module}
    for module in SOURCES
}
FOLDERS = sorted({module.rpartition(".")[0] for module in SOURCES if "." in module})


@pytest.mark.parametrize("module", sorted(set(SOURCES) - set(LAYERS)))
def test_imports_point_down(module: str) -> None:
    assert [name for name in imports(parse(module)) if not may_import(module, name)] == []


def test_there_is_no_circle_of_files() -> None:
    assert circles(GRAPH) == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_there_is_no_circle_of_folders(folder: str) -> None:
    """Each entry of a folder, whether file or folder, is one node."""
    depth = folder.count(".") + 2

    def entry(name: str) -> str:
        return ".".join(name.split(".")[:depth])

    graph: dict[str, set[str]] = {}
    for module in SOURCES:
        if within(module, folder) and module != folder:
            others = {entry(name) for name in GRAPH[module] if within(name, folder) and name != folder}
            graph.setdefault(entry(module), set()).update(others - {entry(module)})
    assert circles(graph) == []


def test_the_circle_rule_catches() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert {"a", "b"} in circles({"a": {"b"}, "b": {"a", "c"}, "c": set()})


@pytest.mark.parametrize(
    "module", [name for name in sorted(SOURCES) if any(within(name, each) for each in PURE)]
)
def test_pure_modules_touch_no_clock_and_no_network(module: str) -> None:
    assert NOT_PURE.isdisjoint(imports(parse(module)))


@pytest.mark.parametrize(
    "module", [name for name in sorted(SOURCES) if any(within(name, each) for each in SCREENLESS)]
)
def test_the_model_of_the_view_knows_no_screen(module: str) -> None:
    assert [
        name
        for name in GRAPH[module]
        if within(name, "nsroom.tui.screen") or "prompt_toolkit" in ast.unparse(parse(name))
    ] == []


@pytest.mark.parametrize("module", [name for name in sorted(SOURCES) if within(name, "nsroom.commands")])
def test_commands_import_inside_their_function(module: str) -> None:
    top = (node for node in parse(module).body if isinstance(node, ast.Import | ast.ImportFrom))
    light = ("typer", "nsroom.cli", "nsroom.errors", "nsroom.output.stdio")
    assert [
        name
        for node in top
        for name in imports(node)
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(within(name, each) for each in light)
    ] == []


@pytest.mark.parametrize(
    "module",
    [name for name in sorted(SOURCES) if within(name, "nsroom.output") or within(name, "nsroom.bench")],
)
def test_rich_is_imported_inside_functions(module: str) -> None:
    top = (node for node in parse(module).body if isinstance(node, ast.Import | ast.ImportFrom))
    assert not [name for node in top for name in imports(node) if within(name, "rich")]


def parses_markup(node: ast.AST) -> bool:
    """Return whether a node is a call or import that reads markup or escape sequences out of text."""
    if isinstance(node, ast.ImportFrom):
        return str(node.module) == "rich.markup" or (node.module == "rich" and node.names[0].name == "print")
    if not isinstance(node, ast.Call):
        return False
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
    risky = {"markup", "emoji", "highlight"}
    on = [
        word
        for word in node.keywords
        if word.arg in risky and getattr(word.value, "value", None) is not False
    ]
    return name in FORBIDDEN_CALLS or bool(on)


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_no_markup_is_parsed(module: str) -> None:
    tree = parse(module)
    assert [ast.unparse(node) for node in ast.walk(tree) if parses_markup(node)] == []


def test_a_console_is_made_in_one_place() -> None:
    makers = [
        module
        for module in SOURCES
        for node in ast.walk(parse(module))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Console"
    ]
    assert makers == ["nsroom.output.terminal"]


@pytest.mark.parametrize(
    "source",
    [
        "Text.from_markup(text)",
        "ANSI(text)",
        "HTML(text)",
        "console.print(text, markup=True)",
        "Console(markup=flag)",
        "from rich import print",
        "from rich.markup import escape",
    ],
)
def test_the_markup_rule_catches(source: str) -> None:
    assert any(map(parses_markup, ast.walk(ast.parse(source))))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("nsroom.record", "nsroom.output.sinks"),
        ("nsroom.filters", "nsroom.output.sinks"),
        ("nsroom.protocol.session", "nsroom.channel"),
        ("nsroom.tui.model.model", "rich"),
        ("nsroom.tui.app", "aiohttp"),
        ("nsroom.client.client", "nsroom.commands.emit"),
        ("nsroom.client.transports.tap", "nsroom.client.client"),
        ("nsroom.doctor.runner", "nsroom.proxy.relay"),
        ("nsroom.doctor.runner", "rich"),
        ("nsroom.introspection.joining", "redis"),
        ("nsroom_server.app", "nsroom.record"),
        ("nsroom_server.chat.policy", "nsroom_server.admin.commands"),
        ("nsroom_server.chat.delivery", "socketio"),
    ],
)
def test_the_layer_rule_catches(module: str, name: str) -> None:
    assert not may_import(module, name)
