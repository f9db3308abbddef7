-- What proves an event and its place after the one before, and of a key the seal of its last event. What was written
-- before has none.
ALTER TABLE events ADD COLUMN seal TEXT NOT NULL DEFAULT 'none' CHECK (seal = 'none' OR seal GLOB '?*:?*');
ALTER TABLE keys ADD COLUMN last_seal TEXT NOT NULL DEFAULT 'none' CHECK (last_seal = 'none' OR last_seal GLOB '?*:?*');

PRAGMA user_version = 2;
