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

-- What people's corrections come to: the row that stands for a record's own, or none where it is left out.
CREATE TABLE scratch.laid (
    object INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    row TEXT,
    adds INTEGER, -- the broken row that it makes a record of, where the record is not staged
    only_broken INTEGER NOT NULL, -- left out is the broken row, not the staged one of the same id
    why TEXT NOT NULL,
    PRIMARY KEY (object, source_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX scratch.laid_adds ON laid (object, adds);

-- Where the actions of another plan lie, by record: of two of one record the first.
CREATE TABLE scratch.earlier (
    object INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (object, source_id)
) STRICT, WITHOUT ROWID;
