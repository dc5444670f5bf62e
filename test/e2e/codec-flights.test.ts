/**
 * `larder codec` on the flights example's views: what it says adds up, and holds in the stored rows.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildFeatures, viewNames } from '../../examples/flights/build-features.mjs'
import { runCaptured } from '../support/captured-io.js'
import { type E2eDaemon, freshTiers, startDaemon } from '../support/e2e-daemon.js'
import { flightDefinitions } from '../support/e2e-flights.js'

const flightsPath = 'node_modules/vega-datasets/data/flights-3m.parquet'
const at = new Date('2001-06-15T18:00:00Z')
/** Enough rows for a load to learn from; the airports' views have 221. */
const learnedViews = ['route_day', 'route_month']

let folder: string
let daemon: E2eDaemon
/** What `codec VIEW --json` says, by view. */
let codecs: ReadonlyMap<string, Awaited<ReturnType<typeof json>>>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'larder-codec-flights-'))
  const clockAtUs = BigInt(at.getTime()) * 1000n
  const tiers = await freshTiers('embedded')
  daemon = await startDaemon({ tiers, clockAtUs, definitions: flightDefinitions() })
  const built = await buildFeatures(
    { flightsPath, at, outputDir: folder },
    new AbortController().signal,
  )
  const told = new Map()
  for (const { name, path } of built.views) {
    await larder('load', name, path)
    told.set(name, await json('codec', name))
  }
  codecs = told
}, 60_000)

afterAll(async () => {
  await daemon.stop()
  rmSync(folder, { recursive: true })
})

async function larder(...argv: string[]): Promise<string> {
  const address = ['--address', daemon.running.grpcAddress]
  const captured = await runCaptured([...argv, ...address], { cwd: folder })
  expect({ ...captured, stdout: '' }).toEqual({ exitCode: 0, stdout: '', stderr: '' })
  return captured.stdout
}

async function json(...argv: string[]) {
  return JSON.parse(await larder(...argv, '--json'))
}

test.each(viewNames)('%s: features and rows add up', async (name) => {
  const codec = codecs.get(name)
  const { views } = await daemon.client.registry()
  const view = views.find((each) => each.name === name)
  expect(codec.features.map((feature: { name: string }) => feature.name)).toEqual(
    view?.features.map((feature) => feature.name),
  )
  const bits = codec.features.reduce(
    (sum: number, feature: { bits_per_cell: number }) => sum + feature.bits_per_cell,
    0,
  )
  expect(Math.abs(bits / 8 - codec.body_bytes)).toBeLessThan(1)
  expect(codec.body_bytes).toBeLessThan(codec.plain_body_bytes)
  expect(codec).toMatchObject({ is_whole_view: true, scanned_row_count: codec.sample_row_count })
})

test.each(learnedViews)('%s: a load has written what it says', (name) => {
  const [stored, loaded, single, plain] = codecs.get(name).costs
  expect(Math.abs(stored.row_bytes - loaded.row_bytes)).toBeLessThan(1)
  expect(loaded.row_bytes).toBeLessThan(single.row_bytes)
  expect(single.row_bytes).toBeLessThan(plain.row_bytes)
  expect(stored.redis_bytes.bucket_expiry).toBeLessThan(stored.redis_bytes.string_expiry)
})

test('learning by hand from stored rows is for rows to come', async () => {
  const before = codecs.get('airport_week')
  expect(await larder('codec', 'airport_week')).toContain('larder codec learn airport_week')
  expect(await larder('codec', 'learn', 'airport_week')).toContain('registered as profile 1')
  const after = await json('codec', 'airport_week')
  expect(after.profile.id).toBe(1)
  expect(after.costs[0].row_bytes).toBe(before.costs[0].row_bytes)
})
