/**
 * The batches of the kill tests: known to the process that writes them and to the test that reads.
 */
import { entry, type TestEntry } from './tier-rows.js'

const rowsPerBatch = 200

/** Batch `batch`: fresh keys, and one key that every batch writes anew. */
export function batchEntries(generation: number, batch: number): TestEntry[] {
  const version = { eventTimeUs: BigInt(batch), sequence: 1n }
  const fresh = Array.from({ length: rowsPerBatch }, (_, row) =>
    entry({ generation, key: `batch ${batch} row ${row}`, version, body: `${batch} ${row}` }),
  )
  return [...fresh, entry({ generation, key: 'shared', version, body: `shared ${batch}` })]
}
