/**
 * Encodings of features in few words, for tests of learned rows.
 */
import { assert } from '../../src/assert.js'
import type { CodeClass, FeatureEncoding } from '../../src/encoding-profile.js'

/** A class without its prefix. */
type TableEntry = 'null' | 'literal' | readonly [base: bigint, width: number, exponent?: number]

/** A table of these classes: their prefixes are 0, 10, 110 and so on. */
function table(...entries: readonly TableEntry[]): CodeClass[] {
  return entries.map((entry, index): CodeClass => {
    const prefixBits = Math.min(index + 1, entries.length - 1)
    if (typeof entry === 'string') return { kind: entry, prefixBits }
    const [base, width, exponent = 0] = entry
    return { kind: 'range', prefixBits, base, width, exponent }
  })
}

export function integers(unit: bigint, ...entries: readonly TableEntry[]): FeatureEncoding {
  return {
    kind: 'coded',
    coding: { mapping: { kind: 'integer', unit }, classes: table(...entries) },
  }
}

export function decimals(...entries: readonly TableEntry[]): FeatureEncoding {
  return { kind: 'coded', coding: { mapping: { kind: 'decimal' }, classes: table(...entries) } }
}

export function floatBits(shift: number, ...entries: readonly TableEntry[]): FeatureEncoding {
  const mapping = { kind: 'float_bits', shift } as const
  return { kind: 'coded', coding: { mapping, classes: table(...entries) } }
}

export function dictionary(
  values: readonly (string | Uint8Array)[],
  ...entries: readonly TableEntry[]
): FeatureEncoding {
  const mapping = { kind: 'dictionary', values: values.map((value) => Buffer.from(value)) } as const
  return { kind: 'coded', coding: { mapping, classes: table(...entries) } }
}

/** A list or an embedding whose elements have the coding of `elements`. */
export function listOf(lengths: readonly TableEntry[], elements: FeatureEncoding): FeatureEncoding {
  assert(elements.kind === 'coded', 'elements have a coding')
  return { kind: 'packed_list', lengths: table(...lengths), elements: elements.coding }
}

export function block(
  lz4BytesMin: number | undefined,
  ...lengths: readonly TableEntry[]
): FeatureEncoding {
  return { kind: 'block', lengths: table(...lengths), lz4BytesMin }
}
