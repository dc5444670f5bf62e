/**
 * The weights files in docs/models/linear.md are what it says they are.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseLinearModel } from '../src/predict/linear-model.js'

const text = readFileSync(new URL('../docs/models/linear.md', import.meta.url), 'utf8')
const fences = [...text.matchAll(/```yaml weights\n(.*?)```/gs)].map(([, fence = '']) => fence)
const models = fences.map((fence) => parseLinearModel({ path: 'linear.md', text: fence }))

test('the examples load', () => {
  expect(models.map(({ kind, inputs }) => [kind, inputs.map(({ name }) => name)])).toEqual([
    [
      'logistic',
      ['distance', 'hour_of_day', 'listing_vector', 'user_vector', 'carrier', 'weekday'],
    ],
    ['linear', ['distance', 'user_vector', 'carrier']],
  ])
  expect(models.map(({ contributions }) => contributions !== undefined)).toEqual([false, true])
})

test('contributions are what the text says', async () => {
  const output = new Float64Array(4)
  await models[1]?.contributions?.(
    [
      Float64Array.of(900),
      { values: Float64Array.of(1.1, 2.2), lengths: Uint32Array.of(2) },
      Float64Array.of(1),
    ],
    1,
    output,
  )
  const expected = [0.5 * (900 - 700), 0.5 * 1 + 2, 0.3 - 0.18, 2 + 350 + 0.25 + 0.18]
  for (const [index, value] of expected.entries()) expect(output[index]).toBeCloseTo(value, 10)
})
