/**
 * XGBoost files cut short or mutated, in either encoding: refused as `bad_model`, or read as another
 * model, and never a crash.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseXgboostModel } from '../src/predict/xgboost-model.js'
import { createSeededPrng, type Prng } from '../src/prng.js'
import { parseMutations } from './support/parse-mutations.js'

const fixtures = new URL('fixtures/xgboost/', import.meta.url)
const fuzzRuns = Number(process.env['LARDER_FUZZ_RUNS'] ?? 10_000)
const seed = Number(process.env['LARDER_FUZZ_SEED'] ?? 20_010_615)
const fuzzTimeoutMs = 60_000 + fuzzRuns

const fixtureFiles = [
  'categories-pandas.json',
  'dart-multi.ubj',
  'names.json',
  'categories-pandas-ubj.ubj',
  'objective-multi-softmax.json',
  'v1.7-categories-partition.ubj',
  'v1.3-objective-binary-logistic.json',
] as const

describe('broken files', () => {
  test.each(fixtureFiles)('%s, cut short anywhere, is refused with an offset', (name) => {
    const bytes = readFileSync(new URL(name, fixtures))
    const bad = expect.objectContaining({
      code: 'bad_model',
      details: { offset: expect.any(Number), excerpt: expect.any(String) },
    })
    const cuts = Array.from({ length: Math.ceil(bytes.length / 97) }, (_, i) => i * 97)
    for (const cut of [...cuts, bytes.length - 1]) {
      expect(() => parseXgboostModel(bytes.subarray(0, cut))).toThrow(bad)
    }
  })

  test.each(['.json', '.ubj'])(
    `${fuzzRuns} mutations of %s never crash it and are refused cleanly (seed ${seed})`,
    async (ending) => {
      const prng = createSeededPrng(seed)
      const originals = fixtureFiles
        .filter((name) => name.endsWith(ending))
        .map((name) => readFileSync(new URL(name, fixtures)))
      const { acceptedCount, refusals } = await parseMutations(
        parseXgboostModel,
        (run) => mutate(originals[run % originals.length] ?? Buffer.of(), prng),
        fuzzRuns,
      )
      expect(refusals).toEqual(['bad_model'])
      expect(acceptedCount).toBeGreaterThan(0)
    },
    fuzzTimeoutMs,
  )
})

const splices = [
  '',
  '{',
  '[',
  ']',
  '}',
  ',',
  '"',
  '-1',
  '99999999999999999999',
  'NaN',
  '[$L#',
  'L',
  '\\u',
]

/** One to three bytes changed, pieces cut out, doubled or replaced by something that bites. */
function mutate(original: Buffer, prng: Prng): Buffer {
  let bytes = original
  const editCount = 1 + prng.below(3)
  for (let edit = 0; edit < editCount; edit++) {
    const begin = prng.below(bytes.length + 1)
    const end = Math.min(bytes.length, begin + prng.below(prng.below(8) === 0 ? 400 : 4))
    const piece = [
      () => Buffer.from(splices[prng.below(splices.length)] ?? ''),
      () => Buffer.of(prng.below(256)),
      () => Buffer.from(String(prng.below(20) - 10)),
      () => bytes.subarray(begin, end).map((byte) => byte ^ (1 << prng.below(8))),
      () => bytes.subarray(begin, begin + prng.below(60)),
    ][prng.below(5)]?.()
    bytes = Buffer.concat([bytes.subarray(0, begin), piece ?? Buffer.of(), bytes.subarray(end)])
  }
  return bytes
}
