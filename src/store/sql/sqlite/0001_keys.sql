-- Keys, what was done to them, when they were last used, and the limit: the form that this crate reads.
-- Times are microseconds since 1970, in UTC; an expiry of 9223372036854775807 is never.

-- So that no other program's file is taken for one of these: the letters "AKey".
PRAGMA application_id = 1095460217;

CREATE TABLE keys (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 16 AND id NOT GLOB '*[^0-9A-Za-z]*'),
    project TEXT NOT NULL CHECK (length(project) BETWEEN 1 AND 128),
    environment TEXT NOT NULL CHECK (length(environment) BETWEEN 1 AND 128),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    -- The name in lower case, by every script's rules, to be searched in.
    name_search TEXT NOT NULL CHECK (length(name_search) >= 1),
    description TEXT NOT NULL CHECK (length(description) <= 1000),
    agents TEXT NOT NULL CHECK (agents = '"all"' OR (json_valid(agents) AND json_type(agents) = 'array')),
    prompts TEXT NOT NULL CHECK (prompts = '"all"' OR (json_valid(prompts) AND json_type(prompts) = 'array')),
    status TEXT NOT NULL CHECK (status IN ('active', 'inactive', 'revoked')),
    expires_at INTEGER NOT NULL
        CHECK (expires_at BETWEEN -62167219200000000 AND 253402300799999999 OR expires_at = 9223372036854775807),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    created_at INTEGER NOT NULL CHECK (created_at BETWEEN -62167219200000000 AND 253402300799999999),
    created_by TEXT NOT NULL CHECK (created_by GLOB 'user:?*' OR created_by GLOB 'system:?*'),
    updated_at INTEGER NOT NULL CHECK (updated_at BETWEEN -62167219200000000 AND 253402300799999999),
    origin TEXT NOT NULL CHECK (length(origin) BETWEEN 1 AND 64),
    digest TEXT NOT NULL CHECK (digest GLOB '?*:?*'),
    generation INTEGER NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
    issued_by TEXT NOT NULL CHECK (issued_by = 'call' OR issued_by GLOB 'operation:?*'),
    -- The secret before, while its grace lasts.
    older_digest TEXT CHECK (older_digest GLOB '?*:?*'),
    older_generation INTEGER CHECK (older_generation BETWEEN 1 AND 4294967295),
    older_issued_by TEXT CHECK (older_issued_by = 'call' OR older_issued_by GLOB 'operation:?*'),
    older_ends_at INTEGER CHECK (older_ends_at BETWEEN -62167219200000000 AND 253402300799999999),
    last_event TEXT NOT NULL CHECK (length(last_event) = 16 AND last_event NOT GLOB '*[^0-9A-Za-z]*'),
    CHECK (agents <> '[]' OR prompts <> '[]'),
    CHECK ((older_digest IS NULL) = (older_generation IS NULL)
        AND (older_digest IS NULL) = (older_issued_by IS NULL)
        AND (older_digest IS NULL) = (older_ends_at IS NULL)),
    CHECK (older_generation < generation)
) STRICT, WITHOUT ROWID;

-- The order of a list, with what most filters look at, so that passing over a key reads no more than this.
CREATE INDEX keys_of_project
    ON keys (project, created_at DESC, id DESC, status, expires_at, environment, name_search);

-- In the order in which they were committed: the change feed.
CREATE TABLE events (
    seq INTEGER NOT NULL PRIMARY KEY CHECK (seq >= 1),
    id TEXT NOT NULL CHECK (length(id) = 16 AND id NOT GLOB '*[^0-9A-Za-z]*'),
    project TEXT NOT NULL CHECK (length(project) BETWEEN 1 AND 128),
    key TEXT NOT NULL CHECK (length(key) = 16 AND key NOT GLOB '*[^0-9A-Za-z]*')
        REFERENCES keys (id) DEFERRABLE INITIALLY DEFERRED,
    at INTEGER NOT NULL CHECK (at BETWEEN -62167219200000000 AND 253402300799999999),
    actor TEXT NOT NULL CHECK (actor GLOB 'user:?*' OR actor GLOB 'system:?*'),
    action TEXT NOT NULL
        CHECK (action IN ('created', 'edited', 'activated', 'deactivated', 'rotated', 'revoked')),
    revision INTEGER NOT NULL CHECK (revision >= 1),
    changes TEXT NOT NULL CHECK (json_valid(changes) AND json_type(changes) = 'array'),
    -- Never null, so that a lost value is not taken for an absent one.
    reason TEXT NOT NULL CHECK (reason = 'none' OR reason GLOB 'because:*'),
    operation TEXT NOT NULL CHECK (operation = 'none' OR operation GLOB 'operation:?*')
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX events_of_id ON events (id);
CREATE INDEX events_of_project ON events (project, at DESC, id DESC, action, actor, operation);
CREATE INDEX events_of_key ON events (key, at DESC, id DESC, project, action, actor, operation);

CREATE TABLE uses (
    key TEXT NOT NULL CHECK (length(key) = 16 AND key NOT GLOB '*[^0-9A-Za-z]*'),
    generation INTEGER NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
    at INTEGER NOT NULL CHECK (at BETWEEN -62167219200000000 AND 253402300799999999),
    PRIMARY KEY (key, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    -- The limit in microseconds, and until when nodes may still follow a longer one.
    max_staleness INTEGER NOT NULL CHECK (max_staleness = 0 OR max_staleness BETWEEN 100000 AND 60000000),
    drained_at INTEGER NOT NULL CHECK (drained_at BETWEEN 0 AND 253402300799999999),
    -- A new one after a restore, so that no node takes what it knew before for what is true now.
    incarnation TEXT NOT NULL CHECK (length(incarnation) = 32 AND incarnation NOT GLOB '*[^0-9A-Za-z]*'),
    -- How often a write followed a commit that had failed, to make sure of what became of that one.
    settled INTEGER NOT NULL CHECK (settled >= 0)
) STRICT, WITHOUT ROWID;

INSERT INTO settings VALUES (1, 5000000, 0, lower(hex(randomblob(16))), 0);

-- Whatever statement is sent, and from wherever: a key keeps what it was made with, revoked is final, no write is
-- lost unseen, and nothing is deleted.

CREATE TRIGGER keys_are_inserted_once BEFORE INSERT ON keys
WHEN EXISTS (SELECT 1 FROM keys WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a key with this id exists already'); END;

CREATE TRIGGER keys_begin_with_revision_1 BEFORE INSERT ON keys
WHEN NEW.revision <> 1
BEGIN SELECT RAISE(ABORT, 'a new key has revision 1'); END;

CREATE TRIGGER keys_come_with_their_event BEFORE INSERT ON keys
WHEN NOT EXISTS (SELECT 1 FROM events WHERE id = NEW.last_event
    AND key = NEW.id AND project = NEW.project AND revision = NEW.revision)
BEGIN SELECT RAISE(ABORT, 'a key comes with the event that tells of it'); END;

CREATE TRIGGER keys_change_with_their_event BEFORE UPDATE ON keys
WHEN NOT EXISTS (SELECT 1 FROM events WHERE id = NEW.last_event
    AND key = NEW.id AND project = NEW.project AND revision = NEW.revision)
BEGIN SELECT RAISE(ABORT, 'a change of a key comes with the event that tells of it'); END;

CREATE TRIGGER keys_keep_what_they_are BEFORE UPDATE ON keys
WHEN NEW.id <> OLD.id OR NEW.project <> OLD.project OR NEW.environment <> OLD.environment
    OR NEW.created_at <> OLD.created_at OR NEW.created_by <> OLD.created_by OR NEW.origin <> OLD.origin
BEGIN SELECT RAISE(ABORT, 'the id, project, environment and origin of a key never change'); END;

CREATE TRIGGER keys_stay_revoked BEFORE UPDATE ON keys
WHEN OLD.status = 'revoked'
BEGIN SELECT RAISE(ABORT, 'a revoked key never changes'); END;

CREATE TRIGGER keys_count_their_revisions BEFORE UPDATE ON keys
WHEN NEW.revision <> OLD.revision + 1
BEGIN SELECT RAISE(ABORT, 'the revision of a key rises by 1 with each change'); END;

CREATE TRIGGER keys_are_never_deleted BEFORE DELETE ON keys
BEGIN SELECT RAISE(ABORT, 'a key is never deleted'); END;

CREATE TRIGGER events_are_inserted_once BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id) OR EXISTS (SELECT 1 FROM events WHERE seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'this event exists already'); END;

CREATE TRIGGER events_come_in_order BEFORE INSERT ON events
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM events)
BEGIN SELECT RAISE(ABORT, 'an event comes after all others'); END;

CREATE TRIGGER events_tell_of_the_next_revision BEFORE INSERT ON events
WHEN NEW.revision <> coalesce((SELECT revision FROM keys WHERE id = NEW.key), 0) + 1
    OR NEW.project <> coalesce((SELECT project FROM keys WHERE id = NEW.key), NEW.project)
BEGIN SELECT RAISE(ABORT, 'an event tells of the next revision of its key'); END;

CREATE TRIGGER events_never_change BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'an event never changes'); END;

CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END;

CREATE TRIGGER uses_are_inserted_once BEFORE INSERT ON uses
WHEN EXISTS (SELECT 1 FROM uses WHERE key = NEW.key AND generation = NEW.generation AND at >= NEW.at)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER uses_never_move_back BEFORE UPDATE ON uses
WHEN NEW.key <> OLD.key OR NEW.generation <> OLD.generation OR NEW.at < OLD.at
BEGIN SELECT RAISE(ABORT, 'the last use of a secret never moves back'); END;

CREATE TRIGGER uses_are_never_deleted BEFORE DELETE ON uses
BEGIN SELECT RAISE(ABORT, 'the last use of a secret is never deleted'); END;

CREATE TRIGGER settings_are_inserted_once BEFORE INSERT ON settings
BEGIN SELECT RAISE(ABORT, 'the settings exist already'); END;

CREATE TRIGGER settings_drain BEFORE UPDATE ON settings
WHEN NEW.one <> 1 OR NEW.drained_at < OLD.drained_at
BEGIN SELECT RAISE(ABORT, 'the end of an earlier limit never moves back'); END;

CREATE TRIGGER settings_are_never_deleted BEFORE DELETE ON settings
BEGIN SELECT RAISE(ABORT, 'the settings are never deleted'); END;

PRAGMA user_version = 1;
