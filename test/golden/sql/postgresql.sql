-- migration 000001-registry

CREATE TABLE IF NOT EXISTS larder.hash_seeds (
  id INT8 PRIMARY KEY,
  hot_key INT8 NOT NULL,
  hot_check INT8 NOT NULL,
  warm_spread INT8 NOT NULL
);

CREATE TABLE IF NOT EXISTS larder.registry_documents (
  version INT8 PRIMARY KEY,
  document TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS larder.daemon_leases (
  daemon_id INT8 PRIMARY KEY,
  holder TEXT NOT NULL,
  until_ms INT8 NOT NULL
);

CREATE TABLE IF NOT EXISTS larder.batches (
  batch_id TEXT PRIMARY KEY,
  sequence INT8 NOT NULL,
  received_at_ms INT8 NOT NULL
);

CREATE INDEX IF NOT EXISTS batches_received_at ON larder.batches (received_at_ms);

-- migration 000002-rows

CREATE TABLE IF NOT EXISTS larder.feature_rows (
  generation INT8 NOT NULL,
  ekey BYTEA NOT NULL,
  event_time INT8 NOT NULL,
  sequence INT8 NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  encoded_row BYTEA NOT NULL,
  PRIMARY KEY (generation, ekey)
);

CREATE INDEX IF NOT EXISTS feature_rows_expires_at ON larder.feature_rows (expires_at);

-- read
SELECT k.slot, t.encoded_row
FROM unnest($1::INT8[], $2::BYTEA[], $3::INT8[]) AS k (generation, ekey, slot)
JOIN larder.feature_rows AS t ON t.generation = k.generation AND t.ekey = k.ekey

-- write
INSERT INTO larder.feature_rows AS t
  (generation, ekey, event_time, sequence, expires_at, encoded_row)
SELECT * FROM unnest($1::INT8[], $2::BYTEA[], $3::INT8[], $4::INT8[], $5::TIMESTAMPTZ[], $6::BYTEA[])
ON CONFLICT (generation, ekey) DO UPDATE SET
  event_time = excluded.event_time, sequence = excluded.sequence,
  expires_at = excluded.expires_at, encoded_row = excluded.encoded_row
WHERE (t.event_time, t.sequence) < (excluded.event_time, excluded.sequence)

-- remove
DELETE FROM larder.feature_rows
WHERE (generation, ekey) IN (SELECT * FROM unnest($1::INT8[], $2::BYTEA[]))

-- scan
SELECT ekey, encoded_row FROM larder.feature_rows
WHERE generation = $1 AND ekey > $2 ORDER BY ekey LIMIT $3

-- reclaim
DELETE FROM larder.feature_rows
WHERE expires_at < $1::TIMESTAMPTZ AND (generation, ekey) IN (
  SELECT generation, ekey FROM larder.feature_rows
  WHERE expires_at < $1::TIMESTAMPTZ ORDER BY expires_at LIMIT 1000)

-- stats
SELECT reltuples::INT8, pg_total_relation_size(oid)
FROM pg_class WHERE oid = 'larder.feature_rows'::regclass

-- durability
SELECT current_setting('fsync'), current_setting('synchronous_commit')
