/**
 * What rows of several sizes cost in Redis, in each packing, with and without expiry. Pure but for print.
 */
import { learnVersion, measureEventTimes } from '../codec/learn-version.js'
import type { FeatureView } from '../gen/larder/v1/admin.js'
import { redisFootprint } from '../tiers/redis-footprint.js'
import { betterOf, type JudgedProfile, type JudgedProfiles } from './choose-profile.js'
import type { CliIo } from './cli-io.js'
import type { JsonInput } from './json-text.js'
import { printLine, printTable } from './print.js'
import { fullVersionBytes, rowBytesOf } from './row-bytes.js'
import type { StoredSample } from './stored-sample.js'

/** Rows of one size, and what Redis takes for each, its key included. */
export interface RowCost {
  readonly rows: string
  readonly rowBytes: number
  readonly redisBytes: Readonly<Record<RedisUse, number>>
}

const redisUses = {
  string: { packing: 'string', expires: false, title: 'string' },
  string_expiry: { packing: 'string', expires: true, title: 'string, expiring' },
  bucket: { packing: 'bucket', expires: false, title: 'bucket' },
  bucket_expiry: { packing: 'bucket', expires: true, title: 'bucket, expiring' },
} as const
type RedisUse = keyof typeof redisUses

export function costsOf(
  view: FeatureView,
  judged: JudgedProfiles,
  sample: StoredSample,
): RowCost[] {
  const better = betterOf(judged)
  const name = nameOf(better)
  const layoutId = Math.max(0, ...view.layouts.map(({ id }) => id)) + 1
  const times = measureEventTimes(sample.eventTimesUs)
  const loadedBytes = learnVersion(times)?.eventBytes ?? fullVersionBytes
  const bytesOf = (profile: JudgedProfile, versionBytes: number) =>
    rowBytesOf(profile, { layoutId, versionBytes })
  const sizes = [
    { rows: 'as they are stored', rowBytes: sample.rowBytes },
    { rows: `${name}, from a load`, rowBytes: bytesOf(better, loadedBytes) },
    { rows: `${name}, written singly`, rowBytes: bytesOf(better, fullVersionBytes) },
    { rows: 'plain', rowBytes: bytesOf(judged.plain, fullVersionBytes) },
  ]
  return sizes.map((size) => ({
    ...size,
    redisBytes: redisBytesOf(sample.keyBytes, size.rowBytes),
  }))
}

/** A profile as people name it. */
export function nameOf({ profile }: JudgedProfile): string {
  if (profile.id > 0) return `profile ${profile.id}`
  return profile.encodings.size > 0 ? 'what was learned' : 'no profile'
}

function redisBytesOf(keyBytes: number, rowBytes: number): RowCost['redisBytes'] {
  const bytesOf = ({ packing, expires }: (typeof redisUses)[RedisUse]) =>
    redisFootprint({ packing, keyBytes, rowBytes, expires })
  return {
    string: bytesOf(redisUses.string),
    string_expiry: bytesOf(redisUses.string_expiry),
    bucket: bytesOf(redisUses.bucket),
    bucket_expiry: bytesOf(redisUses.bucket_expiry),
  }
}

export async function printCosts(io: CliIo, costs: readonly RowCost[]): Promise<void> {
  await printLine(io, '\nBytes per row, and in Redis with its key by packing:')
  const uses = Object.values(redisUses)
  await printTable(io, {
    head: ['rows', 'row', ...uses.map(({ title }) => title)],
    rows: costs.map(({ rows, rowBytes, redisBytes }) => [
      rows,
      rowBytes.toFixed(1),
      ...Object.values(redisBytes).map((bytes) => bytes.toFixed(0)),
    ]),
  })
}

export function costsJson(costs: readonly RowCost[]): JsonInput {
  return costs.map(({ rows, rowBytes, redisBytes }) => ({
    rows,
    row_bytes: rowBytes,
    redis_bytes: redisBytes,
  }))
}
