"""The tree and the modules that docs/architecture.md names are those that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
SOURCES = (ROOT / "cli" / "nsroom", ROOT / "server" / "nsroom_server")


def tree() -> list[Path]:
    """Return the paths that the page's tree lists."""
    block = PAGE.partition("## The tree")[2].split("```")[1]
    found: list[Path] = []
    parents: list[str] = []
    for line in filter(None, block.splitlines()):
        name = line.split()[0]
        depth = (len(line) - len(line.lstrip())) // 2
        parents[depth:] = [name]
        found.append(Path(*parents))
    return found


def test_the_tree_lists_what_there_is() -> None:
    listed = set(tree())
    assert {path for path in listed if not (ROOT / path).exists()} == set()
    there = {
        path for root in SOURCES for path in root.rglob("*") if path.is_dir() and path.name != "__pycache__"
    }
    there |= {path for root in SOURCES for path in root.glob("*.py") if path.name != "__init__.py"}
    assert {path.relative_to(ROOT) for path in there} - listed == set()


def test_the_flows_name_modules_that_there_are() -> None:
    flows = PAGE.partition("## Five flows")[2]
    names = re.findall(r"`([a-z_0-9]+(?:/[a-z_0-9]+)+)/?`", flows)
    assert len(names) > 20
    missing = [
        name
        for name in names
        if not any((root / f"{name}.py").exists() or (root / name).is_dir() for root in SOURCES)
    ]
    assert missing == []
