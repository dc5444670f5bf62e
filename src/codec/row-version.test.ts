import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CompactVersion, VersionTable } from '../version-format.js'
import {
  compareRowVersions,
  encodeVersionOnlyRow,
  fenceLayoutId,
  firstLayoutId,
  isUnknownLayout,
  layoutIdOf,
  type RowVersion,
  readRowHeader,
  tombstoneLayoutId,
} from './row-version.js'

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n
const uint64Max = 2n ** 64n - 1n

/** Every layout is known, and writes its versions in full. */
const full: VersionTable = { layoutIdMax: 0xffff_ffff, compact: new Map() }

const tombstone = (version: RowVersion) => encodeVersionOnlyRow(tombstoneLayoutId, version)

/** A row with the given layout-id bytes in front of a version of zeros and ones. */
const rowWith = (...layoutId: number[]) =>
  Buffer.concat([Buffer.from(layoutId), Buffer.alloc(8, 0x80), Buffer.alloc(8, 1)])

describe('headers', () => {
  test.each([
    [tombstoneLayoutId, 0n, 0n, '0080000000000000000000000000000000'],
    [fenceLayoutId, -1n, 1n, '017fffffffffffffff0000000000000001'],
    [tombstoneLayoutId, int64Max, uint64Max, '00ffffffffffffffffffffffffffffffff'],
    [tombstoneLayoutId, int64Min, 0n, '0000000000000000000000000000000000'],
  ] as const)('layout %d at %s, sequence %s', (layoutId, eventTimeUs, sequence, hex) => {
    const row = encodeVersionOnlyRow(layoutId, { eventTimeUs, sequence })
    expect(Buffer.from(row).toString('hex')).toBe(hex)
    expect(readRowHeader(row, full)).toEqual({ layoutId, eventTimeUs, sequence })
  })

  test.each([
    [[0x02], firstLayoutId],
    [[0x7f], 127],
    [[0x80, 0x01], 128],
    [[0xff, 0xff, 0xff, 0xff, 0x0f], 2 ** 32 - 1],
  ])('layout ids of one to five bytes: %j is %d', (bytes, layoutId) => {
    expect(readRowHeader(rowWith(...bytes), full).layoutId).toBe(layoutId)
  })

  test('a row within larger memory, with values behind its header', () => {
    const row = Buffer.concat([Buffer.from('??'), rowWith(3), Buffer.from('values')]).subarray(2)
    expect(readRowHeader(row, full)).toMatchObject({ layoutId: 3, sequence: 0x0101010101010101n })
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a layout id alone', Buffer.of(2)],
    ['a byte too few', rowWith(2).subarray(0, 16)],
    ['a byte too few behind a long layout id', rowWith(0x80, 0x01).subarray(0, 17)],
    ['a layout id beyond 32 bits', rowWith(0xff, 0xff, 0xff, 0xff, 0x10)],
    ['a layout id that does not end', rowWith(0x80, 0x80, 0x80, 0x80, 0x80, 0x01)],
    ['a layout id that does not end at all', Buffer.alloc(40, 0xff)],
  ])('%s is corrupt', (_case, row) => {
    const corrupt = expect.objectContaining({
      code: 'corrupt_row',
      message: `a row of ${row.byteLength} bytes has no whole version`,
    })
    expect(() => readRowHeader(row, full)).toThrow(corrupt)
    expect(() => compareRowVersions(row, rowWith(2), full)).toThrow(corrupt)
    expect(() => compareRowVersions(rowWith(2), row, full)).toThrow(corrupt)
  })
})

describe('order', () => {
  const version = fc.record({
    eventTimeUs: fc.bigInt({ min: int64Min, max: int64Max }),
    sequence: fc.bigInt({ min: 0n, max: uint64Max }),
  })

  test('comparing bytes is comparing event times, then sequences', () => {
    let comparedCount = 0
    fc.assert(
      fc.property(version, version, fc.boolean(), (a, other, isSameTime) => {
        const b = isSameTime ? { ...other, eventTimeUs: a.eventTimeUs } : other
        const byTime = Number(a.eventTimeUs > b.eventTimeUs) - Number(a.eventTimeUs < b.eventTimeUs)
        const bySequence = Number(a.sequence > b.sequence) - Number(a.sequence < b.sequence)
        comparedCount++
        return (
          Math.sign(compareRowVersions(tombstone(a), tombstone(b), full)) === (byTime || bySequence)
        )
      }),
    )
    expect(comparedCount).toBeGreaterThanOrEqual(100)
  })

  test('neither the layout nor the values count', () => {
    const [short, long] = [rowWith(2), rowWith(0x80, 0x01)]
    expect(compareRowVersions(short, long, full)).toBe(0)
    expect(compareRowVersions(Buffer.concat([short, Buffer.from('zz')]), long, full)).toBe(0)
  })

  test.each([
    [-1n, 0n],
    [int64Min, int64Max],
    [2n ** 53n, 2n ** 53n + 1n],
    [0xff_ffff_ffffn, 0x100_0000_0000n],
  ])('%s is before %s', (earlier, later) => {
    const rows = [later, earlier].map((eventTimeUs) => tombstone({ eventTimeUs, sequence: 0n }))
    expect(
      rows
        .sort((a, b) => compareRowVersions(a, b, full))
        .map((row) => readRowHeader(row, full).eventTimeUs),
    ).toEqual([earlier, later])
  })
})

describe('compact versions', () => {
  const day: CompactVersion = {
    eventBaseUs: 992_628_000_000_000n,
    eventUnitUs: 1_000_000n,
    eventBytes: 3,
    sequence: 7n,
  }
  const fixed: CompactVersion = { ...day, eventUnitUs: 1n, eventBytes: 0, sequence: 9n }
  const early: CompactVersion = {
    eventBaseUs: -(2n ** 53n) + 1n,
    eventUnitUs: 63n,
    eventBytes: 6,
    sequence: 2n ** 64n - 1n,
  }
  const table: VersionTable = {
    layoutIdMax: 6,
    compact: new Map([
      [3, day],
      [4, fixed],
      [5, early],
    ]),
  }
  const row = (layoutId: number, ...bytes: number[]) => Buffer.from([layoutId, ...bytes])

  test.each([
    [row(3, 0, 0, 0), 992_628_000_000_000n, 7n],
    [row(3, 0, 1, 2, 99), 992_628_258_000_000n, 7n],
    [row(3, 0xff, 0xff, 0xff), 992_628_000_000_000n + 16_777_215_000_000n, 7n],
    [row(4), 992_628_000_000_000n, 9n],
    [row(5, 0, 0, 0, 0, 0, 1), -(2n ** 53n) + 64n, 2n ** 64n - 1n],
    [
      row(5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      -(2n ** 53n) + 1n + 63n * (2n ** 48n - 1n),
      2n ** 64n - 1n,
    ],
  ])('%o is at %s, sequence %s', (bytes, eventTimeUs, sequence) => {
    expect(readRowHeader(bytes, table)).toEqual({ layoutId: bytes[0], eventTimeUs, sequence })
  })

  test.each([
    { title: 'no room for the event time', bytes: row(3, 0, 0) },
    { title: 'no room for a full version', bytes: row(2, 0, 0, 0) },
    { title: 'nothing', bytes: row(5) },
  ])('$title is corrupt', ({ bytes }) => {
    expect(() => readRowHeader(bytes, table)).toThrow(
      expect.objectContaining({ code: 'corrupt_row' }),
    )
  })

  test('rows of any formats are in the order of their versions', () => {
    const full = (eventTimeUs: bigint, sequence: bigint) => {
      const bytes = Buffer.from(tombstone({ eventTimeUs, sequence }))
      bytes[0] = 2
      return bytes
    }
    const ordered = [
      full(-(2n ** 63n), 0n),
      row(5, 0, 0, 0, 0, 0, 0),
      full(-(2n ** 53n) + 2n, 0n),
      row(5, 0, 0, 0, 0, 0, 1),
      full(992_628_000_000_000n, 6n),
      row(3, 0, 0, 0),
      full(992_628_000_000_000n, 8n),
      row(4),
      full(992_628_000_000_000n, 10n),
      row(3, 0, 0, 1),
      row(3, 0, 1, 0),
      full(2n ** 63n - 1n, 0n),
    ]
    const signs = ordered.map((a) => ordered.map((b) => Math.sign(compareRowVersions(a, b, table))))
    expect(signs).toEqual(ordered.map((_, a) => ordered.map((_, b) => Math.sign(a - b))))
  })

  test('a row of an unknown layout is neither read nor compared, and says which', () => {
    const newer = row(7, 0, 0, 0)
    const unknown = expect.objectContaining({
      code: 'unavailable',
      message: expect.stringContaining('layout 7 of a stored row is not known here yet'),
      details: { unknownLayoutId: 7 },
    })
    expect(() => readRowHeader(newer, table)).toThrow(unknown)
    expect(() => compareRowVersions(row(4), newer, table)).toThrow(unknown)
    expect(() => compareRowVersions(newer, row(4), table)).toThrow(unknown)
    expect(layoutIdOf(newer)).toBe(7)
  })

  test('the error of an unknown layout is told from others', () => {
    const thrown = [row(7), Buffer.alloc(0)].map((bytes) => {
      try {
        return readRowHeader(bytes, table)
      } catch (error) {
        return isUnknownLayout(error)
      }
    })
    expect(thrown).toEqual([true, false])
    expect(isUnknownLayout(new Error('other'))).toBe(false)
  })
})
