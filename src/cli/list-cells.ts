/**
 * Cells of an input of lists or embeddings: a JSON array, or empty, which is missing.
 */
import type { InputForm, ModelColumn } from '../predict/model.js'
import { parseNumber } from './parse-value.js'

/** The cells of one input, row after row. */
export interface InputCells {
  /** What a cell must be, for messages. */
  readonly expected: string
  /** False where the cell is not what is expected. */
  append(cell: string): boolean
  /** The cells so far as a column; it starts anew. */
  take(): ModelColumn
}

type ListForm = Extract<InputForm, { readonly kind: 'embedding' | 'list' }>

/** Texts of a list become numbers that are equal where the texts are. */
export function createListCells(form: ListForm): InputCells {
  const texts = new Map<string, number>()
  let values: number[] = []
  let lengths: number[] = []
  return {
    expected: expectedOf(form),
    append(cell) {
      const items = cell === '' ? missingOf(form) : itemsOf(cell, form, texts)
      if (items === undefined) return false
      for (const item of items) values.push(item)
      lengths.push(items.length)
      return true
    },
    take() {
      const taken = { values: Float64Array.from(values), lengths: Uint32Array.from(lengths) }
      values = []
      lengths = []
      return taken
    },
  }
}

function expectedOf(form: ListForm): string {
  return form.kind === 'embedding'
    ? `a JSON array of ${form.dim} numbers`
    : `a JSON array of up to ${form.itemsMax} ${form.items}s`
}

function missingOf(form: ListForm): readonly number[] {
  return form.kind === 'embedding' ? Array.from({ length: form.dim }, () => Number.NaN) : []
}

function itemsOf(
  cell: string,
  form: ListForm,
  texts: Map<string, number>,
): readonly number[] | undefined {
  const items = parseArray(cell)
  if (items === undefined) return undefined
  const isText = form.kind === 'list' && form.items === 'text'
  const numbers = items.flatMap((item) => (isText ? textId(item, texts) : numberOf(item)) ?? [])
  if (numbers.length !== items.length) return undefined
  const isFit =
    form.kind === 'embedding' ? numbers.length === form.dim : numbers.length <= form.itemsMax
  return isFit ? numbers : undefined
}

function parseArray(cell: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(cell)
    return Array.isArray(parsed) ? parsed : undefined
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

/** As in other cells: null is missing, and "nan" and "inf" as text stand for what JSON lacks. */
function numberOf(item: unknown): number | undefined {
  if (item === null) return Number.NaN
  if (typeof item === 'boolean') return Number(item)
  if (typeof item === 'string') return parseNumber(item)
  return typeof item === 'number' ? item : undefined
}

function textId(item: unknown, texts: Map<string, number>): number | undefined {
  if (typeof item !== 'string') return undefined
  const id = texts.get(item) ?? texts.size
  texts.set(item, id)
  return id
}
