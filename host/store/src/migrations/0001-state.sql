-- Instants are microseconds since 1970-01-01T00:00:00Z. Kinds and codes are the words of the model. Large tables name an object by
-- its number in `object`, without a foreign key: it would cost a look-up for each record, and the numbers come from one place.

-- Names of objects in use; connection '' where it is not about one connection.
CREATE TABLE object (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (connection, name)
) STRICT;

CREATE TABLE connection (
    id TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT;

CREATE TABLE document (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    content TEXT NOT NULL,
    saved_at INTEGER NOT NULL,
    UNIQUE (kind, key)
) STRICT;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE phase_note (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    phase TEXT NOT NULL,
    state TEXT NOT NULL,
    noted_at INTEGER NOT NULL,
    detail TEXT NOT NULL
) STRICT;

-- One reading of a connection.
CREATE TABLE extraction (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

-- How far an extraction came with an object.
CREATE TABLE checkpoint (
    extraction INTEGER NOT NULL REFERENCES extraction (id),
    object INTEGER NOT NULL REFERENCES object (id),
    cursor BLOB,
    pages INTEGER NOT NULL,
    done INTEGER NOT NULL,
    PRIMARY KEY (extraction, object)
) STRICT, WITHOUT ROWID;

-- The newest row of each record. The position holds the object's number in its upper bits, so that an object's records lie
-- together in the order in which they first came, without a second index.
CREATE TABLE staged_record (
    position INTEGER PRIMARY KEY,
    object INTEGER NOT NULL,
    extraction INTEGER NOT NULL, -- the last one that saw it
    source_id TEXT NOT NULL,
    row TEXT NOT NULL,
    UNIQUE (object, source_id)
) STRICT;

-- Rows that broke the grammar, each once.
CREATE TABLE quarantined_row (
    position INTEGER PRIMARY KEY,
    object INTEGER NOT NULL,
    extraction INTEGER NOT NULL,
    source_id TEXT,
    page INTEGER NOT NULL,
    line INTEGER NOT NULL,
    mark TEXT NOT NULL, -- the id, else page and line
    reason TEXT NOT NULL,
    UNIQUE (object, mark, reason)
) STRICT;

-- Which record of the destination stands for which record of a source.
CREATE TABLE identity (
    object INTEGER NOT NULL, -- of the connection
    source_id TEXT NOT NULL,
    destination_object INTEGER NOT NULL,
    destination_id TEXT NOT NULL,
    PRIMARY KEY (object, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_by_destination ON identity (destination_object, destination_id);

-- A plan without a hash is being written, or was left by a crash.
CREATE TABLE plan (
    id INTEGER PRIMARY KEY,
    plan_id TEXT UNIQUE,
    hash TEXT UNIQUE,
    header TEXT,
    sealed_at INTEGER,
    first_action INTEGER,
    last_action INTEGER,
    first_link INTEGER,
    last_link INTEGER
) STRICT;

-- Between which positions a sealed plan's actions for an object lie.
CREATE TABLE plan_object (
    plan INTEGER NOT NULL REFERENCES plan (id),
    object INTEGER NOT NULL REFERENCES object (id),
    first_action INTEGER NOT NULL,
    last_action INTEGER NOT NULL,
    PRIMARY KEY (plan, object)
) STRICT, WITHOUT ROWID;

-- Positions of one plan follow each other without a gap.
CREATE TABLE action (
    position INTEGER PRIMARY KEY,
    plan INTEGER NOT NULL,
    object INTEGER NOT NULL,
    kind TEXT NOT NULL,
    source_id TEXT NOT NULL,
    reason TEXT NOT NULL, -- JSON
    destination_id TEXT,
    survivor TEXT,
    row TEXT,
    before TEXT
) STRICT;

-- A kind of planned link; label '' for the plain one.
CREATE TABLE association (
    id INTEGER PRIMARY KEY,
    from_object INTEGER NOT NULL REFERENCES object (id),
    to_object INTEGER NOT NULL REFERENCES object (id),
    labelled INTEGER NOT NULL,
    label TEXT NOT NULL,
    UNIQUE (from_object, to_object, labelled, label)
) STRICT;

CREATE TABLE planned_link (
    position INTEGER PRIMARY KEY,
    plan INTEGER NOT NULL,
    association INTEGER NOT NULL,
    from_id TEXT NOT NULL,
    to_id TEXT NOT NULL
) STRICT;

CREATE TRIGGER plan_sealed_update BEFORE UPDATE ON plan WHEN OLD.hash IS NOT NULL
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER plan_sealed_delete BEFORE DELETE ON plan WHEN OLD.hash IS NOT NULL
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER plan_object_sealed_insert BEFORE INSERT ON plan_object
WHEN NOT EXISTS (SELECT 1 FROM plan WHERE id = NEW.plan AND hash IS NULL)
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER plan_object_update BEFORE UPDATE ON plan_object
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER plan_object_delete BEFORE DELETE ON plan_object
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER action_sealed_insert BEFORE INSERT ON action
WHEN NOT EXISTS (SELECT 1 FROM plan WHERE id = NEW.plan AND hash IS NULL)
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER action_update BEFORE UPDATE ON action
BEGIN SELECT RAISE (ABORT, 'an action never changes'); END;
CREATE TRIGGER action_sealed_delete BEFORE DELETE ON action
WHEN EXISTS (SELECT 1 FROM plan WHERE id = OLD.plan AND hash IS NOT NULL)
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER planned_link_sealed_insert BEFORE INSERT ON planned_link
WHEN NOT EXISTS (SELECT 1 FROM plan WHERE id = NEW.plan AND hash IS NULL)
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER planned_link_update BEFORE UPDATE ON planned_link
BEGIN SELECT RAISE (ABORT, 'a planned link never changes'); END;
CREATE TRIGGER planned_link_sealed_delete BEFORE DELETE ON planned_link
WHEN EXISTS (SELECT 1 FROM plan WHERE id = OLD.plan AND hash IS NOT NULL)
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER association_update BEFORE UPDATE ON association
BEGIN SELECT RAISE (ABORT, 'an association of a plan never changes'); END;
CREATE TRIGGER object_update BEFORE UPDATE ON object
BEGIN SELECT RAISE (ABORT, 'the name of an object never changes'); END;

-- The ledger: who approved what, what was to be written, what came of it.
CREATE TABLE approval (
    run INTEGER NOT NULL REFERENCES run (id),
    plan INTEGER NOT NULL REFERENCES plan (id),
    hash TEXT NOT NULL,
    approved_at INTEGER NOT NULL,
    PRIMARY KEY (run, plan)
) STRICT, WITHOUT ROWID;

CREATE TABLE intent (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    plan INTEGER NOT NULL,
    first_action INTEGER NOT NULL,
    last_action INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    FOREIGN KEY (run, plan) REFERENCES approval (run, plan)
) STRICT;
CREATE INDEX intent_by_plan ON intent (plan, first_action, last_action);

-- One for each action; the position is the action's.
CREATE TABLE outcome (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    object INTEGER NOT NULL,
    kind TEXT NOT NULL,
    destination_id TEXT,
    error TEXT,
    before TEXT
) STRICT;

CREATE TABLE link_outcome (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    kind TEXT NOT NULL,
    error TEXT
) STRICT;

CREATE TRIGGER approval_update BEFORE UPDATE ON approval BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER approval_delete BEFORE DELETE ON approval BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER intent_update BEFORE UPDATE ON intent BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER intent_delete BEFORE DELETE ON intent BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER outcome_update BEFORE UPDATE ON outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER outcome_delete BEFORE DELETE ON outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER link_outcome_update BEFORE UPDATE ON link_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER link_outcome_delete BEFORE DELETE ON link_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;

-- Record and field '' where it is about neither; no side has an empty id.
CREATE TABLE finding (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    code TEXT NOT NULL,
    object INTEGER NOT NULL,
    record TEXT NOT NULL,
    field TEXT NOT NULL,
    message TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX finding_once ON finding (run, code, object, record, field, CASE record WHEN '' THEN message ELSE '' END);
