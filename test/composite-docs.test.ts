/** The examples of docs/models/composite.md, and the flights', load and say what they are said to. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { foldOps, pairOps, unaryOps } from '../src/predict/composite/graph.js'
import { nodeOps } from '../src/predict/composite/graph-nodes.js'
import { loadGraph } from './support/composite-runs.js'

const guide = readFileSync(new URL('../docs/models/composite.md', import.meta.url), 'utf8')
const examples = [...guide.matchAll(/^```yaml graph\n(.*?)^```$/gms)].map(([, text = '']) => text)

test('the guide has examples', () => {
  expect(examples.length).toBe(2)
})

test.each(examples)('example %# loads, with nothing unused', async (text) => {
  expect((await loadGraph(text)).warnings).toEqual([])
})

test('the second gives 1 for its defaults', async () => {
  const model = await loadGraph(examples[1] ?? '')
  const columns = model.inputs.map(({ defaultValue }) => {
    const values = Float64Array.from(Array.isArray(defaultValue) ? defaultValue : [])
    return { values, lengths: Uint32Array.of(values.length) }
  })
  const output = new Float64Array(1)
  await model.predict(columns, 1, output, { raw: false })
  expect([...output]).toEqual([1])
})

test('every op is in the guide', () => {
  const ops = [...nodeOps, ...unaryOps, ...pairOps, ...foldOps]
  expect(ops.filter((op) => !guide.includes(`\`${op}\``) && !guide.includes(`op: ${op}`))).toEqual(
    [],
  )
})

test('flight_risk of the flights example: a usual flight is rarely late, a bad evening often', async () => {
  const path = new URL('../examples/flights/models/flight_risk/1/graph.yaml', import.meta.url)
  const model = await loadGraph(readFileSync(path, 'utf8'))
  expect(model.warnings).toEqual([])
  const known = ['hour_of_day', 'day_of_week', 'route_month.late_share_by_weekday']
  const features = model.inputs.filter(({ name }) => !known.includes(name))
  const byWeekday = { values: Float32Array.of(0, 0, 0, 0, NaN, 1, 0), lengths: Uint32Array.of(7) }
  const rows = {
    // Friday, of which nothing is known, and Saturday.
    day_of_week: Float64Array.of(5, 6),
    hour_of_day: Float64Array.of(7, 18),
    'route_month.late_share_by_weekday': byWeekday,
    ...Object.fromEntries(features.map(({ name }) => [name, Float64Array.of(0.2, 0.9)])),
    'origin.disrupted': Float64Array.of(0, 1),
    'destination.disrupted': Float64Array.of(0, 0),
    'origin.outbound_overdue': Float64Array.of(0, 40),
  }
  const columns = new Map(Object.entries(rows))
  const output = new Float64Array(2)
  const given = model.inputs.flatMap(({ name }) => columns.get(name) ?? [])
  await model.predict(given, 2, output, { raw: false })
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
  const usual = -3.74 + 0.2 * (0.4 + 0.57 + 0.32 + 1.44 + 2.62) + 0.25
  const evening =
    -3.74 + 0.9 * (0.4 + 0.57 + 0.32 + 1.44) + 2.62 + 0.27 * Math.log(41) + 0.32 + 0.98
  expect(output[0]).toBeCloseTo(sigmoid(usual), 12)
  expect(output[1]).toBeCloseTo(sigmoid(evening), 6)
})
