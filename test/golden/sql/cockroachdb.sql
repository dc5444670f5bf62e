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

ALTER TABLE larder.feature_rows SET (ttl_expiration_expression = 'expires_at', ttl_job_cron = '@hourly', ttl_delete_rate_limit = 10000);

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
(none)

-- stats
(none)

-- durability
(none)
