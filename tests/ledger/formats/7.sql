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
INSERT INTO "attempts" VALUES(1,0,1,0,6,NULL);
INSERT INTO "attempts" VALUES(1,0,2,0,5,NULL);
INSERT INTO "attempts" VALUES(1,0,3,0,5,NULL);
INSERT INTO "attempts" VALUES(1,1,1,1,1,1);
INSERT INTO "attempts" VALUES(1,1,2,0,5,NULL);
INSERT INTO "attempts" VALUES(1,1,3,0,1,NULL);
INSERT INTO "attempts" VALUES(1,2,1,0,2,NULL);
INSERT INTO "attempts" VALUES(1,2,2,0,2,NULL);
INSERT INTO "attempts" VALUES(1,2,3,0,2,NULL);
INSERT INTO "attempts" VALUES(1,3,1,1,1,1);
INSERT INTO "attempts" VALUES(1,3,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,3,3,0,10,NULL);
INSERT INTO "attempts" VALUES(1,4,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,4,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,4,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,5,1,0,0,NULL);
INSERT INTO "attempts" VALUES(1,5,2,0,4,NULL);
INSERT INTO "attempts" VALUES(1,5,3,0,0,NULL);
CREATE TABLE documents (
    hunt     INTEGER PRIMARY KEY REFERENCES hunts (id),
    document TEXT NOT NULL
);
INSERT INTO "documents" VALUES(1,'{
 "schema": "pytest-flakehunt/1",
 "hunt": {
  "id": "678c10882a9c4efba42b88fdcc46a896",
  "seed": 1,
  "asked": "6",
  "sweeps": 6,
  "seconds": 2.104,
  "started": "2026-11-27T09:28:13+00:00",
  "python": "3.13.0",
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
   "hashseed"
  ],
  "stood_down": [],
  "switched_off": [],
  "fail_on": [
   "broken",
   "flaky",
   "fragile"
  ],
  "weights": [
   {
    "perturbation": "order",
    "weight": 6
   },
   {
    "perturbation": "hashseed",
    "weight": 0.5
   }
  ],
  "spent": [
   {
    "what": "starting",
    "number": 2,
    "seconds": 2.716
   },
   {
    "what": "order",
    "number": 4,
    "seconds": 0.62
   },
   {
    "what": "calm",
    "number": 2,
    "seconds": 0.402
   }
  ],
  "hashseeds": 2,
  "go_on": ""
 },
 "tests": [
  {
   "nodeid": "test_a.py::test_flaky",
   "file": "test_a.py",
   "line": 3,
   "seconds": 0.005689,
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
     "fingerprint": "7f7fc3cded3a7251",
     "outcome": "failed",
     "exception": "AssertionError",
     "message": "assert [''nlucky'', ''b''] == [''b'', ''nlucky'']\n  \n  At index 0 diff: ''nlucky'' != ''b''\n  Use -v to get more diff",
     "where": "test_a.py:3",
     "at": "call AssertionError test_a.py::test_flaky def test_flaky():assert[*{\"nlucky\",\"b\"}]==[\"b\",\"nlucky\"]",
     "quarantined": "",
     "failures": 2,
     "calm_failures": 0,
     "contract": "environment",
     "diagnosed": false,
     "causes": [],
     "also": [],
     "fix": "",
     "experiments": [],
     "spent": 0,
     "seconds": 0.0,
     "places": [],
     "parting": null,
     "ours": false,
     "note": "",
     "unfinished": false,
     "suspects": [
      {
       "perturbation": "hashseed",
       "setting": "1536074505",
       "with": {
        "runs": 2,
        "failures": 2
       },
       "without": {
        "runs": 4,
        "failures": 0
       },
       "p_value": 0.26666666666666666
      }
     ],
     "plan": "hashseed=1536074505 order=reversed",
     "after": [],
     "repro": "/venv/bin/python -m pytest -p xdist.plugin -p pytest_flakehunt.plugin -p no:cacheprovider ''--flakehunt-plan=hashseed=1536074505 order=reversed''",
     "repro_without": "",
     "verified": null,
     "control": null,
     "evidence": {
      "phase": "call",
      "function": "test_flaky",
      "traceback": ">   def test_flaky(): assert [*{\"nlucky\",\"b\"}] == [\"b\",\"nlucky\"]\n                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\nE   AssertionError: assert [''nlucky'', ''b''] == [''b'', ''nlucky'']\nE     \nE     At index 0 diff: ''nlucky'' != ''b''\nE     Use -v to get more diff\n\ntest_a.py:3: AssertionError",
      "sections": [],
      "stacks": "",
      "note": "",
      "kind": "AssertionError",
      "statement": "test_a.py::test_flaky def test_flaky():assert[*{\"nlucky\",\"b\"}]==[\"b\",\"nlucky\"]"
     }
    }
   ],
   "leaks": [],
   "notes": [],
   "under": "0/2 2/4",
   "strip": ".0.0..",
   "owner": "",
   "quarantine_entry": {
    "test": "test_a.py::test_flaky",
    "fingerprints": [
     "7f7fc3cded3a7251"
    ],
    "at": [
     "call AssertionError test_a.py::test_flaky def test_flaky():assert[*{\"nlucky\",\"b\"}]==[\"b\",\"nlucky\"]"
    ],
    "cause": "unknown",
    "plan": "hashseed=1536074505 order=reversed",
    "after": [],
    "seen": {
     "runs": 0,
     "failures": 0
    },
    "owner": "",
    "added": "2026-11-27",
    "expires": "2026-12-11",
    "body": "e5bf88f238b0cba5",
    "repro": "python -m pytest -p xdist.plugin -p pytest_flakehunt.plugin -p no:cacheprovider ''--flakehunt-plan=hashseed=1536074505 order=reversed''",
    "mode": "run",
    "together": ""
   }
  },
  {
   "nodeid": "test_a.py::test_leaks",
   "file": "test_a.py",
   "line": 5,
   "seconds": 0.005286,
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
     "what": "os.environ[''APP_MODE'']",
     "owner": "test",
     "owner_at": "test_a.py:5",
     "owner_function": "test_leaks",
     "started_at": "test_a.py:5",
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
   "notes": [],
   "under": "0/2 0/4",
   "strip": "",
   "owner": "",
   "quarantine_entry": null
  },
  {
   "nodeid": "test_a.py::test_steady",
   "file": "test_a.py",
   "line": 7,
   "seconds": 0.004546,
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
   "notes": [],
   "under": "0/2 0/4",
   "strip": "",
   "owner": "",
   "quarantine_entry": null
  }
 ],
 "groups": [],
 "outages": [],
 "ready_for_release": [],
 "notes": [],
 "columns": [
  "calm",
  "order"
 ],
 "sweeps": [
  {
   "sweep": 0,
   "plan": "",
   "trial": [],
   "zygote": 1
  },
  {
   "sweep": 1,
   "plan": "hashseed=1536074505 order=reversed",
   "trial": [
    "order"
   ],
   "zygote": 2
  },
  {
   "sweep": 2,
   "plan": "hashseed=3568956344 order=alone",
   "trial": [
    "order"
   ],
   "zygote": 1
  },
  {
   "sweep": 3,
   "plan": "hashseed=1536074505 order=shuffled:3881029963",
   "trial": [
    "order"
   ],
   "zygote": 2
  },
  {
   "sweep": 4,
   "plan": "",
   "trial": [],
   "zygote": 1
  },
  {
   "sweep": 5,
   "plan": "hashseed=3568956344 order=shuffled:4105545087",
   "trial": [
    "order"
   ],
   "zygote": 1
  }
 ]
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
INSERT INTO "evidence" VALUES(1,1,1,'call','AssertionError','assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
  
  At index 0 diff: ''nlucky'' != ''b''
  Use -v to get more diff','test_a.py',3,'test_flaky','>   def test_flaky(): assert [*{"nlucky","b"}] == ["b","nlucky"]
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
E     
E     At index 0 diff: ''nlucky'' != ''b''
E     Use -v to get more diff

test_a.py:3: AssertionError','[]','','','AssertionError','test_a.py::test_flaky def test_flaky():assert[*{"nlucky","b"}]==["b","nlucky"]');
INSERT INTO "evidence" VALUES(1,3,1,'call','AssertionError','assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
  
  At index 0 diff: ''nlucky'' != ''b''
  Use -v to get more diff','test_a.py',3,'test_flaky','>   def test_flaky(): assert [*{"nlucky","b"}] == ["b","nlucky"]
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
E     
E     At index 0 diff: ''nlucky'' != ''b''
E     Use -v to get more diff

test_a.py:3: AssertionError','[]','','','AssertionError','test_a.py::test_flaky def test_flaky():assert[*{"nlucky","b"}]==["b","nlucky"]');
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
    redact        TEXT    NOT NULL DEFAULT '[]', -- JSON: patterns of what must not leave the machine
    weights       TEXT    NOT NULL DEFAULT '{}', -- JSON: how often each perturbation was drawn, against the others
    terms         TEXT    NOT NULL DEFAULT '{}', -- JSON: what its draws follow from; what has other terms does not belong to it
    parts         TEXT    NOT NULL DEFAULT '{}' -- JSON: the shards that it has, each with the id of the hunt that ran it
);
INSERT INTO "hunts" VALUES(1,1,'6','2026-11-27T09:28:13+00:00',2.10441281400017032865e+00,'3.13.0','9.2.0','linux','2 cores, x86_64','','{}','order hashseed','/project','678c10882a9c4efba42b88fdcc46a896','[]','{"order": 6, "hashseed": 0.5}','{"N": "6", "seed": "1", "shards": "1", "revision": "", "Python": "3.13.0", "pytest": "9.2.0", "platform": "linux", "perturbations": "order hashseed", "weights": "{\"order\": 6, \"hashseed\": 0.5}", "options": "--flakehunt-only=hashseed,order", "collected": "3 tests d412fd4637e97feb"}','{"1": "678c10882a9c4efba42b88fdcc46a896"}');
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
INSERT INTO "leaks" VALUES(1,2,'environ','os.environ[''APP_MODE'']','test','test_a.py',5,'test_leaks','test_a.py',5,'test_leaks');
CREATE TABLE modes (
    id          INTEGER PRIMARY KEY,
    test        INTEGER NOT NULL REFERENCES tests (id),
    fingerprint TEXT    NOT NULL,               -- of phase, exception type and failing statement; "1:…" is one of before format 4
    UNIQUE (test, fingerprint)
);
INSERT INTO "modes" VALUES(1,1,'7f7fc3cded3a7251');
CREATE TABLE notes (
    hunt INTEGER NOT NULL REFERENCES hunts (id),
    text TEXT    NOT NULL
);
CREATE TABLE steps (
    hunt  INTEGER NOT NULL,
    bench TEXT    NOT NULL,                     -- the mode that is diagnosed: node id and fingerprint
    step  INTEGER NOT NULL,                     -- from 1
    asked TEXT    NOT NULL,                     -- digest of the runs that were asked for
    seen  TEXT    NOT NULL,                     -- JSON: what each of them said
    spent REAL    NOT NULL,                     -- seconds that runs for this mode had taken, this step included
    PRIMARY KEY (hunt, bench, step)
) WITHOUT ROWID;
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
    purpose    TEXT    NOT NULL DEFAULT 'survey', -- diagnosis, study, or torn until it has ended: in no rate
    looked     TEXT    NOT NULL DEFAULT 'far',  -- for shared state that a test left changed: far, near, modules
    PRIMARY KEY (hunt, number)
) WITHOUT ROWID;
INSERT INTO "sweeps" VALUES(1,0,'','','fork',1,'3568956344',1,1.79577169547743248942e+09,5.78480660005880054086e-02,0,0,'survey','modules');
INSERT INTO "sweeps" VALUES(1,1,'hashseed=1536074505 order=reversed','order','fork',2,'1536074505',1,1.79577169549575161935e+09,8.88981570005853427574e-02,0,0,'survey','far');
INSERT INTO "sweeps" VALUES(1,2,'hashseed=3568956344 order=alone','order','fork',1,'3568956344',1,1.79577169553646564482e+09,7.76791700009198393672e-02,0,0,'survey','far');
INSERT INTO "sweeps" VALUES(1,3,'hashseed=1536074505 order=shuffled:3881029963','order','fork',2,'1536074505',1,1.79577169558556079867e+09,4.1417087599984370172e-01,0,0,'survey','far');
INSERT INTO "sweeps" VALUES(1,4,'','','unforked',1,'3568956344',1,1.79577169565480709075e+09,3.43839651000962476246e-01,0,0,'survey','far');
INSERT INTO "sweeps" VALUES(1,5,'hashseed=3568956344 order=shuffled:4105545087','order','fork',1,'3568956344',1,1.79577169561495685575e+09,3.92327329991530859842e-02,0,0,'survey','far');
CREATE TABLE tests (
    id     INTEGER PRIMARY KEY,
    nodeid TEXT    NOT NULL UNIQUE,
    file   TEXT    NOT NULL,                    -- relative to the root directory
    line   INTEGER NOT NULL                     -- from 1; 0 where unknown
);
INSERT INTO "tests" VALUES(1,'test_a.py::test_flaky','test_a.py',3);
INSERT INTO "tests" VALUES(2,'test_a.py::test_leaks','test_a.py',5);
INSERT INTO "tests" VALUES(3,'test_a.py::test_steady','test_a.py',7);
CREATE TABLE unjudged (
    hunt  INTEGER NOT NULL,
    sweep INTEGER NOT NULL,
    test  INTEGER NOT NULL REFERENCES tests (id),
    PRIMARY KEY (hunt, sweep, test)
) WITHOUT ROWID;
COMMIT;
