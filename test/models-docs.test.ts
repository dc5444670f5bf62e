/** The examples of docs/MODELS.md are what the daemon takes, and what it links to is there. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { modelKinds } from '../src/predict/model-kind.js'
import { parseModelYaml } from '../src/predict/model-yaml.js'

const folder = new URL('../docs/', import.meta.url)
const guide = readFileSync(new URL('MODELS.md', folder), 'utf8')

test('its model.yaml is read, and says what the text says', () => {
  const examples = [...guide.matchAll(/```yaml model\n([\s\S]*?)```/g)].map(
    ([, text]) => text ?? '',
  )
  expect(examples).toHaveLength(1)
  const yaml = parseModelYaml({ path: 'model.yaml', text: examples[0] ?? '' })
  expect(yaml).toMatchObject({ kind: 'lightgbm', service: 'ranking' })
  expect(yaml.requestValues.map(({ name }) => name)).toEqual(['hour'])
  expect(yaml.inputs.get('prep')).toMatchObject({ defaultValue: 0 })
  expect(yaml.labels.get('stable')).toBe('1')
})

test('every kind has a row, and every page is there', () => {
  const links = [...guide.matchAll(/\]\(([\w/.-]+\.md)\)/g)].map(([, path]) => path ?? '')
  expect(links.length).toBeGreaterThan(7)
  expect(links.filter((path) => !existsSync(new URL(path, folder)))).toEqual([])
  expect(
    modelKinds.filter(
      (kind) => !guide.includes(`| \`${kind}\``) && !guide.includes(`, \`${kind}\``),
    ),
  ).toEqual([])
})
