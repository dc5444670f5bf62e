import { expect, test } from 'vitest'
import { benchNames, runBench } from '../scripts/bench.mjs'
import { cases as gbdtCases, targets as gbdtTargets } from './gbdt.mjs'
import { targets as onnxTargets } from './onnx.mjs'
import { cases, targets as memoryTargets } from './redis-memory.mjs'
import { targets as readTargets } from './redis-read.mjs'

const unitPattern = /_(ns|us|ms|bytes|per_second|per_s|per_row|per_value)(_|$)/

test('a report says what was measured where, and every figure says its unit', async () => {
  const effort = { roundMs: 1, roundCount: 1, distinctRowCount: 4 }
  const report = await runBench('codec', effort)
  expect(Object.keys(report)).toEqual(['name', 'commit', 'machine', 'date', 'figures', 'ratios'])
  expect(report).toEqual({
    name: 'codec',
    commit: expect.stringMatching(/^[0-9a-f]{12}(\+changes)?$|^unknown/),
    machine: {
      cpu: expect.any(String),
      coreCount: expect.any(Number),
      memoryBytes: expect.any(Number),
      node: process.versions.node,
      os: `${process.platform} ${process.arch}`,
    },
    date: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    figures: expect.any(Object),
    ratios: expect.any(Object),
  })
  expect(Object.keys(report.figures)).toContain('decode_200_rows_us')
  expect(Object.keys(report.figures).filter((key) => !unitPattern.test(key))).toEqual([])
  const values = Object.values({ ...report.figures, ...report.ratios })
  expect(values.filter((value) => !Number.isFinite(value))).toEqual([])
  expect(JSON.parse(JSON.stringify(report))).toEqual(report)
})

test('a bench that fails says so instead of reporting', async () => {
  await expect(
    runBench('codec', { roundMs: 1, roundCount: 1, distinctRowCount: 0 }),
  ).rejects.toThrow('failed')
})

test('every bench that can be named is there', async () => {
  const urls = benchNames.map((name) => new URL(`./${name}.mjs`, import.meta.url).href)
  const modules = await Promise.all(urls.map((url) => import(url)))
  const caseCounts = modules.map(({ cases }) => Object.keys(cases).length)
  expect(caseCounts.every((caseCount) => caseCount > 0)).toBe(true)
  expect(modules.map(({ efforts }) => Object.keys(efforts))).toEqual(
    benchNames.map(() => ['quick', 'full']),
  )
})

test('redis-read measures what its targets name', async () => {
  const effort = { warmUpCallCount: 1, roundMs: 1, roundCount: 1, rowCount: 400 }
  const { figures, ratios } = await runBench('redis-read', effort)
  expect(Object.keys(ratios)).toEqual(expect.arrayContaining(Object.keys(readTargets)))
  expect(Object.values({ ...figures, ...ratios }).every((value) => Number(value) > 0)).toBe(true)
})

// Scores are compared with bare onnxruntime's on the way.
test('onnx measures what its targets name', async () => {
  const { figures, ratios } = await runBench('onnx', {
    roundMs: 1,
    roundCount: 1,
    distinctRowCount: 400,
  })
  expect(Object.keys(ratios)).toEqual(expect.arrayContaining(Object.keys(onnxTargets)))
  expect(Object.values({ ...figures, ...ratios }).every((value) => Number(value) > 0)).toBe(true)
  expect(Object.keys(figures).filter((key) => !unitPattern.test(key))).toEqual([])
})

// Every layout is read back and compared on the way.
test('redis-memory measures what its targets name, and Larder takes least', async () => {
  const effort = { rankingRowCount: 400, otherRowCount: 400 }
  const reports = await Promise.all([
    cases.ranking_22('ranking_22', effort),
    cases.decimal_10('decimal_10', effort),
  ])
  const figures: Record<string, number> = Object.assign({}, ...reports.map((each) => each.figures))
  const ratios: Record<string, number> = Object.assign({}, ...reports.map((each) => each.ratios))
  const isMeasured = (key: string) => !/^(decimal_22|decimal_50|vector_10)_/.test(key)
  const targetKeys = Object.keys(memoryTargets).filter(isMeasured)
  expect(Object.keys({ ...figures, ...ratios })).toEqual(expect.arrayContaining(targetKeys))
  const bytesOf = (name: string) => figures[`${name}_bytes_per_entity`] ?? Number.NaN
  const names = ['bucket', 'string', 'packed_float32', 'hashed_names', 'feast', 'key_per_feature']
  const measured = names.map(bytesOf)
  expect(measured).toEqual([...measured].sort((a, b) => a - b))
  expect(figures['compact_rows_share']).toBe(1)
})

// Without peers, so that it depends on nothing that must be installed first.
test('gbdt measures every kernel on models of its own where there are no peers', async () => {
  process.env['LARDER_PEERS_PYTHON'] = 'none'
  const { figures, ratios, notes } = await gbdtCases.t100_l31_f23('t100_l31_f23', {
    roundMs: 1,
    roundCount: 1,
  })
  expect(ratios).toEqual({})
  expect(Object.keys(figures)).toEqual(
    expect.arrayContaining([
      't100_l31_f23_rows200_ns_per_row',
      't100_l31_f23_rows1_walk_ns_per_row',
      't100_l31_f23_f64_rows1000_bitmask_portable_ns_per_row',
    ]),
  )
  expect(notes).toMatchObject({
    t100_l31_f23_rows200_ns_per_row: expect.stringMatching(/^100 trees in /),
  })
  expect(Object.keys(gbdtTargets)).toContain('t500_l63_f100_rows200_vs_lightgbm')
  const { figures: poolFigures } = await gbdtCases.pool('pool', { roundMs: 1, roundCount: 1 })
  expect(Object.values({ ...figures, ...poolFigures }).every((value) => Number(value) > 0)).toBe(
    true,
  )
})
