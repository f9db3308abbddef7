-- What proves an event and its place after the one before, and of a key the seal of its last event. What was written
-- before has none. Run as the first one was.
ALTER TABLE events ADD COLUMN seal text COLLATE "C" NOT NULL DEFAULT 'none' CHECK (seal ~ '^(none|[^:]+:.+)$');
ALTER TABLE keys ADD COLUMN last_seal text COLLATE "C" NOT NULL DEFAULT 'none'
    CHECK (last_seal ~ '^(none|[^:]+:.+)$');

INSERT INTO migrations (number) VALUES (2);
