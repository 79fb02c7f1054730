BEGIN TRANSACTION;
CREATE TABLE holdings (
    workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    region TEXT NOT NULL, show TEXT NOT NULL, step TEXT NOT NULL, place TEXT NOT NULL, gone TEXT,
    PRIMARY KEY (workshop, target, account, kind, name, region)
);
INSERT INTO "holdings" VALUES('films','aws','1','table','films','us-west-2','aws dynamodb describe-table --table-name films','table','home',NULL);
CREATE TABLE made (
    workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, run TEXT NOT NULL, step TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (workshop, target, account, region, kind, name)
);
INSERT INTO "made" VALUES('films','aws','1','us-west-2','table','films','run-1','table','2026-03-01T09:00:00+00:00');
CREATE TABLE results (
    run TEXT NOT NULL, workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, step TEXT NOT NULL,
    region TEXT NOT NULL, outcome TEXT, seconds REAL, outputs TEXT, error TEXT, started TEXT NOT NULL, finished TEXT,
    PRIMARY KEY (run, account, step, region)
);
INSERT INTO "results" VALUES('run-1','films','aws','1','table','home','created',4.5,'{"TableName": "films"}',NULL,'2026-03-01T09:00:00+00:00','2026-03-01T09:00:00+00:00');
INSERT INTO "results" VALUES('run-1','films','aws','1','api','home',NULL,NULL,NULL,NULL,'2026-03-01T09:00:00+00:00',NULL);
CREATE TABLE runs (
    id TEXT PRIMARY KEY, command TEXT NOT NULL, workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL,
    pid INTEGER NOT NULL, started TEXT NOT NULL, finished TEXT, ok INTEGER
, identity TEXT NOT NULL DEFAULT '');
INSERT INTO "runs" VALUES('run-1','setup','films','aws','1',4242,'2026-03-01T09:00:00+00:00','2026-03-01T09:00:00+00:00',0,'arn:aws:iam::1:user/ana');
CREATE TABLE standings (
    workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, source TEXT NOT NULL, profile TEXT NOT NULL,
    regions TEXT NOT NULL, parameters TEXT NOT NULL, since TEXT NOT NULL, endpoint TEXT NOT NULL,
    PRIMARY KEY (workshop, target, account)
);
INSERT INTO "standings" VALUES('films','aws','1','./films','event','["us-west-2", "eu-west-1"]','{"table": "films"}','2026-03-01T09:00:00+00:00','http://127.0.0.1:4566');
CREATE TABLE undos (
    id INTEGER PRIMARY KEY, workshop TEXT NOT NULL, target TEXT NOT NULL, account TEXT NOT NULL, source TEXT NOT NULL,
    profile TEXT NOT NULL, region TEXT NOT NULL, kind TEXT NOT NULL, memory TEXT NOT NULL, by TEXT NOT NULL, run TEXT NOT NULL,
    since TEXT NOT NULL, done TEXT
);
INSERT INTO "undos" VALUES(1,'films','aws','1','./films','event','us-west-2','throttle','{"limit": 5}','drill','run-1','2026-03-01T09:00:00+00:00',NULL);
COMMIT;
PRAGMA user_version = 3;
