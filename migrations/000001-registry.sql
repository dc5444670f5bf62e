-- The registry: definitions, hash seeds, daemon leases, batches. Times are milliseconds since the Unix
-- epoch on the daemons' clocks. Sequences and seeds are unsigned 64-bit numbers, stored less 2^63, which
-- keeps their order.

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
