"""A database as the last version without numbered steps made it."""

from __future__ import annotations

import sqlalchemy as sa

TABLES = """
CREATE TABLE jobs (
    job_id TEXT NOT NULL,
    project_id TEXT NOT NULL,
    language TEXT NOT NULL,
    state TEXT NOT NULL,
    object_key TEXT NOT NULL,
    created_s BIGINT NOT NULL,
    updated_s BIGINT NOT NULL,
    failure_code TEXT,
    failure_reason TEXT,
    result TEXT,
    app_user_id TEXT,
    PRIMARY KEY (job_id),
    CONSTRAINT jobs_language CHECK (language IN ('CN', 'EN')),
    CONSTRAINT jobs_state CHECK (state IN ('CREATING', 'WAITING', 'PROCESSING', 'SUCCEED', 'FAILED')),
    CONSTRAINT jobs_result CHECK ((state = 'SUCCEED') = (result IS NOT NULL)),
    CONSTRAINT jobs_failure_code CHECK ((state = 'FAILED') = (failure_code IS NOT NULL)),
    CONSTRAINT jobs_failure_reason CHECK ((state = 'FAILED') = (failure_reason IS NOT NULL))
);
CREATE INDEX jobs_by_state ON jobs (state);
CREATE INDEX jobs_by_project ON jobs (project_id, created_s);
CREATE TABLE leases (
    executor_id TEXT NOT NULL,
    expires_s {double} NOT NULL,
    PRIMARY KEY (executor_id)
);
CREATE TABLE chunk_outcomes (
    job_id TEXT NOT NULL,
    chunk INTEGER NOT NULL,
    measured TEXT,
    failure_code TEXT,
    failure_reason TEXT,
    recorded_s BIGINT NOT NULL,
    PRIMARY KEY (job_id, chunk),
    CONSTRAINT chunk_outcomes_either CHECK ((measured IS NULL) = (failure_code IS NOT NULL)),
    CONSTRAINT chunk_outcomes_reason CHECK ((failure_code IS NULL) = (failure_reason IS NULL)),
    FOREIGN KEY(job_id) REFERENCES jobs (job_id) ON DELETE CASCADE
);
CREATE TABLE projects (
    project_id VARCHAR(64) NOT NULL,
    name VARCHAR(64) NOT NULL,
    domain_id VARCHAR(64) NOT NULL,
    created_s BIGINT NOT NULL,
    PRIMARY KEY (project_id),
    UNIQUE (name)
);
CREATE TABLE access_keys (
    access_key VARCHAR(20) NOT NULL,
    secret_key VARCHAR(40) NOT NULL,
    project_id VARCHAR(64) NOT NULL,
    description VARCHAR(200) NOT NULL,
    created_s BIGINT NOT NULL,
    revoked_s BIGINT,
    PRIMARY KEY (access_key),
    FOREIGN KEY(project_id) REFERENCES projects (project_id)
);
CREATE INDEX ix_access_keys_project_id ON access_keys (project_id)
"""
MOVES = (
    "(OLD.state = 'CREATING' AND NEW.state = 'WAITING') OR (OLD.state = 'PROCESSING' AND NEW.state = 'FAILED') OR "
    "(OLD.state = 'PROCESSING' AND NEW.state = 'SUCCEED') OR (OLD.state = 'WAITING' AND NEW.state = 'FAILED') OR "
    "(OLD.state = 'WAITING' AND NEW.state = 'PROCESSING')"
)
SQLITE_TRIGGERS = (
    "CREATE TRIGGER jobs_begin BEFORE INSERT ON jobs WHEN NEW.state <> 'CREATING' "
    "BEGIN SELECT RAISE(ABORT, 'illegal job state at creation'); END",
    f"CREATE TRIGGER jobs_move BEFORE UPDATE ON jobs WHEN NOT ({MOVES}) "
    "BEGIN SELECT RAISE(ABORT, 'illegal job transition'); END",
)
POSTGRESQL_TRIGGERS = (
    "CREATE FUNCTION voicegauge_guard_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "IF TG_OP = 'INSERT' THEN IF NEW.state <> 'CREATING' THEN "
    "RAISE EXCEPTION 'illegal job state at creation' USING ERRCODE = 'check_violation'; END IF; "
    f"ELSIF NOT ({MOVES}) THEN "
    "RAISE EXCEPTION 'illegal job transition' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$",
    "CREATE TRIGGER jobs_guard BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION voicegauge_guard_jobs()",
)
ROWS = (
    "INSERT INTO projects VALUES ('p', 'default', 'd', 1)",
    "INSERT INTO access_keys VALUES ('AK', 'SK', 'p', '', 1, NULL)",
    "INSERT INTO jobs VALUES ('ended', 'p', 'EN', 'CREATING', 'p/ended.zip', 1, 1, NULL, NULL, NULL, 'user')",
    "INSERT INTO jobs VALUES ('in work', 'p', 'CN', 'CREATING', 'p/work.zip', 2, 2, NULL, NULL, NULL, NULL)",
    "UPDATE jobs SET state = 'WAITING'",
    "UPDATE jobs SET state = 'PROCESSING'",
    """UPDATE jobs SET state = 'SUCCEED', result = '{"ok":true}' WHERE job_id = 'ended'""",
    "INSERT INTO chunk_outcomes VALUES ('ended', 0, '[]', NULL, NULL, 1)",
    "INSERT INTO chunk_outcomes VALUES ('in work', 0, NULL, 'code', 'reason', 2)",
)


def fill(engine: sa.Engine, *, tables: int = 8) -> None:
    """Make the first of the tables and indexes, the triggers, and where all are there, some rows."""
    sqlite = engine.dialect.name == "sqlite"
    statements = TABLES.format(double="DOUBLE" if sqlite else "DOUBLE PRECISION").split(";")
    with engine.begin() as connection:
        for statement in (*statements[:tables], *(SQLITE_TRIGGERS if sqlite else POSTGRESQL_TRIGGERS)):
            connection.exec_driver_sql(statement)
        if tables >= len(statements):
            for statement in ROWS:
                connection.exec_driver_sql(statement)
