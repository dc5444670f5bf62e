/**
 * Rows for tier tests: made from a few words, written and read through the tier contract.
 */
import { setMaxListeners } from 'node:events'
import { compareRowVersions, type RowVersion } from '../../src/codec/row-version.js'
import type { Packing } from '../../src/packing.js'
import type { GenerationKeys, KeyBatch } from '../../src/tiers/key-batch.js'
import { concatKeys, type SingleKey } from '../../src/tiers/key-concat.js'
import { RowBatch, rowState, tierCode } from '../../src/tiers/row-batch.js'
import { plainForm, type RowForm } from '../../src/tiers/row-form.js'
import type { RowWrites, Tier } from '../../src/tiers/tier.js'
import type { CompactVersion } from '../../src/version-format.js'

const hourMs = 3600 * 1000
/** A signal that never fires, for any number of calls at once. */
export const never = new AbortController().signal
setMaxListeners(0, never)

/** A key, a row for it, and how long to keep it. */
export interface TestEntry {
  readonly generation: number
  readonly key: Buffer
  readonly row: Buffer
  readonly keepMs: number
  /** Of all rows of its generation. */
  readonly form: RowForm
}

export interface EntryWords {
  readonly generation: number
  readonly key: string | Buffer
  readonly body?: string | Buffer
  readonly version?: RowVersion
  readonly layoutId?: number
  readonly keepMs?: number
  /** Plain where it is left out. */
  readonly form?: RowForm
}

/** An entry whose row has the header of `row-version.ts` and `body` behind it. */
export function entry(words: EntryWords): TestEntry {
  const version = words.version ?? { eventTimeUs: 992_628_000_000_000n, sequence: 1n }
  const form = words.form ?? plainForm
  const compact = form.versions.compact.get(words.layoutId ?? 2)
  const header = compact === undefined ? fullVersion(version) : compactVersion(version, compact)
  return {
    generation: words.generation,
    key: Buffer.from(words.key),
    row: Buffer.concat([varint(words.layoutId ?? 2), header, Buffer.from(words.body ?? 'row')]),
    keepMs: words.keepMs ?? hourMs,
    form,
  }
}

/** A form whose layouts, beside the plain one with the id 2, are `compact`. */
export function formOf(compact: ReadonlyMap<number, CompactVersion>): RowForm {
  return { ...plainForm, versions: { layoutIdMax: Math.max(2, ...compact.keys()), compact } }
}

/** `tier`, given every key as of a generation with `packing`. */
export function withPacking(tier: Tier, packing: Packing): Tier {
  const packed = (keys: KeyBatch): KeyBatch => {
    const forms = [...keys.forms].map(
      ([generation, form]) => [generation, { ...form, packing }] as const,
    )
    return { ...keys, forms: new Map(forms) }
  }
  return {
    kind: tier.kind,
    displayUrl: tier.displayUrl,
    durable: tier.durable,
    read: (keys, slots, into, from, signal) => tier.read(packed(keys), slots, into, from, signal),
    write: (writes, signal) => tier.write({ ...writes, keys: packed(writes.keys) }, signal),
    remove: (keys, signal) => tier.remove(packed(keys), signal),
    scan: (generation, signal) => tier.scan(generation, signal),
    reclaim: (signal) => tier.reclaim(signal),
    ping: (signal) => tier.ping(signal),
    stats: (signal) => tier.stats(signal),
    close: () => tier.close(),
  }
}

/** A batch of `keys`, every generation's rows plain. */
export function plainKeys(keys: readonly SingleKey[]): KeyBatch {
  return concatKeys(keys, new Map(keys.map(({ generation }) => [generation, plainForm])))
}

export function keysOf(entries: readonly TestEntry[]): KeyBatch {
  return concatKeys(entries, new Map(entries.map(({ generation, form }) => [generation, form])))
}

export function writesOf(entries: readonly TestEntry[]): RowWrites {
  const rowOffsets = new Uint32Array(entries.length + 1)
  entries.forEach(({ row }, index) => {
    rowOffsets[index + 1] = (rowOffsets[index] ?? 0) + row.byteLength
  })
  return {
    keys: keysOf(entries),
    rows: Buffer.concat(entries.map(({ row }) => row)),
    rowOffsets,
    keepMs: Float64Array.from(entries, ({ keepMs }) => keepMs),
  }
}

/** Writes and returns how many rows were stored. */
export async function writeEntries(
  tier: Tier,
  entries: readonly TestEntry[],
  signal: AbortSignal = never,
): Promise<number> {
  return (await tier.write(writesOf(entries), signal)).storedCount
}

/** What a read of `slots` of the entries' keys leaves in a batch, and what it returned. */
export async function readSlots(
  tier: Tier,
  entries: readonly TestEntry[],
  slots: Uint32Array,
  signal: AbortSignal = never,
): Promise<{ readonly into: RowBatch; readonly failure: Error | undefined }> {
  const into = new RowBatch(entries.length)
  const failure = await tier.read(keysOf(entries), slots, into, tierCode.hot, signal)
  return { into, failure }
}

export async function readStates(tier: Tier, entries: readonly TestEntry[]): Promise<number[]> {
  return [...(await readSlots(tier, entries, allSlots(entries))).into.states]
}

/** The stored row of each entry's key, undefined where absent. Throws where a slot failed. */
export async function readEntries(
  tier: Tier,
  entries: readonly TestEntry[],
): Promise<(Buffer | undefined)[]> {
  const { into, failure } = await readSlots(tier, entries, allSlots(entries))
  if (failure !== undefined) throw failure
  return entries.map((_, slot) =>
    into.states[slot] === rowState.row ? Buffer.from(into.rowAt(slot)) : undefined,
  )
}

/** True where the tier holds every entry's row; unlike `toEqual` quick for rows of a megabyte. */
export async function holdsRows(tier: Tier, entries: readonly TestEntry[]): Promise<boolean> {
  const rows = await readEntries(tier, entries)
  return entries.every(({ row }, index) => rows[index]?.equals(row) === true)
}

/** The entry of `key` that every tier must end with. */
export function newestOf(entries: readonly TestEntry[], key: string): TestEntry {
  const [first, ...others] = entries.filter((written) => written.key.equals(Buffer.from(key)))
  if (first === undefined) throw new Error(`no entry has the key ${key}`)
  return others.reduce(
    (newest, other) =>
      compareRowVersions(other.row, newest.row, other.form.versions) > 0 ? other : newest,
    first,
  )
}

/** Reclaims until a few calls in a row find nothing: one call may see only a part of the store. */
export async function reclaimAll(tier: Tier): Promise<void> {
  for (let idleCount = 0; idleCount < 8; ) {
    idleCount = (await tier.reclaim(never)) === 0 ? idleCount + 1 : 0
  }
}

/** Key and row of everything a scan hands over, sorted; undefined where the tier cannot scan. */
export async function scanTexts(tier: Tier, generation: number): Promise<string[] | undefined> {
  const pages = tier.scan(generation, never)
  if (pages === undefined) return undefined
  const texts: string[] = []
  for await (const { keys, rows } of pages) {
    rows.forEach((row, index) => {
      texts.push(`${keyText(keys, index)} ${Buffer.from(row).toString('hex')}`)
    })
  }
  return texts.sort()
}

/** The keys a scan hands over, sorted, while `betweenPages` runs after every page. */
export async function scanKeys(
  tier: Tier,
  generation: number,
  betweenPages: () => Promise<unknown>,
): Promise<string[] | undefined> {
  const pages = tier.scan(generation, never)
  if (pages === undefined) return undefined
  const texts: string[] = []
  for await (const { keys, rows } of pages) {
    rows.forEach((_, index) => {
      texts.push(keyText(keys, index))
    })
    await betweenPages()
  }
  return texts.sort()
}

/** What `scanTexts` must return for `entries`. */
export function textsOf(entries: readonly TestEntry[]): string[] {
  return entries.map(({ key, row }) => `${key.toString('latin1')} ${row.toString('hex')}`).sort()
}

function keyText(keys: GenerationKeys, index: number): string {
  return Buffer.from(keys.bytes.subarray(keys.offsets[index], keys.offsets[index + 1])).toString(
    'latin1',
  )
}

function allSlots(entries: readonly TestEntry[]): Uint32Array {
  return Uint32Array.from(entries, (_, index) => index)
}

function fullVersion({ eventTimeUs, sequence }: RowVersion): Buffer {
  const bytes = Buffer.alloc(16)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, eventTimeUs) ^ (1n << 63n))
  bytes.writeBigUInt64BE(sequence, 8)
  return bytes
}

/** Throws where the version is none of the format's. */
function compactVersion({ eventTimeUs, sequence }: RowVersion, format: CompactVersion): Buffer {
  const steps = (eventTimeUs - format.eventBaseUs) / format.eventUnitUs
  const fits = format.eventBaseUs + steps * format.eventUnitUs === eventTimeUs
  if (!fits || sequence !== format.sequence) throw new RangeError('the format cannot hold this')
  const bytes = Buffer.alloc(format.eventBytes)
  if (format.eventBytes > 0) bytes.writeUIntBE(Number(steps), 0, format.eventBytes)
  return bytes
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}
