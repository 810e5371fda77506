-- The ledger of roll backs: which run undoes which, what was about to be undone, what came of it.
CREATE TABLE rollback (
    run INTEGER PRIMARY KEY REFERENCES run (id),
    undone INTEGER NOT NULL,
    plan INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    UNIQUE (undone, plan),
    FOREIGN KEY (undone, plan) REFERENCES approval (run, plan)
) STRICT;

CREATE TABLE rollback_end (
    run INTEGER PRIMARY KEY REFERENCES rollback (run),
    ended_at INTEGER NOT NULL
) STRICT;

CREATE TABLE undo_intent (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES rollback (run),
    first_action INTEGER NOT NULL,
    last_action INTEGER NOT NULL,
    written_at INTEGER NOT NULL
) STRICT;

-- One for each write; the position is the action's.
CREATE TABLE undo_outcome (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES rollback (run),
    kind TEXT NOT NULL,
    exceptions TEXT, -- JSON: a list of texts
    noted_at INTEGER NOT NULL
) STRICT;

-- One for each association that was made; the position is the planned link's.
CREATE TABLE undo_link_outcome (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES rollback (run),
    kind TEXT NOT NULL,
    error TEXT
) STRICT;

-- The most dangerous thing: nothing is noted as archived, and so nothing may be, that the run did not make by its own entry.
CREATE TRIGGER undo_outcome_of_its_run BEFORE INSERT ON undo_outcome
WHEN NOT EXISTS (
    SELECT 1 FROM outcome o JOIN rollback b ON b.undone = o.run
    WHERE b.run = NEW.run AND o.position = NEW.position
        AND (o.kind = 'created' OR (o.kind = 'updated' AND NEW.kind <> 'archived')))
BEGIN SELECT RAISE (ABORT, 'a roll back undoes only what its run wrote'); END;
CREATE TRIGGER undo_link_outcome_of_its_run BEFORE INSERT ON undo_link_outcome
WHEN NOT EXISTS (
    SELECT 1 FROM link_outcome o JOIN rollback b ON b.undone = o.run
    WHERE b.run = NEW.run AND o.position = NEW.position AND o.kind = 'made')
BEGIN SELECT RAISE (ABORT, 'a roll back undoes only what its run wrote'); END;

CREATE TRIGGER rollback_update BEFORE UPDATE ON rollback BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER rollback_delete BEFORE DELETE ON rollback BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER rollback_end_update BEFORE UPDATE ON rollback_end BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER rollback_end_delete BEFORE DELETE ON rollback_end BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER undo_intent_update BEFORE UPDATE ON undo_intent BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER undo_intent_delete BEFORE DELETE ON undo_intent BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER undo_outcome_update BEFORE UPDATE ON undo_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER undo_outcome_delete BEFORE DELETE ON undo_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER undo_link_outcome_update BEFORE UPDATE ON undo_link_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER undo_link_outcome_delete BEFORE DELETE ON undo_link_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
