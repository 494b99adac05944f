"""What a controller and a relay say to each other: frames of a length and a tuple, packed with marshal.

Both ends are the same Python, which is made sure of before the first frame.
"""

import marshal
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

_LENGTH = struct.Struct("!I")


class Prepare(NamedTuple):
    """What zygotes start from there."""

    root: str
    """The project's root directory there."""
    environ: Mapping[str, str] | None
    """The environment, where it is not the relay's own."""
    carried: Mapping[str, str]
    """Variables that mean the same on every machine."""
    unseen: Mapping[str, str | None]
    """See :class:`Origin`."""
    sys_path: Sequence[str]
    """Folders below the root directory, relative to it, that come first where modules are looked for."""


class Compare(NamedTuple):
    """What the suite was imported from."""

    files: Mapping[str, str]
    """Digests, by path relative to the root directory."""
    modules: Sequence[str]
    """Installed packages, by the names that they are imported under."""
    settings: Sequence[tuple[str, str]]
    """Perturbations, each with a setting that it may have."""
    data: Mapping[str, str] = {}
    """Digests of files that tests may read, as those of ``files``."""


class Start(NamedTuple):
    """Start a zygote."""

    number: int
    environment: Mapping[str, str]


class Tell(NamedTuple):
    """Hand bytes to a zygote's standard input."""

    number: int
    data: bytes


class Leave(NamedTuple):
    """Let a zygote go, or end it after so many seconds."""

    number: int
    seconds: float


class End(NamedTuple):
    """Kill a zygote with its descendants."""

    number: int


class EndRun(NamedTuple):
    """Kill one child of a zygote, once it has written its stacks."""

    number: int
    pid: int


class Mind(NamedTuple):
    """Look from now on whether a child of a zygote prints without end."""

    number: int
    pid: int


class Tidy(NamedTuple):
    """Delete what a zygote's last sweep wrote for itself."""

    number: int


class Close(NamedTuple):
    """End everything."""


class Beat(NamedTuple):
    """Still there."""


class Prepared(NamedTuple):
    """Whether zygotes can be started there."""

    problem: str
    """Why not; empty where they can."""
    root: str = ""
    """The root directory, as it is called in full."""
    scratch: str = ""
    """The folder of the relay's own."""
    where: str = ""
    """See :class:`Host`."""
    main: str = ""
    """The file that ``python -m pytest`` runs."""


class Compared(NamedTuple):
    """What is other there."""

    missing: Sequence[str]
    """Files that are not there."""
    other: Sequence[str]
    """Files with other contents."""
    modules: Sequence[str]
    """Packages that are not installed."""
    settings: Sequence[tuple[str, str]]
    """Perturbations that cannot be held, or not with a setting, each with the reason."""
    absent: Sequence[str] = ()
    """Files that tests may read, and that are not there."""
    changed: Sequence[str] = ()
    """Such files with other contents."""


class Said(NamedTuple):
    """Bytes from a zygote's standard output."""

    number: int
    data: bytes


class Grew(NamedTuple):
    """What was added to a file in a zygote's scratch folder."""

    number: int
    name: str
    data: bytes


class Became(NamedTuple):
    """What a file in a zygote's scratch folder holds now."""

    number: int
    name: str
    data: bytes


class Muted(NamedTuple):
    """A zygote's standard output is closed, and it runs on."""

    number: int


class Flooded(NamedTuple):
    """A child of a zygote prints without end."""

    number: int
    pid: int


class Gone(NamedTuple):
    """A zygote has ended."""

    number: int
    status: int


Frame: TypeAlias = (
    Prepare | Compare | Start | Tell | Leave | End | EndRun | Mind | Tidy | Close | Beat
    | Prepared | Compared | Said | Grew | Became | Muted | Flooded | Gone
)  # fmt: skip
_KINDS = (
    Prepare, Compare, Start, Tell, Leave, End, EndRun, Mind, Tidy, Close, Beat,
    Prepared, Compared, Said, Grew, Became, Muted, Flooded, Gone,
)  # fmt: skip


def encode(frame: Frame) -> bytes:
    """Give a frame as bytes.

    >>> list(Decoder().feed(encode(Said(3, b"x")) + encode(Beat())))
    [Said(number=3, data=b'x'), Beat()]
    """
    fields: tuple[Any, ...] = frame
    body = marshal.dumps((_KINDS.index(type(frame)), tuple(fields)))
    return _LENGTH.pack(len(body)) + body


class Decoder:
    """Gives frames from bytes that come in whatever pieces."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Give the frames that are complete by now."""
        self._data += data
        while len(self._data) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._data)[0]
            if len(self._data) < end:
                return
            body = bytes(self._data[_LENGTH.size : end])
            del self._data[:end]
            kind, fields = marshal.loads(body)  # noqa: S302 - written by a process of ours
            frame: Frame = _KINDS[kind](*fields)
            yield frame
