-- What keys were used for: which agents and prompts, since when and until when. Of each key so many of a kind as are
-- shown, and one more, which tells that there were more. Run as the first one was.
CREATE TABLE scope_uses (
    key base62,
    resource text COLLATE "C" NOT NULL CHECK (resource ~ '^(agent|prompt):[!-~]{1,128}$'),
    since moment,
    at moment,
    CHECK (since <= at),
    PRIMARY KEY (key, resource)
) WITH (fillfactor = 70);

-- Two who insert at once do not see each other: then there may be a few more.
CREATE FUNCTION bound_scope_uses() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM scope_uses WHERE key = NEW.key AND resource = NEW.resource)
        AND (SELECT count(*) FROM scope_uses WHERE key = NEW.key
            AND left(resource, 6) = left(NEW.resource, 6)) > 100
    THEN
        RETURN NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION check_scope_use() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF (NEW.key, NEW.resource) IS DISTINCT FROM (OLD.key, OLD.resource) OR NEW.at < OLD.at OR NEW.since > OLD.since
    THEN
        RAISE EXCEPTION 'the first and the last use of an agent or a prompt never move towards each other'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER scope_uses_are_bounded BEFORE INSERT ON scope_uses
    FOR EACH ROW EXECUTE FUNCTION bound_scope_uses();
CREATE TRIGGER scope_uses_never_move_back BEFORE UPDATE ON scope_uses
    FOR EACH ROW EXECUTE FUNCTION check_scope_use();
CREATE TRIGGER scope_uses_are_never_deleted BEFORE DELETE ON scope_uses
    FOR EACH ROW EXECUTE FUNCTION refuse('the use of an agent or a prompt is never deleted');
CREATE TRIGGER scope_uses_are_never_truncated BEFORE TRUNCATE ON scope_uses
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('the use of an agent or a prompt is never deleted');

ALTER TABLE scope_uses ENABLE ALWAYS TRIGGER scope_uses_are_bounded;
ALTER TABLE scope_uses ENABLE ALWAYS TRIGGER scope_uses_never_move_back;
ALTER TABLE scope_uses ENABLE ALWAYS TRIGGER scope_uses_are_never_deleted;
ALTER TABLE scope_uses ENABLE ALWAYS TRIGGER scope_uses_are_never_truncated;

INSERT INTO migrations (number) VALUES (3);
