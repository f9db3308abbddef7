-- Keys, what was done to them, when they were last used, and the limit: the form that this crate reads.
-- Times are microseconds since 1970, in UTC; an expiry of 9223372036854775807 is never.
-- Run in one transaction, with search_path set to the schema that is to hold all of it and to pg_temp.

-- Which of these files were run.
CREATE TABLE migrations (
    number bigint NOT NULL PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE DOMAIN moment AS bigint NOT NULL CHECK (VALUE BETWEEN -62167219200000000 AND 253402300799999999);
CREATE DOMAIN base62 AS text COLLATE "C" NOT NULL CHECK (VALUE ~ '^[0-9A-Za-z]{16}$');
CREATE DOMAIN host_id AS text COLLATE "C" NOT NULL CHECK (VALUE ~ '^[!-~]{1,128}$');
CREATE DOMAIN actor AS text COLLATE "C" NOT NULL CHECK (VALUE ~ '^(user|system):[!-~]{1,128}$');

CREATE TABLE keys (
    id base62 PRIMARY KEY,
    project host_id,
    environment host_id,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    -- The name in lower case, by every script's rules, to be searched in.
    name_search text COLLATE "C" NOT NULL CHECK (name_search <> ''),
    description text NOT NULL CHECK (char_length(description) <= 1000),
    agents text NOT NULL CHECK (agents = '"all"' OR jsonb_typeof(agents::jsonb) = 'array'),
    prompts text NOT NULL CHECK (prompts = '"all"' OR jsonb_typeof(prompts::jsonb) = 'array'),
    status text COLLATE "C" NOT NULL CHECK (status IN ('active', 'inactive', 'revoked')),
    expires_at bigint NOT NULL
        CHECK (expires_at BETWEEN -62167219200000000 AND 253402300799999999 OR expires_at = 9223372036854775807),
    revision bigint NOT NULL CHECK (revision >= 1),
    created_at moment,
    created_by actor,
    updated_at moment,
    origin text COLLATE "C" NOT NULL CHECK (origin ~ '^[!-~]{1,64}$'),
    digest text COLLATE "C" NOT NULL CHECK (digest ~ '^[^:]+:.'),
    generation bigint NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
    issued_by text COLLATE "C" NOT NULL CHECK (issued_by ~ '^(call|operation:.+)$'),
    -- The secret before, while its grace lasts.
    older_digest text COLLATE "C" CHECK (older_digest ~ '^[^:]+:.'),
    older_generation bigint CHECK (older_generation BETWEEN 1 AND 4294967295),
    older_issued_by text COLLATE "C" CHECK (older_issued_by ~ '^(call|operation:.+)$'),
    older_ends_at bigint CHECK (older_ends_at BETWEEN -62167219200000000 AND 253402300799999999),
    last_event base62,
    CHECK (agents <> '[]' OR prompts <> '[]'),
    CHECK (num_nulls(older_digest, older_generation, older_issued_by, older_ends_at) IN (0, 4)),
    CHECK (older_generation < generation)
);

-- The order of a list, with what most filters look at, so that passing over a key reads no more than this.
CREATE INDEX keys_of_project ON keys (project, created_at DESC, id DESC)
    INCLUDE (status, expires_at, environment, name_search);

-- In the order in which they were committed: the change feed.
CREATE SEQUENCE events_seq AS bigint;

CREATE TABLE events (
    seq bigint NOT NULL PRIMARY KEY CHECK (seq >= 1),
    id base62,
    project host_id,
    key base62,
    at moment,
    actor actor,
    action text COLLATE "C" NOT NULL
        CHECK (action IN ('created', 'edited', 'activated', 'deactivated', 'rotated', 'revoked')),
    revision bigint NOT NULL CHECK (revision >= 1),
    changes text NOT NULL CHECK (jsonb_typeof(changes::jsonb) = 'array'),
    -- Never null, so that a lost value is not taken for an absent one.
    reason text NOT NULL CHECK (reason = 'none' OR starts_with(reason, 'because:')),
    operation text COLLATE "C" NOT NULL CHECK (operation = 'none' OR operation ~ '^operation:.')
);

CREATE UNIQUE INDEX events_of_id ON events (id);
CREATE INDEX events_of_project ON events (project, at DESC, id DESC) INCLUDE (seq, action, actor, operation);
CREATE INDEX events_of_key ON events (key, at DESC, id DESC) INCLUDE (seq, project, action, actor, operation);

CREATE TABLE uses (
    key base62,
    generation bigint NOT NULL CHECK (generation BETWEEN 1 AND 4294967295),
    at moment,
    PRIMARY KEY (key, generation)
) WITH (fillfactor = 70);

CREATE TABLE settings (
    one bigint NOT NULL PRIMARY KEY CHECK (one = 1),
    -- The limit in microseconds, and until when nodes may still follow a longer one.
    max_staleness bigint NOT NULL CHECK (max_staleness = 0 OR max_staleness BETWEEN 100000 AND 60000000),
    drained_at bigint NOT NULL CHECK (drained_at BETWEEN 0 AND 253402300799999999),
    -- A new one after a restore, so that no node takes what it knew before for what is true now.
    incarnation text COLLATE "C" NOT NULL CHECK (incarnation ~ '^[0-9A-Za-z]{32}$'),
    -- The timeline of the server whose limits are known to be those above: a standby that was promoted begins another.
    timeline text COLLATE "C" NOT NULL CHECK (timeline ~ '^[0-9A-F]{8}$')
);

INSERT INTO settings VALUES (1, 5000000, 0, replace(gen_random_uuid()::text, '-', ''),
    substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8));

-- Whatever statement is sent, and by whomever: a key keeps what it was made with, revoked is final, no write is lost
-- unseen, and nothing is deleted. The triggers fire also where `session_replication_role` says otherwise.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- An event takes its number under a lock that is held until its commit, so that no lower number appears after a higher
-- one was seen. What was looked at before is then still so, and the commit waits until it is on the disk.
CREATE FUNCTION number_event() RETURNS trigger LANGUAGE plpgsql
    SET search_path FROM CURRENT SET lock_timeout = '500ms' AS $$
DECLARE
    found record;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'an event is inserted in a transaction that is read committed';
    END IF;
    IF current_setting('synchronous_commit') IN ('off', 'local', 'remote_write') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
    PERFORM pg_advisory_xact_lock(1095460217, hashtext(TG_TABLE_SCHEMA));
    SELECT revision, project INTO found FROM keys WHERE id = NEW.key;
    IF NEW.revision = 1 AND found.revision IS NOT NULL THEN
        RAISE EXCEPTION 'a key with this id exists already'
            USING ERRCODE = 'unique_violation', CONSTRAINT = 'keys_pkey';
    END IF;
    IF NEW.revision <> coalesce(found.revision, 0) + 1 OR NEW.project <> coalesce(found.project, NEW.project) THEN
        RAISE EXCEPTION 'an event tells of the next revision of its key'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    NEW.seq := nextval('events_seq');
    RETURN NEW;
END $$;

CREATE FUNCTION check_event() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM keys WHERE id = NEW.key AND revision >= NEW.revision) THEN
        RAISE EXCEPTION 'an event comes with the change that it tells of'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION check_key() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    problem text;
BEGIN
    problem := CASE
        WHEN TG_OP = 'INSERT' AND NEW.revision <> 1 THEN 'a new key has revision 1'
        WHEN TG_OP = 'INSERT' THEN NULL
        WHEN OLD.status = 'revoked' THEN 'a revoked key never changes'
        WHEN (NEW.id, NEW.project, NEW.environment, NEW.created_at, NEW.created_by, NEW.origin)
            IS DISTINCT FROM (OLD.id, OLD.project, OLD.environment, OLD.created_at, OLD.created_by, OLD.origin)
            THEN 'the id, project, environment and origin of a key never change'
        WHEN NEW.revision IS DISTINCT FROM OLD.revision + 1
            THEN 'the revision of a key rises by 1 with each change'
    END;
    -- By its id alone: a key can have many events.
    IF problem IS NULL AND NOT coalesce((SELECT (key, project, revision) = (NEW.id, NEW.project, NEW.revision)
        FROM events WHERE id = NEW.last_event), false)
    THEN
        problem := 'a key changes with the event that tells of it';
    END IF;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION '%', problem USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_use() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (NEW.key, NEW.generation) IS DISTINCT FROM (OLD.key, OLD.generation) OR NEW.at < OLD.at THEN
        RAISE EXCEPTION 'the last use of a secret never moves back'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_settings() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.one <> 1 OR NEW.drained_at < OLD.drained_at THEN
        RAISE EXCEPTION 'the end of an earlier limit never moves back'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keys_change_by_the_rules BEFORE INSERT OR UPDATE ON keys
    FOR EACH ROW EXECUTE FUNCTION check_key();
CREATE TRIGGER keys_are_never_deleted BEFORE DELETE ON keys
    FOR EACH ROW EXECUTE FUNCTION refuse('a key is never deleted');
CREATE TRIGGER keys_are_never_truncated BEFORE TRUNCATE ON keys
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a key is never deleted');
CREATE TRIGGER events_come_in_order BEFORE INSERT ON events
    FOR EACH ROW EXECUTE FUNCTION number_event();
CREATE CONSTRAINT TRIGGER events_come_with_their_change AFTER INSERT ON events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_event();
CREATE TRIGGER events_never_change BEFORE UPDATE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse('an event never changes');
CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION refuse('an event is never deleted');
CREATE TRIGGER events_are_never_truncated BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an event is never deleted');
CREATE TRIGGER uses_never_move_back BEFORE UPDATE ON uses
    FOR EACH ROW EXECUTE FUNCTION check_use();
CREATE TRIGGER uses_are_never_deleted BEFORE DELETE ON uses
    FOR EACH ROW EXECUTE FUNCTION refuse('the last use of a secret is never deleted');
CREATE TRIGGER uses_are_never_truncated BEFORE TRUNCATE ON uses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('the last use of a secret is never deleted');
CREATE TRIGGER settings_drain BEFORE UPDATE ON settings
    FOR EACH ROW EXECUTE FUNCTION check_settings();
CREATE TRIGGER settings_are_never_deleted BEFORE DELETE ON settings
    FOR EACH ROW EXECUTE FUNCTION refuse('the settings are never deleted');
CREATE TRIGGER settings_are_never_truncated BEFORE TRUNCATE ON settings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('the settings are never deleted');

ALTER TABLE keys ENABLE ALWAYS TRIGGER keys_change_by_the_rules;
ALTER TABLE keys ENABLE ALWAYS TRIGGER keys_are_never_deleted;
ALTER TABLE keys ENABLE ALWAYS TRIGGER keys_are_never_truncated;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_come_in_order;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_come_with_their_change;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_never_change;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_never_deleted;
ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_never_truncated;
ALTER TABLE uses ENABLE ALWAYS TRIGGER uses_never_move_back;
ALTER TABLE uses ENABLE ALWAYS TRIGGER uses_are_never_deleted;
ALTER TABLE uses ENABLE ALWAYS TRIGGER uses_are_never_truncated;
ALTER TABLE settings ENABLE ALWAYS TRIGGER settings_drain;
ALTER TABLE settings ENABLE ALWAYS TRIGGER settings_are_never_deleted;
ALTER TABLE settings ENABLE ALWAYS TRIGGER settings_are_never_truncated;

INSERT INTO migrations (number) VALUES (1);
