import { mkdir, mkdtemp, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { snapshotOf } from '../../test/support/defined-snapshot.js'
import { exampleModelText } from '../../test/support/lightgbm-example.js'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.js'
import { configBytesMax, modelFileBytesMax, modelPollMs, modelQuietMs } from '../limits.js'
import { emptySnapshot } from '../registry/snapshot.js'
import type { Model } from './model.js'
import { ModelRepository } from './model-repository.js'

let folder: string
let clock: ManualClock
let models: ModelRepository
let writeCount = 0
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-models-'))
  clock = createManualClock(Date.UTC(2026, 0, 1))
  models = new ModelRepository({ folder, clock, kernel: 'auto' })
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

/** Two looks, as far apart as two polls; what changed at the second. */
async function settle() {
  await models.scan()
  clock.advance(modelPollMs)
  return await models.scan()
}

const states = async () =>
  (await settle()).map(({ what, entry }) => [entry.name, entry.version, entry.problem ?? what])

describe('a scan', () => {
  test('of a folder that is not there finds nothing', async () => {
    const none = new ModelRepository({ folder: join(folder, 'none'), clock, kernel: 'auto' })
    expect(await none.load()).toEqual([])
  })

  test('finds versions in the order of their numbers, and tells each once', async () => {
    await put('late/10/model.txt')
    await put('late/9/model.lgb')
    await put('early/1/model.txt')
    expect(await states()).toEqual([
      ['early', '1', 'loaded'],
      ['late', '9', 'loaded'],
      ['late', '10', 'loaded'],
    ])
    expect(await settle()).toEqual([])
  })

  test('leaves alone what is no version of a model', async () => {
    await put('sales/01/model.txt')
    await put('sales/v1/model.txt')
    await put('sales/2.tmp/model.txt')
    await put('.hidden/1/model.txt')
    await put('loose.txt')
    await put('sales/1/.model.txt')
    await put('sales/1/model.txt.part')
    expect(await settle()).toEqual([])
    expect(models.list()).toEqual([])
  })

  test('prefers model.txt to model.lgb', async () => {
    await put('sales/1/model.lgb', 'not a model')
    await put('sales/1/model.txt')
    expect(await states()).toEqual([['sales', '1', 'loaded']])
  })

  test('forgets what was removed', async () => {
    await put('sales/1/model.txt')
    await settle()
    await rm(join(folder, 'sales'), { recursive: true })
    const changes = await models.scan()
    expect(changes).toMatchObject([{ what: 'removed', entry: { name: 'sales', version: '1' } }])
    expect(models.list()).toEqual([])
  })

  test('a broken file never replaces a good model, and a good one replaces that', async () => {
    await put('sales/1/model.txt')
    await settle()
    const { model } = models.find('sales')
    await put('sales/1/model.txt', exampleModelText.slice(0, 200))
    expect(await states()).toEqual([['sales', '1', expect.stringContaining('byte')]])
    expect(models.find('sales').model).toBe(model)
    await put('sales/1/model.txt')
    expect(await states()).toEqual([['sales', '1', 'loaded']])
    expect(models.find('sales').model).not.toBe(model)
  })

  test('a broken model.yaml keeps the labels and the model that were', async () => {
    await put('sales/1/model.txt')
    await put('sales/model.yaml', 'kind: lightgbm\nlabels: { stable: 1 }')
    await settle()
    const { model } = models.find('sales')
    await put('sales/model.yaml', 'kind: lightgbn')
    expect(await states()).toEqual([['sales', '1', expect.stringContaining('"lightgbm"')]])
    expect(models.find('sales').model).toBe(model)
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
    await settle()
  })

  test('without a label means the newest version that can be used', () => {
    expect(models.find('sales').version).toBe('2')
  })

  test('means the stable version where one is, and any version or label by name', async () => {
    await put('sales/model.yaml', 'kind: lightgbm\nlabels: { stable: 1, canary: 2 }')
    await settle()
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
    await settle()
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
    await settle()
    expect(models.bind('sales', emptySnapshot).entry.version).toBe('1')
    expect(() => models.bind('sales@2', emptySnapshot)).toThrow(/'sales@2' does not fit/)
  })

  test('tells why a model does not fit', async () => {
    await put('sales/1/model.txt')
    await settle()
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

describe('files that are being written', () => {
  test('are loaded when two looks a poll apart found the same', async () => {
    await put('sales/1/model.txt')
    expect(await models.scan()).toEqual([])
    expect(models.list()).toMatchObject([{ version: '1', isPending: true }])
    expect(() => models.find('sales')).toThrow(
      "model 'sales@1' cannot be used: its files are still being written: it is loaded when they " +
        'have been left alone',
    )
    clock.advance(modelQuietMs - 1)
    expect(await models.scan()).toEqual([])
    clock.advance(1)
    expect(await models.scan()).toMatchObject([{ what: 'loaded', entry: { isPending: false } }])
  })

  test('of a slow writer are not loaded before it is done, however often it is looked', async () => {
    await put('sales/1/model.txt')
    await settle()
    const { model } = models.find('sales')
    // Cut after "end of trees" a file would be read, without the categories that come later.
    const pieceChars = Math.ceil(exampleModelText.length / 8)
    for (let end = pieceChars; end < exampleModelText.length; end += pieceChars) {
      await put('sales/2/model.txt', exampleModelText.slice(0, end))
      clock.advance(modelPollMs)
      expect(await models.scan()).toEqual([])
      expect(models.find('sales').model).toBe(model)
    }
    await put('sales/2/model.txt')
    expect(await states()).toEqual([['sales', '2', 'loaded']])
    expect(models.find('sales').version).toBe('2')
  })

  test('a file beside the model makes the version wait too', async () => {
    await put('sales/1/model.txt')
    await models.scan()
    await put('sales/1/test_vectors.yaml', 'rows: []')
    clock.advance(modelPollMs)
    expect(await models.scan()).toEqual([])
    clock.advance(modelPollMs)
    expect(await models.scan()).toMatchObject([{ what: 'loaded' }])
  })

  test('a file that stays cut short is refused, and loaded when it is whole', async () => {
    await put('sales/1/model.txt', exampleModelText.slice(0, 300))
    expect(await states()).toEqual([['sales', '1', expect.stringMatching(/^LightGBM model, byte/)]])
    expect(await settle()).toEqual([])
    await put('sales/1/model.txt')
    expect(await states()).toEqual([['sales', '1', 'loaded']])
  })

  test('load() looks twice by itself', async () => {
    await put('sales/1/model.txt')
    const eager = new ModelRepository({ folder, clock, kernel: 'auto', quietMs: 0 })
    expect(await eager.load()).toMatchObject([{ what: 'loaded' }])
    await eager.close()
    const loading = models.load()
    await expect.poll(() => models.list().length).toBe(1)
    clock.advance(modelPollMs)
    expect(await loading).toMatchObject([{ what: 'loaded' }])
  })

  test('scans wait for each other: a version is loaded once', async () => {
    await put('sales/1/model.txt')
    await models.scan()
    clock.advance(modelPollMs)
    const both = await Promise.all([models.scan(), models.scan()])
    expect(both.map((changes) => changes.length)).toEqual([1, 0])
  })
})

describe('what is the same', () => {
  test('is not loaded again when only labels, inputs or service change', async () => {
    await put('sales/1/model.txt')
    await put('sales/model.yaml', 'kind: lightgbm')
    await settle()
    const { model } = models.find('sales')
    await put('sales/model.yaml', 'kind: lightgbm\nlabels: { canary: 1 }\ninputs: { a: b }')
    expect(await settle()).toMatchObject([{ what: 'changed', entry: { labels: ['canary'] } }])
    expect(models.find('sales@canary').model).toBe(model)
    expect(models.find('sales').yaml?.inputs.get('a')).toMatchObject({ feature: 'b' })
  })

  test('is not loaded again when a broken model.yaml is as it was again', async () => {
    await put('sales/1/model.txt')
    await put('sales/model.yaml', 'kind: lightgbm')
    await settle()
    const { model } = models.find('sales')
    await put('sales/model.yaml', 'kind: x')
    await settle()
    await put('sales/model.yaml', 'kind: lightgbm')
    expect(await settle()).toMatchObject([{ what: 'changed', entry: { problem: undefined } }])
    expect(models.find('sales').model).toBe(model)
  })

  test('is loaded again when the kernel or test vectors change', async () => {
    await put('sales/1/model.txt')
    await put('sales/model.yaml', 'kind: lightgbm')
    await settle()
    const { model } = models.find('sales')
    await put('sales/model.yaml', 'kind: lightgbm\nkernel: walk')
    expect(await settle()).toMatchObject([{ what: 'loaded' }])
    expect(models.find('sales').model).not.toBe(model)
  })
})

describe('labels', () => {
  const labels = (text: string) => put('sales/model.yaml', `kind: lightgbm\nlabels: ${text}`)
  const labelled = () => models.list().map(({ version, labels: own }) => [version, ...own])

  beforeEach(async () => {
    await put('sales/1/model.txt')
    await put('sales/2/model.txt', 'broken')
    await labels('{ stable: 1 }')
    await settle()
  })

  test('never point at a version that is not loaded', async () => {
    await labels('{ stable: 2 }')
    await settle()
    expect(labelled()).toEqual([['1', 'stable'], ['2']])
    await put('sales/2/model.txt')
    await settle()
    expect(labelled()).toEqual([['1'], ['2', 'stable']])
  })

  test('stay when the version that they name is not there', async () => {
    await labels('{ stable: 9, canary: 7 }')
    await settle()
    expect(labelled()).toEqual([['1', 'stable'], ['2']])
    expect(() => models.find('sales@canary')).toThrow(`model 'sales' has no 'canary'`)
  })

  test('of a version whose file broke stay with the model that was loaded', async () => {
    await put('sales/1/model.txt', 'broken')
    await settle()
    expect(models.find('sales@stable')).toMatchObject({ version: '1', problem: /^LightGBM/ })
  })

  test('are gone when their version is, and a bare name does not mean another', async () => {
    await rm(join(folder, 'sales/1'), { recursive: true })
    await settle()
    expect(labelled()).toEqual([['2']])
    expect(() => models.find('sales')).toThrow(
      "model 'sales': its label stable names version 1, which is not there or cannot be used; " +
        'name another version, or correct model.yaml',
    )
  })
})

describe('versions in model.yaml', () => {
  const loaded = () => models.list().map(({ version }) => version)
  const write = (text: string) => put('sales/model.yaml', `kind: lightgbm\n${text}`)
  beforeEach(async () => {
    for (const version of ['1', '2', '3', '4']) await put(`sales/${version}/model.txt`)
  })

  test.each([
    ['versions: all', ['1', '2', '3', '4']],
    ['versions: { latest: 2 }', ['3', '4']],
    ['versions: { latest: 1 }\nlabels: { stable: 2 }', ['2', '4']],
    ['versions: [1, 3, 9]', ['1', '3']],
  ])('%j', async (text, expected) => {
    await write(text)
    await settle()
    expect(loaded()).toEqual(expected)
  })

  test('a broken newest version does not cost a good one its place', async () => {
    await write('versions: { latest: 1 }')
    await put('sales/4/model.txt', 'broken')
    await settle()
    expect(models.list()).toMatchObject([
      { version: '3', problem: undefined },
      { version: '4', model: undefined },
    ])
    await put('sales/4/model.txt')
    expect(await settle()).toMatchObject([
      { what: 'loaded', entry: { version: '4' } },
      { what: 'removed', entry: { version: '3' } },
    ])
  })
})

describe('test vectors', () => {
  // Row a=0.25, b missing, c=d code 0: tree 0 gives 1, tree 1 0.125 + 2 a - code.
  const right = 'rows: [{ inputs: { a: 0.25, "c=d": 0 }, raw: 1.625 }]'

  test('that a model passes are counted', async () => {
    await put('sales/1/model.txt')
    await put('sales/1/test_vectors.yaml', right)
    await put('sales/model.yaml', `kind: lightgbm\ntest_vectors: { ${right} }`)
    expect(await settle()).toMatchObject([{ what: 'loaded', entry: { vectorCount: 2 } }])
  })

  test('that it fails refuse it, and what served serves on', async () => {
    await put('sales/1/model.txt')
    await settle()
    const { model } = models.find('sales')
    await put('sales/1/test_vectors.json', '{"rows": [{"inputs": {"a": 0.25}, "raw": 1}]}')
    expect(await states()).toEqual([
      [
        'sales',
        '1',
        `test vector ${folder}/sales/1/test_vectors.json:1:11: expected raw 1, got 9 ` +
          '(tolerance 0) for "a: 0.25"',
      ],
    ])
    expect(models.find('sales').model).toBe(model)
  })
})

test('a folder that is gone takes nothing away: what was loaded serves on', async () => {
  await put('sales/1/model.txt')
  await settle()
  await rm(folder, { recursive: true })
  await expect(models.scan()).rejects.toMatchObject({
    code: 'unavailable',
    message: `the folder of models, ${folder}, is gone: what was loaded serves on`,
  })
  expect(models.find('sales').version).toBe('1')
  await mkdir(folder)
})

describe('what is replaced', () => {
  const columns = [0.25, 0, 0].map((value) => Float64Array.of(value))
  const score = async (model: Model) => {
    const output = new Float64Array(1)
    await model.predict(columns, 1, output, { raw: true })
    return output[0]
  }

  test('still scores for a request that has found it, and is closed after that', async () => {
    await put('sales/1/model.txt')
    await settle()
    const { model: old } = models.find('sales')
    let endRead = () => {}
    const readEnds = new Promise<void>((resolve) => {
      endRead = resolve
    })
    const request = models.whileInUse(async () => {
      const { model } = models.find('sales')
      await readEnds
      return await score(model)
    })
    await rm(join(folder, 'sales/1'), { recursive: true })
    await models.scan()
    expect(models.list()).toEqual([])
    endRead()
    expect(await request).toBe(1.625)
    await expect(score(old)).rejects.toThrow('a closed model is not used')
  })

  test('and everything else is closed by close()', async () => {
    await put('sales/1/model.txt')
    await settle()
    const { model } = models.find('sales')
    await models.close()
    await expect(score(model)).rejects.toThrow('a closed model is not used')
    expect(await models.scan()).toEqual([])
    expect(models.list()).toEqual([])
  })
})
