import pytest

from nsroom_server.engineio import ids


def test_names_differ_and_are_known() -> None:
    names = {ids.generate_sid() for _ in range(1000)}
    assert len(names) == 1000
    assert {len(name) for name in names} == {20}
    assert all(ids.is_sid(name) for name in names)


@pytest.mark.parametrize("name", ["", "lobby", "a" * 20, "ä" * 20, "\ud800", "a b-c_d", "=" * 20])
def test_other_names_are_none(name: str) -> None:
    assert not ids.is_sid(name)


def test_a_name_with_another_letter_is_none() -> None:
    name = ids.generate_sid()
    assert not ids.is_sid(("b" if name[0] == "a" else "a") + name[1:])
