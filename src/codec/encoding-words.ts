/**
 * Encodings in words, as `larder codec` prints them.
 */
import type { CodeClass, FeatureEncoding, SymbolCoding } from '../encoding-profile.js'

/** What a coding without ranges is. */
const literals = 'literals'

/** The kind alone: what tells one candidate from another. */
export function kindInWords(encoding: FeatureEncoding): string {
  switch (encoding.kind) {
    case 'plain':
      return 'plain'
    case 'coded':
      return codingKind(encoding.coding)
    case 'packed_list':
      return `list of ${codingKind(encoding.elements)}`
    case 'block':
      return encoding.lz4BytesMin === undefined ? 'bytes' : 'LZ4'
  }
}

/** `decimals, 3 exponents, 12 ranges of 4 to 9 bits; null`. */
export function encodingInWords(encoding: FeatureEncoding): string {
  switch (encoding.kind) {
    case 'plain':
      return 'plain'
    case 'coded':
      return codingInWords(encoding.coding)
    case 'packed_list':
      return `lengths: ${classesInWords(encoding.lengths)}; elements: ${codingInWords(encoding.elements)}`
    case 'block': {
      const bound = encoding.lz4BytesMin
      const lz4 = bound === undefined ? '' : `, LZ4 from ${bound} bytes on`
      return `bytes${lz4}; lengths: ${classesInWords(encoding.lengths)}`
    }
  }
}

function codingKind({ mapping, classes }: SymbolCoding): string {
  if (classes.every(({ kind }) => kind !== 'range')) return literals
  switch (mapping.kind) {
    case 'integer':
      return 'integers'
    case 'decimal':
      return 'decimals'
    case 'float_bits':
      return 'IEEE bits'
    case 'dictionary':
      return 'dictionary'
  }
}

function codingInWords(coding: SymbolCoding): string {
  const kind = codingKind(coding)
  // The mapping is of ranges alone.
  if (kind === literals) return isNullable(coding) ? `${kind}, null` : kind
  return [kind, ...mappingInWords(coding), classesInWords(coding.classes)].join(', ')
}

function isNullable({ classes }: SymbolCoding): boolean {
  return classes.some(({ kind }) => kind === 'null')
}

function mappingInWords({ mapping, classes }: SymbolCoding): string[] {
  switch (mapping.kind) {
    case 'integer':
      return mapping.unit === 1n ? [] : [`unit ${mapping.unit}`]
    case 'float_bits':
      return mapping.shift === 0 ? [] : [`without the lowest ${mapping.shift}`]
    case 'dictionary':
      return mapping.values.length === 0 ? [] : [counted(mapping.values.length, 'value')]
    case 'decimal': {
      const exponents = classes.flatMap((code) => (code.kind === 'range' ? [code.exponent] : []))
      const [least, most] = [Math.min(...exponents), Math.max(...exponents)]
      if (exponents.length === 0) return []
      return [least === most ? counted(least, 'place') : `${least} to ${most} places`]
    }
  }
}

function counted(count: number, unit: string): string {
  return count === 1 ? `1 ${unit}` : `${count} ${unit}s`
}

/** `3 ranges of 4 to 9 bits, null, literal`: widths, without the prefixes. */
function classesInWords(classes: readonly CodeClass[]): string {
  const widths = classes.flatMap((code) => (code.kind === 'range' ? [code.width] : []))
  const others = classes.flatMap((code) => (code.kind === 'range' ? [] : [code.kind]))
  return [...rangesInWords(classes, widths), ...others].join(', ')
}

function rangesInWords(classes: readonly CodeClass[], widths: readonly number[]): string[] {
  const [only] = widths
  if (only === undefined) return []
  if (widths.length === 1) {
    const isConstant = only === 0 && classes.length === 1
    return [isConstant ? 'always the same' : counted(only, 'bit')]
  }
  const [least, most] = [Math.min(...widths), Math.max(...widths)]
  const bits = least === most ? counted(least, 'bit') : `${least} to ${most} bits`
  return [`${widths.length} ranges of ${bits}`]
}
