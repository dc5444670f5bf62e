/**
 * DuckDB vectors -> the columns of a batch, without an object per value.
 *
 * Numbers are copied from the vector's own memory (`items`), text and bytes from its string entries.
 * DuckDB reuses that memory with the next chunk, so everything is copied before another is fetched.
 */
import {
  DuckDBBigIntVector,
  DuckDBBlobVector,
  DuckDBDoubleVector,
  DuckDBFloatVector,
  DuckDBListVector,
  DuckDBUTinyIntVector,
  type DuckDBVector,
} from '@duckdb/node-api'
import { assert } from '../assert.js'
import { column, type RequestColumn } from '../client/index.js'
import {
  columnClassOf,
  elementClassOf,
  type FeatureType,
  type ScalarClass,
} from '../feature-type.js'
import { CellStatus, type Column } from '../gen/larder/v1/column.js'

type WireValues = NonNullable<Column['values']>
type ScalarWire = Exclude<WireValues, { $case: 'list' }>

/** Collects the cells of one column; `take` hands them over and starts anew. */
export interface ColumnSink {
  /** Appends the cells at `rows` of a chunk's status and value vectors. */
  append(status: DuckDBVector, values: DuckDBVector, rows: Uint32Array): void
  take(): RequestColumn
}

export function createColumnSink(name: string, type: FeatureType): ColumnSink {
  const values = columnClassOf(type) === 'list' ? listSink(type) : scalarSink(elementClassOf(type))
  let status = new ByteSink()
  let hasNull = false
  return {
    append(statusVector, valueVector, rows) {
      const codes = statusItems(statusVector)
      for (const row of rows) {
        const code = codes[row] ?? CellStatus.CELL_STATUS_UNSPECIFIED
        hasNull ||= code !== CellStatus.CELL_STATUS_PRESENT
        status.appendByte(code)
      }
      values.append(valueVector, rows)
    },
    take() {
      const taken = column.fromWire(name, values.take(), hasNull ? status.take() : undefined)
      status = new ByteSink()
      hasNull = false
      return taken
    },
  }
}

/** The bytes of a vector of UTINYINT: statuses, flags. Valid until the next chunk. */
export function statusItems(vector: DuckDBVector): Uint8Array {
  assert(vector instanceof DuckDBUTinyIntVector, 'a status column is UTINYINT')
  // The class keeps its typed memory private, and offers only boxed values.
  return vector['items']
}

/** 64-bit integers, read in place. Valid until the next chunk. */
export function int64Items(vector: DuckDBVector): BigInt64Array {
  assert(vector instanceof DuckDBBigIntVector, 'a column of 64-bit integers is BIGINT')
  return vector['items']
}

/** The memory of a numeric vector. Valid until the next chunk. */
function numberBytes(vector: DuckDBVector): Uint8Array {
  const items = numberItems(vector)
  return new Uint8Array(items.buffer, items.byteOffset, items.byteLength)
}

function numberItems(vector: DuckDBVector): Float32Array | Float64Array | BigInt64Array {
  if (vector instanceof DuckDBFloatVector) return vector['items']
  if (vector instanceof DuckDBDoubleVector) return vector['items']
  return int64Items(vector)
}

interface ValueSink<Wire extends WireValues> {
  append(vector: DuckDBVector, rows: Uint32Array): void
  take(): Wire
}

function scalarSink(scalarClass: ScalarClass): ValueSink<ScalarWire> {
  return scalarClass === 'var' ? varSink() : numberSink(scalarClass)
}

const cellBytes = { f32: 4, f64: 8, i64: 8 } as const

function numberSink(scalarClass: 'f32' | 'f64' | 'i64'): ValueSink<ScalarWire> {
  const bytes = new ByteSink()
  return {
    append(vector, rows) {
      bytes.appendCells(numberBytes(vector), cellBytes[scalarClass], rows)
    },
    take: () => ({ $case: scalarClass, value: bytes.take() }),
  }
}

function varSink(): ValueSink<ScalarWire> {
  const data = new ByteSink()
  const lengths = new ByteSink()
  return {
    append(vector, rows) {
      assert(vector instanceof DuckDBBlobVector, 'a column of text or bytes is BLOB')
      for (const row of rows) {
        const value = vector.getItemBytes(row)
        lengths.appendUint32(value?.byteLength ?? 0)
        if (value !== null) data.append(value)
      }
    },
    take: () => ({ $case: 'var', value: { data: data.take(), lengths: lengths.take() } }),
  }
}

function listSink(type: FeatureType): ValueSink<WireValues> {
  const elements = scalarSink(elementClassOf(type))
  const lengths = new ByteSink()
  return {
    append(vector, rows) {
      assert(vector instanceof DuckDBListVector, 'a list column is LIST')
      const picked: number[] = []
      for (const row of rows) {
        const start = vector.getEntryOffset(row)
        const elementCount = vector.getEntryLength(row)
        lengths.appendUint32(elementCount)
        for (let index = 0; index < elementCount; index += 1) picked.push(start + index)
      }
      elements.append(vector.childVector, Uint32Array.from(picked))
    },
    take: () => ({
      $case: 'list',
      value: { lengths: lengths.take(), elements: elements.take() },
    }),
  }
}

/** Bytes that grow by doubling. */
class ByteSink {
  #bytes = Buffer.alloc(4096)
  #usedBytes = 0

  append(source: Uint8Array): void {
    this.#reserve(source.byteLength)
    this.#bytes.set(source, this.#usedBytes)
    this.#usedBytes += source.byteLength
  }

  appendByte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#usedBytes] = value
    this.#usedBytes += 1
  }

  appendUint32(value: number): void {
    this.#reserve(4)
    this.#usedBytes = this.#bytes.writeUInt32LE(value, this.#usedBytes)
  }

  /** Appends the cells of `width` bytes at `indexes` of `source`, which ascend in most calls. */
  appendCells(source: Uint8Array, width: number, indexes: Uint32Array): void {
    const first = indexes[0]
    const last = indexes.at(-1)
    if (first === undefined || last === undefined) return
    if (isRun(indexes, first)) {
      this.append(source.subarray(first * width, (last + 1) * width))
      return
    }
    this.#reserve(indexes.length * width)
    const bytes = this.#bytes
    let at = this.#usedBytes
    for (const index of indexes) {
      const start = index * width
      for (let offset = 0; offset < width; offset += 1) {
        bytes[at] = source[start + offset] ?? 0
        at += 1
      }
    }
    this.#usedBytes = at
  }

  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#usedBytes)
    this.#bytes = Buffer.alloc(4096)
    this.#usedBytes = 0
    return taken
  }

  #reserve(addedBytes: number): void {
    const neededBytes = this.#usedBytes + addedBytes
    if (neededBytes <= this.#bytes.byteLength) return
    const grown = Buffer.alloc(Math.max(neededBytes, this.#bytes.byteLength * 2))
    grown.set(this.#bytes.subarray(0, this.#usedBytes))
    this.#bytes = grown
  }
}

/** Are these `first`, `first + 1` and so on? Whole chunks are, and go in one copy. */
function isRun(indexes: Uint32Array, first: number): boolean {
  return indexes.every((index, place) => index === first + place)
}
