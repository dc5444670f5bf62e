-- The rows of every view: one per entity and generation. ekey is an 8-byte hash, which spreads the load,
-- then the entity key. event_time and sequence repeat the row's own version, so that a write can compare
-- them; event_time is in microseconds, sequence is stored less 2^63. expires_at only reclaims space.
-- How expired rows go is the dialect's: see src/tiers/sql-dialect.ts.

CREATE TABLE IF NOT EXISTS larder.feature_rows (
  generation INT8 NOT NULL,
  ekey BYTEA NOT NULL,
  event_time INT8 NOT NULL,
  sequence INT8 NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  encoded_row BYTEA NOT NULL,
  PRIMARY KEY (generation, ekey)
);
