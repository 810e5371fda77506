-- Derived data of one plan: fast, never synced, gone with the process. An empty name is a private temporary database.
ATTACH DATABASE '' AS scratch;
PRAGMA scratch.journal_mode = MEMORY;
PRAGMA scratch.cache_size = -32768;

-- Keys of match rules as they come in, until all are there: to sort them once costs a fraction of looking for the place of each. The
-- number is taken from object, rule and key; two keys may have one.
CREATE TABLE scratch.match_claim (
    hash INTEGER NOT NULL,
    side INTEGER NOT NULL,
    object INTEGER NOT NULL,
    rule TEXT NOT NULL,
    key TEXT NOT NULL,
    record_id TEXT NOT NULL
) STRICT;

-- The numbers that more than one of them has.
CREATE TABLE scratch.shared_hash (hash INTEGER PRIMARY KEY) STRICT;

-- The smallest id of each key that more than one record has, on each side.
CREATE TABLE scratch.match_key (
    side INTEGER NOT NULL,
    object INTEGER NOT NULL,
    rule TEXT NOT NULL,
    key TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (side, object, rule, key)
) STRICT, WITHOUT ROWID;

-- The staged records of one object in the plan's order.
CREATE TABLE scratch.staged_order (
    n INTEGER PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT;

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

-- The associations of a plan that is being made, each once.
CREATE TABLE scratch.wanted (
    association INTEGER NOT NULL,
    from_id TEXT NOT NULL,
    to_id TEXT NOT NULL,
    PRIMARY KEY (association, from_id, to_id)
) STRICT, WITHOUT ROWID;

-- Associations that were made and are not among them: the planned link, its ends at the source and at the destination.
CREATE TABLE scratch.removal (
    made INTEGER PRIMARY KEY,
    source_from INTEGER NOT NULL,
    source_from_id TEXT NOT NULL,
    source_to INTEGER NOT NULL,
    source_to_id TEXT NOT NULL,
    labelled INTEGER NOT NULL,
    label TEXT NOT NULL,
    from_object INTEGER NOT NULL,
    from_id TEXT NOT NULL,
    to_object INTEGER NOT NULL,
    to_id TEXT NOT NULL
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

-- What stands for the source's records as a run left them: made or written by that run or not, and
-- left by its roll back or not.
CREATE TABLE scratch.undo_end (
    object INTEGER NOT NULL,
    source_id TEXT NOT NULL,
    destination_object TEXT NOT NULL,
    destination_id TEXT NOT NULL,
    created INTEGER NOT NULL,
    written INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    PRIMARY KEY (object, source_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX scratch.undo_end_by_destination ON undo_end (destination_object, destination_id);

-- The objects of that run's plan: what they become, and their number under the connection.
CREATE TABLE scratch.undo_object (
    object INTEGER PRIMARY KEY,
    destination_object TEXT NOT NULL,
    bound INTEGER NOT NULL
) STRICT;

-- The associations that the run made or found, from both ends.
CREATE TABLE scratch.undo_pair (
    from_object TEXT NOT NULL,
    from_id TEXT NOT NULL,
    to_object TEXT NOT NULL,
    to_id TEXT NOT NULL,
    PRIMARY KEY (from_object, from_id, to_object, to_id)
) STRICT, WITHOUT ROWID;
