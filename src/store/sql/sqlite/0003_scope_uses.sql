-- What keys were used for: which agents and prompts, since when and until when. Of each key so many of a kind as are
-- shown, and one more, which tells that there were more.
CREATE TABLE scope_uses (
    key TEXT NOT NULL CHECK (length(key) = 16 AND key NOT GLOB '*[^0-9A-Za-z]*'),
    resource TEXT NOT NULL
        CHECK ((resource GLOB 'agent:?*' AND length(resource) <= 134)
            OR (resource GLOB 'prompt:?*' AND length(resource) <= 135)),
    since INTEGER NOT NULL CHECK (since BETWEEN -62167219200000000 AND 253402300799999999),
    at INTEGER NOT NULL CHECK (at BETWEEN -62167219200000000 AND 253402300799999999),
    CHECK (since <= at),
    PRIMARY KEY (key, resource)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER scope_uses_are_bounded BEFORE INSERT ON scope_uses
WHEN NOT EXISTS (SELECT 1 FROM scope_uses WHERE key = NEW.key AND resource = NEW.resource)
    AND (SELECT count(*) FROM scope_uses WHERE key = NEW.key
        AND substr(resource, 1, 6) = substr(NEW.resource, 1, 6)) > 100
BEGIN SELECT RAISE(IGNORE); END;

-- A statement that would replace a row is ignored where that would take something away, or tells nothing new.
CREATE TRIGGER scope_uses_are_inserted_once BEFORE INSERT ON scope_uses
WHEN EXISTS (SELECT 1 FROM scope_uses WHERE key = NEW.key AND resource = NEW.resource
    AND (at > NEW.at OR since < NEW.since OR (at = NEW.at AND since = NEW.since)))
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER scope_uses_never_move_back BEFORE UPDATE ON scope_uses
WHEN NEW.key <> OLD.key OR NEW.resource <> OLD.resource OR NEW.at < OLD.at OR NEW.since > OLD.since
BEGIN SELECT RAISE(ABORT, 'the first and the last use of an agent or a prompt never move towards each other'); END;

CREATE TRIGGER scope_uses_are_never_deleted BEFORE DELETE ON scope_uses
BEGIN SELECT RAISE(ABORT, 'the use of an agent or a prompt is never deleted'); END;

PRAGMA user_version = 3;
