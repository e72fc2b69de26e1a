"""Programs of the user: their input and output, and every way to fail."""

import sys

import pytest

from nsroom.client.programs import MAX_OUTPUT, ProgramError, output_of


async def run(code: str, timeout: float = 20, **options: object) -> bytes:
    return await output_of([sys.executable, "-c", code], timeout, **options)  # type: ignore[arg-type]


async def test_input_variables_and_folder(tmp_path: object) -> None:
    code = "import os, sys; print(sys.stdin.read(), os.environ['WORD'], os.getcwd())"
    output = await run(code, stdin=b"in", variables={"WORD": "out"}, folder=str(tmp_path))
    assert output.split() == [b"in", b"out", str(tmp_path).encode()]


async def test_a_program_need_not_read_its_input() -> None:
    assert await run("print(1)", stdin=b"x" * 1_000_000) == b"1\n"


async def test_the_output_is_cut() -> None:
    assert len(await run("print('x' * 3_000_000)")) == MAX_OUTPUT


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (r"import sys; sys.exit('first\nlast')", "failed with code 1: last"),
        ("raise SystemExit(3)", "failed with code 3$"),
    ],
)
async def test_a_failure_has_the_last_line_of_stderr(code: str, message: str) -> None:
    with pytest.raises(ProgramError, match=message):
        await run(code)


async def test_it_must_exist_and_end() -> None:
    with pytest.raises(ProgramError, match="cannot run /dev/null/x: Not a directory"):
        await output_of(["/dev/null/x"], 10)
    with pytest.raises(ProgramError, match=r"did not end within 0\.2 s"):
        await run("import time; time.sleep(60)", 0.2, stdin=b"x" * 1_000_000)
