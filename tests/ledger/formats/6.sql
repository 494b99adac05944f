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
INSERT INTO "attempts" VALUES(1,0,1,0,2,NULL);
INSERT INTO "attempts" VALUES(1,0,2,1,13,1);
INSERT INTO "attempts" VALUES(1,0,3,0,6,NULL);
INSERT INTO "attempts" VALUES(1,1,1,0,0,NULL);
INSERT INTO "attempts" VALUES(1,1,2,0,6,NULL);
INSERT INTO "attempts" VALUES(1,1,3,0,17,NULL);
INSERT INTO "attempts" VALUES(1,2,1,0,10,NULL);
INSERT INTO "attempts" VALUES(1,2,2,0,3,NULL);
INSERT INTO "attempts" VALUES(1,2,3,0,22,NULL);
INSERT INTO "attempts" VALUES(1,3,1,0,10,NULL);
INSERT INTO "attempts" VALUES(1,3,2,1,21,1);
INSERT INTO "attempts" VALUES(1,3,3,0,9,NULL);
INSERT INTO "attempts" VALUES(1,4,1,0,5,NULL);
INSERT INTO "attempts" VALUES(1,4,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,4,3,0,8,NULL);
INSERT INTO "attempts" VALUES(1,5,1,0,2,NULL);
INSERT INTO "attempts" VALUES(1,5,2,1,12,1);
INSERT INTO "attempts" VALUES(1,5,3,0,8,NULL);
CREATE TABLE documents (
    hunt     INTEGER PRIMARY KEY REFERENCES hunts (id),
    document TEXT NOT NULL
);
INSERT INTO "documents" VALUES(1,'{
 "schema": "pytest-flakehunt/1",
 "hunt": {
  "id": "c6ab215d9b24438da3660d3e8d31b5fc",
  "seed": 7,
  "asked": "6",
  "sweeps": 6,
  "seconds": 3.72,
  "started": "2026-11-27T06:18:15+00:00",
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
   "pieces",
   "environ",
   "ports",
   "listdir",
   "rows",
   "resolution",
   "load",
   "fds"
  ],
  "stood_down": [
   "locale stands down: no locale in UTF-8 is installed but the machine''s own"
  ],
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
    "perturbation": "repeat",
    "weight": 2
   },
   {
    "perturbation": "clock",
    "weight": 3
   },
   {
    "perturbation": "random",
    "weight": 0.5
   },
   {
    "perturbation": "hashseed",
    "weight": 0.5
   },
   {
    "perturbation": "latency",
    "weight": 2
   },
   {
    "perturbation": "cores",
    "weight": 1
   },
   {
    "perturbation": "timezone",
    "weight": 2
   },
   {
    "perturbation": "gc",
    "weight": 1
   },
   {
    "perturbation": "threads",
    "weight": 2
   },
   {
    "perturbation": "asyncio",
    "weight": 1
   },
   {
    "perturbation": "network",
    "weight": 1
   },
   {
    "perturbation": "pieces",
    "weight": 1
   },
   {
    "perturbation": "environ",
    "weight": 1
   },
   {
    "perturbation": "ports",
    "weight": 0.5
   },
   {
    "perturbation": "listdir",
    "weight": 1
   },
   {
    "perturbation": "rows",
    "weight": 1
   },
   {
    "perturbation": "resolution",
    "weight": 1
   },
   {
    "perturbation": "load",
    "weight": 1
   },
   {
    "perturbation": "fds",
    "weight": 0.5
   }
  ],
  "spent": [
   {
    "what": "starting",
    "number": 2,
    "seconds": 4.737
   },
   {
    "what": "calm",
    "number": 2,
    "seconds": 0.991
   },
   {
    "what": "order",
    "number": 2,
    "seconds": 0.415
   },
   {
    "what": "clock",
    "number": 1,
    "seconds": 0.4
   },
   {
    "what": "repeat",
    "number": 1,
    "seconds": 0.235
   }
  ],
  "hashseeds": 2,
  "go_on": ""
 },
 "tests": [
  {
   "nodeid": "test_a.py::test_steady",
   "file": "test_a.py",
   "line": 2,
   "seconds": 0.005083,
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
   "under": "0/2 0/2 0/1 0/1",
   "strip": ""
  },
  {
   "nodeid": "test_a.py::test_flaky",
   "file": "test_a.py",
   "line": 3,
   "seconds": 0.013451,
   "chosen": "",
   "company": false,
   "verdict": "flaky",
   "contract": "natural",
   "runs": 6,
   "failures": 3,
   "rate": {
    "low": 0.187616,
    "high": 0.812384
   },
   "calm": {
    "runs": 2,
    "failures": 1,
    "low": 0.094531,
    "high": 0.905469
   },
   "modes": [
    {
     "fingerprint": "38aafa129a67da04",
     "outcome": "failed",
     "exception": "AssertionError",
     "message": "assert [''nlucky'', ''b''] == [''b'', ''nlucky'']\n  \n  At index 0 diff: ''nlucky'' != ''b''\n  Use -v to get more diff",
     "where": "test_a.py:3",
     "at": "call AssertionError test_a.py::test_flaky def test_flaky(tmp_path_factory,pytestconfig):assert[*{\"nlucky\",\"b\"}]==[\"b\",\"nlucky\"]",
     "quarantined": "",
     "failures": 3,
     "calm_failures": 1,
     "contract": "natural",
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
       "perturbation": "order",
       "setting": "alone",
       "with": {
        "runs": 1,
        "failures": 1
       },
       "without": {
        "runs": 5,
        "failures": 2
       },
       "p_value": 1.0
      }
     ],
     "plan": "hashseed=4169593347 order=alone random=1289972147",
     "after": [],
     "repro": "/v3.13.0/bin/python -m pytest test_a.py::test_flaky -p xdist.plugin -p pytest_flakehunt.plugin --rootdir=. ''--flakehunt-plan=hashseed=4169593347 order=alone random=1289972147''",
     "repro_without": "",
     "verified": null,
     "control": null,
     "evidence": {
      "phase": "call",
      "function": "test_flaky",
      "traceback": "tmp_path_factory = TempPathFactory(_given_basetemp=PosixPath(''/tmp/flakehunt-lo3ocswv/1/1.t''), _trace=<pluggy._tracing.TagTracerSub object at 0x7fc851221ba0>, _basetemp=None, _retention_count=3, _retention_policy=''all'')\npytestconfig = <_pytest.config.Config object at 0x7fc8514ea900>\n\n>   def test_flaky(tmp_path_factory, pytestconfig): assert [*{\"nlucky\",\"b\"}] == [\"b\",\"nlucky\"]\n                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\nE   AssertionError: assert [''nlucky'', ''b''] == [''b'', ''nlucky'']\nE     \nE     At index 0 diff: ''nlucky'' != ''b''\nE     Use -v to get more diff\n\ntest_a.py:3: AssertionError",
      "sections": [],
      "stacks": "",
      "note": "",
      "kind": "AssertionError",
      "statement": "test_a.py::test_flaky def test_flaky(tmp_path_factory,pytestconfig):assert[*{\"nlucky\",\"b\"}]==[\"b\",\"nlucky\"]"
     }
    }
   ],
   "leaks": [],
   "notes": [],
   "under": "1/2 1/2 1/1 0/1",
   "strip": "0..0.0"
  },
  {
   "nodeid": "test_a.py::test_leaks",
   "file": "test_a.py",
   "line": 4,
   "seconds": 0.007906,
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
     "kind": "thread",
     "what": "Thread-# (sleep)",
     "owner": "test",
     "owner_at": "test_a.py:4",
     "owner_function": "test_leaks",
     "started_at": "test_a.py:4",
     "started_function": "test_leaks",
     "now": "/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:1012 in _bootstrap\n/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:1041 in _bootstrap_inner\n/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:992 in run",
     "runs": 5,
     "leaked": 5,
     "rate": {
      "low": 0.478176,
      "high": 1.0
     },
     "suspects": [],
     "victims": []
    }
   ],
   "notes": [],
   "under": "0/2 0/2 0/1 0/1",
   "strip": ""
  }
 ],
 "groups": [],
 "outages": [],
 "ready_for_release": [],
 "notes": [],
 "columns": [
  "calm",
  "order",
  "repeat",
  "clock"
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
   "plan": "hashseed=1096772748 order=reversed random=105374929",
   "trial": [
    "order"
   ],
   "zygote": 2
  },
  {
   "sweep": 2,
   "plan": "clock=2028-02-29T23:59:58 hashseed=1096772748 random=4290954625",
   "trial": [
    "clock"
   ],
   "zygote": 2
  },
  {
   "sweep": 3,
   "plan": "hashseed=4169593347 order=alone random=1289972147",
   "trial": [
    "order"
   ],
   "zygote": 1
  },
  {
   "sweep": 4,
   "plan": "",
   "trial": [],
   "zygote": 2
  },
  {
   "sweep": 5,
   "plan": "hashseed=4169593347 random=3462803498 repeat=2",
   "trial": [
    "repeat"
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
INSERT INTO "evidence" VALUES(1,0,1,'call','AssertionError','assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
  
  At index 0 diff: ''nlucky'' != ''b''
  Use -v to get more diff','test_a.py',3,'test_flaky','tmp_path_factory = TempPathFactory(_given_basetemp=PosixPath(''/tmp/flakehunt-lo3ocswv/1/1.t''), _trace=<pluggy._tracing.TagTracerSub object at 0x7fc851221ba0>, _basetemp=None, _retention_count=3, _retention_policy=''all'')
pytestconfig = <_pytest.config.Config object at 0x7fc8514ea900>

>   def test_flaky(tmp_path_factory, pytestconfig): assert [*{"nlucky","b"}] == ["b","nlucky"]
                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
E     
E     At index 0 diff: ''nlucky'' != ''b''
E     Use -v to get more diff

test_a.py:3: AssertionError','[]','','','AssertionError','test_a.py::test_flaky def test_flaky(tmp_path_factory,pytestconfig):assert[*{"nlucky","b"}]==["b","nlucky"]');
INSERT INTO "evidence" VALUES(1,3,1,'call','AssertionError','assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
  
  At index 0 diff: ''nlucky'' != ''b''
  Use -v to get more diff','test_a.py',3,'test_flaky','tmp_path_factory = TempPathFactory(_given_basetemp=PosixPath(''/tmp/flakehunt-lo3ocswv/1/4.t''), _trace=<pluggy._tracing.TagTracerSub object at 0x7fc851221ba0>, _basetemp=None, _retention_count=3, _retention_policy=''all'')
pytestconfig = <_pytest.config.Config object at 0x7fc8514ea900>

>   def test_flaky(tmp_path_factory, pytestconfig): assert [*{"nlucky","b"}] == ["b","nlucky"]
                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
E     
E     At index 0 diff: ''nlucky'' != ''b''
E     Use -v to get more diff

test_a.py:3: AssertionError','[]','','','AssertionError','test_a.py::test_flaky def test_flaky(tmp_path_factory,pytestconfig):assert[*{"nlucky","b"}]==["b","nlucky"]');
INSERT INTO "evidence" VALUES(1,5,1,'call','AssertionError','assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
  
  At index 0 diff: ''nlucky'' != ''b''
  Use -v to get more diff','test_a.py',3,'test_flaky','tmp_path_factory = TempPathFactory(_given_basetemp=PosixPath(''/tmp/flakehunt-lo3ocswv/1/5.t''), _trace=<pluggy._tracing.TagTracerSub object at 0x7fc851221ba0>, _basetemp=None, _retention_count=3, _retention_policy=''all'')
pytestconfig = <_pytest.config.Config object at 0x7fc8514ea900>

>   def test_flaky(tmp_path_factory, pytestconfig): assert [*{"nlucky","b"}] == ["b","nlucky"]
                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: assert [''nlucky'', ''b''] == [''b'', ''nlucky'']
E     
E     At index 0 diff: ''nlucky'' != ''b''
E     Use -v to get more diff

test_a.py:3: AssertionError','[]','','run 1 of 2 in one process','AssertionError','test_a.py::test_flaky def test_flaky(tmp_path_factory,pytestconfig):assert[*{"nlucky","b"}]==["b","nlucky"]');
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
    weights       TEXT    NOT NULL DEFAULT '{}' -- JSON: how often each perturbation was drawn, against the others
);
INSERT INTO "hunts" VALUES(1,7,'6','2026-11-27T06:18:15+00:00',3.72037855000007766648e+00,'3.13.0','9.2.0','linux','2 cores, x86_64','','{}','order repeat clock random hashseed latency cores timezone gc threads asyncio network pieces environ ports listdir rows resolution load fds','/project','c6ab215d9b24438da3660d3e8d31b5fc','[]','{"order": 6, "repeat": 2, "clock": 3, "random": 0.5, "hashseed": 0.5, "latency": 2, "cores": 1, "timezone": 2, "gc": 1, "threads": 2, "asyncio": 1, "network": 1, "pieces": 1, "environ": 1, "ports": 0.5, "listdir": 1, "rows": 1, "resolution": 1, "load": 1, "fds": 0.5}');
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
INSERT INTO "leaked" VALUES(1,0,1,'/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:1012 in _bootstrap
/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:1041 in _bootstrap_inner
/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:992 in run');
INSERT INTO "leaked" VALUES(1,1,1,'/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:1012 in _bootstrap
/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:1041 in _bootstrap_inner
/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:992 in run');
INSERT INTO "leaked" VALUES(1,2,1,'/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:1012 in _bootstrap
/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:1041 in _bootstrap_inner
/root/.pyenv/versions/3.13.0/lib/python3.13/threading.py:992 in run');
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
INSERT INTO "leaks" VALUES(1,3,'thread','Thread-# (sleep)','test','test_a.py',4,'test_leaks','test_a.py',4,'test_leaks');
CREATE TABLE modes (
    id          INTEGER PRIMARY KEY,
    test        INTEGER NOT NULL REFERENCES tests (id),
    fingerprint TEXT    NOT NULL,               -- of phase, exception type and failing statement; "1:…" is one of before format 4
    UNIQUE (test, fingerprint)
);
INSERT INTO "modes" VALUES(1,2,'38aafa129a67da04');
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
INSERT INTO "sweeps" VALUES(1,0,'','','fork',1,'4169593347',1,1.79576029815991067891e+09,2.58771126999818079639e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,1,'hashseed=1096772748 order=reversed random=105374929','order','fork',2,'1096772748',1,1.79576029823828864102e+09,1.68460796000090340385e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,2,'clock=2028-02-29T23:59:58 hashseed=1096772748 random=4290954625','clock','fork',2,'1096772748',1,1.79576029840792489051e+09,3.99788574000012886244e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,3,'hashseed=4169593347 order=alone random=1289972147','order','fork',1,'4169593347',1,1.79576029842052817342e+09,2.46058583999911206774e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,4,'','','unforked',2,'1096772748',1,1.79576029880832171436e+09,7.32109719000163750024e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,5,'hashseed=4169593347 random=3462803498 repeat=2','repeat','fork',1,'4169593347',1,1.79576029866775703424e+09,2.34792273000039131147e-01,0,0,'survey');
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
