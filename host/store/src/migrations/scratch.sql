-- Derived data of one plan: fast, never synced, gone with the process. An empty name is a private temporary database.
ATTACH DATABASE '' AS scratch;
PRAGMA scratch.journal_mode = MEMORY;
PRAGMA scratch.cache_size = -32768;

-- The smallest id of each key of a match rule, on each side.
CREATE TABLE scratch.match_key (
    side INTEGER NOT NULL,
    object INTEGER NOT NULL,
    rule TEXT NOT NULL,
    key TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (side, object, rule, key)
) STRICT, WITHOUT ROWID;

-- The source's records that a plan brings to the destination.
CREATE TABLE scratch.present (
    object INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    PRIMARY KEY (object, source_id)
) STRICT, WITHOUT ROWID;

-- Links of that plan whose ends are not all present: 1 the record that carries it, 2 the other end, 3 both.
CREATE TABLE scratch.missing_end (
    position INTEGER PRIMARY KEY,
    ends INTEGER NOT NULL
) STRICT;
