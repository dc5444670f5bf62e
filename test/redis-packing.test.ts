/**
 * Both packings on a real Redis: whatever is written, by however many writers, the newest version of
 * every row stands; and what only buckets have: rows' own expiries, their key's expiry, whole writes.
 */
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { compareRowVersions, encodeVersionOnlyRow } from '../src/codec/row-version.js'
import { bucketOf } from '../src/codec/store-key.js'
import { redisScriptRowsMax } from '../src/limits.js'
import { type Packing, stringPacking } from '../src/packing.js'
import { createSeededPrng, type Prng } from '../src/prng.js'
import { openRedisTier, type RedisTier } from '../src/tiers/redis-tier.js'
import type { RowForm } from '../src/tiers/row-form.js'
import type { CompactVersion } from '../src/version-format.js'
import { startRedis } from './support/redis-server.js'
import type { TestServer } from './support/server-process.js'
import {
  entry,
  formOf,
  keysOf,
  never,
  newestOf,
  readEntries,
  type TestEntry,
  writeEntries,
  writesOf,
} from './support/tier-rows.js'

const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const seeds = { hotKey: 1n, hotCheck: 2n, warmSpread: 3n }
const expiryUnitMs = 1_024_000
const expiryEpochMs = Date.UTC(2020, 0)

let server: TestServer
let client: Redis
let tiers: RedisTier[]
let tier: RedisTier
let nextGeneration = 1

const openTier = (url: string, prng = createSeededPrng(7)): Promise<RedisTier> =>
  openRedisTier({ url, kind: 'redis', displayUrl: url, seeds, prng }, never)

beforeAll(async () => {
  server = await startRedis(['--hash-max-listpack-value', '1024'])
  client = new Redis(server.url)
  const prngs = [1, 2, 3, 4].map(createSeededPrng)
  tiers = await Promise.all(prngs.map((prng) => openTier(server.url, prng)))
  tier = tiers[0] ?? (await openTier(server.url))
})
afterAll(async () => {
  client?.disconnect()
  for (const each of tiers ?? []) await each.close()
  await server?.stop()
})

const packings: readonly { readonly name: string; readonly packing: Packing }[] = [
  { name: 'string', packing: stringPacking },
  { name: 'bucket', packing: { kind: 'bucket', bucketCount: 6 } },
]

/** A load's rows, a second apart; those of a load of one instant; and of any time. */
const loads = formOf(
  new Map<number, CompactVersion>([
    [3, { eventBaseUs: 0n, eventUnitUs: 1_000_000n, eventBytes: 1, sequence: 5n }],
    [4, { eventBaseUs: 3_000_000n, eventUnitUs: 1n, eventBytes: 0, sequence: 2n ** 40n }],
    [200, { eventBaseUs: -1_000_000n, eventUnitUs: 500_000n, eventBytes: 6, sequence: 7n }],
  ]),
)

/** A row of a random layout and version, or a tombstone; no two of one version differ. */
function drawEntry(
  prng: Prng,
  { generation, form }: { generation: number; form: RowForm },
): TestEntry {
  const key = `${'k'.repeat(prng.below(2) * 45)}${prng.below(60)}`
  const eventTimeUs = BigInt(prng.below(8)) * 1_000_000n
  const layoutId = [0, 2, 3, 4, 200][prng.below(5)] ?? 2
  const compact = form.versions.compact.get(layoutId)
  const sequence = compact?.sequence ?? BigInt(100 + layoutId * 1000 + prng.below(50))
  const version = { eventTimeUs: layoutId === 4 ? 3_000_000n : eventTimeUs, sequence }
  const row = entry({ generation, key, layoutId, version, body: `of ${layoutId}`, form })
  if (layoutId !== 0) return row
  return { ...row, row: Buffer.from(encodeVersionOnlyRow(0, version)) }
}

function expectedRows(history: readonly TestEntry[]): Map<string, string> {
  const names = new Set(history.map(({ key }) => key.toString()))
  return new Map(
    [...names].map((name) => [name, newestOf(history, name).row.toString('hex')] as const),
  )
}

async function storedRows(entries: readonly TestEntry[]): Promise<Map<string, string>> {
  const byName = new Map(entries.map((each) => [each.key.toString(), each]))
  const rows = await readEntries(tier, [...byName.values()])
  return new Map(
    [...byName.keys()].map((name, index) => [name, rows[index]?.toString('hex') ?? '']),
  )
}

describe.each(packings)('packing $name', ({ packing }) => {
  const form = { ...loads, packing }

  test('many writers at once end with the newest version of every row', async () => {
    const generation = nextGeneration++
    const prng = createSeededPrng(seed)
    const draw = () => drawEntry(prng, { generation, form })
    const batches = Array.from({ length: 400 }, () =>
      distinct(Array.from({ length: 1 + prng.below(20) }, draw)),
    )
    const writeEvery = async (writer: RedisTier, offset: number) => {
      for (let index = offset; index < batches.length; index += tiers.length) {
        await writeEntries(writer, batches[index] ?? [])
      }
    }
    await Promise.all(tiers.map(writeEvery))
    const history = batches.flat()
    expect(history.length).toBeGreaterThan(3000)
    expect(await storedRows(history)).toEqual(expectedRows(history))
    // All of it again, by one writer and in another order, changes nothing.
    let storedCount = 0
    for (const batch of [...batches].reverse()) storedCount += await writeEntries(tier, batch)
    expect(storedCount).toBe(0)
    expect(await storedRows(history)).toEqual(expectedRows(history))
  })

  test('a random history of writes, removals and reads agrees with a map', async () => {
    const generation = nextGeneration++
    const prng = createSeededPrng(seed + 1)
    const model = new Map<string, TestEntry>()
    const draw = () => drawEntry(prng, { generation, form })
    const differing: unknown[] = []
    for (let step = 0; step < 600; step++) {
      const entries = distinct(Array.from({ length: 1 + prng.below(8) }, draw))
      const action = prng.below(10)
      if (action < 6) {
        const stored = entries.filter((each) => isNewer(each, model.get(each.key.toString())))
        if ((await writeEntries(tier, entries)) !== stored.length) differing.push({ step, stored })
        for (const each of stored) model.set(each.key.toString(), each)
      } else if (action === 6) {
        await tier.remove(keysOf(entries), never)
        for (const { key } of entries) model.delete(key.toString())
      } else {
        const rows = await readEntries(tier, entries)
        const expected = entries.map(({ key }) => model.get(key.toString())?.row)
        if (rows.some((row, index) => row?.toString('hex') !== expected[index]?.toString('hex'))) {
          differing.push({ step, rows, expected })
        }
      }
    }
    expect(differing).toEqual([])
  })

  test('the script decides as `compareRowVersions` does, to the ends of every format', async () => {
    const generation = nextGeneration++
    const prng = createSeededPrng(seed + 2)
    const pairs = Array.from({ length: 1500 }, (_, index) => {
      const drawn = { generation, form: { ...extremes, packing } }
      return { a: drawExtreme(prng, index, drawn), b: drawExtreme(prng, index, drawn) }
    })
    await writeEntries(
      tier,
      pairs.map(({ a }) => a),
    )
    await writeEntries(
      tier,
      pairs.map(({ b }) => b),
    )
    const rows = await readEntries(
      tier,
      pairs.map(({ a }) => a),
    )
    const wrong = pairs.filter(({ a, b }, index) => {
      const order = compareRowVersions(b.row, a.row, extremes.versions)
      return rows[index]?.equals(order > 0 ? b.row : a.row) !== true
    })
    expect(wrong).toEqual([])
  })

  test('a stored row of an unknown layout stays, the others of the call are written', async () => {
    const generation = nextGeneration++
    const words = { generation, form, version: { eventTimeUs: 0n, sequence: 7n } }
    const stored = entry({ ...words, key: 'a', layoutId: 200 })
    await writeEntries(tier, [stored])
    const older: RowForm = { ...form, versions: { layoutIdMax: 199, compact: new Map() } }
    const others = ['a', 'b', 'c'].map((key) =>
      entry({ generation, key, form: older, version: { eventTimeUs: 9n, sequence: 9n } }),
    )
    await expect(writeEntries(tier, others)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('layout 200 of a stored row is not known here yet'),
      details: { unknownLayoutId: 200 },
    })
    const [, second, third] = others
    expect(await readEntries(tier, others)).toEqual([stored.row, second?.row, third?.row])
  })

  test('reads and writes go on after the server forgot its scripts', async () => {
    const generation = nextGeneration++
    const rows = Array.from({ length: 1200 }, (_, index) =>
      entry({ generation, key: `${index}`, form }),
    )
    await client.script('FLUSH')
    expect(await writeEntries(tier, rows)).toBe(1200)
    await client.script('FLUSH')
    expect(await readEntries(tier, rows)).toEqual(rows.map(({ row }) => row))
  })

  test("another entity's row under the same hash is absent, and counted", async () => {
    const generation = nextGeneration++
    const own = await openTier(server.url)
    const hashed = entry({ generation, key: 'x'.repeat(100), form })
    await writeEntries(own, [hashed])
    await changeChecks(generation)
    expect(await readEntries(own, [hashed])).toEqual([undefined])
    expect((await own.stats(never)).findings).toEqual([
      "1 reads met another entity's row under their hash",
    ])
    await own.close()
  })
})

test('a batch of both packings is read and written whole', async () => {
  const forms = [loads, { ...loads, packing: { kind: 'bucket', bucketCount: 3 } } as const]
  const rows = forms.flatMap((form) => {
    const generation = nextGeneration++
    return Array.from({ length: 300 }, (_, index) =>
      entry({ generation, key: `${'k'.repeat((index % 2) * 45)}${index}`, body: `${index}`, form }),
    )
  })
  const mixed = rows.sort((a, b) => Buffer.compare(a.row, b.row))
  expect(await writeEntries(tier, mixed)).toBe(600)
  expect(await readEntries(tier, mixed)).toEqual(mixed.map(({ row }) => row))
  await tier.remove(keysOf(mixed.slice(0, 500)), never)
  const left = mixed.map(({ row }, index) => (index < 500 ? undefined : row))
  expect(await readEntries(tier, mixed)).toEqual(left)
})

describe('buckets', () => {
  const oneBucket: RowForm = { ...loads, packing: { kind: 'bucket', bucketCount: 1 } }
  let generation: number
  let key: Buffer
  const at = (name: string, words: { sequence?: bigint; keepMs?: number } = {}) =>
    entry({
      generation,
      key: name,
      form: oneBucket,
      version: { eventTimeUs: 1n, sequence: words.sequence ?? 1n },
      ...(words.keepMs === undefined ? {} : { keepMs: words.keepMs }),
    })
  /** Makes the stored row of `name` one that expired `units` of expiry ago. */
  const age = async (name: string, units: number) => {
    const value = (await client.hgetBuffer(key, name)) ?? Buffer.alloc(0)
    value.writeUIntBE(Math.floor((Date.UTC(2026, 0) - expiryEpochMs) / expiryUnitMs) - units, 0, 3)
    await client.hset(key, name, value)
  }

  beforeEach(() => {
    generation = nextGeneration++
    key = Buffer.from([3, generation, 0, 0, 0, 0])
  })

  test('lie as documented: key, field, expiry, row', async () => {
    const row = at('entity', { keepMs: 10 * expiryUnitMs })
    await writeEntries(tier, [row])
    const value = (await client.hgetBuffer(key, 'entity')) ?? Buffer.alloc(0)
    expect(value.subarray(3)).toEqual(row.row)
    const [seconds = ''] = await client.time().then((time) => time.map(String))
    const nowUnits = (Number(seconds) * 1000 - expiryEpochMs) / expiryUnitMs
    expect(value.readUIntBE(0, 3)).toBeGreaterThanOrEqual(Math.floor(nowUnits + 10))
    // Jitter, and a unit for rounding up.
    expect(value.readUIntBE(0, 3)).toBeLessThanOrEqual(nowUnits + 12)
  })

  test("the key's expiry covers its longest row, and is never shortened", async () => {
    const ttls: number[] = []
    for (const keepMs of [3_600_000, 36_000_000, 60_000, 72_000_000]) {
      await writeEntries(tier, [at(`kept ${keepMs}`, { keepMs })])
      ttls.push(await client.pttl(key))
    }
    const slackMs = 60_000
    expect(ttls[0]).toBeGreaterThan(3_600_000 - slackMs)
    expect(ttls[0]).toBeLessThan(3_600_000 * 1.05 + expiryUnitMs)
    expect(ttls[1]).toBeGreaterThan(36_000_000 - slackMs)
    expect(ttls[2]).toBeGreaterThan((ttls[1] ?? 0) - slackMs)
    expect(ttls[3]).toBeGreaterThan(72_000_000 - slackMs)
    expect(await client.hlen(key)).toBe(4)
  })

  test('an expiry beyond what three bytes hold is their greatest', async () => {
    const row = at('kept', { keepMs: 1000 * 365 * 86_400_000 })
    await writeEntries(tier, [row])
    expect((await client.hgetBuffer(key, 'kept'))?.subarray(0, 3).toString('hex')).toBe('ffffff')
    expect(await readEntries(tier, [row])).toEqual([row.row])
  })

  test('a row past its expiry gives way to an older one', async () => {
    await writeEntries(tier, [at('old', { sequence: 9n }), at('kept', { sequence: 9n })])
    await age('old', 1)
    expect(await writeEntries(tier, [at('old'), at('kept')])).toBe(1)
    expect(await readEntries(tier, [at('old'), at('kept')])).toEqual([
      at('old').row,
      at('kept', { sequence: 9n }).row,
    ])
  })

  test('rows past their expiry go as others of the bucket are written', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `row ${index}`)
    await writeEntries(
      tier,
      names.map((name) => at(name)),
    )
    for (const name of names.slice(0, 30)) await age(name, 5)
    // Each write sweeps with a chance of one in forty: these are more than enough.
    for (let sequence = 2n; sequence < 1000n; sequence++) {
      await writeEntries(tier, [at('row 39', { sequence })])
    }
    expect((await client.hkeys(key)).sort()).toEqual(names.slice(30).sort())
  })

  test('a load in the order of buckets writes each by one HSET', async () => {
    const form: RowForm = { ...loads, packing: { kind: 'bucket', bucketCount: 100 } }
    const rows = Array.from({ length: 6400 }, (_, index) =>
      entry({ generation, key: `${index}`, form }),
    )
    const buckets = bucketOf(keysOf(rows), 100, seeds.hotKey)
    const order = [...rows.keys()].sort((a, b) => (buckets[a] ?? 0) - (buckets[b] ?? 0))
    await client.config('RESETSTAT')
    await tier.write(writesOf(order.map((index) => rows[index] ?? at(''))), never)
    const stats = await client.info('commandstats')
    const callsOf = (name: string) =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0)
    expect(callsOf('hset')).toBe(100)
    expect(callsOf('evalsha')).toBeLessThanOrEqual(Math.ceil(6400 / (redisScriptRowsMax - 100)))
    const encodings = await client.call(
      'OBJECT',
      'ENCODING',
      Buffer.from([3, generation, 0, 0, 0, 0]),
    )
    expect(encodings).toBe('listpack')
  })

  test('removing the last row of a bucket removes its key', async () => {
    await writeEntries(tier, [at('a'), at('b')])
    await tier.remove(keysOf([at('a')]), never)
    expect(await client.exists(key)).toBe(1)
    await tier.remove(keysOf([at('b')]), never)
    expect(await client.exists(key)).toBe(0)
  })

  test('a value that is no row comes back as none, and gives way to any write', async () => {
    await client.hset(key, 'a', Buffer.from([1]))
    await client.hset(key, 'b', Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff]))
    expect(await readEntries(tier, [at('a'), at('b')])).toEqual([
      Buffer.alloc(0),
      Buffer.from([0xff, 0xff]),
    ])
    expect(await writeEntries(tier, [at('a'), at('b')])).toBe(2)
    expect(await readEntries(tier, [at('a'), at('b')])).toEqual([at('a').row, at('b').row])
  })
})

/** Formats at the ends of what may be registered. */
const extremes = formOf(
  new Map<number, CompactVersion>([
    [3, { eventBaseUs: -(2n ** 53n) + 1n, eventUnitUs: 63n, eventBytes: 6, sequence: 0n }],
    [
      4,
      {
        eventBaseUs: -(2n ** 53n) + 1n,
        eventUnitUs: (2n ** 54n - 2n) / 255n,
        eventBytes: 1,
        sequence: 5n,
      },
    ],
    [5, { eventBaseUs: 2n ** 53n - 1n, eventUnitUs: 1n, eventBytes: 0, sequence: 2n ** 64n - 1n }],
    [6, { eventBaseUs: -1n, eventUnitUs: 1n, eventBytes: 2, sequence: 2n ** 32n }],
    [
      2 ** 32 - 1,
      { eventBaseUs: 2n ** 32n, eventUnitUs: 2n ** 32n - 1n, eventBytes: 2, sequence: 1n },
    ],
  ]),
)

/** A row whose time is one that a format has, or next to it. */
function drawExtreme(
  prng: Prng,
  index: number,
  { generation, form }: { readonly generation: number; readonly form: RowForm },
): TestEntry {
  const layouts = [...extremes.versions.compact]
  const [layoutId, format] = layouts[prng.below(layouts.length)] ?? [2, undefined]
  if (format === undefined) throw new Error('there are formats')
  const last = 256n ** BigInt(format.eventBytes) - 1n
  const steps =
    [0n, 1n, last / 2n, last - 1n, last, BigInt(prng.below(2 ** 32))][prng.below(6)] ?? 0n
  const within = steps < 0n ? 0n : steps > last ? last : steps
  const eventTimeUs = format.eventBaseUs + format.eventUnitUs * within
  const { sequence } = format
  const words = { generation, key: `pair ${index}`, form }
  if (prng.below(2) === 0) return entry({ ...words, layoutId, version: { eventTimeUs, sequence } })
  const near = [-1n, 0n, 1n][prng.below(3)] ?? 0n
  const sequences = [0n, sequence, 2n ** 32n - 1n, 2n ** 63n]
  const version = { eventTimeUs: eventTimeUs + near, sequence: sequences[prng.below(4)] ?? 0n }
  return entry({ ...words, version })
}

/** One entry per key: rows of a batch are of distinct keys. */
function distinct(entries: readonly TestEntry[]): TestEntry[] {
  return [...new Map(entries.map((each) => [each.key.toString(), each])).values()]
}

function isNewer(given: TestEntry, stored: TestEntry | undefined): boolean {
  if (stored === undefined) return true
  return compareRowVersions(given.row, stored.row, given.form.versions) > 0
}

/** Gives every hashed row of a generation another check. */
async function changeChecks(generation: number): Promise<void> {
  const changed = (value: Buffer, start: number) =>
    Buffer.concat([value.subarray(0, start), Buffer.alloc(8, 0xee), value.subarray(start + 8)])
  for (const key of await client.keysBuffer('*')) {
    if (key[1] !== generation) continue
    if (key[0] === 2) await client.set(key, changed((await client.getBuffer(key)) ?? key, 0))
    if (key[0] !== 4) continue
    const [field = key, value = key] = (await client.callBuffer('HGETALL', key)) as Buffer[]
    await client.hset(key, field, changed(value, 3))
  }
}
