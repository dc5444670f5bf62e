/**
 * A tier in memory that does what a test says: answers late, fails, or is full.
 */
import { compareRowVersions } from '../../src/codec/row-version.js'
import { failSlots } from '../../src/tiers/abortable.js'
import {
  entityKeyAt,
  formAt,
  type GenerationKeys,
  generationAt,
} from '../../src/tiers/key-batch.js'
import { concatGenerationKeys } from '../../src/tiers/key-concat.js'
import { rowOfWrite } from '../../src/tiers/row-writes.js'
import type { RowWrites, Tier } from '../../src/tiers/tier.js'

export interface ScriptedTier extends Tier {
  /** Rows by `generation:key`. */
  readonly rows: Map<string, Uint8Array>
  /** What was called, with the keys: `read a b`, `write a`, `remove a`. */
  readonly calls: string[]
  /** The writes as they came. */
  readonly writes: RowWrites[]
  /** What happens before a read, a write or a removal; where it throws, that fails. */
  before: { read?: Step; write?: Step; remove?: Step }
}

/** A step that may wait for something, or for the caller's signal. */
type Step = (signal: AbortSignal) => Promise<void> | void

/** An empty, durable tier. */
export function createScriptedTier(kind: string): ScriptedTier {
  const rows = new Map<string, Uint8Array>()
  const calls: string[] = []
  const writes: RowWrites[] = []
  const tier: ScriptedTier = {
    kind,
    displayUrl: `${kind}:test`,
    durable: true,
    rows,
    calls,
    writes,
    before: {},
    async read(keys, slots, into, from, signal) {
      calls.push(`read ${Array.from(slots, (slot) => keyName(keys, slot)).join(' ')}`)
      try {
        await tier.before.read?.(signal)
      } catch (thrown) {
        failSlots(into, slots, from)
        return thrown instanceof Error ? thrown : new Error(String(thrown))
      }
      for (const slot of slots) {
        const row = rows.get(keyPath(keys, slot))
        if (row === undefined) into.setAbsent(slot, from)
        else into.setRow(slot, row, from)
      }
      return undefined
    },
    async write(rowWrites, signal) {
      const { keys } = rowWrites
      calls.push(`write ${allNames(keys)}`)
      await tier.before.write?.(signal)
      writes.push(rowWrites)
      let storedCount = 0
      for (let index = 0; index < keys.count; index++) {
        const row = Uint8Array.from(rowOfWrite(rowWrites, index))
        const stored = rows.get(keyPath(keys, index))
        const { versions } = formAt(keys, index)
        if (stored !== undefined && compareRowVersions(row, stored, versions) <= 0) continue
        rows.set(keyPath(keys, index), row)
        storedCount++
      }
      return { storedCount }
    },
    async remove(keys, signal) {
      calls.push(`remove ${allNames(keys)}`)
      await tier.before.remove?.(signal)
      for (let index = 0; index < keys.count; index++) rows.delete(keyPath(keys, index))
    },
    scan: (generation) => scanRows(rows, generation),
    reclaim: async () => 0,
    ping: async () => {},
    stats: async () => ({
      serverVersion: 'test',
      rowCount: rows.size,
      storedBytes: undefined,
      findings: [],
    }),
    close: async () => {},
  }
  return tier
}

async function* scanRows(rows: ReadonlyMap<string, Uint8Array>, generation: number) {
  const prefix = `${generation}:`
  const found = [...rows].filter(([path]) => path.startsWith(prefix))
  const keys = concatGenerationKeys(
    found.map(([path]) => ({ generation, key: Buffer.from(path.slice(prefix.length), 'latin1') })),
  )
  yield { keys, rows: found.map(([, row]) => row) }
}

function keyPath(keys: GenerationKeys, index: number): string {
  return `${generationAt(keys, index)}:${keyName(keys, index)}`
}

function keyName(keys: GenerationKeys, index: number): string {
  return Buffer.from(entityKeyAt(keys, index)).toString('latin1')
}

function allNames(keys: GenerationKeys): string {
  return Array.from({ length: keys.count }, (_, index) => keyName(keys, index)).join(' ')
}
