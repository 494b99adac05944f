-- One hunt: what was asked, of which code, on which machine.
CREATE TABLE IF NOT EXISTS hunts (
    id            INTEGER PRIMARY KEY,
    seed          INTEGER NOT NULL,             -- master seed: all plans follow from it
    asked         TEXT    NOT NULL,             -- N as the user gave it: a count or a time
    started       TEXT    NOT NULL,             -- UTC, ISO 8601
    seconds       REAL,                         -- NULL while it runs, or where it was killed
    python        TEXT    NOT NULL,             -- version, with the patch
    pytest        TEXT    NOT NULL,
    platform      TEXT    NOT NULL,
    machine       TEXT    NOT NULL,             -- cores and architecture
    revision      TEXT    NOT NULL,             -- of the project under version control; '' where there is none
    versions      TEXT    NOT NULL,             -- JSON: installed pytest plugins and their versions
    perturbations TEXT    NOT NULL,             -- names in use, separated by spaces
    directory     TEXT    NOT NULL,             -- pytest's root directory
    uid           TEXT    NOT NULL DEFAULT '',  -- which hunt it is, on whatever machine: 32 hexadecimal digits
    redact        TEXT    NOT NULL DEFAULT '[]', -- JSON: patterns of what must not leave the machine
    weights       TEXT    NOT NULL DEFAULT '{}', -- JSON: how often each perturbation was drawn, against the others
    terms         TEXT    NOT NULL DEFAULT '{}', -- JSON: what its draws follow from; what has other terms does not belong to it
    parts         TEXT    NOT NULL DEFAULT '{}' -- JSON: the shards that it has, each with the id of the hunt that ran it
);

-- What a hunt said in the end: the JSON report, not redacted. Every other report can be made of it.
CREATE TABLE IF NOT EXISTS documents (
    hunt     INTEGER PRIMARY KEY REFERENCES hunts (id),
    document TEXT NOT NULL
);

-- One test, known by its node id through all hunts.
CREATE TABLE IF NOT EXISTS tests (
    id     INTEGER PRIMARY KEY,
    nodeid TEXT    NOT NULL UNIQUE,
    file   TEXT    NOT NULL,                    -- relative to the root directory
    line   INTEGER NOT NULL                     -- from 1; 0 where unknown
);

-- One sweep: the selected tests, once, in a process of their own, under one plan.
CREATE TABLE IF NOT EXISTS sweeps (
    hunt       INTEGER NOT NULL REFERENCES hunts (id),
    number     INTEGER NOT NULL,                -- from 0
    plan       TEXT    NOT NULL,                -- written form; '' is calm
    focus      TEXT    NOT NULL,                -- perturbations under trial; others in the plan are pinned for replay
    isolation  TEXT    NOT NULL,                -- fork, unforked, fresh
    zygote     INTEGER NOT NULL,                -- which interpreter
    hashseed   TEXT    NOT NULL,                -- of that interpreter; '' where nobody knows it
    neighbours INTEGER NOT NULL,                -- sweeps that ran beside it at some time
    started    REAL    NOT NULL,                -- seconds since 1970, true clock
    seconds    REAL    NOT NULL,
    torn       INTEGER NOT NULL,                -- 1 where it was cut short
    outage     INTEGER NOT NULL,                -- 1 where most tests failed: set aside
    purpose    TEXT    NOT NULL DEFAULT 'survey', -- diagnosis, study, or torn until it has ended: in no rate
    looked     TEXT    NOT NULL DEFAULT 'far',  -- for shared state that a test left changed: far, near, modules
    cpu        REAL    NOT NULL DEFAULT 0,      -- seconds of its processes, as far as they lived to be counted
    memory     INTEGER NOT NULL DEFAULT 0,      -- bytes that the largest of them had at most; 0 where unknown
    PRIMARY KEY (hunt, number)
) WITHOUT ROWID;

-- One attempt: one test in one sweep.
CREATE TABLE IF NOT EXISTS attempts (
    hunt    INTEGER NOT NULL,
    sweep   INTEGER NOT NULL,
    test    INTEGER NOT NULL REFERENCES tests (id),
    outcome INTEGER NOT NULL,                   -- 0 passed, 1 failed, 2 error, 3 skipped, 4 xfailed, 5 xpassed, 6 hung, 7 crashed, 8 unreached
    ms      INTEGER NOT NULL,                   -- set-up, call and tear-down, true clock
    mode    INTEGER REFERENCES modes (id),      -- NULL where it did not fail
    PRIMARY KEY (hunt, sweep, test),
    FOREIGN KEY (hunt, sweep) REFERENCES sweeps (hunt, number)
) WITHOUT ROWID;

-- Tests of which it is not known whether they left anything behind, by sweep.
CREATE TABLE IF NOT EXISTS unjudged (
    hunt  INTEGER NOT NULL,
    sweep INTEGER NOT NULL,
    test  INTEGER NOT NULL REFERENCES tests (id),
    PRIMARY KEY (hunt, sweep, test)
) WITHOUT ROWID;

-- One mode: the failures of one test that share a fingerprint, through all hunts.
CREATE TABLE IF NOT EXISTS modes (
    id          INTEGER PRIMARY KEY,
    test        INTEGER NOT NULL REFERENCES tests (id),
    fingerprint TEXT    NOT NULL,               -- of phase, exception type and failing statement; "1:…" is one of before format 4
    UNIQUE (test, fingerprint)
);

-- What the first failing attempts of a mode in a hunt left to read.
CREATE TABLE IF NOT EXISTS evidence (
    hunt      INTEGER NOT NULL,
    sweep     INTEGER NOT NULL,
    mode      INTEGER NOT NULL REFERENCES modes (id),
    phase     TEXT    NOT NULL,                 -- setup, call, teardown, process
    exception TEXT    NOT NULL,
    message   TEXT    NOT NULL,
    file      TEXT    NOT NULL,                 -- innermost line of the project's code
    line      INTEGER NOT NULL,
    function  TEXT    NOT NULL,
    traceback TEXT    NOT NULL,
    sections  TEXT    NOT NULL,                 -- JSON: captured output and logs, title and text
    stacks    TEXT    NOT NULL,                 -- of all threads, for a hang or a crash
    note      TEXT    NOT NULL,
    kind      TEXT    NOT NULL DEFAULT '',      -- the exception's type, and the failing statement after its file and
    statement TEXT    NOT NULL DEFAULT '',      -- function: what the fingerprint is made of, with the phase
    PRIMARY KEY (hunt, sweep, mode)
) WITHOUT ROWID;

-- One leak: something that a test, or a fixture set up for it, leaves behind, through all hunts.
CREATE TABLE IF NOT EXISTS leaks (
    id             INTEGER PRIMARY KEY,
    test           INTEGER NOT NULL REFERENCES tests (id),
    kind           TEXT    NOT NULL,            -- thread, task, process, file, environ and so on, one word each
    what           TEXT    NOT NULL,            -- name, target or path, numbers written as #
    owner          TEXT    NOT NULL,            -- test, or the name of the fixture
    owner_file     TEXT    NOT NULL,
    owner_line     INTEGER NOT NULL,
    owner_function TEXT    NOT NULL,
    file           TEXT    NOT NULL,            -- the project's line that started it; '' where it was not seen
    line           INTEGER NOT NULL,
    function       TEXT    NOT NULL,
    UNIQUE (test, kind, what, owner, owner_file, owner_line, file, line)
);

-- In which sweeps it was left behind.
CREATE TABLE IF NOT EXISTS leaked (
    hunt  INTEGER NOT NULL,
    sweep INTEGER NOT NULL,
    leak  INTEGER NOT NULL REFERENCES leaks (id),
    now   TEXT    NOT NULL,                     -- of the first few: where a thread or a task was then
    PRIMARY KEY (hunt, sweep, leak),
    FOREIGN KEY (hunt, sweep) REFERENCES sweeps (hunt, number)
) WITHOUT ROWID;

-- Tests in which a thread that was left behind raised.
CREATE TABLE IF NOT EXISTS hurt (
    hunt   INTEGER NOT NULL,
    sweep  INTEGER NOT NULL,
    leak   INTEGER NOT NULL REFERENCES leaks (id),
    victim TEXT    NOT NULL,                    -- node id
    PRIMARY KEY (hunt, sweep, leak, victim)
) WITHOUT ROWID;

-- What else a hunt noticed: tests that are collected only sometimes, zygotes that could not collect.
CREATE TABLE IF NOT EXISTS notes (
    hunt INTEGER NOT NULL REFERENCES hunts (id),
    text TEXT    NOT NULL
);

-- Steps of experiments that have ended: where a hunt goes on that was killed, they are not made again.
CREATE TABLE IF NOT EXISTS steps (
    hunt  INTEGER NOT NULL,
    bench TEXT    NOT NULL,                     -- the mode that is diagnosed: node id and fingerprint
    step  INTEGER NOT NULL,                     -- from 1
    asked TEXT    NOT NULL,                     -- digest of the runs that were asked for
    seen  TEXT    NOT NULL,                     -- JSON: what each of them said
    spent REAL    NOT NULL,                     -- seconds that runs for this mode had taken, this step included
    PRIMARY KEY (hunt, bench, step)
) WITHOUT ROWID;
