import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareRowVersions,
  encodeVersionOnlyRow,
  fenceLayoutId,
  firstLayoutId,
  type RowVersion,
  readRowHeader,
  tombstoneLayoutId,
} from './row-version.js'

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n
const uint64Max = 2n ** 64n - 1n

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
    expect(readRowHeader(row)).toEqual({ layoutId, eventTimeUs, sequence })
  })

  test.each([
    [[0x02], firstLayoutId],
    [[0x7f], 127],
    [[0x80, 0x01], 128],
    [[0xff, 0xff, 0xff, 0xff, 0x0f], 2 ** 32 - 1],
  ])('layout ids of one to five bytes: %j is %d', (bytes, layoutId) => {
    expect(readRowHeader(rowWith(...bytes)).layoutId).toBe(layoutId)
  })

  test('a row within larger memory, with values behind its header', () => {
    const row = Buffer.concat([Buffer.from('??'), rowWith(3), Buffer.from('values')]).subarray(2)
    expect(readRowHeader(row)).toMatchObject({ layoutId: 3, sequence: 0x0101010101010101n })
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a layout id alone', Buffer.of(2)],
    ['a byte too few', rowWith(2).subarray(0, 16)],
    ['a byte too few behind a long layout id', rowWith(0x80, 0x01).subarray(0, 17)],
    ['a layout id that does not end', rowWith(0x80, 0x80, 0x80, 0x80, 0x80, 0x01)],
    ['a layout id that does not end at all', Buffer.alloc(40, 0xff)],
  ])('%s is corrupt', (_case, row) => {
    const corrupt = expect.objectContaining({
      code: 'corrupt_row',
      message: `a row of ${row.byteLength} bytes has no whole version`,
    })
    expect(() => readRowHeader(row)).toThrow(corrupt)
    expect(() => compareRowVersions(row, rowWith(2))).toThrow(corrupt)
    expect(() => compareRowVersions(rowWith(2), row)).toThrow(corrupt)
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
        return Math.sign(compareRowVersions(tombstone(a), tombstone(b))) === (byTime || bySequence)
      }),
    )
    expect(comparedCount).toBeGreaterThanOrEqual(100)
  })

  test('neither the layout nor the values count', () => {
    const [short, long] = [rowWith(2), rowWith(0x80, 0x01)]
    expect(compareRowVersions(short, long)).toBe(0)
    expect(compareRowVersions(Buffer.concat([short, Buffer.from('zz')]), long)).toBe(0)
  })

  test.each([
    [-1n, 0n],
    [int64Min, int64Max],
    [2n ** 53n, 2n ** 53n + 1n],
    [0xff_ffff_ffffn, 0x100_0000_0000n],
  ])('%s is before %s', (earlier, later) => {
    const rows = [later, earlier].map((eventTimeUs) => tombstone({ eventTimeUs, sequence: 0n }))
    expect(rows.sort(compareRowVersions).map((row) => readRowHeader(row).eventTimeUs)).toEqual([
      earlier,
      later,
    ])
  })
})
