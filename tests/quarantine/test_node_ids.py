from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_flakehunt.quarantine.node_ids import based, escaped, fits, literal, rebased


@pytest.mark.parametrize(
    ("test", "nodeid", "means"),
    [
        ("a.py::test_x", "a.py::test_x", True),
        ("a.py::test_x", "a.py::test_x[1]", False),
        ("a.py::test_x[*]", "a.py::test_x[1-2]", True),
        ("a.py::test_x[*]", "a.py::test_x", False),
        ("a.py::test_x[*]", "a.py::test_xy[1]", False),
        ("a.py::test_x[1-*-b]", "a.py::test_x[1-[]]-b]", True),
        ("a.py::test_x[1-*]", "a.py::test_x[2-1]", False),
        ("a.py::test_x[a*b]", "a.py::test_x[a*b]", True),
        ("a.py::test_x[a[*]b]", "a.py::test_x[a*b]", True),
        ("a.py::test_x[a[*]b]", "a.py::test_x[axb]", False),
        ("[a].py::test_x[*]", "[a].py::test_x[::1]", True),
        ("a.py::test_x[?]", "a.py::test_x[1]", False),
        ("a.py::test_x[*]", "a.py::test_x[1\n2]", True),
    ],
)
def test_a_star_stands_for_any_text_within_the_parameters_alone(test: str, nodeid: str, means: bool) -> None:
    assert fits(test, nodeid) is means


@given(st.text(max_size=12), st.text(max_size=12))
def test_an_entry_can_mean_one_node_id_alone(one: str, other: str) -> None:
    nodeid, second = f"a.py::test_x[{one}]", f"a.py::test_x[{other}]"
    assert fits(escaped(nodeid), nodeid)
    assert fits(escaped(nodeid), second) is (one == other or escaped(nodeid) == second)
    assert literal(escaped(nodeid)) == nodeid


def test_node_ids_begin_from_the_configuration(tmp_path: Path) -> None:
    assert rebased("a.py::x", tmp_path / "tests", tmp_path) == "tests/a.py::x"
    assert rebased("tests/a.py::x", tmp_path, tmp_path / "ci") == "../tests/a.py::x"
    assert based("::x[a::b]", tmp_path / "tests" / "a.py", tmp_path, rebase=True) == "tests/a.py::x[a::b]"
