"""Node ids that come out of files, and are given to pytest."""

from pathlib import PurePosixPath, PureWindowsPath


def astray(nodeid: str) -> str:
    """Say why pytest is not to be given a word as a test; empty where it may be.

    >>> astray("tests/test_a.py::test_x[-p]"), astray("-pevil::x")
    ('', 'pytest would take it for something else than a test: no node id begins with -')
    """
    file, separator, _ = nodeid.partition("::")
    if not separator or not file:
        return "give the node id of a test, such as tests/test_shop.py::test_warranty"
    if file[0] in "-@":
        return f"pytest would take it for something else than a test: no node id begins with {file[0]}"
    if "\0" in nodeid:
        return "no command can have the letter of number zero in it"
    if PurePosixPath(file).is_absolute() or PureWindowsPath(file).drive:
        return "it leads out of the project: give the path of its file from the configuration's folder on"
    return ""
