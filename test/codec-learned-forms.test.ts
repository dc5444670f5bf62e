/**
 * When a row of a learned layout takes another form: a block compressed or not, a version compact or the
 * row in another layout.
 */
import { describe, expect, test } from 'vitest'
import { assert } from '../src/assert.js'
import { valueBytesMax } from '../src/limits.js'
import { createSeededPrng } from '../src/prng.js'
import { sequence } from './support/codec-batches.js'
import { block, dictionary, integers, listOf } from './support/encodings.js'
import {
  decodeBatch,
  encodeBatch,
  encodeReferenceBatch,
  oneFeatureBatch,
} from './support/learned-batches.js'
import { bitsOfBytes, packBits, uintBits } from './support/reference-bits.js'
import { decodeLearnedRow } from './support/reference-learned-row.js'
import { cellOf } from './support/reference-row.js'

describe('blocks by LZ4', () => {
  const type = { kind: 'scalar', scalar: 'string' } as const
  const prng = createSeededPrng(20260101)
  const random = Array.from({ length: 200 }, () => prng.below(94) + 33)

  /** The row of a text in a block that may be compressed from 16 bytes on, and where it never is. */
  function rowsOf(text: string) {
    const cells = [cellOf(type, text)]
    const lengths = [0n, 19] as const
    const batch = oneFeatureBatch(type, block(16, lengths), cells)
    const [row] = encodeBatch(batch)
    const [uncompressed] = encodeReferenceBatch(batch)
    assert(row !== undefined && uncompressed !== undefined, 'one row each')
    expect(decodeBatch(batch.layouts, [row])).toEqual([cells])
    expect(decodeBatch(batch.layouts, [uncompressed])).toEqual([cells])
    expect(decodeLearnedRow(row, batch.layouts)).toMatchObject({ cells })
    return { row, uncompressed }
  }

  test.each([
    { name: 'too short', text: 'a'.repeat(15) },
    { name: 'of nothing that repeats', text: String.fromCharCode(...random) },
    { name: 'just long enough, and all different', text: '0123456789abcdef' },
    { name: 'empty', text: '' },
  ])('a text $name is not compressed', ({ text }) => {
    const { row, uncompressed } = rowsOf(text)
    expect(row).toEqual(uncompressed)
  })

  test.each([
    { name: 'one letter', text: 'a'.repeat(100) },
    { name: 'just long enough', text: 'a'.repeat(16) },
    { name: 'words of several bytes a letter', text: 'Zürich, Genève. '.repeat(20) },
    { name: 'zero bytes', text: '\0'.repeat(1000) },
    { name: 'the longest text', text: 'larder '.repeat(valueBytesMax).slice(0, valueBytesMax) },
  ])('a text that repeats is: $name', ({ text }) => {
    const { row, uncompressed } = rowsOf(text)
    expect(row.byteLength).toBeLessThan(uncompressed.byteLength)
  })

  /** A row whose block says of these LZ4 bytes that they stand for `byteCount`. */
  function rowOfBlock(lz4: readonly number[], byteCount: number) {
    const batch = oneFeatureBatch(type, block(1, [BigInt(byteCount), 0]), [])
    const sizeBits = (byteCount - 1).toString(2).length
    const body = packBits([
      ...[0, 1],
      ...uintBits(BigInt(lz4.length), sizeBits),
      ...bitsOfBytes(Uint8Array.from(lz4)),
    ])
    const head = Buffer.concat([Buffer.of(2), Buffer.alloc(16)])
    return { batch, row: Buffer.concat([head, body]) }
  }

  test('a block is read by the format', () => {
    const { batch, row } = rowOfBlock([0x2f, 65, 66, 2, 0, 1, 0x50, 67, 67, 67, 67, 67], 27)
    expect(decodeBatch(batch.layouts, [row])).toEqual([[cellOf(type, `${'AB'.repeat(11)}CCCCC`)]])
  })

  test.each([
    { name: 'another length', lz4: [0x2f, 1, 2, 2, 0, 1, 0x50, 3, 3, 3, 3, 3], byteCount: 26 },
    { name: 'an offset of 0', lz4: [0x2f, 1, 2, 0, 0, 1, 0x50, 3, 3, 3, 3, 3], byteCount: 27 },
    { name: 'an offset too far', lz4: [0x2f, 1, 2, 3, 0, 1, 0x50, 3, 3, 3, 3, 3], byteCount: 27 },
    { name: '4 last literals', lz4: [0x2f, 1, 2, 2, 0, 1, 0x40, 3, 3, 3, 3], byteCount: 26 },
    { name: 'a late match', lz4: [0x22, 1, 2, 2, 0, 0x50, 3, 3, 3, 3, 3], byteCount: 13 },
    { name: 'no last literals', lz4: [0x2f, 1, 2, 2, 0, 1], byteCount: 22 },
    { name: 'a count cut short', lz4: [0xf0], byteCount: 15 },
  ])('a block with $name is corrupt', ({ lz4, byteCount }) => {
    const { batch, row } = rowOfBlock(lz4, byteCount)
    expect(decodeBatch(batch.layouts, [row])).toEqual([[null]])
    expect(decodeLearnedRow(row, batch.layouts)).toBe('corrupt')
  })
})

describe('few bits that stand for many bytes', () => {
  const type = { kind: 'list', element: 'string' } as const
  const text = 'x'.repeat(60_000)
  const texts = listOf([[0n, 7]], dictionary([text], [0n, 0]))

  test.each([
    { name: 'as much as a row may have', count: 69, isRead: true },
    { name: 'more', count: 70, isRead: false },
  ])('$name', ({ count, isRead }) => {
    const batch = oneFeatureBatch(type, texts, [])
    const head = Buffer.concat([Buffer.of(2), Buffer.alloc(16)])
    const row = Buffer.concat([head, packBits([0, ...uintBits(BigInt(count), 7)])])
    const cell = isRead ? cellOf(type, new Array<string>(count).fill(text)) : null
    expect(decodeBatch(batch.layouts, [row])).toEqual([[cell]])
    expect(decodeLearnedRow(row, batch.layouts) === 'corrupt').toBe(!isRead)
  })
})

describe('compact versions', () => {
  const learnedLayoutId = 2
  const plainLayoutId = 3

  test.each([
    { name: 'n = 0', n: 0n, isHeld: true },
    { name: 'the greatest n', n: 65_535n, isHeld: true },
    { name: 'one more', n: 65_536n, isHeld: false },
    { name: 'before the base', n: -1n, isHeld: false },
    { name: 'between two steps', n: 7n, offUs: 1n, isHeld: false },
    { name: 'just before a step', n: 7n, offUs: -1n, isHeld: false },
    { name: 'the next sequence', n: 0n, rowSequence: sequence + 1n, isHeld: false },
    { name: 'the sequence before', n: 0n, rowSequence: sequence - 1n, isHeld: false },
    { name: 'no bytes, n = 0', eventBytes: 0, n: 0n, isHeld: true },
    { name: 'no bytes, n = 1', eventBytes: 0, n: 1n, isHeld: false },
    { name: '6 bytes, the greatest n', eventBytes: 6, n: 2n ** 48n - 1n, isHeld: true },
    { name: '6 bytes, one more', eventBytes: 6, n: 2n ** 48n, isHeld: false },
    { name: 'a unit of 1 us', eventUnitUs: 1n, n: 65_535n, isHeld: true },
    { name: 'a base after 1970', eventBaseUs: 2n ** 52n, n: 65_535n, isHeld: true },
    { name: 'the earliest event time there is', eventTimeUs: -(2n ** 63n), n: 0n, isHeld: false },
    { name: 'the latest event time there is', eventTimeUs: 2n ** 63n - 1n, n: 0n, isHeld: false },
  ])('$name', ({ n, isHeld, ...given }) => {
    const { eventBytes = 2, eventUnitUs = 30n, eventBaseUs = -(2n ** 52n) } = given
    const versionFormat = { eventBaseUs, eventUnitUs, eventBytes, sequence }
    const eventTimeUs = given.eventTimeUs ?? eventBaseUs + eventUnitUs * n + (given.offUs ?? 0n)
    const batch = oneFeatureBatch({ kind: 'scalar', scalar: 'int8' }, integers(1n, [0n, 7]), [
      '00000000',
    ])
    const [learned, plain] = batch.layouts
    assert(learned !== undefined && plain !== undefined, 'two layouts')
    const layouts = [{ ...learned, versionFormat }, plain]
    const written = { layouts, rows: batch.rows, eventTimesUs: [eventTimeUs] }
    const rows = encodeBatch({ ...written, sequence: given.rowSequence ?? sequence })
    expect(rows.map(([layoutId]) => layoutId)).toEqual([isHeld ? learnedLayoutId : plainLayoutId])
    expect(rows.map((row) => decodeLearnedRow(row, layouts))).toMatchObject([{ eventTimeUs }])
    expect(decodeBatch(layouts, rows)).toEqual(batch.rows)
  })
})
