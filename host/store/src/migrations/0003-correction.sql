-- What people decided of single records, instead of writing to the source. Of each record the newest entry holds.
CREATE TABLE correction (
    id INTEGER PRIMARY KEY,
    object INTEGER NOT NULL, -- of the connection
    source_id TEXT NOT NULL,
    decision TEXT NOT NULL,
    fields TEXT, -- set: a JSON object of fields
    row TEXT, -- row: the whole row
    broken_row TEXT, -- row: the one that it stands for
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX correction_by_record ON correction (object, source_id, id);

CREATE TRIGGER correction_update BEFORE UPDATE ON correction BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER correction_delete BEFORE DELETE ON correction BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;

-- A broken row as it came, for the person who corrects it. Of rows that were read before, it was not kept.
ALTER TABLE quarantined_row ADD COLUMN row TEXT NOT NULL DEFAULT '';
