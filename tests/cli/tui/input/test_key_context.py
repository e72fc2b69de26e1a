import pytest

from nsroom.tui.input.key_context import KeyContext, repeat
from tests.cli.tui.records import view


@pytest.mark.parametrize(("count", "times"), [(0, 1), (1, 1), (7, 7), (10**6, 1000)])
def test_a_count_repeats_an_action(count: int, times: int) -> None:
    done: list[KeyContext] = []
    viewed = view()
    viewed.count = count
    context = KeyContext(viewed, None, None)  # type: ignore[arg-type]
    repeat(done.append)(context)
    assert done == [context] * times
