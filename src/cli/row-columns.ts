/**
 * Rows of columns as they go out: ranges of a load put together, and their rows in another order.
 *
 * Cells are moved as the bytes they are. It must never look at a value, so that nothing can be rounded.
 */
import { assert } from '../assert.js'
import { column, type RequestColumn } from '../client/index.js'
import { CellStatus, type Column } from '../gen/larder/v1/column.js'

type WireValues = NonNullable<Column['values']>
type ListWire = Extract<WireValues, { $case: 'list' }>['value']
type ScalarWire = Exclude<WireValues, { $case: 'list' }>
type NumberWire = Exclude<ScalarWire, { $case: 'var' }>
type VarWire = Extract<ScalarWire, { $case: 'var' }>['value']

/** Bytes of the cells of a column. */
export function bytesOfColumn({ values, status }: RequestColumn): number {
  return status.byteLength + (values === undefined ? 0 : bytesOfValues(values))
}

function bytesOfValues(values: WireValues): number {
  switch (values.$case) {
    case 'var':
      return values.value.data.byteLength + values.value.lengths.byteLength
    case 'list':
      return values.value.lengths.byteLength + bytesOfValues(elementsOf(values.value))
    default:
      return values.value.byteLength
  }
}

/** One column of the rows of `pieces`, which are of one name and class, in their order. */
export function concatColumns(pieces: readonly RequestColumn[]): RequestColumn {
  const [first] = pieces
  assert(first !== undefined, 'there is a column to start with')
  const values = joinValues(pieces.map(valuesOf))
  const isFull = pieces.every(({ status }) => status.byteLength === 0)
  return column.fromWire(first.name, values, isFull ? undefined : joinBytes(pieces.map(statusOf)))
}

function joinValues(pieces: readonly WireValues[]): WireValues {
  const lists = pieces.flatMap((piece) => (piece.$case === 'list' ? [piece.value] : []))
  if (lists.length > 0) {
    assert(lists.length === pieces.length, 'the pieces of a column are of one class')
    const lengths = joinBytes(lists.map((list) => list.lengths))
    return { $case: 'list', value: { lengths, elements: joinScalars(lists.map(elementsOf)) } }
  }
  return joinScalars(pieces.flatMap((piece) => (piece.$case === 'list' ? [] : [piece])))
}

function joinScalars(pieces: readonly ScalarWire[]): ScalarWire {
  const [first] = pieces
  assert(first !== undefined, 'there are cells to start with')
  const sameClass = pieces.every(({ $case }) => $case === first.$case)
  assert(sameClass, 'the pieces of a column are of one class')
  const varying = pieces.flatMap((piece) => (piece.$case === 'var' ? [piece.value] : []))
  if (first.$case === 'var') {
    const data = joinBytes(varying.map((piece) => piece.data))
    return { $case: 'var', value: { data, lengths: joinBytes(varying.map((p) => p.lengths)) } }
  }
  const numbers = pieces.flatMap((piece) => (piece.$case === 'var' ? [] : [piece.value]))
  return { $case: first.$case, value: joinBytes(numbers) }
}

/** Not `Buffer.concat`, whose short results need not be aligned. */
function joinBytes(pieces: readonly Uint8Array[]): Buffer {
  const joined = Buffer.alloc(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
  let offset = 0
  for (const piece of pieces) {
    joined.set(piece, offset)
    offset += piece.byteLength
  }
  return joined
}

/** The statuses of a column, also where they are left out because all cells are present. */
function statusOf(piece: RequestColumn): Uint8Array {
  if (piece.status.byteLength > 0) return piece.status
  const present = new Uint8Array(cellCountOf(valuesOf(piece)))
  return present.fill(CellStatus.CELL_STATUS_PRESENT)
}

function cellCountOf(values: WireValues): number {
  switch (values.$case) {
    case 'var':
    case 'list':
      return values.value.lengths.byteLength / wordBytes
    default:
      return values.value.byteLength / (wordsPerCell[values.$case] * wordBytes)
  }
}

/** Gives the cells at `rows` of a column, in their order. */
export type TakeRows = (rows: Uint32Array) => RequestColumn

/** What every call needs, such as where texts start, is found out once. */
export function createRowTaker(source: RequestColumn): TakeRows {
  const { name, status } = source
  const takeValues = valueTaker(valuesOf(source))
  return (rows) => {
    const isFull = status.byteLength === 0
    const taken = isFull ? undefined : Uint8Array.from(rows, (row) => status[row] ?? 0)
    return column.fromWire(name, takeValues(rows), taken)
  }
}

type TakeValues<Values extends WireValues> = (rows: Uint32Array) => Values

function valueTaker(values: WireValues): TakeValues<WireValues> {
  return values.$case === 'list' ? listTaker(values.value) : scalarTaker(values)
}

function scalarTaker(values: ScalarWire): TakeValues<ScalarWire> {
  return values.$case === 'var' ? varTaker(values.value) : numberTaker(values)
}

const wordBytes = 4
const wordsPerCell = { f32: 1, f64: 2, i64: 2 } as const satisfies Record<
  NumberWire['$case'],
  number
>

/** Copies words, not numbers: a NaN keeps its payload. */
function numberTaker({ $case, value }: NumberWire): TakeValues<NumberWire> {
  const words = wordsOf(value)
  const wordCount = wordsPerCell[$case]
  return (rows) => ({ $case, value: bufferOf(takeWords(words, wordCount, rows)) })
}

function takeWords(words: Uint32Array, wordCount: number, rows: Uint32Array): Uint32Array {
  const taken = new Uint32Array(rows.length * wordCount)
  let at = 0
  for (const row of rows) {
    for (let word = row * wordCount; word < (row + 1) * wordCount; word += 1) {
      taken[at] = words[word] ?? 0
      at += 1
    }
  }
  return taken
}

function varTaker({ data, lengths }: VarWire): TakeValues<ScalarWire> {
  const byteCounts = wordsOf(lengths)
  const starts = startsOf(byteCounts)
  return (rows) => {
    const takenCounts = takeWords(byteCounts, 1, rows)
    const taken = Buffer.alloc(takenCounts.reduce((sum, byteCount) => sum + byteCount, 0))
    let at = 0
    for (const row of rows) {
      const start = starts[row] ?? 0
      at += data.copy(taken, at, start, start + (byteCounts[row] ?? 0))
    }
    return { $case: 'var', value: { data: taken, lengths: bufferOf(takenCounts) } }
  }
}

function listTaker(list: ListWire): TakeValues<WireValues> {
  const elementCounts = wordsOf(list.lengths)
  const starts = startsOf(elementCounts)
  const takeElements = scalarTaker(elementsOf(list))
  return (rows) => {
    const takenCounts = takeWords(elementCounts, 1, rows)
    const elements = new Uint32Array(takenCounts.reduce((sum, count) => sum + count, 0))
    let at = 0
    for (const row of rows) {
      const start = starts[row] ?? 0
      for (let index = 0; index < (elementCounts[row] ?? 0); index += 1) {
        elements[at] = start + index
        at += 1
      }
    }
    const lengths = bufferOf(takenCounts)
    return { $case: 'list', value: { lengths, elements: takeElements(elements) } }
  }
}

/** Where each cell starts, in bytes or elements. */
function startsOf(counts: Uint32Array): Float64Array {
  const starts = new Float64Array(counts.length)
  let next = 0
  for (const [index, count] of counts.entries()) {
    starts[index] = next
    next += count
  }
  return starts
}

/** The 32-bit words of a buffer, copied only where it is not aligned. */
function wordsOf(bytes: Buffer): Uint32Array {
  const aligned = bytes.byteOffset % wordBytes === 0 ? bytes : joinBytes([bytes])
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / wordBytes)
}

function bufferOf(words: Uint32Array): Buffer {
  return Buffer.from(words.buffer, words.byteOffset, words.byteLength)
}

function valuesOf({ name, values }: RequestColumn): WireValues {
  assert(values !== undefined, `column "${name}" has values`)
  return values
}

function elementsOf({ elements }: ListWire): ScalarWire {
  assert(elements !== undefined, 'a list column has elements')
  return elements
}
