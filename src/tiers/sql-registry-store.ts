/**
 * The registry in PostgreSQL or CockroachDB, beside the rows; the tables are in migrations/.
 *
 * Every call is one or a few statements of their own transaction, each safe to run twice, because the
 * pool repeats a statement whose answer was lost.
 */
import { LarderError } from '../errors.js'
import type { HashSeeds } from '../hash-seeds.js'
import { daemonIdsMax, forgottenBatchesMax } from '../limits.js'
import { randomSeed } from '../prng.js'
import type { DaemonLease, RegistryStore, StoredDocument } from '../registry/registry-store.js'
import type { SqlPool, SqlStatement } from './sql-pool.js'
import { signedOf, unsignedOf } from './sql-value.js'

const texts = Object.freeze({
  makeSeeds: `INSERT INTO larder.hash_seeds (id, hot_key, hot_check, warm_spread)
VALUES (1, $1, $2, $3) ON CONFLICT (id) DO NOTHING`,
  readSeeds: 'SELECT hot_key, hot_check, warm_spread FROM larder.hash_seeds WHERE id = 1',
  latest: 'SELECT COALESCE(MAX(version), 0) FROM larder.registry_documents',
  readDocument: 'SELECT document FROM larder.registry_documents WHERE version = $1',
  append: `INSERT INTO larder.registry_documents (version, document)
SELECT $1::INT8, $2::TEXT
WHERE (SELECT COALESCE(MAX(version), 0) FROM larder.registry_documents) = $1::INT8 - 1
ON CONFLICT (version) DO NOTHING`,
  freeDaemon: `SELECT MIN(ids.daemon_id) FROM generate_series(0, ${daemonIdsMax - 1}) AS ids (daemon_id)
WHERE NOT EXISTS (SELECT 1 FROM larder.daemon_leases AS l
  WHERE l.daemon_id = ids.daemon_id AND l.until_ms > $1::INT8)
HAVING COUNT(*) > 0`,
  lease: `INSERT INTO larder.daemon_leases AS l (daemon_id, holder, until_ms) VALUES ($1, $2, $3)
ON CONFLICT (daemon_id) DO UPDATE SET holder = excluded.holder, until_ms = excluded.until_ms
WHERE l.until_ms <= $4::INT8 OR l.holder = excluded.holder`,
  renew: 'UPDATE larder.daemon_leases SET until_ms = $3 WHERE daemon_id = $1 AND holder = $2',
  release: 'DELETE FROM larder.daemon_leases WHERE daemon_id = $1 AND holder = $2',
  live: `SELECT daemon_id, holder FROM larder.daemon_leases
WHERE until_ms > $1 ORDER BY daemon_id`,
  recordBatch: `INSERT INTO larder.batches (batch_id, sequence, received_at_ms)
VALUES ($1, $2, $3) ON CONFLICT (batch_id) DO NOTHING`,
  readBatch: 'SELECT sequence FROM larder.batches WHERE batch_id = $1',
  forgetBatches: `DELETE FROM larder.batches WHERE batch_id IN (
  SELECT batch_id FROM larder.batches WHERE received_at_ms < $1 LIMIT ${forgottenBatchesMax})`,
})

/** Opens the registry of a migrated database; the first to do so makes the seeds. */
export async function openSqlRegistryStore(
  pool: SqlPool,
  signal: AbortSignal,
): Promise<RegistryStore> {
  const fresh = () => signedOf(randomSeed(8).readBigUInt64BE())
  await pool.run({ text: texts.makeSeeds, values: [fresh(), fresh(), fresh()] }, signal)
  const [row] = (await pool.run({ text: texts.readSeeds }, signal)).rows
  const [hotKey, hotCheck, warmSpread] = (row ?? []).map(unsignedOf)
  if (hotKey === undefined || hotCheck === undefined || warmSpread === undefined) {
    throw new LarderError('unavailable', `${pool.displayUrl}: the hash seeds are gone`)
  }
  return new SqlRegistryStore(pool, Object.freeze({ hotKey, hotCheck, warmSpread }))
}

class SqlRegistryStore implements RegistryStore {
  readonly seeds: HashSeeds
  readonly #pool: SqlPool

  constructor(pool: SqlPool, seeds: HashSeeds) {
    this.#pool = pool
    this.seeds = seeds
  }

  async latestVersion(signal: AbortSignal): Promise<number> {
    return Number(await this.#firstValue({ text: texts.latest }, signal))
  }

  async readDocument(version: number, signal: AbortSignal): Promise<StoredDocument | undefined> {
    const statement = { text: texts.readDocument, values: [version] }
    const documentJson = await this.#firstValue(statement, signal)
    return documentJson === undefined ? undefined : { version, documentJson }
  }

  async appendDocument(version: number, documentJson: string, signal: AbortSignal): Promise<void> {
    const values = [version, documentJson]
    if ((await this.#pool.run({ text: texts.append, values }, signal)).rowCount === 1) return
    // A first try whose answer was lost has stored exactly this document.
    const stored = await this.readDocument(version, signal)
    if (stored?.documentJson === documentJson) return
    const latest = await this.latestVersion(signal)
    throw new LarderError(
      'conflict',
      `registry version ${version} cannot be added: version ${latest} is the newest`,
    )
  }

  async leaseDaemon(
    request: { readonly holder: string; readonly nowMs: number; readonly durationMs: number },
    signal: AbortSignal,
  ): Promise<DaemonLease> {
    const { holder, nowMs, durationMs } = request
    for (;;) {
      const free = await this.#firstValue({ text: texts.freeDaemon, values: [nowMs] }, signal)
      if (free === undefined) {
        throw new LarderError(
          'resource_exhausted',
          `all ${daemonIdsMax} daemon ids of ${this.#pool.displayUrl} are taken`,
        )
      }
      // Another daemon may take the same id in between: then the next free one is tried.
      const values = [free, holder, nowMs + durationMs, nowMs]
      const { rowCount } = await this.#pool.run({ text: texts.lease, values }, signal)
      if (rowCount === 1) return { daemonId: Number(free), holder }
    }
  }

  async renewDaemon(
    lease: DaemonLease,
    times: { readonly nowMs: number; readonly durationMs: number },
    signal: AbortSignal,
  ): Promise<boolean> {
    const values = [lease.daemonId, lease.holder, times.nowMs + times.durationMs]
    return (await this.#pool.run({ text: texts.renew, values }, signal)).rowCount === 1
  }

  async releaseDaemon(lease: DaemonLease, signal: AbortSignal): Promise<void> {
    await this.#pool.run({ text: texts.release, values: [lease.daemonId, lease.holder] }, signal)
  }

  async liveDaemons(nowMs: number, signal: AbortSignal): Promise<readonly DaemonLease[]> {
    const { rows } = await this.#pool.run({ text: texts.live, values: [nowMs] }, signal)
    return rows.map(([daemonId, holder]) => ({ daemonId: Number(daemonId), holder: holder ?? '' }))
  }

  async recordBatch(
    batch: { readonly batchId: string; readonly sequence: bigint; readonly receivedAtMs: number },
    signal: AbortSignal,
  ): Promise<bigint> {
    const { batchId, sequence, receivedAtMs } = batch
    const values = [batchId, signedOf(sequence), receivedAtMs]
    const { rowCount } = await this.#pool.run({ text: texts.recordBatch, values }, signal)
    if (rowCount === 1) return sequence
    return unsignedOf(await this.#firstValue({ text: texts.readBatch, values: [batchId] }, signal))
  }

  async forgetBatches(beforeMs: number, signal: AbortSignal): Promise<number> {
    const statement = { text: texts.forgetBatches, values: [beforeMs] }
    return (await this.#pool.run(statement, signal)).rowCount
  }

  async #firstValue(statement: SqlStatement, signal: AbortSignal): Promise<string | undefined> {
    return (await this.#pool.run(statement, signal)).rows[0]?.[0]
  }
}
