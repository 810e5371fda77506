-- The ledger of consents: which connector was let in, on what word, and what was agreed to (a JSON list of texts).
CREATE TABLE consent (
    id INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    version TEXT NOT NULL,
    publisher TEXT NOT NULL,
    component TEXT NOT NULL,
    manifest TEXT NOT NULL,
    trust TEXT NOT NULL,
    origin TEXT NOT NULL,
    agreement TEXT NOT NULL,
    lines TEXT NOT NULL,
    given_at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER consent_update BEFORE UPDATE ON consent BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER consent_delete BEFORE DELETE ON consent BEGIN SELECT RAISE (ABORT, 'the ledger is append-only'); END;
