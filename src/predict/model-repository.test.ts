import { mkdir, mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { snapshotOf } from '../../test/support/defined-snapshot.js'
import { exampleModelText } from '../../test/support/lightgbm-example.js'
import { configBytesMax, modelFileBytesMax } from '../limits.js'
import { emptySnapshot } from '../registry/snapshot.js'
import { ModelRepository } from './model-repository.js'

let folder: string
let models: ModelRepository
let writeCount = 0
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-models-'))
  models = new ModelRepository(folder)
})
afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** Writes a file with a modification time of its own, as files of different seconds have. */
async function put(path: string, text = exampleModelText): Promise<void> {
  const whole = join(folder, path)
  await mkdir(join(whole, '..'), { recursive: true })
  await writeFile(whole, text)
  const at = new Date(Date.UTC(2026, 0, 1) + ++writeCount * 1000)
  await utimes(whole, at, at)
}

const states = async () =>
  (await models.scan()).map(({ name, version, problem }) => [name, version, problem ?? 'ready'])

describe('a scan', () => {
  test('of a folder that is not there finds nothing', async () => {
    expect(await new ModelRepository(join(folder, 'none')).scan()).toEqual([])
  })

  test('finds versions in the order of their numbers, and tells each once', async () => {
    await put('late/10/model.txt')
    await put('late/9/model.lgb')
    await put('early/1/model.txt')
    expect(await states()).toEqual([
      ['early', '1', 'ready'],
      ['late', '9', 'ready'],
      ['late', '10', 'ready'],
    ])
    expect(await models.scan()).toEqual([])
  })

  test('leaves alone what is no version of a model', async () => {
    await put('sales/01/model.txt')
    await put('sales/v1/model.txt')
    await put('sales/1/other.txt')
    await put('.hidden/1/model.txt')
    await put('loose.txt')
    expect(await models.scan()).toEqual([])
  })

  test('prefers model.txt to model.lgb', async () => {
    await put('sales/1/model.lgb', 'not a model')
    await put('sales/1/model.txt')
    expect(await states()).toEqual([['sales', '1', 'ready']])
  })

  test('forgets what was removed', async () => {
    await put('sales/1/model.txt')
    await models.scan()
    await rm(join(folder, 'sales'), { recursive: true })
    await models.scan()
    expect(models.list()).toEqual([])
  })

  test('a broken file never replaces a good model, and a good one replaces that', async () => {
    await put('sales/1/model.txt')
    await models.scan()
    const { model } = models.find('sales')
    await put('sales/1/model.txt', exampleModelText.slice(0, 200))
    expect(await states()).toEqual([['sales', '1', expect.stringContaining('byte')]])
    expect(models.find('sales').model).toBe(model)
    await put('sales/1/model.txt')
    expect(await states()).toEqual([['sales', '1', 'ready']])
    expect(models.find('sales').model).not.toBe(model)
  })

  test('a broken model.yaml keeps the labels and the model that were', async () => {
    await put('sales/1/model.txt')
    await put('sales/model.yaml', 'kind: lightgbm\nlabels: { stable: 1 }')
    await models.scan()
    await put('sales/model.yaml', 'kind: lightgbn')
    expect(await states()).toEqual([['sales', '1', expect.stringContaining('"lightgbm"')]])
    expect(models.find('sales@stable')).toMatchObject({ version: '1', labels: ['stable'] })
  })

  test('a file over its bound is not read', async () => {
    await put('sales/1/model.txt')
    await truncate(join(folder, 'sales/1/model.txt'), modelFileBytesMax + 1)
    await put('other/1/model.txt')
    await put('other/model.yaml', '#'.repeat(configBytesMax + 1))
    expect(await states()).toEqual([
      ['other', '1', expect.stringContaining(`has 1048577 bytes, at most 1048576 are read`)],
      ['sales', '1', expect.stringContaining(`has 536870913 bytes, at most 536870912 are read`)],
    ])
  })
})

describe('a reference', () => {
  beforeEach(async () => {
    await put('sales/1/model.txt')
    await put('sales/2/model.txt')
    await put('sales/3/model.txt', 'broken')
    await models.scan()
  })

  test('without a label means the newest version that can be used', () => {
    expect(models.find('sales').version).toBe('2')
  })

  test('means the stable version where one is, and any version or label by name', async () => {
    await put('sales/model.yaml', 'kind: lightgbm\nlabels: { stable: 1, canary: 2 }')
    await models.scan()
    expect(models.find('sales').version).toBe('1')
    expect(models.find('sales@canary').version).toBe('2')
    expect(models.find('sales@2').version).toBe('2')
  })

  test.each([
    ['sale', 'not_found', `no model 'sale': did you mean "sales"?`],
    ['', 'not_found', `no model ''`],
    ['@1', 'not_found', `no model ''`],
    ['sales@4', 'not_found', `model 'sales' has no '4' (it has 1, 2, 3)`],
    ['sales@', 'not_found', `model 'sales' has no '' (it has 1, 2, 3)`],
    ['sales@stable', 'not_found', `model 'sales' has no 'stable' (it has 1, 2, 3)`],
    ['sales@1@2', 'not_found', `model 'sales' has no '1@2' (it has 1, 2, 3)`],
    ['sales@3', 'bad_model', `model 'sales@3' cannot be used: LightGBM model, byte 0`],
  ])('%j is refused', (reference, code, message) => {
    expect(() => models.find(reference)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    )
  })
})

describe('binding', () => {
  const yaml = `kind: lightgbm
request_values: [{ name: a, type: float64 }, { name: b, type: float64 }, { name: c, type: float64 }]
inputs: { "c=d": c }
categorical: [a, "c=d"]
`

  test('is done once per snapshot, and again for another', async () => {
    await put('sales/1/model.txt', exampleModelText.replace(/"x", *"y", *"z"/, '1, 2, 3'))
    await put('sales/model.yaml', yaml)
    await models.scan()
    const first = models.bind('sales', emptySnapshot)
    expect(first.entry).toMatchObject({ name: 'sales', version: '1' })
    expect(models.bind('sales@1', emptySnapshot).inputs).toBe(first.inputs)
    const other = await snapshotOf('entities: [{ name: shop, keys: { shop: string } }]')
    expect(models.bind('sales', other).inputs).not.toBe(first.inputs)
  })

  test('without a version means the newest that fits; a named one is not replaced', async () => {
    const fitting = exampleModelText.replace(/"x", *"y", *"z"/, '1, 2, 3')
    await put('sales/1/model.txt', fitting)
    await put('sales/2/model.txt', fitting.replace('c=d', 'unheard_of'))
    await put('sales/model.yaml', yaml)
    await models.scan()
    expect(models.bind('sales', emptySnapshot).entry.version).toBe('1')
    expect(() => models.bind('sales@2', emptySnapshot)).toThrow(/'sales@2' does not fit/)
  })

  test('tells why a model does not fit', async () => {
    await put('sales/1/model.txt')
    await models.scan()
    expect(() => models.bind('sales', emptySnapshot)).toThrow(
      expect.objectContaining({
        code: 'bad_model',
        message:
          "model 'sales@1' does not fit the definitions: there are no feature services: " +
          'apply definitions first',
      }),
    )
  })
})
