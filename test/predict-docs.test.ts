/**
 * The examples of docs/models/predict.md are read by what reads such files.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseValue } from '../src/cli/parse-value.js'
import { parseModelYaml } from '../src/predict/model-yaml.js'

const path = 'docs/models/predict.md'
const text = readFileSync(path, 'utf8')
const yamlBlocks = Array.from(
  text.matchAll(/^```yaml model\n(.*?)^```$/gms),
  ([, block]) => block ?? '',
)
const lists = Array.from(text.matchAll(/--set (\w+)='(\[.*?\])'/g), ([, name, list]) => [
  name ?? '',
  list ?? '',
])

test('its model.yaml is one', () => {
  expect(yamlBlocks).toHaveLength(1)
  for (const block of yamlBlocks) {
    expect(parseModelYaml({ path, text: block })).toMatchObject({ kind: 'lightgbm' })
  }
})

test('its lists on the command line are lists', () => {
  const types: Readonly<Record<string, string>> = { basket: 'list<int64>', words: 'list<string>' }
  const parsed = lists.map(([name = '', list = '']) => parseValue(name, types[name] ?? '', list))
  expect(parsed).toEqual([
    [4n, 8n, 15n],
    ['new', 'hot'],
  ])
})
