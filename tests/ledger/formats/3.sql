BEGIN TRANSACTION;
CREATE TABLE attempts (
    hunt    INTEGER NOT NULL,
    sweep   INTEGER NOT NULL,
    test    INTEGER NOT NULL REFERENCES tests (id),
    outcome INTEGER NOT NULL,                   -- 0 passed, 1 failed, 2 error, 3 skipped, 4 xfailed, 5 xpassed, 6 hung, 7 crashed, 8 unreached
    ms      INTEGER NOT NULL,                   -- set-up, call and tear-down, true clock
    mode    INTEGER REFERENCES modes (id),      -- NULL where it did not fail
    PRIMARY KEY (hunt, sweep, test),
    FOREIGN KEY (hunt, sweep) REFERENCES sweeps (hunt, number)
) WITHOUT ROWID;
INSERT INTO "attempts" VALUES(1,0,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,0,2,1,1,1);
INSERT INTO "attempts" VALUES(1,0,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,1,1,0,0,NULL);
INSERT INTO "attempts" VALUES(1,1,2,0,0,NULL);
INSERT INTO "attempts" VALUES(1,1,3,0,1,NULL);
INSERT INTO "attempts" VALUES(1,2,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,2,2,1,1,1);
INSERT INTO "attempts" VALUES(1,2,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,3,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,3,2,1,1,1);
INSERT INTO "attempts" VALUES(1,3,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,4,1,0,0,NULL);
INSERT INTO "attempts" VALUES(1,4,2,1,1,1);
INSERT INTO "attempts" VALUES(1,4,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,5,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,5,2,0,0,NULL);
INSERT INTO "attempts" VALUES(1,5,3,0,0,NULL);
CREATE TABLE evidence (
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
    PRIMARY KEY (hunt, sweep, mode)
) WITHOUT ROWID;
INSERT INTO "evidence" VALUES(1,0,1,'call','AssertionError','Ünlucky
assert 0.6140972158929944 < 0.5
 +  where 0.6140972158929944 = <built-in method random of Random object at 0x55ecebbf7d20>()
 +    where <built-in method random of Random object at 0x55ecebbf7d20> = random.random','test_a.py',3,'test_flaky','>   def test_flaky(): assert random.random() < 0.5, "Ünlucky"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: Ünlucky
E   assert 0.6140972158929944 < 0.5
E    +  where 0.6140972158929944 = <built-in method random of Random object at 0x55ecebbf7d20>()
E    +    where <built-in method random of Random object at 0x55ecebbf7d20> = random.random

test_a.py:3: AssertionError','[]','','');
INSERT INTO "evidence" VALUES(1,2,1,'call','AssertionError','Ünlucky
assert 0.7291045874014491 < 0.5
 +  where 0.7291045874014491 = <built-in method random of Random object at 0x55ecebbf7d20>()
 +    where <built-in method random of Random object at 0x55ecebbf7d20> = random.random','test_a.py',3,'test_flaky','>   def test_flaky(): assert random.random() < 0.5, "Ünlucky"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: Ünlucky
E   assert 0.7291045874014491 < 0.5
E    +  where 0.7291045874014491 = <built-in method random of Random object at 0x55ecebbf7d20>()
E    +    where <built-in method random of Random object at 0x55ecebbf7d20> = random.random

test_a.py:3: AssertionError','[]','','run 2 of 2 in one process');
INSERT INTO "evidence" VALUES(1,4,1,'call','AssertionError','Ünlucky
assert 0.9461484669833367 < 0.5
 +  where 0.9461484669833367 = <built-in method random of Random object at 0x564a3e64bd20>()
 +    where <built-in method random of Random object at 0x564a3e64bd20> = random.random','test_a.py',3,'test_flaky','>   def test_flaky(): assert random.random() < 0.5, "Ünlucky"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: Ünlucky
E   assert 0.9461484669833367 < 0.5
E    +  where 0.9461484669833367 = <built-in method random of Random object at 0x564a3e64bd20>()
E    +    where <built-in method random of Random object at 0x564a3e64bd20> = random.random

test_a.py:3: AssertionError','[]','','');
CREATE TABLE hunts (
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
    directory     TEXT    NOT NULL              -- pytest's root directory
);
INSERT INTO "hunts" VALUES(1,3,'6','2026-11-26T13:13:59+00:00',7.05862030998105183243e-01,'3.11.7','9.2.0','linux','2 cores, x86_64','','{}','order repeat clock random hashseed latency cores timezone gc threads asyncio network listdir load heap','/home/me/suite');
CREATE TABLE hurt (
    hunt   INTEGER NOT NULL,
    sweep  INTEGER NOT NULL,
    leak   INTEGER NOT NULL REFERENCES leaks (id),
    victim TEXT    NOT NULL,                    -- node id
    PRIMARY KEY (hunt, sweep, leak, victim)
) WITHOUT ROWID;
CREATE TABLE leaked (
    hunt  INTEGER NOT NULL,
    sweep INTEGER NOT NULL,
    leak  INTEGER NOT NULL REFERENCES leaks (id),
    now   TEXT    NOT NULL,                     -- of the first few: where a thread or a task was then
    PRIMARY KEY (hunt, sweep, leak),
    FOREIGN KEY (hunt, sweep) REFERENCES sweeps (hunt, number)
) WITHOUT ROWID;
INSERT INTO "leaked" VALUES(1,0,1,'');
INSERT INTO "leaked" VALUES(1,1,1,'');
INSERT INTO "leaked" VALUES(1,2,1,'');
INSERT INTO "leaked" VALUES(1,3,1,'');
INSERT INTO "leaked" VALUES(1,4,1,'');
INSERT INTO "leaked" VALUES(1,5,1,'');
CREATE TABLE leaks (
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
INSERT INTO "leaks" VALUES(1,3,'environ','os.environ[''LEFT'']','test','test_a.py',4,'test_leaks','test_a.py',4,'test_leaks');
CREATE TABLE modes (
    id          INTEGER PRIMARY KEY,
    test        INTEGER NOT NULL REFERENCES tests (id),
    fingerprint TEXT    NOT NULL,               -- of exception type, normalised message and innermost project frame
    UNIQUE (test, fingerprint)
);
INSERT INTO "modes" VALUES(1,2,'7c12775f46a0d08a');
CREATE TABLE notes (
    hunt INTEGER NOT NULL REFERENCES hunts (id),
    text TEXT    NOT NULL
);
CREATE TABLE sweeps (
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
    purpose    TEXT    NOT NULL DEFAULT 'survey', -- diagnosis or study: in no rate
    PRIMARY KEY (hunt, number)
) WITHOUT ROWID;
INSERT INTO "sweeps" VALUES(1,0,'','','fork',1,'2605948134',0,1.79569883967244195944e+09,3.5352138998860027641e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,1,'hashseed=2809554061 order=reversed random=1271297059','order','fork',2,'2809554061',1,1.79569883973489880565e+09,2.18648059963015839457e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,2,'hashseed=2605948134 random=375164600 repeat=2','repeat','fork',1,'2605948134',1,1.79569883970899415014e+09,3.65224460038007237017e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,3,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock','fork',1,'2605948134',1,1.79569883974628019332e+09,1.85377820002031512558e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,4,'','','unforked',2,'2809554061',1,1.79569883978569722182e+09,1.45156585000222548842e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,5,'hashseed=2809554061 random=1077045251','random','fork',2,'2809554061',1,1.79569883975715684893e+09,2.80348619999131187796e-02,0,0,'survey');
CREATE TABLE tests (
    id     INTEGER PRIMARY KEY,
    nodeid TEXT    NOT NULL UNIQUE,
    file   TEXT    NOT NULL,                    -- relative to the root directory
    line   INTEGER NOT NULL                     -- from 1; 0 where unknown
);
INSERT INTO "tests" VALUES(1,'test_a.py::test_steady','test_a.py',2);
INSERT INTO "tests" VALUES(2,'test_a.py::test_flaky','test_a.py',3);
INSERT INTO "tests" VALUES(3,'test_a.py::test_leaks','test_a.py',4);
COMMIT;