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
INSERT INTO "attempts" VALUES(1,0,2,0,0,NULL);
INSERT INTO "attempts" VALUES(1,0,3,0,13,NULL);
INSERT INTO "attempts" VALUES(1,1,1,0,0,NULL);
INSERT INTO "attempts" VALUES(1,1,2,0,0,NULL);
INSERT INTO "attempts" VALUES(1,1,3,0,1,NULL);
INSERT INTO "attempts" VALUES(1,2,1,0,17,NULL);
INSERT INTO "attempts" VALUES(1,2,2,1,11,1);
INSERT INTO "attempts" VALUES(1,2,3,0,1,NULL);
INSERT INTO "attempts" VALUES(1,3,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,3,2,1,1,1);
INSERT INTO "attempts" VALUES(1,3,3,0,9,NULL);
INSERT INTO "attempts" VALUES(1,4,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,4,2,0,0,NULL);
INSERT INTO "attempts" VALUES(1,4,3,0,1,NULL);
INSERT INTO "attempts" VALUES(1,5,1,0,4,NULL);
INSERT INTO "attempts" VALUES(1,5,2,0,0,NULL);
INSERT INTO "attempts" VALUES(1,5,3,0,1,NULL);
CREATE TABLE documents (
    hunt     INTEGER PRIMARY KEY REFERENCES hunts (id),
    document TEXT NOT NULL
);
INSERT INTO "documents" VALUES(1,'{
 "schema": "pytest-flakehunt/1",
 "hunt": {
  "id": "6ea313c5501348889bdc40dd95a4fa92",
  "seed": 3,
  "asked": "6",
  "sweeps": 6,
  "seconds": 3.411,
  "started": "2026-11-26T16:27:18+00:00",
  "python": "3.11.7",
  "pytest": "9.2.0",
  "platform": "linux",
  "revision": "",
  "folder": "",
  "zygotes": 2,
  "interrupted": false,
  "experiments": 0,
  "saved": 0,
  "perturbations": [
   "order",
   "repeat",
   "clock",
   "random",
   "hashseed",
   "latency",
   "cores",
   "timezone",
   "gc",
   "threads",
   "asyncio",
   "network",
   "listdir",
   "locale",
   "load",
   "heap"
  ],
  "stood_down": [],
  "switched_off": [],
  "fail_on": [
   "broken",
   "flaky",
   "fragile"
  ]
 },
 "tests": [
  {
   "nodeid": "test_a.py::test_steady",
   "file": "test_a.py",
   "line": 2,
   "seconds": 0.000858,
   "chosen": "",
   "company": false,
   "verdict": "steady",
   "contract": "natural",
   "runs": 6,
   "failures": 0,
   "rate": {
    "low": 0.0,
    "high": 0.459258
   },
   "calm": {
    "runs": 2,
    "failures": 0,
    "low": 0.0,
    "high": 0.841886
   },
   "modes": [],
   "leaks": [],
   "notes": []
  },
  {
   "nodeid": "test_a.py::test_flaky",
   "file": "test_a.py",
   "line": 3,
   "seconds": 0.000256,
   "chosen": "",
   "company": false,
   "verdict": "fragile",
   "contract": "environment",
   "runs": 6,
   "failures": 2,
   "rate": {
    "low": 0.096771,
    "high": 0.700007
   },
   "calm": {
    "runs": 2,
    "failures": 0,
    "low": 0.0,
    "high": 0.841886
   },
   "modes": [
    {
     "fingerprint": "6cb9e82d4f2880dc",
     "outcome": "failed",
     "exception": "AssertionError",
     "message": "\u00dcnlucky\nassert 0.7291045874014491 < 0.5\n +  where 0.7291045874014491 = <built-in method random of Random object at 0x560b6f8f49d0>()\n +    where <built-in method random of Random object at 0x560b6f8f49d0> = random.random",
     "where": "test_a.py:3",
     "at": "call AssertionError test_a.py::test_flaky def test_flaky():assert random.random()<0.5,\"\u00dcnlucky\"",
     "quarantined": "",
     "failures": 2,
     "calm_failures": 0,
     "contract": "environment",
     "diagnosed": false,
     "causes": [],
     "fix": "",
     "experiments": [],
     "spent": 0,
     "places": [],
     "ours": false,
     "note": "",
     "suspects": [
      {
       "perturbation": "clock",
       "setting": "",
       "with": {
        "runs": 1,
        "failures": 1
       },
       "without": {
        "runs": 5,
        "failures": 1
       },
       "p_value": 1.0
      }
     ],
     "plan": "clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051",
     "after": [],
     "repro": "python -m pytest test_a.py::test_flaky -pxdist.plugin -ppytest_flakehunt.plugin -p no:cacheprovider ''--flakehunt-plan=clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051''",
     "repro_without": "",
     "verified": null,
     "control": null,
     "evidence": {
      "phase": "call",
      "function": "test_flaky",
      "traceback": ">   def test_flaky(): assert random.random() < 0.5, \"\u00dcnlucky\"\n                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\nE   AssertionError: \u00dcnlucky\nE   assert 0.7291045874014491 < 0.5\nE    +  where 0.7291045874014491 = <built-in method random of Random object at 0x560b6f8f49d0>()\nE    +    where <built-in method random of Random object at 0x560b6f8f49d0> = random.random\n\ntest_a.py:3: AssertionError",
      "sections": [],
      "stacks": "",
      "note": "run 2 of 2 in one process",
      "kind": "AssertionError",
      "statement": "test_a.py::test_flaky def test_flaky():assert random.random()<0.5,\"\u00dcnlucky\""
     }
    }
   ],
   "leaks": [],
   "notes": []
  },
  {
   "nodeid": "test_a.py::test_leaks",
   "file": "test_a.py",
   "line": 4,
   "seconds": 0.013125,
   "chosen": "",
   "company": false,
   "verdict": "steady",
   "contract": "natural",
   "runs": 6,
   "failures": 0,
   "rate": {
    "low": 0.0,
    "high": 0.459258
   },
   "calm": {
    "runs": 2,
    "failures": 0,
    "low": 0.0,
    "high": 0.841886
   },
   "modes": [],
   "leaks": [
    {
     "kind": "environ",
     "what": "os.environ[''LEFT'']",
     "owner": "test",
     "owner_at": "test_a.py:4",
     "owner_function": "test_leaks",
     "started_at": "test_a.py:4",
     "started_function": "test_leaks",
     "now": "",
     "runs": 6,
     "leaked": 6,
     "rate": {
      "low": 0.540742,
      "high": 1.0
     },
     "suspects": [],
     "victims": []
    }
   ],
   "notes": []
  }
 ],
 "groups": [],
 "outages": [],
 "ready_for_release": [],
 "notes": []
}
');
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
    kind      TEXT    NOT NULL DEFAULT '',      -- the exception's type, and the failing statement after its file and
    statement TEXT    NOT NULL DEFAULT '',      -- function: what the fingerprint is made of, with the phase
    PRIMARY KEY (hunt, sweep, mode)
) WITHOUT ROWID;
INSERT INTO "evidence" VALUES(1,2,1,'call','AssertionError','Ünlucky
assert 0.7291045874014491 < 0.5
 +  where 0.7291045874014491 = <built-in method random of Random object at 0x560b6f8f49d0>()
 +    where <built-in method random of Random object at 0x560b6f8f49d0> = random.random','test_a.py',3,'test_flaky','>   def test_flaky(): assert random.random() < 0.5, "Ünlucky"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: Ünlucky
E   assert 0.7291045874014491 < 0.5
E    +  where 0.7291045874014491 = <built-in method random of Random object at 0x560b6f8f49d0>()
E    +    where <built-in method random of Random object at 0x560b6f8f49d0> = random.random

test_a.py:3: AssertionError','[]','','run 2 of 2 in one process','AssertionError','test_a.py::test_flaky def test_flaky():assert random.random()<0.5,"Ünlucky"');
INSERT INTO "evidence" VALUES(1,3,1,'call','AssertionError','Ünlucky
assert 0.9343589919594225 < 0.5
 +  where 0.9343589919594225 = <built-in method random of Random object at 0x5628083e69d0>()
 +    where <built-in method random of Random object at 0x5628083e69d0> = random.random','test_a.py',3,'test_flaky','>   def test_flaky(): assert random.random() < 0.5, "Ünlucky"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: Ünlucky
E   assert 0.9343589919594225 < 0.5
E    +  where 0.9343589919594225 = <built-in method random of Random object at 0x5628083e69d0>()
E    +    where <built-in method random of Random object at 0x5628083e69d0> = random.random

test_a.py:3: AssertionError','[]','','','AssertionError','test_a.py::test_flaky def test_flaky():assert random.random()<0.5,"Ünlucky"');
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
    directory     TEXT    NOT NULL,             -- pytest's root directory
    uid           TEXT    NOT NULL DEFAULT '',  -- which hunt it is, on whatever machine: 32 hexadecimal digits
    redact        TEXT    NOT NULL DEFAULT '[]' -- JSON: patterns of what must not leave the machine
);
INSERT INTO "hunts" VALUES(1,3,'6','2026-11-26T16:27:18+00:00',3.41056271900015417486e+00,'3.11.7','9.2.0','linux','2 cores, x86_64','','{}','order repeat clock random hashseed latency cores timezone gc threads asyncio network listdir locale load heap','/home/me/suite','6ea313c5501348889bdc40dd95a4fa92','[]');
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
    fingerprint TEXT    NOT NULL,               -- of phase, exception type and failing statement; "1:…" is one of before format 4
    UNIQUE (test, fingerprint)
);
INSERT INTO "modes" VALUES(1,2,'6cb9e82d4f2880dc');
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
INSERT INTO "sweeps" VALUES(1,0,'','','fork',1,'2605948134',1,1.79571044040616941447e+09,7.99083069941843859851e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,1,'hashseed=2809554061 order=reversed random=1271297059','order','fork',2,'2809554061',0,1.79571044031482529644e+09,7.49762289997306652367e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,2,'hashseed=2809554061 random=375164600 repeat=2','repeat','fork',2,'2809554061',1,1.79571044039069080359e+09,1.65165653001167811453e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,3,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock','fork',1,'2605948134',1,1.79571044048741507528e+09,7.99634741000772919505e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,4,'','','unforked',2,'2809554061',1,1.79571044061666369433e+09,6.64528385001176502555e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,5,'hashseed=2809554061 random=1077045251','random','fork',2,'2809554061',1,1.79571044055672597887e+09,5.94352069965680129826e-02,0,0,'survey');
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
