import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { column } from '../client/index.js'
import { FeatureView } from '../gen/larder/v1/admin.js'
import { BucketBatcher, cutBetweenBuckets, orderByBucket } from './bucket-batches.js'
import type { LoadBatch } from './load-batch.js'
import type { CollectedRows } from './row-collector.js'

describe('orderByBucket', () => {
  test('sorts by bucket and keeps the order within one, up to the greatest bucket', () => {
    const order = orderByBucket(Uint32Array.of(7, 0xffff_ffff, 0, 7, 0xffff_ffff, 3))
    expect(Array.from(order)).toEqual([2, 5, 0, 3, 1, 4])
  })

  test('nothing stays nothing', () => {
    expect(orderByBucket(new Uint32Array(0))).toEqual(new Uint32Array(0))
  })
})

describe('cutBetweenBuckets', () => {
  const cut = (buckets: readonly number[], batchRows: number) => {
    const words = Uint32Array.from(buckets)
    return Array.from(cutBetweenBuckets(orderByBucket(words), words, batchRows))
  }

  test.each([
    { name: 'no rows', buckets: [], batchRows: 2, cuts: [] },
    { name: 'one batch', buckets: [1, 1, 2], batchRows: 5, cuts: [[0, 3]] },
    {
      name: 'a border where the batch is full',
      buckets: [1, 1, 2, 2],
      batchRows: 2,
      cuts: [
        [0, 2],
        [2, 4],
      ],
    },
    {
      name: 'a bucket that no longer fits',
      buckets: [1, 2, 2, 3],
      batchRows: 2,
      cuts: [
        [0, 1],
        [1, 3],
        [3, 4],
      ],
    },
    {
      name: 'a bucket of more rows than a batch',
      buckets: [5, 5, 5, 6],
      batchRows: 2,
      cuts: [
        [0, 2],
        [2, 4],
      ],
    },
  ])('$name', ({ buckets, batchRows, cuts }) => {
    expect(cut(buckets, batchRows).map(({ first, end }) => [first, end])).toEqual(cuts)
  })

  test('every row is in one batch, and a bucket in one unless it is too large', () => {
    const property = fc.property(
      fc.array(fc.nat(20), { maxLength: 200 }),
      fc.integer({ min: 1, max: 30 }),
      (buckets, batchRows) => {
        const sorted = buckets.toSorted((a, b) => a - b)
        let next = 0
        for (const { first, end } of cut(buckets, batchRows)) {
          if (first !== next || end <= first || end - first > batchRows) return false
          const isSplit = end < sorted.length && sorted[end - 1] === sorted[end]
          if (isSplit && sorted[first] !== sorted[end]) return false
          next = end
        }
        return next === sorted.length
      },
    )
    expect(() => fc.assert(property, { seed: 4 })).not.toThrow()
  })
})

describe('BucketBatcher', () => {
  const batchRows = 10

  function batcherOf(part: { rowCountMax: number; columnBytesMax: number }) {
    const view = FeatureView.fromPartial({ name: 'v', schemaVersion: 2, bucketCount: 4 })
    const target = {
      view,
      keyTypes: [{ name: 'user', type: 'string' }] as const,
      eventTime: { kind: 'column', name: 'at' } as const,
      oldestUs: 0n,
      newestUs: 1n,
    }
    return new BucketBatcher({ target, plans: [], sequence: 9n, batchRows, bucketSeed: 5n, part })
  }

  /** A range of ten rows, users and event times numbered as in the file. */
  function rangeOf(path: string, firstRow: number): CollectedRows {
    const rows = Array.from({ length: batchRows }, (_, index) => firstRow + index)
    return {
      path,
      firstRow,
      lastRow: firstRow + batchRows - 1,
      columns: [
        column.strings(
          'user',
          rows.map((row) => `${path}-${row}`),
        ),
        column.int32('clicks', rows),
      ],
      eventTimesUs: BigInt64Array.from(rows, BigInt),
      fileRows: Uint32Array.from(rows),
      leftOutCount: 0,
      badRows: [],
      badRowCount: 0,
    }
  }

  /** All batches of five ranges of two files, taken whenever a part is full. */
  function batchesOf(part: { rowCountMax: number; columnBytesMax: number }): LoadBatch[] {
    const batcher = batcherOf(part)
    const batches: LoadBatch[] = []
    for (const range of [1, 11, 21].map((row) => rangeOf('a', row)).concat(rangeOf('b', 1))) {
      expect(batcher.add(range)).toBeUndefined()
      if (batcher.isFull) batches.push(...batcher.take())
    }
    return [...batches, ...batcher.take()]
  }

  const large = { rowCountMax: 1000, columnBytesMax: 1_000_000 }
  test.each([
    { name: 'one part', part: large, parts: ['p1'] },
    { name: 'parts of so many rows', part: { ...large, rowCountMax: 25 }, parts: ['p1', 'p2'] },
    {
      name: 'parts of so many bytes',
      part: { ...large, columnBytesMax: 1 },
      parts: ['p1', 'p2', 'p3', 'p4'],
    },
  ])('sends every row once, with its cells, in $name', ({ part, parts }) => {
    const batches = batchesOf(part)
    const sent = batches.flatMap(({ batch, placeOf }) =>
      Array.from(batch.eventTimesUs, (timeUs, index) => {
        const { path, row } = placeOf(index)
        return { path, row, timeUs }
      }),
    )
    expect(sent.every(({ row, timeUs }) => timeUs === BigInt(row))).toBe(true)
    expect(new Set(sent.map(({ path, row }) => `${path}-${row}`)).size).toBe(40)
    expect(sent.length).toBe(40)
    const ids = batches.map(({ batch }) => batch.batchId)
    expect(Array.from(new Set(ids.map((id) => id.split('-')[3])))).toEqual(parts)
    expect(batchesOf(part).map(({ batch }) => batch.batchId)).toEqual(ids)
    expect(batches.every(({ batch }) => batch.sequence === 9n)).toBe(true)
  })

  test('keys that cannot be are told with their rows, and the range is not taken', () => {
    const batcher = batcherOf(large)
    const range = rangeOf('a', 11)
    const users = Array.from({ length: batchRows }, (_, index) =>
      index === 3 ? 'x'.repeat(1025) : '',
    )
    const bad = batcher.add({ ...range, columns: [column.strings('user', users)] })
    expect(bad).toMatchObject({ badRowCount: 1, badRows: [{ path: 'a', row: 14 }] })
    expect(Array.from(batcher.take())).toEqual([])
  })
})
