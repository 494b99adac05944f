"""What the controller and its zygotes say to each other: one JSON document a line.

Reports, and what plugins give to workers, hold whatever values other plugins
put there. They are packed with ``marshal``, which keeps all that xdist's own
serializer keeps, and text that is no valid Unicode besides: both ends are
the same interpreter.

Commands go down and answers come up through pipes; what happens within a
sweep is written to a journal, a file of its own for every run, so that a
killed child loses nothing that had ended, and nobody wakes up per test.
"""

import base64
import json
import marshal
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeAlias

from pytest_flakehunt.model import Evidence, Leak, LeakKind, Outcome, Place


@dataclass(frozen=True, slots=True)
class Study:
    """What a run should find out besides whether its tests pass."""

    readings: bool = False
    """Which sources of nondeterminism each test consults, and from which lines."""
    sources: bool = False
    """Which of them each test consults at all, through whatever code."""
    imports: bool = False
    """Which of them were consulted while the suite was imported."""
    changes: bool = False
    """What each test changes that outlives it."""
    lines: bool = False
    """Which line leaves what is left behind, where no event tells."""
    near: bool = False
    """How each test leaves state of which no event tells; otherwise only whether all of them together change it."""
    modules: bool = False
    """Whether modules were replaced; to look at all of them is dear in a fork."""
    outside: bool = False
    """What each test writes to that other processes share."""
    undone: Sequence[str] = ()
    """Changes, by their paths, that are taken back before the next test starts."""
    unheld: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Perturbations that are not held for some tests, by position."""
    hurried: bool = False
    """Whether it may end with its last test: what that has left, and what is on its way out, is of no interest."""
    path: bool = False
    """Which lines of the project the last test runs, and with which values."""
    tape: bool = False
    """Where threads of the last test change places, if they are steered."""
    fitting: bool = False
    """Whether a test says nothing that passes while the code does not fit what the plan plays."""

    @property
    def of_tests(self) -> bool:
        """Whether anything besides leaks is to be found out of each test."""
        return any((self.readings, self.sources, self.changes, self.outside, self.undone, self.path, self.tape))


NO_STUDY = Study()
OUTSIDE = "outside"
"""What is told of a test that writes to something outside its process."""
PATH = "path"
"""What is told of the lines that the last test of a sweep ran."""
TAPE = "tape"
"""What is told of how its threads changed places."""
STIRRED = "stirred"
"""What is told of a sweep that was looked at from afar, and whose tests have changed shared state."""


@dataclass(frozen=True, slots=True)
class Birth:
    """What a zygote must know before it collects."""

    args: Sequence[str]
    directory: str
    argv: Sequence[str]
    workerinput: Mapping[str, Any]
    """What xdist tells a worker, and what other plugins add."""
    tests: Sequence[str]
    """Node ids, in the controller's order; runs name them by position."""
    scratch: str
    hidden: Sequence[str] = ()
    """Variables that were set for this interpreter's start alone."""
    early: str = ""
    """A plan, in written form, that is held while the suite is imported."""
    program: Mapping[str, str | None] = field(default_factory=dict)
    """What the controller's ``__main__`` says of itself: its own names, and under ``spec`` that of its import."""
    watching: bool = False
    """Whether to note which sources are consulted meanwhile."""


@dataclass(frozen=True, slots=True)
class Run:
    """One sweep, or what is left of it."""

    number: int
    plan: str
    groups: Sequence[Sequence[int]]
    """Tests by position, for each process."""
    forked: bool
    journal: str
    spared: Sequence[str] = ()
    """Generators that the project seeds itself."""
    reported: bool = False
    """Whether full reports are wanted, for pytest itself."""
    late: Sequence[str] = ()
    """Node ids of the positions that follow those the zygote was born with."""
    study: Study = NO_STUDY


@dataclass(frozen=True, slots=True)
class Retire:
    """Finish the session and leave."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The suite is collected."""

    missing: Sequence[int]
    """Positions of tests that this interpreter did not collect."""
    extra: Sequence[str]
    """Node ids that only this interpreter collected."""
    digests: Mapping[str, str]
    """Of the states of global random generators."""
    unsafe: str
    """Why it should not fork; empty where it may."""
    certain: bool = False
    """Whether that is known; otherwise forks may be tried, and compared with sweeps that were not forked."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The suite could not be collected here."""

    reason: str
    died: bool = False
    """Whether pytest itself ended: what it wrote as it did tells more."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run is over."""

    group: int
    """The last group that was started, from 0."""
    status: int
    """Of its process: the exit status, or minus the number of the signal that killed it."""
    cpu: float = 0.0
    """CPU seconds of its processes."""
    memory: int = 0
    """Bytes of memory that the largest of them had at most."""


Message: TypeAlias = Birth | Run | Retire | Ready | Failed | Ended
_KINDS = {kind.__name__: kind for kind in (Birth, Run, Retire, Ready, Failed, Ended)}


def encode(message: Message) -> bytes:
    """Give a message as one line; text that is no valid Unicode survives."""
    given = _given(message)
    if isinstance(message, Birth):
        given["workerinput"] = packed(message.workerinput)
    if isinstance(message, Run):
        given["study"] = _given(message.study)
    return json.dumps([type(message).__name__, given]).encode("ascii") + b"\n"


def _given(item: Message | Study) -> dict[str, Any]:
    """Give the fields as they are: ``asdict`` copies what they hold, every position of a sweep among it."""
    return {one.name: getattr(item, one.name) for one in fields(item)}


def decode(line: bytes) -> Message:
    """Read a message.

    >>> decode(encode(Failed("no such file")))
    Failed(reason='no such file', died=False)
    """
    kind, given = json.loads(line)
    if "study" in given:
        given["study"] = Study(**{**given["study"], "undone": tuple(given["study"]["undone"])})
    if "workerinput" in given:
        given["workerinput"] = unpacked(given["workerinput"])
    message: Message = _KINDS[kind](**given)
    return message


def packed(value: Any) -> str:
    """Give values of Python's own types as text; of anything else its text takes the place.

    >>> unpacked(packed({"set": {1}, "bytes": b"x", 2: (1.5, None), "odd": type}))
    {'set': {1}, 'bytes': b'x', 2: (1.5, None), 'odd': "<class 'type'>"}
    """
    return base64.b64encode(marshal.dumps(_plain(value))).decode("ascii")


def unpacked(text: str) -> Any:
    """Give what was packed."""
    return marshal.loads(base64.b64decode(text))  # noqa: S302 - written by a process of ours


DEEPEST = 200
"""Levels of containers within each other that are packed as they are."""


def _plain(value: Any, depth: int = 0) -> Any:
    """Keep values of Python's own types; of a class derived from one, what that holds; of all else the text."""
    kind: Any = next((kind for kind in PLAIN if isinstance(value, kind)), None)
    if value is None or type(value) in SCALARS:
        return value
    if type(value).__module__ == "numpy" and hasattr(value, "item") and not getattr(value, "ndim", 1):
        return _plain(value.item(), depth + 1)
    if kind is None or depth >= DEEPEST:
        return text_of(value)
    if kind is dict:
        return {_key(key, depth): _plain(held, depth + 1) for key, held in value.items()}
    if kind in CONTAINERS:
        return kind([_key(held, depth) if kind in {set, frozenset} else _plain(held, depth + 1) for held in value])
    return str.__str__(value) if kind is str else kind(value)


def _key(value: Any, depth: int) -> Any:
    plain = _plain(value, depth + 1)
    return plain if type(plain).__hash__ is not None else text_of(value)


def text_of(value: object) -> str:
    """Give the text of whatever it is, also where it has none."""
    try:
        return value if type(value) is str else repr(value)
    except Exception as error:  # noqa: BLE001 - it is another's object
        return f"<{type(value).__name__}, whose text cannot be had: {type(error).__name__}>"


SCALARS = frozenset({bool, int, float, complex, str, bytes})
CONTAINERS = frozenset({tuple, list, set, frozenset})
PLAIN = (str, bytes, bool, int, float, complex, tuple, list, set, frozenset, dict)


@dataclass(frozen=True, slots=True)
class Began:
    """A process takes up the work."""

    pid: int


@dataclass(frozen=True, slots=True)
class Started:
    """A test starts."""

    position: int


@dataclass(frozen=True, slots=True)
class Finished:
    """A test has ended."""

    position: int
    outcome: Outcome
    seconds: float
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Reported:
    """A report of a test, for pytest itself."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """Something else that was noticed, such as a warning that pytest itself should see."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Leaked:
    """A test, or a fixture that was set up for it, has left something behind."""

    position: int
    leak: Leak


@dataclass(frozen=True, slots=True)
class Awaits:
    """Whether a test, or a fixture that was set up for it, has left anything behind is judged later."""

    position: int
    over: bool
    """Whether it is judged by now."""


@dataclass(frozen=True, slots=True)
class Done:
    """All tests of the process have ended, and nothing was left to do."""


Entry: TypeAlias = Began | Started | Finished | Reported | Told | Leaked | Awaits | Done


def entry(item: Entry) -> bytes:  # noqa: PLR0911 - one for each kind
    """Give a journal entry as one line."""
    match item:
        case Began(pid):
            return b'["b",%d]\n' % pid
        case Started(position):
            return b'["s",%d]\n' % position
        case Finished(position, outcome, seconds, None):
            return b'["f",%d,"%s",%.6f]\n' % (position, outcome.encode(), seconds)
        case Finished(position, outcome, seconds, evidence):
            assert evidence is not None
            return _line(["f", position, outcome, seconds, asdict(evidence)])
        case Reported(data):
            return _line(["r", packed(data)])
        case Told(kind, data):
            return _line(["t", kind, data])
        case Leaked(position, leak):
            return _line(["l", position, asdict(leak)])
        case Awaits(position, over):
            return b'["w",%d,%d]\n' % (position, over)
        case Done():
            return b'["d"]\n'


def _line(document: list[Any]) -> bytes:
    return _dumps(document, default=repr).encode("ascii") + b"\n"


_dumps = json.dumps  # held on to: a test may replace it


def entries(lines: bytes) -> Iterator[Entry]:
    """Read whole lines of a journal.

    >>> list(entries(entry(Started(3)) + entry(Done())))
    [Started(position=3), Done()]
    """
    for line in lines.splitlines():
        text = line.decode("ascii")
        document, end = _read(text)
        if end != len(text):
            raise ValueError(f"not one journal entry: {text:.200}")
        yield _entry(document)


_read = json.JSONDecoder().raw_decode
"""One for all lines: of what ``json.loads`` does besides, nothing is needed, and it takes longer than the reading."""
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}


def _entry(document: list[Any]) -> Entry:  # noqa: PLR0911 - one for each kind
    match document:
        case ["s", position]:
            return Started(position)
        case ["f", position, outcome, seconds]:
            return Finished(position, _OUTCOMES[outcome], seconds)
        case ["f", position, outcome, seconds, evidence]:
            return Finished(position, _OUTCOMES[outcome], seconds, read_evidence(evidence))
        case ["b", pid]:
            return Began(pid)
        case ["r", data]:
            return Reported(unpacked(data))
        case ["t", kind, data]:
            return Told(kind, data)
        case ["l", position, leak]:
            return Leaked(position, read_leak(leak))
        case ["w", position, over]:
            return Awaits(position, bool(over))
        case ["d"]:
            return Done()
    raise ValueError(f"not a journal entry: {document!r:.200}")


def read_evidence(fields: Mapping[str, Any]) -> Evidence:
    """Give evidence from its JSON form."""
    return Evidence(
        **{
            **fields,
            "where": Place(*fields["where"]),
            "sections": tuple((title, text) for title, text in fields["sections"]),
        }
    )


def read_leak(fields: Mapping[str, Any]) -> Leak:
    """Give a leak from its JSON form."""
    started = fields["started_at"]
    return Leak(
        **{
            **fields,
            "kind": LeakKind(fields["kind"]),
            "owned_at": Place(*fields["owned_at"]),
            "started_at": None if started is None else Place(*started),
        }
    )
