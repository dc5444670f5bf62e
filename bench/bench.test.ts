import { expect, test } from 'vitest'
import { benchNames, runBench } from '../scripts/bench.mjs'

const unitPattern = /_(ns|us|ms|bytes|per_second|per_row|per_value)(_|$)/

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
  expect(Object.keys(report.figures)).toContain('ranking_22_200_rows_decode_ns_per_row')
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
