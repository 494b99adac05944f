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
INSERT INTO "attempts" VALUES(1,2,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,2,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,3,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,3,2,1,1,1);
INSERT INTO "attempts" VALUES(1,3,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,4,1,0,0,NULL);
INSERT INTO "attempts" VALUES(1,4,2,0,0,NULL);
INSERT INTO "attempts" VALUES(1,4,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,5,1,0,1,NULL);
INSERT INTO "attempts" VALUES(1,5,2,0,0,NULL);
INSERT INTO "attempts" VALUES(1,5,3,0,0,NULL);
INSERT INTO "attempts" VALUES(1,7,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,8,2,1,2,1);
INSERT INTO "attempts" VALUES(1,9,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,10,2,1,1,1);
INSERT INTO "attempts" VALUES(1,11,2,1,1,1);
INSERT INTO "attempts" VALUES(1,12,2,1,1,1);
INSERT INTO "attempts" VALUES(1,13,2,1,2,1);
INSERT INTO "attempts" VALUES(1,14,2,1,1,1);
INSERT INTO "attempts" VALUES(1,15,2,1,1,1);
INSERT INTO "attempts" VALUES(1,16,2,1,2,1);
INSERT INTO "attempts" VALUES(1,17,2,1,2,1);
INSERT INTO "attempts" VALUES(1,18,2,1,2,1);
INSERT INTO "attempts" VALUES(1,19,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,20,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,21,2,1,2,1);
INSERT INTO "attempts" VALUES(1,22,2,1,2,1);
INSERT INTO "attempts" VALUES(1,23,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,24,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,25,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,26,2,1,2,1);
INSERT INTO "attempts" VALUES(1,27,2,1,2,1);
INSERT INTO "attempts" VALUES(1,28,2,1,2,1);
INSERT INTO "attempts" VALUES(1,29,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,30,2,1,2,1);
INSERT INTO "attempts" VALUES(1,31,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,32,2,1,2,1);
INSERT INTO "attempts" VALUES(1,33,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,34,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,35,2,1,2,1);
INSERT INTO "attempts" VALUES(1,36,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,37,2,1,2,1);
INSERT INTO "attempts" VALUES(1,38,2,1,2,1);
INSERT INTO "attempts" VALUES(1,39,2,1,2,1);
INSERT INTO "attempts" VALUES(1,40,2,1,2,1);
INSERT INTO "attempts" VALUES(1,41,2,1,2,1);
INSERT INTO "attempts" VALUES(1,42,2,1,2,1);
INSERT INTO "attempts" VALUES(1,43,2,1,2,1);
INSERT INTO "attempts" VALUES(1,44,2,1,2,1);
INSERT INTO "attempts" VALUES(1,45,2,1,2,1);
INSERT INTO "attempts" VALUES(1,46,2,1,1,1);
INSERT INTO "attempts" VALUES(1,47,2,1,2,1);
INSERT INTO "attempts" VALUES(1,48,2,1,2,1);
INSERT INTO "attempts" VALUES(1,49,2,1,1,1);
INSERT INTO "attempts" VALUES(1,50,2,1,2,1);
INSERT INTO "attempts" VALUES(1,51,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,52,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,53,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,54,2,1,1,1);
INSERT INTO "attempts" VALUES(1,55,2,1,2,1);
INSERT INTO "attempts" VALUES(1,56,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,57,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,58,2,1,1,1);
INSERT INTO "attempts" VALUES(1,59,2,1,1,1);
INSERT INTO "attempts" VALUES(1,60,2,1,1,1);
INSERT INTO "attempts" VALUES(1,61,2,1,1,1);
INSERT INTO "attempts" VALUES(1,62,2,1,1,1);
INSERT INTO "attempts" VALUES(1,63,2,1,1,1);
INSERT INTO "attempts" VALUES(1,64,2,1,1,1);
INSERT INTO "attempts" VALUES(1,65,2,1,2,1);
INSERT INTO "attempts" VALUES(1,66,2,1,2,1);
INSERT INTO "attempts" VALUES(1,67,2,1,2,1);
INSERT INTO "attempts" VALUES(1,68,2,1,1,1);
INSERT INTO "attempts" VALUES(1,69,2,1,2,1);
INSERT INTO "attempts" VALUES(1,70,2,1,2,1);
INSERT INTO "attempts" VALUES(1,71,2,1,2,1);
INSERT INTO "attempts" VALUES(1,72,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,73,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,74,2,1,2,1);
INSERT INTO "attempts" VALUES(1,75,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,76,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,77,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,78,2,1,2,1);
INSERT INTO "attempts" VALUES(1,79,2,1,2,1);
INSERT INTO "attempts" VALUES(1,80,2,1,2,1);
INSERT INTO "attempts" VALUES(1,81,2,1,1,1);
INSERT INTO "attempts" VALUES(1,82,2,1,1,1);
INSERT INTO "attempts" VALUES(1,83,2,1,1,1);
INSERT INTO "attempts" VALUES(1,84,2,1,2,1);
INSERT INTO "attempts" VALUES(1,85,2,1,2,1);
INSERT INTO "attempts" VALUES(1,86,2,1,1,1);
INSERT INTO "attempts" VALUES(1,87,2,1,2,1);
INSERT INTO "attempts" VALUES(1,88,2,1,2,1);
INSERT INTO "attempts" VALUES(1,89,2,1,2,1);
INSERT INTO "attempts" VALUES(1,90,2,1,2,1);
INSERT INTO "attempts" VALUES(1,91,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,92,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,93,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,94,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,95,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,96,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,97,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,98,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,99,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,100,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,101,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,102,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,103,2,1,2,1);
INSERT INTO "attempts" VALUES(1,104,2,1,1,1);
INSERT INTO "attempts" VALUES(1,105,2,1,1,1);
INSERT INTO "attempts" VALUES(1,106,2,1,1,1);
INSERT INTO "attempts" VALUES(1,107,2,1,1,1);
INSERT INTO "attempts" VALUES(1,108,2,1,1,1);
INSERT INTO "attempts" VALUES(1,109,2,1,2,1);
INSERT INTO "attempts" VALUES(1,110,2,1,2,1);
INSERT INTO "attempts" VALUES(1,111,2,1,2,1);
INSERT INTO "attempts" VALUES(1,112,2,1,2,1);
INSERT INTO "attempts" VALUES(1,113,2,1,2,1);
INSERT INTO "attempts" VALUES(1,114,2,1,2,1);
INSERT INTO "attempts" VALUES(1,115,2,1,2,1);
INSERT INTO "attempts" VALUES(1,116,2,1,2,1);
INSERT INTO "attempts" VALUES(1,117,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,118,2,1,2,1);
INSERT INTO "attempts" VALUES(1,119,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,120,2,1,2,1);
INSERT INTO "attempts" VALUES(1,121,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,122,2,1,2,1);
INSERT INTO "attempts" VALUES(1,123,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,124,2,1,2,1);
INSERT INTO "attempts" VALUES(1,125,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,126,2,1,2,1);
INSERT INTO "attempts" VALUES(1,127,2,1,2,1);
INSERT INTO "attempts" VALUES(1,128,2,1,1,1);
INSERT INTO "attempts" VALUES(1,129,2,1,2,1);
INSERT INTO "attempts" VALUES(1,130,2,1,2,1);
INSERT INTO "attempts" VALUES(1,131,2,1,2,1);
INSERT INTO "attempts" VALUES(1,132,2,1,2,1);
INSERT INTO "attempts" VALUES(1,133,2,1,2,1);
INSERT INTO "attempts" VALUES(1,134,2,1,2,1);
INSERT INTO "attempts" VALUES(1,135,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,136,2,1,2,1);
INSERT INTO "attempts" VALUES(1,137,2,1,2,1);
INSERT INTO "attempts" VALUES(1,138,2,1,2,1);
INSERT INTO "attempts" VALUES(1,139,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,140,2,1,2,1);
INSERT INTO "attempts" VALUES(1,141,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,142,2,1,2,1);
INSERT INTO "attempts" VALUES(1,143,2,1,2,1);
INSERT INTO "attempts" VALUES(1,144,2,1,1,1);
INSERT INTO "attempts" VALUES(1,145,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,146,2,1,1,1);
INSERT INTO "attempts" VALUES(1,147,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,148,2,1,1,1);
INSERT INTO "attempts" VALUES(1,149,2,1,2,1);
INSERT INTO "attempts" VALUES(1,150,2,1,2,1);
INSERT INTO "attempts" VALUES(1,151,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,152,2,1,2,1);
INSERT INTO "attempts" VALUES(1,153,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,154,2,1,1,1);
INSERT INTO "attempts" VALUES(1,155,2,0,1,NULL);
INSERT INTO "attempts" VALUES(1,156,2,1,1,1);
INSERT INTO "attempts" VALUES(1,157,2,1,3,1);
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
assert 0.6377866294649989 < 0.5
 +  where 0.6377866294649989 = <built-in method random of Random object at 0x558275f50350>()
 +    where <built-in method random of Random object at 0x558275f50350> = random.random','test_a.py',3,'test_flaky','>   def test_flaky(): assert random.random() < 0.5, "Ünlucky"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: Ünlucky
E   assert 0.6377866294649989 < 0.5
E    +  where 0.6377866294649989 = <built-in method random of Random object at 0x558275f50350>()
E    +    where <built-in method random of Random object at 0x558275f50350> = random.random

test_a.py:3: AssertionError','[]','','');
INSERT INTO "evidence" VALUES(1,3,1,'call','AssertionError','Ünlucky
assert 0.9343589919594225 < 0.5
 +  where 0.9343589919594225 = <built-in method random of Random object at 0x558275f50350>()
 +    where <built-in method random of Random object at 0x558275f50350> = random.random','test_a.py',3,'test_flaky','>   def test_flaky(): assert random.random() < 0.5, "Ünlucky"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: Ünlucky
E   assert 0.9343589919594225 < 0.5
E    +  where 0.9343589919594225 = <built-in method random of Random object at 0x558275f50350>()
E    +    where <built-in method random of Random object at 0x558275f50350> = random.random

test_a.py:3: AssertionError','[]','','');
INSERT INTO "evidence" VALUES(1,8,1,'call','AssertionError','Ünlucky
assert 0.7374695994140977 < 0.5
 +  where 0.7374695994140977 = <built-in method random of Random object at 0x55ca03f7e350>()
 +    where <built-in method random of Random object at 0x55ca03f7e350> = random.random','test_a.py',3,'test_flaky','>   def test_flaky(): assert random.random() < 0.5, "Ünlucky"
                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
E   AssertionError: Ünlucky
E   assert 0.7374695994140977 < 0.5
E    +  where 0.7374695994140977 = <built-in method random of Random object at 0x55ca03f7e350>()
E    +    where <built-in method random of Random object at 0x55ca03f7e350> = random.random

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
INSERT INTO "hunts" VALUES(1,3,'6','2026-11-26T13:13:51+00:00',6.97708357500232523307e+00,'3.11.7','9.2.0','linux','2 cores, x86_64','','{}','order repeat clock random hashseed latency cores timezone gc','/home/me/suite');
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
    purpose    TEXT    NOT NULL DEFAULT 'survey', -- or diagnosis: one run of an experiment, in no rate
    PRIMARY KEY (hunt, number)
) WITHOUT ROWID;
INSERT INTO "sweeps" VALUES(1,0,'','','fork',1,'2605948134',0,1.79569883193892598153e+09,3.35699350034701637923e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,1,'hashseed=2809554061 order=reversed random=1271297059','order','fork',2,'2809554061',1,1.79569883200782084466e+09,1.69351110016577877104e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,2,'hashseed=2605948134 random=375164600 repeat=2','repeat','fork',1,'2605948134',0,1.79569883197394180294e+09,2.17668209952535107731e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,3,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock','fork',1,'2605948134',1,1.79569883199675035473e+09,1.6336068400414660573e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,4,'','','unforked',2,'2809554061',1,1.79569883203858232491e+09,1.20975737998378463089e-01,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,5,'hashseed=2809554061 random=1077045251','random','fork',2,'2809554061',1,1.7956988320254371166e+09,1.27232399972854182124e-02,0,0,'survey');
INSERT INTO "sweeps" VALUES(1,7,'','','fork',3,'3471872355',0,1.79569883255460977554e+09,1.0652236996975261718e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,8,'','','fork',3,'3471872355',0,1.7956988325657665729e+09,2.99774140003137290477e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,9,'','','fork',3,'3471872355',0,1.79569883259627556797e+09,1.07217200056766159832e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,10,'','','fork',3,'3471872355',0,1.79569883260769152643e+09,2.93155519975698553025e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,11,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883291457343095e+09,6.3710501999594271183e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,12,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883297895669933e+09,6.63153970017447136342e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,13,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883304602026944e+09,6.71210020009311847388e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,14,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883311387538905e+09,5.19018269988009706139e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,15,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883316643333437e+09,6.43734199984464794397e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,16,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883323141574853e+09,5.51396230002865195274e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,17,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883328711342807e+09,0.0764859080009046,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,18,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883336437702186e+09,0.0875271130062174,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,19,'','','fork',4,'2605948134',0,1.79569883345266151429e+09,1.65975639974931254982e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,20,'','','fork',4,'2605948134',0,1795698833.46994,1.12171750006382353603e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,21,'','','fork',4,'2605948134',0,1.79569883348165464402e+09,3.3233892005227971822e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,22,'','','fork',4,'2605948134',0,1.79569883351562118532e+09,4.28228750024572946131e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,23,'','','fork',4,'2605948134',0,1.79569883355919456477e+09,1.5589162998367100954e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,24,'','','fork',4,'2605948134',0,1.79569883357531476023e+09,1.53709480000543408095e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,25,'','','fork',4,'2605948134',0,1.79569883359121441838e+09,1.50040049993549473583e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,26,'','','fork',4,'2605948134',0,1.79569883360674405095e+09,3.14341359990066848695e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,27,'','','fork',4,'2605948134',0,1.79569883363867950436e+09,3.68442340040928684175e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,28,'','','fork',4,'2605948134',0,1.79569883367611932752e+09,3.37308129965094849467e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,29,'','','fork',4,'2605948134',0,1.79569883371033763887e+09,1.23060620026080869138e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,30,'','','fork',4,'2605948134',0,1.79569883372331833837e+09,3.87778330041328445076e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,31,'','','fork',4,'2605948134',0,1.79569883376256132128e+09,1.40150369988987222313e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,32,'','','fork',4,'2605948134',0,1.79569883377713465687e+09,4.22623640042729675769e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,33,'','','fork',4,'2605948134',0,1.79569883382003617289e+09,1.52424190018791705369e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,34,'','','fork',4,'2605948134',0,1.7956988338358740807e+09,1.53094389970647171139e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,35,'','','fork',4,'2605948134',0,1.79569883385175132744e+09,3.43564419963513500988e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,36,'','','fork',4,'2605948134',0,1.79569883388666296005e+09,1.26625909979338757693e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,37,'','','fork',4,'2605948134',0,1.79569883389980053901e+09,3.45658519945573061704e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,38,'','','fork',4,'2605948134',0,1.7956988339350466728e+09,4.05211399993277154862e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,39,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883397630286215e+09,7.25259230021038092672e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,40,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883404986643795e+09,7.33008520037401467561e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,41,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883412386012075e+09,8.02723670058185234665e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,42,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883420485782625e+09,8.02416919977986253798e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,43,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.7956988342858738899e+09,7.53301140066469088196e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,44,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883436202692985e+09,7.89268200023798272013e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,45,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883444182682038e+09,6.63066640045144595205e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,46,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883450874543187e+09,5.34958830030518583953e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,47,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883456278777127e+09,0.0748441420000745,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,48,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883463838505738e+09,0.062738195003476,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,49,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883470173549656e+09,5.05713039965485222637e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,50,'clock=2028-02-29T23:59:58 hashseed=2605948134 random=1220416051','clock hashseed random','fork',4,'2605948134',0,1.79569883475284624097e+09,6.55135420020087622106e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,51,'clock=2028-02-29T23:59:58','clock','fork',4,'2605948134',0,1.79569883481891655928e+09,2.17136909996042959392e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,52,'clock=2028-02-29T23:59:58','clock','fork',4,'2605948134',0,1.79569883484107375147e+09,2.69670220004627481102e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,53,'clock=2028-02-29T23:59:58','clock','fork',4,'2605948134',0,1.79569883486860680573e+09,2.35052900025038979947e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,54,'clock=2028-02-29T23:59:58','clock','fork',4,'2605948134',0,1.79569883489256334301e+09,4.96126619982533156871e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,55,'clock=2028-02-29T23:59:58','clock','fork',4,'2605948134',0,1.79569883494267725941e+09,7.03904800029704347252e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,56,'clock=2028-02-29T23:59:58','clock','fork',4,'2605948134',0,1795698835.0138,2.61497239989694207906e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,57,'clock=2028-02-29T23:59:58','clock','fork',4,'2605948134',0,1.79569883504041743278e+09,2.20910260031814686954e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,58,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.7956988350630104542e+09,2.92226189994835294783e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,59,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883509273457529e+09,2.88528050004970282316e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,60,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883512210464477e+09,2.80358529998920857906e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,61,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883515064263341e+09,2.97311789981904439628e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,62,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883518088245391e+09,2.84823150068405084311e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,63,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883520989918707e+09,2.87720560008892789483e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,64,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883523922538756e+09,2.85703810004633851349e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,65,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883526850271231e+09,3.95026690021040849387e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,66,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883530873727799e+09,3.84483140005613677203e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,67,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883534788203235e+09,3.76162389948149211704e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,68,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883538599824905e+09,2.88180940042366273701e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,69,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883541533374792e+09,3.6689499000203795731e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,70,'hashseed=2605948134 random=1220416051','hashseed random','fork',4,'2605948134',0,1.79569883545262241365e+09,3.58701980003388598561e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,71,'hashseed=2605948134','hashseed','fork',4,'2605948134',0,1.79569883548916912081e+09,4.04505750047974288463e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,72,'hashseed=2605948134','hashseed','fork',4,'2605948134',0,1.79569883553032851215e+09,1.45114229962928220629e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,73,'hashseed=2605948134','hashseed','fork',4,'2605948134',0,1.79569883554556202886e+09,1.49908149978728033602e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,74,'hashseed=2605948134','hashseed','fork',4,'2605948134',0,1.7956988355611140728e+09,3.24452360000577755272e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,75,'hashseed=2605948134','hashseed','fork',4,'2605948134',0,1.79569883559408426283e+09,0.0136393400025554,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,76,'hashseed=2605948134','hashseed','fork',4,'2605948134',0,1.79569883560828256604e+09,1.33992139963083900511e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,77,'hashseed=2605948134','hashseed','fork',4,'2605948134',0,1.79569883562228178983e+09,1.29939069956890307366e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,78,'random=1220416051','random','fork',4,'2605948134',0,1.79569883563590359685e+09,3.96540329966228455305e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,79,'random=1220416051','random','fork',4,'2605948134',0,1795698835.67622,3.71848690047045238316e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,80,'random=1220416051','random','fork',4,'2605948134',0,1.79569883571390032767e+09,3.97352579966536723077e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,81,'random=1220416051','random','fork',4,'2605948134',0,1.79569883575425910953e+09,2.91687439967063255608e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,82,'random=1220416051','random','fork',4,'2605948134',0,1.79569883578406834599e+09,2.93173000027309171855e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,83,'random=1220416051','random','fork',4,'2605948134',0,1.79569883581388115879e+09,0.0285096160005196,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,84,'random=1220416051','random','fork',4,'2605948134',0,1.79569883584291124347e+09,4.002421799668809399e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,85,'random=1220416051','random','fork',4,'2605948134',0,1.79569883588356280328e+09,3.66478069990989752113e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,86,'random=1220416051','random','fork',4,'2605948134',0,1.79569883592071843142e+09,2.8851792994828429073e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,87,'random=1220416051','random','fork',4,'2605948134',0,1.79569883595008087154e+09,3.99063530057901516556e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,88,'random=1220416051','random','fork',4,'2605948134',0,1.79569883599065065389e+09,4.00823590025538578629e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,89,'random=1220416051','random','fork',4,'2605948134',0,1.79569883603136563302e+09,3.92547010051202960312e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,90,'random=1220416051','random','fork',4,'2605948134',0,1.79569883607123398786e+09,3.18729370046639814972e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,91,'random=0','random','fork',4,'2605948134',0,1.79569883610365509983e+09,1.23413230030564591288e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,92,'random=0','random','fork',4,'2605948134',0,1.79569883611643552785e+09,1.01518139999825507402e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,93,'random=0','random','fork',4,'2605948134',0,1.79569883612714529036e+09,1.37523570010671392083e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,94,'random=0','random','fork',4,'2605948134',0,1.79569883614152073867e+09,1.14002070040442049503e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,95,'random=1','random','fork',4,'2605948134',0,1.79569883615343856811e+09,1.06575550016714259982e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,96,'random=1','random','fork',4,'2605948134',0,1.79569883616456866266e+09,1.29041990003315731883e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,97,'random=1','random','fork',4,'2605948134',0,1.79569883617792797093e+09,1.19594470015726983547e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,98,'random=1','random','fork',4,'2605948134',0,1.79569883619051790238e+09,1.21449170037521980702e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,99,'random=2','random','fork',4,'2605948134',0,1.79569883620329856866e+09,1.33480079966830089688e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,100,'random=2','random','fork',4,'2605948134',0,1.79569883621719694139e+09,1.35388509952463209629e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,101,'random=2','random','fork',4,'2605948134',0,1.79569883623132443427e+09,1.41201129954424686729e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,102,'random=2','random','fork',4,'2605948134',0,1.79569883624607205393e+09,1.50960419996408745646e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,103,'random=3','random','fork',4,'2605948134',0,1.79569883626203870771e+09,3.67316670017316937446e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,104,'random=3','random','fork',4,'2605948134',0,1.79569883629936885831e+09,3.09906979964580386877e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,105,'random=3','random','fork',4,'2605948134',0,1.79569883633085775379e+09,2.92817619993002153933e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,106,'random=3','random','fork',4,'2605948134',0,1.7956988363606412411e+09,2.92415170042659156024e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,107,'random=3','random','fork',4,'2605948134',0,1.79569883639039516451e+09,3.63346579979406669735e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,108,'random=3','random','fork',4,'2605948134',0,1.79569883642734074596e+09,3.0130657003610394895e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,109,'random=3','random','fork',4,'2605948134',0,1.79569883645796465878e+09,3.21094079990871250629e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,110,'random=3','random','fork',4,'2605948134',0,1.79569883649062442777e+09,3.59643429983407258987e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,111,'random=3','random','fork',4,'2605948134',0,1.79569883652718091009e+09,3.58820059991558082401e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,112,'random=3','random','fork',4,'2605948134',0,1.7956988365636518002e+09,3.74635429980116896331e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,113,'random=3','random','fork',4,'2605948134',0,1.79569883660178279878e+09,4.05487110037938691675e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,114,'random=3','random','fork',4,'2605948134',0,1.79569883664296936986e+09,4.08377400017343461513e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,115,'random=3','random','fork',4,'2605948134',0,1.79569883668443298343e+09,4.27681849978398531675e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,116,'random=3','random','fork',4,'2605948134',0,1.79569883672800254814e+09,3.47648790047969669103e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,117,'','','fork',4,'2605948134',0,1.79569883676331877708e+09,1.6545562000828795135e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,118,'random=3','random','fork',4,'2605948134',0,1.79569883678042864797e+09,3.7856506001844536513e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,119,'','','fork',4,'2605948134',0,1.79569883681947231289e+09,1.40730929997516795992e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,120,'random=3','random','fork',4,'2605948134',0,1.79569883683416151995e+09,4.27096779967541806399e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,121,'','','fork',4,'2605948134',0,1.79569883687777853012e+09,1.49915060028433799743e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,122,'random=3','random','fork',4,'2605948134',0,1.7956988368934502601e+09,4.29001299999072216451e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,123,'','','fork',4,'2605948134',0,1.79569883693706846237e+09,1.49592390007455833256e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,124,'random=3','random','fork',4,'2605948134',0,1.79569883695263075827e+09,4.39114909968338906764e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,125,'','','fork',4,'2605948134',0,1.79569883699704980857e+09,1.35970660048769786953e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,126,'random=3','random','fork',4,'2605948134',0,1.79569883701124501226e+09,3.61315359987202100455e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,127,'','','fork',4,'2605948134',0,1.79569883704835844039e+09,3.93390659955912269651e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,128,'random=3','random','fork',4,'2605948134',0,1.79569883708825373653e+09,3.78188200047588907182e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,129,'','','fork',4,'2605948134',0,1.79569883712660455701e+09,3.69672060041921213269e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,130,'random=3','random','fork',4,'2605948134',0,1.79569883716425132756e+09,0.0411924159998307,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,131,'','','fork',4,'2605948134',0,1.79569883720602321624e+09,4.10098050051601603627e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,132,'random=3','random','fork',4,'2605948134',0,1.79569883724772214883e+09,3.93397260049823671579e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,133,'','','fork',4,'2605948134',0,1.79569883728772807128e+09,3.03531910030869767069e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,134,'random=3','random','fork',4,'2605948134',0,1.79569883731874370578e+09,3.14411409999593161046e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,135,'','','fork',4,'2605948134',0,1.79569883735065031048e+09,1.19536339989281259477e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,136,'random=3','random','fork',4,'2605948134',0,1.7956988373631997108e+09,3.90095820039277896285e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,137,'','','fork',4,'2605948134',0,1.79569883740271329878e+09,3.52718760041170753538e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,138,'random=3','random','fork',4,'2605948134',0,1.79569883743848872185e+09,2.90193119944888167083e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,139,'','','fork',4,'2605948134',0,1.79569883746795129781e+09,1.00438040026347152888e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,140,'random=3','random','fork',4,'2605948134',0,1.79569883747853851312e+09,0.0394832599995425,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,141,'','','fork',4,'2605948134',0,1.79569883751862716678e+09,1.28009150066645815968e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,142,'random=3','random','fork',4,'2605948134',0,1.79569883753187918657e+09,3.90395310023450292646e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,143,'','','fork',4,'2605948134',0,1.79569883757147407527e+09,3.96480540002812631428e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,144,'random=3','random','fork',4,'2605948134',0,1.79569883761177897458e+09,2.77264539981842972338e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,145,'','','fork',4,'2605948134',0,1.79569883764005041116e+09,1.34198539963108487427e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,146,'random=3','random','fork',4,'2605948134',0,1.79569883765396475796e+09,2.8979793998587410897e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,147,'','','fork',4,'2605948134',0,1.79569883768337154386e+09,1.24878510032431222498e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,148,'random=3','random','fork',4,'2605948134',0,1.79569883769631886485e+09,0.0280721969975275,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,149,'','','fork',4,'2605948134',0,1.79569883772481870653e+09,0.037909225000476,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,150,'random=3','random','fork',4,'2605948134',0,1.79569883776329588891e+09,4.10551130044041201472e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,151,'','','fork',4,'2605948134',0,1.79569883780496168139e+09,9.84343700110912322998e-03,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,152,'random=3','random','fork',4,'2605948134',0,1.79569883781533527374e+09,4.01262940067681483924e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,153,'','','fork',4,'2605948134',0,1.79569883785604500776e+09,1.44275999991805292665e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,154,'random=3','random','fork',4,'2605948134',0,1.79569883787094640732e+09,2.85295150024467147886e-02,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,155,'','','fork',4,'2605948134',0,1.79569883789992856978e+09,9.62601400533458217978e-03,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,156,'random=3','random','fresh',5,'1449407731',0,1.79569883832553887372e+09,1.42238821004866622388e-01,0,0,'diagnosis');
INSERT INTO "sweeps" VALUES(1,157,'random=3','random','fork',4,'2605948134',0,1.79569883846838927263e+09,1.17230941003072075545e-01,0,0,'diagnosis');
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