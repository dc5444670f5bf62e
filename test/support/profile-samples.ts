/**
 * Samples to learn encoding profiles from: columns of drawn values, the same for every run of a seed.
 */
import { column, type RequestValue } from '../../src/client/request-column.js'
import { readColumn } from '../../src/client/response-column.js'
import type { FeatureColumn } from '../../src/column.js'
import { createSeededPrng, type Prng } from '../../src/prng.js'

export type Drawer = (prng: Prng) => RequestValue

/** A column of any type from JS values; null is NULL_VALUE, undefined NOT_FOUND. */
export function sampleColumn(
  name: string,
  typeText: string,
  values: readonly RequestValue[],
): FeatureColumn {
  return readColumn({ ...column.fromValues(name, typeText, values), type: typeText }, values.length)
}

/** `rowCount` drawn values. */
export function drawnColumn(
  typeText: string,
  draw: Drawer,
  { rowCount, seed }: { readonly rowCount: number; readonly seed: number },
): FeatureColumn {
  const prng = createSeededPrng(seed)
  return sampleColumn(
    'drawn',
    typeText,
    Array.from({ length: rowCount }, () => draw(prng)),
  )
}

/** Box and Muller's: two uniform numbers make a normal one. */
export function normal(prng: Prng): number {
  return Math.sqrt(-2 * Math.log(1 - prng.next())) * Math.cos(2 * Math.PI * prng.next())
}

/** exp(mu + sigma * normal) to so many significant digits, as a float32. */
export function logNormal(digitCount: number, { mu, sigma } = { mu: 2, sigma: 1 }): Drawer {
  return (prng) => Math.fround(Number(Math.exp(mu + sigma * normal(prng)).toPrecision(digitCount)))
}

/** `draw`, but null with this probability. */
export function nullable(share: number, draw: Drawer): Drawer {
  return (prng) => (prng.next() < share ? null : draw(prng))
}
