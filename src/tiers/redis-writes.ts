/**
 * Writes to Redis: one script call per step, whose rows lie in one shard; and removals. Pure.
 *
 * Rows in buckets are sorted by bucket, and steps end between buckets where they can, so that a load
 * that comes a bucket at a time writes each bucket whole, by one HSET.
 */
import { assert } from '../assert.js'
import { keyCheckBytes } from '../codec/store-key.js'
import type { HashSeeds } from '../hash-seeds.js'
import { redisScriptBytesMax, redisScriptRowsMax } from '../limits.js'
import type { Prng } from '../prng.js'
import type { VersionTable } from '../version-format.js'
import { withJitter } from './expiry.js'
import { formAt, generationAt, type KeyBatch } from './key-batch.js'
import { keysCommand, type RedisCall, scriptCall } from './redis-command.js'
import { isArrayReply, type RedisReply } from './redis-connection.js'
import {
  bucketAt,
  checkAt,
  countedFieldAt,
  groupPlaces,
  isHashedAt,
  keysAt,
  type PlaceGroup,
  placeRows,
  type RowPlaces,
} from './redis-places.js'
import { encodeVersionTable, writeBucketsScript, writeStringsScript } from './redis-scripts.js'
import { allIndices, keepMsOfWrite, planSteps, rowOfWrite } from './row-writes.js'
import type { RowWrites } from './tier.js'

export interface WritePlanContext {
  readonly seeds: HashSeeds
  readonly shardCount: number
  readonly prng: Prng
}

/** The calls that store `writes`. */
export function planWrites(writes: RowWrites, context: WritePlanContext): RedisCall[] {
  const places = placeRows(writes.keys, allIndices(writes.keys.count), context)
  const bounds = { rowsMax: redisScriptRowsMax, bytesMax: redisScriptBytesMax }
  return groupPlaces(places, context.shardCount).flatMap((group) => {
    if (group.packing === 'string') {
      return planSteps(writes, group.positions, bounds).map((step) =>
        stringsCall({ writes, places, step, shard: group.shard }, context.prng),
      )
    }
    const order = sortByBucket(writes.keys, places, group)
    const startsBucket = (position: number) =>
      !areInOneBucket(writes.keys, places, order[position - 1] ?? 0, order[position] ?? 0)
    return planSteps(writes, order, bounds, startsBucket).map((step) =>
      bucketsCall({ writes, places, step, shard: group.shard }, context.prng),
    )
  })
}

/** What a call of `planWrites` did. */
export interface WriteReply {
  readonly storedCount: number
  /** The layout of a stored row that its table does not know. */
  readonly unknownLayoutId: number | undefined
}

export function parseWriteReply(reply: RedisReply): WriteReply {
  assert(isArrayReply(reply), 'a writing script returns two numbers')
  const [stored, unknown] = reply.map(Number)
  return {
    storedCount: stored ?? 0,
    unknownLayoutId: unknown === undefined || unknown < 0 ? undefined : unknown,
  }
}

/** The calls that remove the rows of `keys`. */
export function planRemovals(keys: KeyBatch, context: Omit<WritePlanContext, 'prng'>): RedisCall[] {
  const places = placeRows(keys, allIndices(keys.count), context)
  return groupPlaces(places, context.shardCount).flatMap((group) => {
    const { shard, positions } = group
    if (group.packing === 'string') {
      return [removalCall(places, shard, positions)]
    }
    return bucketsOfStep(keys, places, sortByBucket(keys, places, group)).map((bucket) => {
      const names = Array.from(bucket, (position) => countedFieldAt(places, position).subarray(1))
      return { first: keysCommand('hdel', keysAt(places, shard, bucket.subarray(0, 1)), names) }
    })
  })
}

function removalCall(places: RowPlaces, shard: number, positions: Uint32Array): RedisCall {
  return {
    first: keysCommand('unlink', keysAt(places, shard, positions)),
    byKey: perKey(positions, (position) => removalCall(places, shard, Uint32Array.of(position))),
  }
}

/** Rows of one script call: indices of `writes`, which are positions in `places` too. */
interface WriteStep {
  readonly writes: RowWrites
  readonly places: RowPlaces
  readonly step: Uint32Array
  readonly shard: number
}

function stringsCall(given: WriteStep, prng: Prng): RedisCall {
  const { places, step, shard } = given
  const { rows, tables } = packRows(given, [step], prng)
  return {
    ...scriptCall(writeStringsScript, keysAt(places, shard, step), [rows, ...tables]),
    byKey: perKey(step, (index) => stringsCall(withStep(given, [index]), prng)),
  }
}

function bucketsCall(given: WriteStep, prng: Prng): RedisCall {
  const { writes, places, step, shard } = given
  const buckets = bucketsOfStep(writes.keys, places, step)
  const { rows, tables } = packRows(given, buckets, prng)
  const keys = keysAt(
    places,
    shard,
    Uint32Array.from(buckets, (bucket) => bucket[0] ?? 0),
  )
  const draw = Buffer.from(String(prng.next()))
  return {
    ...scriptCall(writeBucketsScript, keys, [rows, draw, ...tables]),
    byKey: perKey(buckets, (bucket) => bucketsCall(withStep(given, bucket), prng)),
  }
}

function perKey<T>(
  parts: ArrayLike<T>,
  callOf: (part: T) => RedisCall,
): (() => RedisCall[]) | undefined {
  return parts.length > 1 ? () => Array.from(parts, callOf) : undefined
}

function withStep(given: WriteStep, step: Iterable<number>): WriteStep {
  return { ...given, step: Uint32Array.from(step) }
}

/** Bytes of a row beside its name, check and bytes; and of a group's count. */
const rowFieldsBytes = 16
const groupCountBytes = 2

/**
 * Rows as one argument of a script: a command of a few hundred long arguments costs the client less than
 * half of one with a thousand short ones. The groups are the buckets; rows with keys of their own are
 * one group. All big-endian:
 *
 *   for each group its rows' count, 2 bytes; then for each of them
 *   keep 8, milliseconds | index of its version table 2 | check bytes 1 | name bytes 1 | value bytes 4 |
 *   name of its field | check, row
 */
function packRows(
  { writes, places, step }: WriteStep,
  groups: readonly Uint32Array[],
  prng: Prng,
): { readonly rows: Buffer; readonly tables: Buffer[] } {
  const rows = Buffer.allocUnsafe(packedBytes({ writes, places, step }, groups.length))
  const tables = new Map<VersionTable, number>()
  let offset = 0
  for (const group of groups) {
    offset = rows.writeUInt16BE(group.length, offset)
    for (const index of group) {
      const row = rowOfWrite(writes, index)
      const name = countedFieldAt(places, index).subarray(1)
      const check = checkAt(places, index) ?? noCheck
      const { versions } = formAt(writes.keys, index)
      const table = tables.get(versions) ?? tables.size
      tables.set(versions, table)
      const keepMs = withJitter(Math.max(1, keepMsOfWrite(writes, index)), prng)
      // Two halves, because a bigint would be made for each row.
      offset = rows.writeUInt32BE(Math.floor(keepMs / 2 ** 32), offset)
      offset = rows.writeUInt32BE(keepMs % 2 ** 32, offset)
      offset = rows.writeUInt16BE(table, offset)
      offset = rows.writeUInt8(check.byteLength, offset)
      offset = rows.writeUInt8(name.byteLength, offset)
      offset = rows.writeUInt32BE(check.byteLength + row.byteLength, offset)
      for (const bytes of [name, check, row]) {
        rows.set(bytes, offset)
        offset += bytes.byteLength
      }
    }
  }
  return { rows: rows.subarray(0, offset), tables: Array.from(tables.keys(), encodeVersionTable) }
}

const noCheck = new Uint8Array(0)

/** Enough bytes for the rows of a step in `groupCount` groups. */
function packedBytes(
  { writes, places, step }: Omit<WriteStep, 'shard'>,
  groupCount: number,
): number {
  let bytes = groupCount * groupCountBytes
  for (const index of step) {
    const nameBytes = countedFieldAt(places, index).byteLength
    bytes += rowFieldsBytes + nameBytes + keyCheckBytes + rowOfWrite(writes, index).byteLength
  }
  return bytes
}

/** The positions of a group so that those in one bucket stand together, buckets in rising order. */
function sortByBucket(keys: KeyBatch, places: RowPlaces, { positions }: PlaceGroup): Uint32Array {
  const order = (a: number, b: number) =>
    bucketAt(places, a) - bucketAt(places, b) ||
    generationAt(keys, a) - generationAt(keys, b) ||
    Number(isHashedAt(places, a)) - Number(isHashedAt(places, b))
  return positions.slice().sort(order)
}

function areInOneBucket(keys: KeyBatch, places: RowPlaces, a: number, b: number): boolean {
  return (
    bucketAt(places, a) === bucketAt(places, b) &&
    generationAt(keys, a) === generationAt(keys, b) &&
    isHashedAt(places, a) === isHashedAt(places, b)
  )
}

/** Splits a step, sorted by bucket, into its buckets. */
function bucketsOfStep(keys: KeyBatch, places: RowPlaces, step: Uint32Array): Uint32Array[] {
  const buckets: Uint32Array[] = []
  let start = 0
  for (let end = 1; end <= step.length; end++) {
    if (end < step.length && areInOneBucket(keys, places, step[end - 1] ?? 0, step[end] ?? 0))
      continue
    buckets.push(step.subarray(start, end))
    start = end
  }
  return buckets
}
