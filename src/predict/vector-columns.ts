/**
 * Test vectors -> the columns that a model takes, as it sees them.
 */
import { didYouMean } from '../closest-name.js'
import { LarderError } from '../errors.js'
import { quoteText } from '../quoted-text.js'
import type { Model, ModelColumn, ModelInput } from './model.js'
import { numberOf, type TestVector, type VectorValue } from './test-vectors.js'

type Cell = number | readonly number[]
/** Texts of lists as numbers that are equal where the texts are. */
type TextIds = Map<string, number>

/** One column per input. Throws `bad_model` that names the vector and the input that does not fit. */
export function vectorColumns(
  { inputs }: Pick<Model, 'inputs'>,
  vectors: readonly Pick<TestVector, 'at' | 'inputs'>[],
): readonly ModelColumn[] {
  const names = new Set(inputs.map(({ name }) => name))
  for (const vector of vectors) {
    for (const name of vector.inputs.keys()) {
      if (names.has(name)) continue
      throw badVector(
        vector.at,
        `the model has no input ${quoteText(name)}${didYouMean(name, names)}`,
      )
    }
  }
  const texts: TextIds = new Map()
  return inputs.map((input) => {
    const cells = vectors.map((vector) => {
      const value = vector.inputs.get(input.name) ?? null
      const cell = cellOf(input, value, texts)
      if (typeof cell !== 'string') return cell
      throw badVector(
        vector.at,
        `input ${quoteText(input.name)}: expected ${cell}, found ${shown(value)}`,
      )
    })
    return columnOf(input, cells)
  })
}

function columnOf({ form }: ModelInput, cells: readonly Cell[]): ModelColumn {
  if (form.kind === 'number' || form.kind === 'category')
    return Float64Array.from(cells.map(Number))
  const lists = cells.map((cell) => (typeof cell === 'number' ? [cell] : cell))
  return {
    values: Float64Array.from(lists.flat()),
    lengths: Uint32Array.from(lists, (list) => list.length),
  }
}

/** What the model sees of `value`, or as text what was expected instead. */
function cellOf({ form }: ModelInput, value: VectorValue, texts: TextIds): Cell | string {
  switch (form.kind) {
    case 'number':
      return value === null
        ? Number.NaN
        : (scalarNumber(value) ?? 'a number, true, false or nothing')
    case 'category': {
      if (value === null) return Number.NaN
      const code = isList(value) ? -1 : form.categories.indexOf(value)
      return code >= 0 ? code : 'one of its categories, or nothing'
    }
    case 'embedding': {
      if (value === null) return Array.from({ length: form.dim }, () => Number.NaN)
      const numbers = listNumbers(value)
      return numbers?.length === form.dim ? numbers : `a list of ${form.dim} numbers, or nothing`
    }
    case 'list': {
      const items = value ?? []
      const numbers = form.items === 'number' ? listNumbers(items) : textNumbers(items, texts)
      const isFit = numbers !== undefined && numbers.length <= form.itemsMax
      return isFit ? numbers : `a list of up to ${form.itemsMax} ${form.items}s, or nothing`
    }
  }
}

function scalarNumber(value: VectorValue): number | undefined {
  return typeof value === 'boolean' ? Number(value) : numberOf(value)
}

function listNumbers(value: VectorValue): readonly number[] | undefined {
  if (!isList(value)) return undefined
  const numbers = value.flatMap((item) => scalarNumber(item) ?? [])
  return numbers.length === value.length ? numbers : undefined
}

function textNumbers(value: VectorValue, texts: TextIds): readonly number[] | undefined {
  if (!isList(value) || value.some((item) => typeof item !== 'string')) return undefined
  return value.map((item) => {
    const id = texts.get(String(item)) ?? texts.size
    texts.set(String(item), id)
    return id
  })
}

function isList(value: VectorValue): value is readonly (number | string | boolean)[] {
  return Array.isArray(value)
}

function shown(value: VectorValue): string {
  return quoteText(isList(value) ? `[${value.join(', ')}]` : String(value))
}

function badVector(at: string, message: string): LarderError {
  return new LarderError('bad_model', `test vector ${at}: ${message}`)
}
