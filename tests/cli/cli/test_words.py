"""Sort the words of a command line."""

import pytest

from nsroom.cli.words import MissingValueError, UnknownOptionError, sort

OPTIONS = {"-k": False, "--insecure": False, "-C": True, "--count": True, "-q": False}


@pytest.mark.parametrize(
    ("line", "options", "arguments"),
    [
        ("", [], []),
        ("a b", [], ["a", "b"]),
        ("-k a", ["-k"], ["a"]),
        ("a -C 3 b", ["-C", "3"], ["a", "b"]),
        ("a -C3 b", ["-C3"], ["a", "b"]),
        ("-kC 3 b", ["-kC", "3"], ["b"]),
        ("-kC3 b", ["-kC3"], ["b"]),
        ("--count=3 b", ["--count=3"], ["b"]),
        ("--count -k b", ["--count", "-k"], ["b"]),
        ("a -5 -1.5e3 -.5 -0", [], ["a", "-5", "-1.5e3", "-.5", "-0"]),
        ("-C -5", ["-C", "-5"], []),
        ("a - b", [], ["a", "-", "b"]),
        ("-k -- -C -x", ["-k"], ["-C", "-x"]),
        ("a -- -- b", [], ["a", "--", "b"]),
    ],
)
def test_options_and_arguments(line: str, options: list[str], arguments: list[str]) -> None:
    args = line.split()
    words = sort(args, OPTIONS)
    assert words.options == options
    assert [args[index] for index in words.arguments] == arguments


@pytest.mark.parametrize(
    ("line", "values"),
    [("-C 3", {"-C": "3"}), ("-C3 -C 4", {"-C": "4"}), ("--count=", {"--count": ""}), ("-kq", {})],
)
def test_the_values_of_options(line: str, values: dict[str, str]) -> None:
    assert sort(line.split(), OPTIONS).values == values


def test_where_the_words_are_arguments_whatever_they_look_like() -> None:
    assert sort(["a", "-k", "--", "b"], OPTIONS).literal == 2
    assert sort(["a", "-k"], OPTIONS).literal == 2


@pytest.mark.parametrize(
    ("line", "name", "index"),
    [
        ("a -x", "-x", 1),
        ("a -kx", "-kx", 1),
        ("--counts 3", "--counts", 0),
        ("--x=3", "--x", 0),
        ("-Inf", "-I", 0),
    ],
)
def test_an_unknown_option(line: str, name: str, index: int) -> None:
    with pytest.raises(UnknownOptionError) as caught:
        sort(line.split(), OPTIONS)
    assert (caught.value.name, caught.value.index) == (name, index)


@pytest.mark.parametrize(
    ("line", "name"),
    [("a -C", "-C"), ("-kC", "-C"), ("--count", "--count"), ("-C --count=", "-C"), ("-C --count 1", "-C")],
)
def test_a_missing_value(line: str, name: str) -> None:
    with pytest.raises(MissingValueError) as caught:
        sort(line.split(), OPTIONS)
    assert caught.value.name == name


def test_the_caller_decides_which_words_are_arguments() -> None:
    assert sort(["-sid"], OPTIONS, lambda word: word == "-sid").arguments == [0]
