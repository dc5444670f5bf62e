/**
 * `kill -9` of a daemon in the middle of a bulk load: what was acknowledged is there after a restart, and
 * running the same load again completes it.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { column, type LarderClient, type WriteBatch } from '../src/client/index.js'
import { systemClock } from '../src/clock.js'
import { createSeededPrng } from '../src/prng.js'
import { runCaptured } from './support/captured-io.js'
import { type RunningProcess, startProcessOf, writeConfig } from './support/kill-installation.js'
import { accountDefinitions, historyNowUs } from './support/sim-history.js'
import { freshLmdbUrl, freshPostgresUrl, freshRedisUrl } from './support/test-servers.js'

const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
/** The judging clock's instant, and an event time before it. */
const clockAt = '2001-06-15T18:00:00Z'
const eventTimeUs = historyNowUs - 3_600_000_000n
const eventTime = '2001-06-15T17:00:00Z'

const rowsPerBatch = 500
const rowsPerRead = 1000
const loadedRowCount = 60_000

const layouts = [
  { name: 'memory over LMDB', urls: async () => ({ hot: 'memory:', warm: freshLmdbUrl() }) },
  {
    name: 'Redis over PostgreSQL',
    urls: async () => ({ hot: await freshRedisUrl(), warm: await freshPostgresUrl() }),
  },
]

const running = new Set<RunningProcess>()

afterEach(async () => {
  for (const daemon of running) {
    await daemon.kill()
    daemon.client.close()
  }
  running.clear()
})

async function start(configPath: string): Promise<RunningProcess> {
  const daemon = await startProcessOf(configPath)
  running.add(daemon)
  return daemon
}

/** Batch `index`: rows of its own, and the one row that every batch writes. */
function batchOf(index: number): WriteBatch {
  const first = index * rowsPerBatch
  const numbers = Array.from({ length: rowsPerBatch }, (_, row) => first + row)
  const keys = [...numbers.map(keyOf), 'shared']
  const marks = [...numbers, first].map(BigInt)
  return {
    batchId: `batch ${index}`,
    view: 'fast',
    schemaVersion: 1,
    keys: [column.strings('id', keys)],
    eventTimesUs: new BigInt64Array(keys.length).fill(eventTimeUs),
    features: [column.int64('mark', marks), column.strings('text', keys)],
  }
}

function keyOf(number: number): string {
  return `row ${number}`
}

/** The numbers in [begin, end) whose row is not there as it was written. */
async function findWrong(client: LarderClient, begin: number, end: number): Promise<number[]> {
  const wrong: number[] = []
  for (let from = begin; from < end; from += rowsPerRead) {
    const numbers = Array.from({ length: Math.min(rowsPerRead, end - from) }, (_, i) => from + i)
    const keys = [column.strings('id', numbers.map(keyOf))]
    const { columns } = await client.getFeatures({ view: 'fast', keys })
    const [mark, text] = columns
    for (const [row, number] of numbers.entries()) {
      const isRight = mark?.valueAt(row) === BigInt(number) && text?.valueAt(row) === keyOf(number)
      if (!isRight) wrong.push(number)
    }
  }
  return wrong
}

// Processes start slowly on a machine that runs other tests too.
describe.each(layouts)('$name', { timeout: 180_000 }, ({ urls }) => {
  test(`no acknowledged row is lost (seed ${seed})`, async () => {
    const prng = createSeededPrng(seed)
    const configPath = writeConfig(await urls(), clockAt)
    const acked = new Set<number>()
    let sentCount = 0
    for (let round = 0; round < 2; round++) {
      const daemon = await start(configPath)
      if (round === 0) await daemon.client.apply({ files: [accountDefinitions] })
      const enough = acked.size + 5 + prng.below(20)
      const writer = daemon.client.openWriter()
      await new Promise<void>((resolve) => {
        const writeNext = async () => {
          while (acked.size < enough) {
            const index = sentCount++
            const ack = await writer.write(batchOf(index))
            if (ack.error === undefined && ack.durable) acked.add(index)
          }
          resolve()
        }
        // Writes that the kill cuts off fail: nobody said that they were stored.
        for (let stream = 0; stream < 4; stream++) writeNext().catch(() => undefined)
      })
      await daemon.kill()
      writer.abort()
    }

    const daemon = await start(configPath)
    for (const index of acked) {
      const first = index * rowsPerBatch
      expect(await findWrong(daemon.client, first, first + rowsPerBatch)).toEqual([])
    }
    // Again, all of it: what is there stays, what is missing is added.
    const writer = daemon.client.openWriter()
    const rewritten = await Promise.all(
      Array.from({ length: sentCount }, (_, index) => writer.write(batchOf(index))),
    )
    await writer.close()
    expect(rewritten.map(({ durable, visible }) => durable && visible)).not.toContain(false)
    expect([...acked].map((index) => rewritten[index]?.storedCount)).not.toContain(rowsPerBatch)
    expect(await findWrong(daemon.client, 0, sentCount * rowsPerBatch)).toEqual([])
  })

  test('a load that was cut off is completed by running it again', async () => {
    const configPath = writeConfig(await urls(), clockAt)
    const folder = mkdtempSync(join(tmpdir(), 'larder-load-'))
    const lines = Array.from({ length: loadedRowCount }, (_, number) =>
      [keyOf(number), number, keyOf(number), eventTime].join(','),
    )
    writeFileSync(join(folder, 'rows.csv'), ['id,mark,text,as_of', ...lines, ''].join('\n'))
    const load = (address: string) => {
      const argv = ['load', 'fast', 'rows.csv', '--event-time', 'as_of', '--batch-rows', '1000']
      return runCaptured([...argv, '--json', '--address', address], { cwd: folder })
    }

    const first = await start(configPath)
    await first.client.apply({ files: [accountDefinitions] })
    const cutOff = load(first.address)
    while ((await findWrong(first.client, 0, 1)).length > 0) await systemClock.sleep(5)
    await first.kill()
    expect(await cutOff).not.toMatchObject({ exitCode: 0 })

    const second = await start(configPath)
    expect(await findWrong(second.client, 0, 1)).toEqual([])
    expect(await load(second.address)).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await findWrong(second.client, 0, loadedRowCount)).toEqual([])
  })
})
