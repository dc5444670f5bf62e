/**
 * The examples of docs/models/repository.md are what the daemon takes.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { modelPollMs, testVectorsMax } from '../src/limits.js'
import { checkModel } from '../src/predict/check-model.js'
import { parseModelYaml } from '../src/predict/model-yaml.js'
import { parseTestVectors } from '../src/predict/test-vectors.js'
import { formModel } from './support/form-model.js'

const path = 'docs/models/repository.md'
const text = readFileSync(path, 'utf8')

function fencesOf(kind: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`yaml ${kind}\n([^]*?)^\`\`\`$`, 'gm'))].flatMap(
    ([, body]) => body ?? [],
  )
}

test('every model.yaml in it is read', () => {
  const yamls = fencesOf('model').map((body) => parseModelYaml({ path, text: body }))
  expect(yamls.map(({ kind }) => kind)).toEqual(['lightgbm', 'onnx', 'lightgbm'])
  expect(yamls[0]?.versions).toEqual({ kind: 'latest', versionCount: 2 })
  expect(yamls[1]?.tensors.get('input')).toEqual(['store_stats.orders_7d', 'hour'])
  expect(yamls[2]?.testVectors).toMatchObject([{ version: '2', tolerance: 1e-9 }])
})

test('its test vectors are read, and what is left out is missing', async () => {
  const [body = ''] = fencesOf('vectors')
  const vectors = parseTestVectors({ path, text: body })
  const names = ['orders', 'prep', 'zone']
  const inputs = names.map((name) => {
    return { name, form: { kind: 'number' } as const, defaultValue: undefined }
  })
  const model = formModel(inputs, () => 0)
  const checking = checkModel(model, vectors, new AbortController().signal)
  await expect(checking).rejects.toThrow(/expected raw 1, got 0/)
  expect(model.rows).toEqual([
    [12, 7.5, 3],
    [0, Number.NaN, Number.NaN],
    [Number.POSITIVE_INFINITY, Number.NaN, Number.NaN],
  ])
})

test('its bounds are those of the code', () => {
  expect(text).toContain(`At most ${testVectorsMax.toLocaleString('en')} rows`)
  expect(text).toContain('looks once a second')
  expect(modelPollMs).toBe(1000)
})
