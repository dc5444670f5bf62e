/**
 * Contributions of XGBoost models against XGBoost's `pred_contribs` (fixtures of
 * `test/fixtures/xgboost/contributions.py`) and against the raw score that they must add up to.
 *
 * XGBoost computes both in float32, whose rounding is 6e-8: sums over trees and paths stay within 2e-6
 * of a row's sum of magnitudes, where a wrong weight would differ in the first digits.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseXgboostModel } from '../src/predict/xgboost-model.js'

const fixtures = new URL('fixtures/xgboost/', import.meta.url)
const tolerance = 2e-6

interface Case {
  readonly name: string
  readonly file: string
  readonly rowCount: number
  readonly featureCount: number
  readonly outputCount: number
}

const readJson = (path: string) => JSON.parse(readFileSync(new URL(path, fixtures), 'utf8'))
const cases: readonly Case[] = readJson('cases.json')
const recordedNames: readonly string[] = readJson('contributions/cases.json')

function columnsOf({ name, rowCount, featureCount }: Case): Float64Array[] {
  const bytes = Uint8Array.from(readFileSync(new URL(`${name}.bin`, fixtures))) // copied: aligned
  const columnBytes = rowCount * 8
  return Array.from(
    { length: featureCount },
    (_, i) => new Float64Array(bytes.buffer, i * columnBytes, rowCount),
  )
}

async function contributionsOf(fixture: Case) {
  const model = parseXgboostModel(readFileSync(new URL(fixture.file, fixtures)))
  expect(model.contributionRefusal).toBeUndefined()
  const { rowCount, featureCount } = fixture
  const columns = columnsOf(fixture)
  const output = new Float64Array(rowCount * model.rawOutputCount * (featureCount + 1)).fill(42)
  await model.contributions?.(columns, rowCount, output)
  const raw = new Float64Array(rowCount * model.rawOutputCount)
  await model.predict(columns, rowCount, raw, { raw: true })
  return { rows: splitRows(output, featureCount + 1), raw }
}

function splitRows(values: ArrayLike<number>, cellCount: number): number[][] {
  return Array.from({ length: values.length / cellCount }, (_, row) =>
    Array.from({ length: cellCount }, (_, i) => values[row * cellCount + i] ?? NaN),
  )
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)
const magnitudeOf = (values: readonly number[]) => sumOf(values.map(Math.abs)) || 1

describe.each(cases.filter(({ name }) => recordedNames.includes(name)))('$name', (fixture) => {
  test('each input contributes what XGBoost says', async () => {
    const { rows } = await contributionsOf(fixture)
    const bytes = Uint8Array.from(
      readFileSync(new URL(`contributions/${fixture.name}.bin`, fixtures)),
    )
    const recorded = splitRows(new Float32Array(bytes.buffer), fixture.featureCount + 1)
    expect(recorded).toHaveLength(rows.length)
    // XGBoost refuses rows with infinities here: they are recorded as NaN.
    const apart = recorded
      .map((row, i) => ({ row, found: rows[i] ?? [] }))
      .filter(({ row }) => !Number.isNaN(row[0]))
      .map(({ row, found }) => {
        const worst = Math.max(...row.map((value, j) => Math.abs(value - (found[j] ?? NaN))))
        return worst / magnitudeOf(row)
      })
    expect(apart.length).toBeGreaterThan(10)
    expect(Math.max(...apart)).toBeLessThan(tolerance)
  })

  test('contributions add up to the raw score', async () => {
    const { rows, raw } = await contributionsOf(fixture)
    const apart = rows.map((row, i) => Math.abs(sumOf(row) - (raw[i] ?? NaN)) / magnitudeOf(row))
    expect(Math.max(...apart)).toBeLessThan(tolerance)
  })
})

test('every recorded case is there', () => {
  const names = cases.map(({ name }) => name)
  expect(recordedNames.filter((name) => !names.includes(name))).toEqual([])
})
