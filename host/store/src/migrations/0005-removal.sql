-- Associations to take away: made by an earlier plan, and no longer at the source. Positions of one plan follow each other.
CREATE TABLE planned_removal (
    position INTEGER PRIMARY KEY,
    plan INTEGER NOT NULL,
    made INTEGER NOT NULL -- the planned link that was made
) STRICT;
CREATE INDEX planned_removal_by_plan ON planned_removal (plan);
CREATE INDEX planned_removal_by_made ON planned_removal (made);

CREATE TRIGGER planned_removal_sealed_insert BEFORE INSERT ON planned_removal
WHEN NOT EXISTS (SELECT 1 FROM plan WHERE id = NEW.plan AND hash IS NULL)
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
CREATE TRIGGER planned_removal_update BEFORE UPDATE ON planned_removal
BEGIN SELECT RAISE (ABORT, 'a planned removal never changes'); END;
CREATE TRIGGER planned_removal_sealed_delete BEFORE DELETE ON planned_removal
WHEN EXISTS (SELECT 1 FROM plan WHERE id = OLD.plan AND hash IS NOT NULL)
BEGIN SELECT RAISE (ABORT, 'a sealed plan never changes'); END;
-- The most dangerous thing: what nobody of us made, nobody of us takes away.
CREATE TRIGGER planned_removal_of_our_own BEFORE INSERT ON planned_removal
WHEN NOT EXISTS (SELECT 1 FROM link_outcome WHERE position = NEW.made AND kind = 'made')
BEGIN SELECT RAISE (ABORT, 'only an association that a run made is taken away'); END;

-- Associations that are about to be made (positions of planned links) or taken away (of planned removals).
CREATE TABLE link_intent (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    removes INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    written_at INTEGER NOT NULL
) STRICT;

CREATE TABLE removal_outcome (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES run (id),
    kind TEXT NOT NULL,
    error TEXT
) STRICT;

-- What became of it when its run was rolled back.
CREATE TABLE undo_removal_outcome (
    position INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES rollback (run),
    kind TEXT NOT NULL,
    error TEXT
) STRICT;

CREATE TRIGGER undo_removal_outcome_of_its_run BEFORE INSERT ON undo_removal_outcome
WHEN NOT EXISTS (
    SELECT 1 FROM removal_outcome o JOIN rollback b ON b.undone = o.run
    WHERE b.run = NEW.run AND o.position = NEW.position AND o.kind = 'removed')
BEGIN SELECT RAISE (ABORT, 'a roll back undoes only what its run wrote'); END;

CREATE TRIGGER link_intent_update BEFORE UPDATE ON link_intent BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER link_intent_delete BEFORE DELETE ON link_intent BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER removal_outcome_update BEFORE UPDATE ON removal_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER removal_outcome_delete BEFORE DELETE ON removal_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER undo_removal_outcome_update BEFORE UPDATE ON undo_removal_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER undo_removal_outcome_delete BEFORE DELETE ON undo_removal_outcome BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
