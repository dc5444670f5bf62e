/**
 * Whether a model that was just loaded may serve: it scores its test vectors as they say, or, without
 * any, a few synthetic rows without failing. Either warms it up.
 *
 * By default raw scores of trees must be equal, to the bit but for the sign of zero, and others may be
 * off by 1e-6: `|got - expected| <= tolerance * max(1, |expected|)`. NaN is equal to NaN.
 */
import { LarderError } from '../errors.js'
import { quoteText } from '../quoted-text.js'
import { type Model, type ModelInput, scoresPerRow } from './model.js'
import type { TestVector, VectorValue } from './test-vectors.js'
import { vectorColumns } from './vector-columns.js'

const toleranceDefault = 1e-6
const treeKinds: readonly string[] = ['lightgbm', 'xgboost']

/** Throws `bad_model` with the first vector whose scores are wrong, or with what the model failed of. */
export async function checkModel(
  model: Model,
  vectors: readonly TestVector[],
  signal: AbortSignal,
): Promise<void> {
  if (vectors.length === 0) return warmUp(model, signal)
  const columns = vectorColumns(model, vectors)
  for (const kind of ['raw', 'scores'] as const) {
    if (vectors.every((vector) => vector[kind] === undefined)) continue
    const raw = kind === 'raw'
    const width = scoresPerRow(model, { raw })
    const output = new Float64Array(vectors.length * width)
    await model.predict(columns, vectors.length, output, { raw }, signal)
    for (const [row, vector] of vectors.entries()) {
      const got = [...output.subarray(row * width, (row + 1) * width)]
      compare(model, { kind, vector, got })
    }
  }
}

function compare(
  model: Model,
  {
    kind,
    vector,
    got,
  }: {
    readonly kind: 'raw' | 'scores'
    readonly vector: TestVector
    readonly got: readonly number[]
  },
): void {
  const expected = vector[kind]
  if (expected === undefined) return
  const isExact = kind === 'raw' && treeKinds.includes(model.kind)
  const tolerance = vector.tolerance ?? (isExact ? 0 : toleranceDefault)
  const isRight =
    got.length === expected.length &&
    got.every((score, index) => isNear(score, expected[index] ?? Number.NaN, tolerance))
  if (isRight) return
  const inputs = [...vector.inputs].map(([name, value]) => `${name}: ${valueText(value)}`)
  throw new LarderError(
    'bad_model',
    `test vector ${vector.at}: expected ${kind} ${numbersText(expected)}, got ` +
      `${numbersText(got)} (tolerance ${tolerance}) for ${quoteText(inputs.join(', '))}`,
  )
}

function isNear(got: number, expected: number, tolerance: number): boolean {
  if (got === expected || (Number.isNaN(got) && Number.isNaN(expected))) return true
  if (!Number.isFinite(got) || !Number.isFinite(expected)) return false
  return Math.abs(got - expected) <= tolerance * Math.max(1, Math.abs(expected))
}

/** Everything missing, everything zero: what a request may bring at any time. */
async function warmUp(model: Model, signal: AbortSignal): Promise<void> {
  const rows = [
    { at: 'of missing values', inputs: new Map<string, VectorValue>() },
    { at: 'of zeros', inputs: new Map(model.inputs.map((input) => [input.name, zeroOf(input)])) },
  ]
  const columns = vectorColumns(model, rows)
  for (const raw of [true, false]) {
    const output = new Float64Array(rows.length * scoresPerRow(model, { raw }))
    try {
      await model.predict(columns, rows.length, output, { raw }, signal)
    } catch (thrown) {
      const { message } = LarderError.from(thrown)
      throw new LarderError(
        'bad_model',
        `it does not score rows of missing values and zeros: ${message}`,
        {
          cause: thrown,
        },
      )
    }
  }
}

function zeroOf({ form }: ModelInput): VectorValue {
  switch (form.kind) {
    case 'number':
      return 0
    case 'category':
      return form.categories[0] ?? null
    case 'embedding':
      return Array.from({ length: form.dim }, () => 0)
    case 'list':
      return form.itemsMax === 0 ? [] : [form.items === 'number' ? 0 : '']
  }
}

function numbersText(numbers: readonly number[]): string {
  return numbers.length === 1 ? String(numbers[0]) : `[${numbers.join(', ')}]`
}

function valueText(value: VectorValue): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : String(value)
}
