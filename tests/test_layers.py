"""Who may import whom, and what may never touch text from outside."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
    for root in (ROOT / "cli", ROOT / "server")
    for path in root.rglob("*.py")
}


class Layer(NamedTuple):
    """What a module may import: modules of nsroom, by prefix, and packages of others."""

    modules: str = ""
    packages: str = ""


NETWORK = Layer(packages="socketio engineio aiohttp multidict yarl orjson platformdirs")
ABOVE_NETWORK = ("nsroom.commands", "nsroom.tui", "nsroom.options", "nsroom.main")
# What the live view knows, and what it says of it, without a screen.
MODEL = Layer("record filters summary tui.model tui.chat tui.clients tui.pairs tui.rates tui.ring tui.spaces")
LINE_MODULES = [
    "conversation",
    "copies",
    "detail",
    "lines",
    "sidebar",
    "status",
    "stream",
    "tree",
    "view",
    "words",
    "top.lines",
    "top.view",
]
LINES = Layer("record errors protocol terminal summary client tui")
ANYTHING = Layer()
LAYERS = {
    "nsroom.record": Layer(),
    "nsroom.errors": Layer(),
    "nsroom.protocol": Layer("record errors protocol", "msgpack"),
    "nsroom.matching": Layer("record"),
    "nsroom.filters": Layer("record errors matching"),
    "nsroom.terminal": Layer("record", "rich"),
    "nsroom.output": Layer("errors"),
    "nsroom.streams": Layer("errors terminal"),
    "nsroom.summary": Layer("record terminal"),
    "nsroom.sinks": Layer("record errors filters output summary terminal", "rich orjson"),
    "nsroom.channel": Layer("record"),
    "nsroom.tap": Layer("record errors protocol channel observe"),
    "nsroom.observe": Layer("record errors protocol lean channel tap", "aiohttp multidict yarl"),
    "nsroom.websocket": Layer("protocol"),
    "nsroom.connection": Layer("record errors protocol tap target"),
    "nsroom.admin.inventory": Layer("record"),
    "nsroom.admin.offsets": Layer("record"),
    "nsroom.admin.state": Layer("record admin.inventory admin.offsets"),
    "nsroom.tables": Layer("record listing sinks streams terminal", "rich"),
    **{
        f"nsroom.tui.{name}": MODEL
        for name in ("chat", "clients", "model", "pairs", "rates", "ring", "spaces")
    },
    "nsroom.tui.top.census": Layer("record summary admin.inventory tui.rates"),
    "nsroom.tui.top.rows": Layer("record admin.inventory tui.rates tui.top.census"),
    "nsroom.tui.top.model": Layer("record tui.top.census tui.top.rows"),
    **{f"nsroom.tui.{name}": LINES for name in LINE_MODULES},
    "nsroom.tui": Layer(
        "record errors filters terminal summary arguments joins sinks recording options target client"
        " delivery proxy admin channel listing streams tui",
        "prompt_toolkit platformdirs",
    ),
    "nsroom.load.table": Layer("load terminal", "rich"),
    "nsroom.commands": ANYTHING,
    "nsroom.options": ANYTHING,
    "nsroom.watch": ANYTHING,
    "nsroom.main": ANYTHING,
    "nsroom.commandline": ANYTHING,
    "nsroom.__main__": Layer("main"),
    # What is not named belongs to the client, the proxy or the doctor.
    "nsroom": NETWORK,
    "nsroom_server": Layer(packages="aiohttp multidict yarl redis orjson platformdirs"),
}
NOT_PURE = {"asyncio", "socket", "ssl", "time", "threading", "select", "selectors"}
FORBIDDEN_CALLS = {"from_markup", "ANSI", "HTML", "escape_markup", "render_markup"}


def imports(tree: ast.AST) -> Iterator[str]:
    """Give the dotted names that a module, or a part of one, imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from names if node.module in ("nsroom", "nsroom_server") else [str(node.module)]


def parse(module: str) -> ast.Module:
    return ast.parse(SOURCES[module].read_text("utf-8"))


def within(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def layer_of(module: str) -> Layer:
    return LAYERS[max((prefix for prefix in LAYERS if within(module, prefix)), key=len)]


def allowed(name: str, module: str, layer: Layer) -> bool:
    package = name.partition(".")[0]
    own = module.partition(".")[0]
    if layer is ANYTHING or package in sys.stdlib_module_names or package in layer.packages.split():
        return True
    if own == "nsroom_server":
        return package == own
    if layer is NETWORK:
        return package == own and not any(within(name, above) for above in ABOVE_NETWORK)
    return any(within(name, f"nsroom.{prefix}") for prefix in layer.modules.split())


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_imports_point_down(module: str) -> None:
    layer = layer_of(module)
    assert [name for name in imports(parse(module)) if not allowed(name, module, layer)] == []


@pytest.mark.parametrize("module", [name for name in sorted(SOURCES) if within(name, "nsroom.protocol")])
def test_the_protocol_is_pure(module: str) -> None:
    assert NOT_PURE.isdisjoint(imports(parse(module)))


@pytest.mark.parametrize("module", [name for name in sorted(SOURCES) if layer_of(name) is LINES])
def test_the_lines_of_the_view_need_no_screen(module: str) -> None:
    others = {name for name in imports(parse(module)) if within(name, "nsroom.tui")}
    assert [name for name in others if "prompt_toolkit" in ast.unparse(parse_owner(name))] == []


def parse_owner(name: str) -> ast.Module:
    """Parse the module that a name stands in."""
    return parse(name if name in SOURCES else name.rpartition(".")[0])


@pytest.mark.parametrize("module", [name for name in sorted(SOURCES) if within(name, "nsroom.commands")])
def test_commands_import_inside_their_function(module: str) -> None:
    top = (node for node in parse(module).body if isinstance(node, ast.Import | ast.ImportFrom))
    names = [name for node in top for name in imports(node)]
    light = ("typer", "nsroom.options", "nsroom.errors", "nsroom.streams")
    assert [
        name
        for name in names
        if name.partition(".")[0] not in sys.stdlib_module_names
        and not any(within(name, prefix) for prefix in light)
    ] == []


@pytest.mark.parametrize(
    "module", ["nsroom.terminal", "nsroom.summary", "nsroom.sinks", "nsroom.tables", "nsroom.load.table"]
)
def test_rich_is_imported_inside_functions(module: str) -> None:
    top = (node for node in parse(module).body if isinstance(node, ast.Import | ast.ImportFrom))
    assert not [name for node in top for name in imports(node) if within(name, "rich")]


def parses_markup(node: ast.AST) -> bool:
    """Say whether a call reads markup or escape sequences out of its text."""
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
    assert makers == ["nsroom.terminal"]


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
        ("nsroom.record", "nsroom.errors"),
        ("nsroom.filters", "nsroom.sinks"),
        ("nsroom.tui.model", "prompt_toolkit"),
        ("nsroom.tui.model", "nsroom.tui.view"),
        ("nsroom.tui.detail", "prompt_toolkit"),
        ("nsroom.tui.app", "aiohttp"),
        ("nsroom.client", "nsroom.commands.emit"),
        ("nsroom.doctor", "rich"),
        ("nsroom_server.app", "nsroom.record"),
        ("nsroom_server.socketio.server", "socketio"),
        ("nsroom_server.engineio.server", "engineio"),
    ],
)
def test_the_layer_rule_catches(module: str, name: str) -> None:
    assert not allowed(name, module, layer_of(module))
