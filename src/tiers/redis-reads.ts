/**
 * Reads from Redis: one MGET for rows with keys of their own, one script call for rows in buckets, for
 * each shard; and their replies into a `RowBatch`. Pure.
 *
 * This is the hot path: no buffer, view or object per row beyond what ioredis makes of the reply.
 */
import { assert } from '../assert.js'
import { keyCheckBytes } from '../codec/store-key.js'
import { keysCommand, type RedisCall, scriptCall } from './redis-command.js'
import { isArrayReply, type RedisReply } from './redis-connection.js'
import { checkAt, countedFieldAt, keysAt, type PlaceGroup, type RowPlaces } from './redis-places.js'
import { bucketExpiryBytes, readBucketsScript } from './redis-scripts.js'
import type { RowBatch, TierCode } from './row-batch.js'

/** What the reply of a group is put into. */
export interface ReplyTarget {
  readonly into: RowBatch
  readonly from: TierCode
}

/** Bytes between two values of a reply that are taken with them, such as the protocol's own. */
const gapBytesMax = 1024
/** Stands in a bucket reply for the length of a value that is not there. */
const absentLength = 0xffff_ffff

/** The call that reads the rows of `group`. */
export function planRead(places: RowPlaces, group: PlaceGroup): RedisCall {
  const keys = keysAt(places, group.shard, group.positions)
  if (group.packing === 'string') return { first: keysCommand('mget', keys) }
  return scriptCall(readBucketsScript, keys, [fieldNames(places, group)])
}

/**
 * Sets the slots of `group` as `reply` says; returns how many held another entity's row, under the same
 * hash, and are absent therefore.
 */
export function fillFromReply(
  places: RowPlaces,
  group: PlaceGroup,
  reply: RedisReply,
  target: ReplyTarget,
): number {
  if (group.packing === 'bucket') {
    assert(Buffer.isBuffer(reply), 'the reading script returns bytes')
    return fillFromBlock(places, group, reply, target)
  }
  assert(isArrayReply(reply), 'MGET returns values')
  // The protocol's edge: what MGET returns are bytes and nulls.
  return fillFromValues(places, group, reply as readonly (Buffer | null)[], target)
}

function fieldNames(places: RowPlaces, { positions }: PlaceGroup): Uint8Array {
  const { fields } = places.native
  if (fields !== undefined && positions.length === places.slots.length) return fields
  return Buffer.concat(Array.from(positions, (position) => countedFieldAt(places, position)))
}

/** Values that lie one after the other in memory, as those of a reply mostly do, are taken as one. */
function fillFromValues(
  places: RowPlaces,
  { positions }: PlaceGroup,
  values: readonly (Buffer | null)[],
  { into, from }: ReplyTarget,
): number {
  let collisionCount = 0
  // The end of the values that lie together, and what to add to their offsets.
  let runEnd = 0
  let shift = 0
  for (let index = 0; index < positions.length; index++) {
    const position = positions[index] ?? 0
    const value = values[index] ?? null
    if (value === null) {
      into.setAbsent(places.slots[position] ?? 0, from)
      continue
    }
    if (index >= runEnd) {
      const run = findRun(values, index, value)
      runEnd = run.end
      shift =
        into.adopt(new Uint8Array(value.buffer, value.byteOffset, run.bytes)) - value.byteOffset
    }
    const valueStart = value.byteOffset + shift
    collisionCount += setRow(places, position, valueStart, value, { into, from })
  }
  return collisionCount
}

/** Behind the last value that lies in the same memory as `first`, at `index`; and their bytes. */
function findRun(
  values: readonly (Buffer | null)[],
  index: number,
  first: Buffer,
): { readonly end: number; readonly bytes: number } {
  const { buffer } = first
  let end = index + 1
  let endOffset = first.byteOffset + first.byteLength
  for (let next = end; next < values.length; next++) {
    const value = values[next] ?? null
    if (value === null) continue
    const gapBytes = value.byteOffset - endOffset
    if (gapBytes < 0 || gapBytes > gapBytesMax || value.buffer !== buffer) break
    end = next + 1
    endOffset = value.byteOffset + value.byteLength
  }
  return { end, bytes: endOffset - first.byteOffset }
}

function fillFromBlock(
  places: RowPlaces,
  { positions }: PlaceGroup,
  block: Buffer,
  { into, from }: ReplyTarget,
): number {
  let collisionCount = 0
  const blockStart = into.adopt(block)
  let offset = 0
  for (const position of positions) {
    const valueBytes = block.readUInt32BE(offset)
    offset += 4
    if (valueBytes === absentLength) {
      into.setAbsent(places.slots[position] ?? 0, from)
      continue
    }
    // A value too short for its expiry is no row, which the decoder will say.
    const rowOffset = offset + Math.min(bucketExpiryBytes, valueBytes)
    offset += valueBytes
    const value = block.subarray(rowOffset, offset)
    collisionCount += setRow(places, position, blockStart + rowOffset, value, { into, from })
  }
  return collisionCount
}

/** Sets the row behind its check, if `value` has one; 1 where it is another entity's. */
function setRow(
  places: RowPlaces,
  position: number,
  valueStart: number,
  value: Buffer,
  { into, from }: ReplyTarget,
): 0 | 1 {
  const slot = places.slots[position] ?? 0
  const check = checkAt(places, position)
  if (check === undefined) {
    into.setAppended(slot, valueStart, value.byteLength, from)
    return 0
  }
  if (Buffer.compare(value.subarray(0, keyCheckBytes), check) !== 0) {
    into.setAbsent(slot, from)
    return 1
  }
  into.setAppended(slot, valueStart + keyCheckBytes, value.byteLength - keyCheckBytes, from)
  return 0
}
