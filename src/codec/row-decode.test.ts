import { describe, expect, test } from 'vitest'
import { encodeCells, layoutOf, rowState, slotsOf } from '../../test/support/codec-batches.js'
import { cellsOfColumn } from '../../test/support/codec-columns.js'
import { cellOf } from '../../test/support/reference-row.js'
import { cellStatus } from '../column.js'
import type { OnStale } from '../declared.js'
import { messageBytesMax, valueBytesMax } from '../limits.js'
import { createRowDecoder, decodeRows } from './row-decode.js'
import { createRowLayout } from './row-layout.js'
import { encodeVersionOnlyRow } from './row-version.js'

const float = { kind: 'scalar', scalar: 'float32' } as const
const text = { kind: 'scalar', scalar: 'string' } as const
const layout = layoutOf([float, text])
const wanted = [
  { id: 10, type: float, name: 'number' },
  { id: 11, type: text, name: 'text' },
  { id: 99, type: float, name: 'lacking' },
]
const decoder = createRowDecoder([createRowLayout(layout)], wanted)
const one = cellOf(float, 1)
const hello = cellOf(text, 'hello')
const zero = cellOf(float, 0)

const eventTimeUs = 1_000_000n
const row = Buffer.concat(encodeCells(layout, [[one, hello]], eventTimeUs))
const halfNull = Buffer.concat(encodeCells(layout, [[null, hello]], eventTimeUs))
const version = { eventTimeUs, sequence: 5n }

function decodeOne(
  bytes: Uint8Array,
  { ageUs = 0n, onStale = 'serve' }: { ageUs?: bigint; onStale?: OnStale } = {},
  state: number = rowState.row,
) {
  const rows = { ...slotsOf([bytes]), states: Uint8Array.of(state) }
  const judge = { nowUs: eventTimeUs + ageUs, ttlUs: 100n, retentionUs: 1000n, onStale }
  const decoded = decodeRows(decoder, rows, judge, { slots: Uint32Array.of(0) })
  return {
    ...decoded,
    statuses: decoded.columns.map(({ status }) => status[0]),
    cells: decoded.columns.map((column) => cellsOfColumn(column)[0]),
  }
}

const { present, nullValue, notFound, outsideMaxAge, unavailable } = cellStatus
const nothing = [zero, '', zero]
const all = (status: number) => [status, status, status]

describe('what a cell means', () => {
  test.each([
    {
      what: 'fresh',
      bytes: row,
      ageUs: 100n,
      statuses: [present, present, notFound],
      cells: [one, hello, zero],
    },
    {
      what: 'from the future',
      bytes: row,
      ageUs: -500n,
      statuses: [present, present, notFound],
      cells: [one, hello, zero],
    },
    {
      what: 'older than ttl, served',
      bytes: row,
      ageUs: 101n,
      statuses: [outsideMaxAge, outsideMaxAge, notFound],
      cells: [one, hello, zero],
    },
    {
      what: 'older than ttl, not served',
      bytes: row,
      ageUs: 101n,
      onStale: 'default' as const,
      statuses: [outsideMaxAge, outsideMaxAge, notFound],
      cells: nothing,
    },
    {
      what: 'as old as retention',
      bytes: row,
      ageUs: 1000n,
      statuses: [outsideMaxAge, outsideMaxAge, notFound],
      cells: [one, hello, zero],
    },
    { what: 'past retention', bytes: row, ageUs: 1001n, statuses: all(notFound), cells: nothing },
    {
      what: 'null',
      bytes: halfNull,
      ageUs: 0n,
      statuses: [nullValue, present, notFound],
      cells: [zero, hello, zero],
    },
    {
      what: 'null in a stale row',
      bytes: halfNull,
      ageUs: 101n,
      statuses: [nullValue, outsideMaxAge, notFound],
      cells: [zero, hello, zero],
    },
    {
      what: 'a tombstone',
      bytes: encodeVersionOnlyRow(0, version),
      ageUs: 0n,
      statuses: all(notFound),
      cells: nothing,
    },
    {
      what: 'a fence',
      bytes: encodeVersionOnlyRow(1, version),
      ageUs: 0n,
      statuses: all(notFound),
      cells: nothing,
    },
  ])('$what', ({ bytes, ageUs, onStale, statuses, cells }) => {
    const decoded = decodeOne(bytes, { ageUs, onStale: onStale ?? 'serve' })
    expect(decoded).toMatchObject({ statuses, cells, corrupt: [], unknownLayouts: [] })
  })

  test.each([
    { state: rowState.absent, status: notFound },
    { state: rowState.failed, status: unavailable },
    { state: rowState.pending, status: unavailable },
  ])('a slot in state $state has status $status', ({ state, status }) => {
    expect(decodeOne(row, {}, state)).toMatchObject({ statuses: all(status), cells: nothing })
  })

  test.each([
    { what: 'a row', bytes: row, ageUs: 0n, timeUs: eventTimeUs },
    { what: 'a stale row', bytes: row, ageUs: 500n, timeUs: eventTimeUs },
    { what: 'a row past retention', bytes: row, ageUs: 5000n, timeUs: 0n },
    { what: 'a tombstone', bytes: encodeVersionOnlyRow(0, version), ageUs: 0n, timeUs: 0n },
  ])('event time of $what', ({ bytes, ageUs, timeUs }) => {
    expect(decodeOne(bytes, { ageUs }).eventTimesUs).toEqual(BigInt64Array.of(timeUs))
  })

  test('ages beyond 64 bits are judged, not wrapped', () => {
    const oldest = Buffer.concat(encodeCells(layout, [[one, hello]], -(2n ** 63n)))
    const judge = { nowUs: 2n ** 62n, ttlUs: 1n, retentionUs: 2n ** 62n, onStale: 'serve' } as const
    const slots = Uint32Array.of(0)
    const { columns } = decodeRows(decoder, slotsOf([oldest]), judge, { slots })
    expect(columns.map(({ status }) => status[0])).toEqual(all(notFound))
  })
})

describe('bytes that are not a row', () => {
  const edited = (offset: number, byte: number) => {
    const copy = Buffer.from(row)
    copy[offset] = byte
    return copy
  }
  test.each([
    {
      bytes: Buffer.alloc(0),
      reason: 'the row ends within its layout id, version or presence bits',
    },
    {
      bytes: row.subarray(0, 1),
      reason: 'the row ends within its layout id, version or presence bits',
    },
    {
      bytes: row.subarray(0, 17),
      reason: 'the row ends within its layout id, version or presence bits',
    },
    {
      bytes: Buffer.from('8200', 'hex'),
      reason: 'the layout id is not a minimal varint of at most 5 bytes',
    },
    {
      bytes: Buffer.from('ffffffff7f', 'hex'),
      reason: 'the layout id is not a minimal varint of at most 5 bytes',
    },
    { bytes: edited(17, 0x07), reason: 'an unused presence bit is set' },
    { bytes: row.subarray(0, 20), reason: 'feature id 10: the row ends within the value' },
    { bytes: row.subarray(0, -1), reason: 'feature id 11: the row ends within the value' },
    {
      bytes: Buffer.concat([row.subarray(0, 22), Buffer.from('8000', 'hex')]),
      reason: 'feature id 11: the length is not a minimal varint of at most 5 bytes',
    },
    { bytes: Buffer.concat([row, Buffer.of(0)]), reason: 'bytes follow the last value' },
    {
      bytes: Buffer.concat([encodeVersionOnlyRow(0, version), Buffer.of(0)]),
      reason: 'bytes follow the last value',
    },
    {
      bytes: encodeVersionOnlyRow(1, version).subarray(0, 16),
      reason: 'the row ends within its layout id, version or presence bits',
    },
  ])('$reason', ({ bytes, reason }) => {
    expect(decodeOne(bytes)).toMatchObject({
      statuses: all(unavailable),
      cells: nothing,
      corrupt: [{ slot: 0, reason }],
    })
  })

  test('an unknown layout is told, never guessed at', () => {
    expect(decodeOne(edited(0, 77))).toMatchObject({
      statuses: all(unavailable),
      corrupt: [],
      unknownLayouts: [{ slot: 0, layoutId: 77 }],
    })
  })
})

describe('slots', () => {
  test('output rows may share a slot and come in any order; a corrupt slot is told once', () => {
    const rows = slotsOf([row, Buffer.of(2), halfNull])
    const judge = { nowUs: eventTimeUs, ttlUs: 1n, retentionUs: 1n, onStale: 'serve' } as const
    const slots = Uint32Array.of(2, 1, 0, 2, 1)
    const { columns, corrupt } = decodeRows(decoder, rows, judge, { slots })
    expect([...(columns[0]?.status ?? [])]).toEqual([
      nullValue,
      unavailable,
      present,
      nullValue,
      unavailable,
    ])
    expect(columns.slice(0, 2).map(cellsOfColumn)).toEqual([
      [zero, zero, one, zero, zero],
      [hello, '', hello, hello, ''],
    ])
    expect(corrupt.map(({ slot }) => slot)).toEqual([1])
  })

  test('rows of several layouts, features in another order, decode side by side', () => {
    const reordered = { layoutId: 3, features: layout.features.toReversed() }
    const both = createRowDecoder([layout, reordered].map(createRowLayout), wanted)
    const rows = slotsOf([row, ...encodeCells(reordered, [[hello, one]], eventTimeUs)])
    const judge = { nowUs: eventTimeUs, ttlUs: 1n, retentionUs: 1n, onStale: 'serve' } as const
    const { columns } = decodeRows(both, rows, judge, { slots: Uint32Array.of(0, 1) })
    expect(columns.slice(0, 2).map(cellsOfColumn)).toEqual([
      [one, one],
      [hello, hello],
    ])
  })

  test('no rows and no features decode to nothing', () => {
    const judge = { nowUs: 0n, ttlUs: 1n, retentionUs: 1n, onStale: 'serve' } as const
    const empty = createRowDecoder([], [])
    const none = decodeRows(empty, slotsOf([]), judge, { slots: new Uint32Array(0) })
    expect(none).toMatchObject({ columns: [], corrupt: [], unknownLayouts: [] })
  })

  test('more than a message can carry is refused before it is copied', () => {
    const [long] = encodeCells(layout, [[one, '61'.repeat(valueBytesMax)]], eventTimeUs)
    const judge = { nowUs: eventTimeUs, ttlUs: 1n, retentionUs: 1n, onStale: 'serve' } as const
    const slots = new Uint32Array(messageBytesMax / valueBytesMax + 1)
    const rows = slotsOf([long ?? row])
    expect(() => decodeRows(decoder, rows, judge, { slots })).toThrow(
      expect.objectContaining({ code: 'resource_exhausted' }),
    )
  })

  test('a slot outside the batch, or a row outside the arena, is a bug of the caller', () => {
    const judge = { nowUs: 0n, ttlUs: 1n, retentionUs: 1n, onStale: 'serve' } as const
    const rows = slotsOf([row])
    const outside = { ...rows, lengths: Uint32Array.of(row.byteLength + 1) }
    const at = (slot: number) => ({ slots: Uint32Array.of(slot) })
    expect(() => decodeRows(decoder, rows, judge, at(1))).toThrow(TypeError)
    expect(() => decodeRows(decoder, outside, judge, at(0))).toThrow(TypeError)
  })
})

describe('rows of a learned layout', () => {
  const profile = {
    id: 1,
    encodings: new Map([
      [
        10,
        {
          kind: 'coded',
          coding: {
            mapping: { kind: 'decimal' },
            classes: [
              { kind: 'range', prefixBits: 1, base: 0n, width: 6, exponent: 1 },
              { kind: 'null', prefixBits: 1 },
            ],
          },
        } as const,
      ],
    ]),
    sampleRowCount: 1,
  }
  const versionFormat = { eventBaseUs: 0n, eventUnitUs: 1000n, eventBytes: 2, sequence: 5n }
  const learned = createRowLayout({ ...layout, layoutId: 3, profile, versionFormat })
  const both = createRowDecoder([createRowLayout(layout), learned], wanted)
  const judge = { nowUs: eventTimeUs, ttlUs: 100n, retentionUs: 1000n, onStale: 'serve' } as const
  // Bits, first to last: no exception; prefix 0 and 010100 = 10, hence 1; set; then 5, hello.
  const hello5 = Buffer.from(`05${Buffer.from('hello').toString('hex')}`, 'hex')
  const shifted = Buffer.alloc(8)
  shifted.writeBigUInt64LE(
    (BigInt(`0x${Buffer.from(hello5).reverse().toString('hex')}`) << 1n) | 1n,
  )
  const learnedRow = Buffer.concat([Buffer.from('0303e828', 'hex'), shifted.subarray(0, 7)])

  const decode = (rows: readonly Uint8Array[]) => {
    const slots = Uint32Array.from(rows.keys())
    return decodeRows(both, slotsOf(rows), judge, { slots })
  }

  test('decode beside plain ones, at the end of the arena too', () => {
    const { columns, eventTimesUs, corrupt } = decode([learnedRow, row, learnedRow])
    expect(corrupt).toEqual([])
    expect(columns.slice(0, 2).map(cellsOfColumn)).toEqual([
      [one, one, one],
      [hello, hello, hello],
    ])
    expect([...eventTimesUs]).toEqual([eventTimeUs, eventTimeUs, eventTimeUs])
  })

  test('a row found corrupt half-way leaves no trace between others', () => {
    const cut = learnedRow.subarray(0, -1)
    const { columns, corrupt } = decode([learnedRow, cut, row])
    expect(corrupt).toEqual([{ slot: 1, reason: 'feature id 11: the row ends within the value' }])
    expect(columns.slice(0, 2).map(({ status }) => status[1])).toEqual([unavailable, unavailable])
    expect(columns.slice(0, 2).map(cellsOfColumn)).toEqual([
      [one, zero, one],
      [hello, '', hello],
    ])
  })

  test.each([
    { hex: '03', reason: 'the row ends within its layout id, version or presence bits' },
    { hex: '0303e8', reason: 'the row ends within its layout id, version or presence bits' },
    { hex: '0303e801', reason: 'exceptions are announced, but there is none' },
    { hex: '0303e8ff', reason: 'feature id 10: the row ends within the value' },
    { hex: '0303e82c80', reason: 'an unused bit behind the last value is set' },
    { hex: '0303e828000000', reason: 'bytes follow the last value' },
  ])('$hex: $reason', ({ hex, reason }) => {
    expect(decode([Buffer.from(hex, 'hex')]).corrupt).toEqual([{ slot: 0, reason }])
  })
})

test('a feature whose type differs between layout and request is a bug', () => {
  const other = [{ id: 10, type: text, name: 'x' }]
  expect(() => createRowDecoder([createRowLayout(layout)], other)).toThrow('keeps its type')
})
