/**
 * Resolves an input of several numbers a row: an embedding, a list of numbers, or a list of texts as
 * numbers. The elements of all rows lie one after the other.
 *
 * Stored numbers that need no change are the stored column itself; a value that holds for every row is
 * there once. A list is never cut: one that is too long is an error with its row and the bound.
 */
import { assert } from '../assert.js'
import type { FeatureColumn, ListValues } from '../column.js'
import { LarderError } from '../errors.js'
import { inputElementsMax } from '../limits.js'
import type { BoundListInput, BoundTextListInput } from './bind-input.js'
import {
  chooseOrigins,
  exactNumber,
  fallbackOrigin,
  givenRowOf,
  hasValue,
  holdsForAll,
  type InputSources,
  type ResolvedInput,
  startsOf,
  valueOrigin,
} from './input-sources.js'
import type { ListColumn } from './model.js'
import type { TextNumbers } from './text-numbers.js'

type AnyListInput = BoundListInput | BoundTextListInput

/** The input's elements over `rowCount` rows; what is missing is an empty list, or `dim` NaNs. */
export function resolveLists(
  input: AnyListInput,
  sources: InputSources,
  { rowCount, texts }: { readonly rowCount: number; readonly texts: TextNumbers },
): ResolvedInput<ListColumn> {
  const { given, stored } = sources
  if (input.kind === 'list' && given === undefined && stored !== undefined) {
    const resolved = resolveStored(input, stored, sources.servesStale)
    if (resolved !== undefined) return resolved
  }
  const rowOrigins = chooseOrigins(input, sources, rowCount)
  const origins = holdsForAll(sources) ? rowOrigins.origins.subarray(0, 1) : rowOrigins.origins
  const fallback = origins.some(isFallback) ? fallbackOf(input, texts) : []
  const placeOf = createPlaces(input, sources, origins)
  const lengths = Uint32Array.from(origins, (_, row) => {
    const place = placeOf(row)
    if (place === undefined) return fallback.length
    const count = place.cells.lengths[place.cell] ?? 0
    assertLength(input, count, row)
    return count
  })
  const values = newElements(input, elementCountOf(input, lengths))
  let at = 0
  for (let row = 0; row < lengths.length; row++) {
    const place = placeOf(row)
    if (place === undefined) values.set(fallback, at)
    else copyCell(input, place.cells, { row, cell: place.cell, values, at, texts })
    at += lengths[row] ?? 0
  }
  return { column: { values, lengths }, ...rowOrigins }
}

/** Where the elements of each row are; undefined where the fallback stands for them. */
function createPlaces(
  input: AnyListInput,
  { given, stored }: InputSources,
  origins: Uint8Array,
): (row: number) => { readonly cells: OpenCells; readonly cell: number } | undefined {
  const givenCells = given === undefined ? undefined : openCells(input, given)
  const storedCells = stored === undefined ? undefined : openCells(input, stored)
  return (row) => {
    const origin = origins[row]
    if (origin === valueOrigin.stored && storedCells !== undefined) {
      return { cells: storedCells, cell: row }
    }
    if (origin !== valueOrigin.given || given === undefined || givenCells === undefined) {
      return undefined
    }
    return { cells: givenCells, cell: givenRowOf(given, row) }
  }
}

/**
 * Stored elements as they are. Undefined where they must be converted, or where a row without a value
 * takes other elements than the ones there.
 */
function resolveStored(
  input: BoundListInput,
  { values: stored, status: statuses }: FeatureColumn,
  servesStale: boolean,
): ResolvedInput<ListColumn> | undefined {
  if (stored.class !== 'list') throw notBoundTo(input, stored.class)
  const { elements, lengths } = stored
  if (elements.class !== 'f32' && elements.class !== 'f64') return undefined
  if (input.exactInFloat32 !== (elements.class === 'f32')) return undefined
  const origins = new Uint8Array(lengths.length).fill(valueOrigin.stored)
  const fallbackLength = fallbackElements(input).length
  const origin = fallbackOrigin(input)
  for (let row = 0; row < lengths.length; row++) {
    const count = lengths[row] ?? 0
    if (hasValue(statuses[row] ?? 0, servesStale)) {
      assertLength(input, count, row)
    } else {
      if (count !== 0 || fallbackLength !== 0) return undefined
      origins[row] = origin
    }
  }
  elementCountOf(input, lengths)
  return { column: { values: elements.values, lengths }, origins, statuses }
}

function isFallback(origin: number): boolean {
  return origin !== valueOrigin.given && origin !== valueOrigin.stored
}

function fallbackOf(input: AnyListInput, texts: TextNumbers): readonly number[] {
  if (input.kind === 'list') return fallbackElements(input)
  return (input.modelDefault ?? input.viewDefault ?? []).map((text) => texts.numberOfText(text))
}

function fallbackElements({ modelDefault, viewDefault, form }: BoundListInput): readonly number[] {
  const missing = form.kind === 'embedding' ? new Array<number>(form.dim).fill(Number.NaN) : []
  return modelDefault ?? viewDefault ?? missing
}

function newElements(input: AnyListInput, count: number): Float32Array | Float64Array {
  const isFloat32 = input.kind === 'list' && input.exactInFloat32
  return isFloat32 ? new Float32Array(count) : new Float64Array(count)
}

function assertLength(input: AnyListInput, count: number, row: number): void {
  const form = input.kind === 'list' ? input.form : ({ ...input, kind: 'list' } as const)
  const where = `feature '${input.name}', row ${row}`
  if (form.kind === 'embedding' && count !== form.dim) {
    throw new LarderError(
      'invalid_argument',
      `${where}: ${count} elements, but input '${input.inputName}' takes exactly ${form.dim}`,
    )
  }
  if (form.kind === 'list' && count > form.itemsMax) {
    throw new LarderError(
      'invalid_argument',
      `${where}: ${count} elements, but input '${input.inputName}' takes at most ${form.itemsMax}`,
    )
  }
}

function elementCountOf(input: AnyListInput, lengths: Uint32Array): number {
  const count = lengths.reduce((sum, length) => sum + length, 0)
  if (count <= inputElementsMax) return count
  throw new LarderError(
    'resource_exhausted',
    `feature '${input.name}' has ${count} elements in ${lengths.length} rows, ` +
      `at most ${inputElementsMax} are allowed: ask for fewer rows`,
  )
}

/** Lists, and where each starts. */
interface OpenCells extends ListValues {
  readonly starts: Float64Array
  /** Where each text starts, if they are texts. */
  readonly textStarts: Float64Array | undefined
}

function openCells(input: AnyListInput, { values }: FeatureColumn): OpenCells {
  if (values.class !== 'list') throw notBoundTo(input, values.class)
  const { elements, lengths } = values
  const textStarts = elements.class === 'var' ? startsOf(elements.lengths) : undefined
  return { ...values, starts: startsOf(lengths), textStarts }
}

interface CopyTarget {
  readonly row: number
  readonly cell: number
  readonly values: Float32Array | Float64Array
  readonly at: number
  readonly texts: TextNumbers
}

/** Copies the elements of `cell` to `values`, as numbers. */
function copyCell(
  input: AnyListInput,
  { elements, lengths, starts, textStarts }: OpenCells,
  { row, cell, values, at, texts }: CopyTarget,
): void {
  const start = starts[cell] ?? 0
  const count = lengths[cell] ?? 0
  switch (elements.class) {
    case 'f32':
    case 'f64':
      values.set(elements.values.subarray(start, start + count), at)
      return
    case 'i64':
      for (let item = 0; item < count; item++) {
        values[at + item] = exactNumber(input, elements.values[start + item] ?? 0n, row)
      }
      return
    case 'var': {
      assert(textStarts !== undefined && input.kind === 'textList', 'texts are bound as texts')
      const { buffer, byteOffset, byteLength } = elements.data
      const data = Buffer.from(buffer, byteOffset, byteLength)
      for (let item = start; item < start + count; item++) {
        const number = texts.numberOf(data, textStarts[item] ?? 0, textStarts[item + 1] ?? 0)
        values[at + item - start] = number
      }
    }
  }
}

function notBoundTo({ inputName }: AnyListInput, columnClass: string): LarderError {
  return new LarderError(
    'internal',
    `input '${inputName}' was bound to a list, not to ${columnClass}`,
  )
}
