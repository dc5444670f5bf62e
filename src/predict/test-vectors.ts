/**
 * Test vectors: rows of input values and the scores that a model must give for them.
 *
 *   tolerance: 1.0e-6                       # for every row that has none of its own
 *   rows:
 *     - inputs: { hour: 18, orders: 3.5, zone: null }
 *       raw: 0.25                           # or a list, one number for each output
 *     - inputs: { tags: [a, b] }
 *       scores: [0.1, 0.9]
 *       tolerance: 0
 *
 * They are what the model sees, by its own names of its inputs: an input that is left out is missing, and
 * no default stands in. Under `test_vectors` in model.yaml a row may name the one `version` it is for.
 */
import { z } from 'zod'
import { testVectorsBytesMax, testVectorsMax } from '../limits.js'
import { createProblemList, formatPosition, type ProblemList } from '../problems.js'
import { parseYaml, type YamlNode } from '../yaml-document.js'
import { entriesOf, itemsOf, listSchema, mapSchema, readFields, readValue } from '../yaml-fields.js'
import { versionSchema } from './version-policy.js'

export type VectorScalar = number | string | boolean
/** An input's value in a test vector; null is missing. */
export type VectorValue = VectorScalar | null | readonly VectorScalar[]

export interface TestVector {
  /** Where it stands: `file:line:column`. */
  readonly at: string
  /** Undefined where it is for every version. */
  readonly version: string | undefined
  readonly inputs: ReadonlyMap<string, VectorValue>
  /** One number for each output. */
  readonly raw: readonly number[] | undefined
  readonly scores: readonly number[] | undefined
  /** Undefined where the default holds. */
  readonly tolerance: number | undefined
}

/** The file of a version's folder that holds its test vectors. */
export const testVectorsFileNames = ['test_vectors.yaml', 'test_vectors.json'] as const

export const testVectorsSchema = mapSchema

const scoresSchema = z.unknown().transform((value, context): number[] => {
  const numbers = (Array.isArray(value) ? value : [value]).map(numberOf)
  const known = numbers.filter((number) => number !== undefined)
  if (known.length === numbers.length && known.length > 0) return known
  context.addIssue({ code: 'custom', message: 'expected a number or a list of numbers' })
  return z.NEVER
})
const toleranceError = { error: 'expected a number from 0' }
const toleranceSchema = z.number(toleranceError).min(0, toleranceError).optional()
const valueSchema = z.unknown().transform((value, context): VectorValue => {
  if (value === null) return null
  const scalars = (Array.isArray(value) ? value : [value]).map(scalarOf)
  const known = scalars.filter((scalar) => scalar !== undefined)
  if (known.length === scalars.length) return Array.isArray(value) ? known : (known[0] ?? null)
  const message = 'expected a number, text, true, false, nothing, or a list of them'
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

const topShape = { tolerance: toleranceSchema, rows: listSchema }
const rowShape = {
  inputs: mapSchema,
  raw: scoresSchema.optional(),
  scores: scoresSchema.optional(),
  tolerance: toleranceSchema,
}
const versionedRowShape = { ...rowShape, version: versionSchema.optional() }

/** Reads a file of test vectors, YAML or JSON. Throws `bad_model` with a line per problem. */
export function parseTestVectors(file: {
  readonly path: string
  readonly text: string
}): readonly TestVector[] {
  const problems = createProblemList()
  const root = parseYaml({ ...file, bytesMax: testVectorsBytesMax }, problems)
  const vectors = readTestVectors(root, { namesVersions: false }, problems)
  problems.throwIfAny('bad_model', `${file.path} is wrong:`)
  return vectors
}

/** The vectors in `node`; none where it is absent. */
export function readTestVectors(
  node: YamlNode | undefined,
  { namesVersions }: { readonly namesVersions: boolean },
  problems: ProblemList,
): readonly TestVector[] {
  if (node === undefined) return []
  const { tolerance, rows } = readFields(node, topShape, problems)
  const items = itemsOf(rows.node)
  if (items.length > testVectorsMax) {
    problems.add(rows.at, `${items.length} test vectors: at most ${testVectorsMax} are allowed`)
    return []
  }
  return items.flatMap((item) => {
    const { version, ...row } = namesVersions
      ? readFields(item, versionedRowShape, problems)
      : { ...readFields(item, rowShape, problems), version: undefined }
    if (row.inputs.value === undefined) return []
    const vector: TestVector = {
      at: formatPosition(item.at),
      version: version?.value,
      inputs: readInputs(row.inputs.node, problems),
      raw: row.raw.value,
      scores: row.scores.value,
      tolerance: row.tolerance.value ?? tolerance.value,
    }
    const isEmpty = row.raw.node === undefined && row.scores.node === undefined
    if (isEmpty) problems.add(item.at, 'a test vector has "raw" or "scores", or both')
    return [vector]
  })
}

function readInputs(
  map: YamlNode | undefined,
  problems: ProblemList,
): ReadonlyMap<string, VectorValue> {
  const inputs = new Map<string, VectorValue>()
  for (const [name, { node }] of entriesOf(map)) {
    const value = readValue(node, valueSchema, problems)
    if (value !== undefined) inputs.set(name, value)
  }
  return inputs
}

function scalarOf(value: unknown): VectorScalar | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  return numberOf(value)
}

/** The texts that Python writes into JSON for what JSON lacks. */
const numberTexts: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** The number that a value is or stands for; undefined where there is none, or f64 cannot hold it. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'string')
    return Object.hasOwn(numberTexts, value) ? numberTexts[value] : undefined
  if (typeof value !== 'bigint') return undefined
  return BigInt(Number(value)) === value ? Number(value) : undefined
}
