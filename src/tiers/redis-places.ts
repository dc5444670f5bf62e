/**
 * The rows of a batch by where they lie in Redis: which commands a read or a write takes. Pure.
 */
import { keyCheckBytes, placeHotRows } from '../codec/store-key.js'
import type { HashSeeds } from '../hash-seeds.js'
import type { NativeHotPlaces } from '../native-store-key.js'
import type { Packing } from '../packing.js'
import type { KeyBatch } from './key-batch.js'
import type { CommandKeys } from './redis-command.js'

/** Where the rows of some slots lie. What is said by position is of the slot at that position. */
export interface RowPlaces {
  readonly slots: Uint32Array
  readonly native: NativeHotPlaces
}

/** Positions whose rows one command can name: of one packing, in one shard. */
export interface PlaceGroup {
  readonly packing: Packing['kind']
  readonly shard: number
  readonly positions: Uint32Array
}

/** The places of the rows of `slots`. Throws where a generation has no form. */
export function placeRows(
  keys: KeyBatch,
  slots: Uint32Array,
  { seeds, shardCount }: { readonly seeds: HashSeeds; readonly shardCount: number },
): RowPlaces {
  const packings = new Float64Array(keys.forms.size * 2)
  let at = 0
  for (const [generation, { packing }] of keys.forms) {
    packings[at++] = generation
    packings[at++] = packing.kind === 'bucket' ? packing.bucketCount : 0
  }
  const placing = { packings, seeds, isSharded: shardCount > 1 }
  return { slots, native: placeHotRows(keys, slots, placing) }
}

/** The number of the bucket of the row at `position`. */
export function bucketAt({ native }: RowPlaces, position: number): number {
  return native.buckets?.[position] ?? 0
}

/** True where a hash stands for the key of the row at `position`. */
export function isHashedAt({ native }: RowPlaces, position: number): boolean {
  return native.isHashed?.[position] === 1
}

/** All positions, each in one group, in rising order within it. */
export function groupPlaces(places: RowPlaces, shardCount: number): PlaceGroup[] {
  const count = places.slots.length
  if (shardCount === 1 && places.native.fields === undefined) {
    const positions = new Uint32Array(count)
    for (let position = 0; position < count; position++) positions[position] = position
    return [{ packing: 'string', shard: 0, positions }]
  }
  const groups = new Map<number, number[]>()
  for (let position = 0; position < count; position++) {
    const shard = places.native.shards?.[position] ?? 0
    const id = shard * 2 + Number(countedFieldAt(places, position).byteLength > 0)
    const group = groups.get(id)
    if (group === undefined) groups.set(id, [position])
    else group.push(position)
  }
  return Array.from(groups, ([id, positions]) => ({
    packing: id % 2 === 1 ? 'bucket' : 'string',
    shard: Math.floor(id / 2),
    positions: Uint32Array.from(positions),
  }))
}

/** A group for each position of `group`. */
export function splitGroup(group: PlaceGroup): PlaceGroup[] {
  return Array.from(group.positions, (position) => ({
    ...group,
    positions: Uint32Array.of(position),
  }))
}

/** The keys at `picks`, for a command. */
export function keysAt(places: RowPlaces, shard: number, picks: Uint32Array): CommandKeys {
  const { bytes, offsets } = places.native
  return { bytes, offsets, picks, shard }
}

/** What stands before the row at `position` under a hashed key; undefined under a raw one. */
export function checkAt(places: RowPlaces, position: number): Uint8Array | undefined {
  if (!isHashedAt(places, position)) return undefined
  return places.native.checks?.subarray(position * keyCheckBytes, (position + 1) * keyCheckBytes)
}

/** The field's name at `position`, behind a byte that counts its bytes; empty outside buckets. */
export function countedFieldAt({ native }: RowPlaces, position: number): Uint8Array {
  const { fields, fieldOffsets } = native
  if (fields === undefined || fieldOffsets === undefined) return noField
  return fields.subarray(fieldOffsets[position], fieldOffsets[position + 1])
}

const noField = new Uint8Array(0)
