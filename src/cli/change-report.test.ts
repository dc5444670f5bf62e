import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Captured, runCaptured } from '../../test/support/captured-io.js'
import { type FakeDaemon, failThenAnswer, startFakeDaemon } from '../../test/support/fake-daemon.js'
import { ApplyResponse, PlanResponse } from '../gen/larder/v1/admin.js'

const advice = 'view clicks: packing bucket would save 40 % of its memory in hot'
const warning = 'model ranker no longer fits'

let folder: string
let daemon: FakeDaemon
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'larder-plan-'))
  writeFileSync(join(folder, 'a.yaml'), 'entities: []\n')
  const reply = { registryVersion: 4n, warnings: [warning] }
  daemon = await startFakeDaemon({
    admin: {
      plan: failThenAnswer([], () => PlanResponse.fromPartial({ ...reply, advice: [advice] })),
      apply: failThenAnswer([], () => ApplyResponse.fromPartial(reply)),
    },
  })
})
afterEach(() => {
  daemon.stop()
  rmSync(folder, { recursive: true })
})

const run = (...argv: readonly string[]): Promise<Captured> =>
  runCaptured([...argv, folder, '--address', daemon.address])

test('a plan ends with warnings, advice and what to do next', async () => {
  const { stdout, exitCode } = await run('plan')
  expect(stdout).toBe(
    `warning ${warning}\nadvice ${advice}\nnothing to change: registry version 4\n`,
  )
  expect(exitCode).toBe(0)
})

test('a plan as JSON has its advice; what was applied has none', async () => {
  const [planned, applied] = [await run('plan', '--json'), await run('apply', '--json')]
  expect(JSON.parse(planned.stdout)).toMatchObject({ warnings: [warning], advice: [advice] })
  expect(JSON.parse(applied.stdout)).not.toHaveProperty('advice')
})
