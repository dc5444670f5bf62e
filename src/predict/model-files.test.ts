import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSeededPrng } from '../prng.js'
import { findModelFile, kindOfFile } from './model-files.js'
import type { ModelKind } from './model-kind.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-model-files-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

async function find(files: readonly string[], kind?: ModelKind) {
  const { path, kind: found } = await findModelFile(folder, files, kind)
  return [found, path.slice(folder.length + 1)]
}

describe('without a kind in model.yaml', () => {
  test.each<[string[], ModelKind, string]>([
    [['model.txt'], 'lightgbm', 'model.txt'],
    [['model.lgb', 'notes.md'], 'lightgbm', 'model.lgb'],
    [['model.lgb', 'model.txt'], 'lightgbm', 'model.txt'],
    [['model.json'], 'xgboost', 'model.json'],
    [['model.ubj'], 'xgboost', 'model.ubj'],
    [['weights.json'], 'linear', 'weights.json'],
    [['model.onnx'], 'onnx', 'model.onnx'],
    [['graph.yaml'], 'composite', 'graph.yaml'],
    [['graph.json', 'model.txt', 'model.onnx'], 'composite', 'graph.json'],
  ])('%j is %s', async (files, kind, path) => {
    expect(await find(files)).toEqual([kind, path])
  })

  test('several kinds are refused', async () => {
    await expect(find(['model.json', 'model.txt'])).rejects.toMatchObject({
      code: 'bad_model',
      message: `${folder} holds model.txt and model.json: say in model.yaml which kind the model is`,
    })
  })

  test('none is refused with what is expected', async () => {
    await expect(find(['booster.txt'])).rejects.toThrow(
      `no model in ${folder}: expected one of model.txt, model.lgb, model.json, model.ubj, ` +
        'weights.yaml, weights.json, graph.yaml, graph.json, model.onnx',
    )
  })
})

test('the kind of model.yaml decides', async () => {
  expect(await find(['model.json', 'model.txt'], 'xgboost')).toEqual(['xgboost', 'model.json'])
  expect(await find(['weights.yaml'], 'logistic')).toEqual(['logistic', 'weights.yaml'])
  await expect(find(['model.txt'], 'onnx')).rejects.toThrow(
    `no model in ${folder}: expected model.onnx (model.yaml says kind: onnx)`,
  )
})

describe('a folder of MLflow', () => {
  const data = (flavor: string, name: string) => `flavors:\n  ${flavor}:\n    data: ${name}\n`
  const findIn = async (text: string, files: readonly string[], kind?: ModelKind) => {
    await writeFile(join(folder, 'MLmodel'), text)
    return find(['MLmodel', ...files], kind)
  }

  test.each<[string, string, ModelKind]>([
    ['lightgbm', 'booster.lgb', 'lightgbm'],
    ['xgboost', 'model.xgb', 'xgboost'],
    ['onnx', 'net.onnx', 'onnx'],
  ])('flavour %s with %s', async (flavor, name, kind) => {
    const text = `${data(flavor, name)}  python_function: { loader_module: mlflow.${flavor} }\n`
    expect(await findIn(text, [name])).toEqual([kind, name])
  })

  test('with a file of its usual name needs no look at MLmodel', async () => {
    expect(await findIn('not: [yaml', ['model.lgb'])).toEqual(['lightgbm', 'model.lgb'])
  })

  test.each([
    {
      text: 'flavors: { sklearn: { pickled_model: m.pkl }, python_function: {} }',
      problem:
        'has the flavours sklearn, python_function, of which none can be taken (lightgbm, xgboost, onnx)',
    },
    {
      text: 'a: 1',
      problem: 'has the flavours none, of which none can be taken (lightgbm, xgboost, onnx)',
    },
    { text: 'flavors: { lightgbm: {} }', problem: ': its flavour lightgbm names no data file' },
    {
      text: data('lightgbm', 'gone.lgb'),
      problem: ': its flavour lightgbm names "gone.lgb", which is not there',
    },
    {
      text: data('lightgbm', 'model.pkl'),
      problem:
        ': "model.pkl" is a Python pickle, which is never read: log the booster, ' +
        'not the scikit-learn model around it',
    },
    {
      text: data('lightgbm', '../../secret'),
      problem: ': its flavour lightgbm names "../../secret", which is not there',
    },
  ])('$text is refused', async ({ text, problem }) => {
    const path = join(folder, 'MLmodel')
    await expect(findIn(text, [])).rejects.toMatchObject({ code: 'bad_model' })
    await expect(findIn(text, [])).rejects.toThrow(problem)
    await expect(findIn(text, [])).rejects.toThrow(path)
  })

  test('of another kind than model.yaml says is refused', async () => {
    await expect(findIn(data('onnx', 'net.onnx'), ['net.onnx'], 'lightgbm')).rejects.toThrow(
      'has the flavours onnx, of which none can be taken (model.yaml wants lightgbm)',
    )
  })
})

test.each<[string, ModelKind]>([
  ['a/model.txt', 'lightgbm'],
  ['anything', 'lightgbm'],
  ['booster.json', 'xgboost'],
  ['b.ubj', 'xgboost'],
  ['weights.yaml', 'linear'],
  ['graph.json', 'composite'],
  ['net.onnx', 'onnx'],
])('the name %s means %s', (path, kind) => {
  expect(kindOfFile(path)).toBe(kind)
})

test('damaged MLmodel files name a file that is there or are refused', async () => {
  const prng = createSeededPrng(5)
  const whole = 'flavors:\n  lightgbm:\n    data: model.bin\n    lgb_version: 4.7.0\n'
  const outcomes = { found: 0, refused: 0 }
  for (let run = 0; run < 500; run++) {
    const at = prng.below(whole.length)
    const damaged = `${whole.slice(0, at)}${String.fromCharCode(prng.below(256))}${whole.slice(at + prng.below(4))}`
    await writeFile(join(folder, 'MLmodel'), damaged)
    const outcome = await findModelFile(folder, ['MLmodel', 'model.bin'], undefined).then(
      ({ path }) => (path === join(folder, 'model.bin') ? ('found' as const) : path),
      (error: { code?: string }) => (error.code === 'bad_model' ? ('refused' as const) : 'thrown'),
    )
    expect(['found', 'refused']).toContain(outcome)
    outcomes[outcome === 'found' ? 'found' : 'refused']++
  }
  expect(outcomes.found).toBeGreaterThan(0)
  expect(outcomes.refused).toBeGreaterThan(0)
})
