import { describe, expect, test } from 'vitest'
import { entry, writesOf } from '../../test/support/tier-rows.js'
import { parseListpackLimits, RedisBucketUse } from './redis-bucket-use.js'
import { plainForm } from './row-form.js'

const bucketForm = { ...plainForm, packing: { kind: 'bucket', bucketCount: 3 } } as const
/** Writes of rows whose values in a bucket take `valueBytes`, 3 of them for the expiry. */
const writesOfValues = (valueBytes: readonly number[], form = bucketForm as typeof plainForm) =>
  writesOf(
    valueBytes.map((bytes, index) =>
      entry({ generation: 1, key: `${index}`, body: Buffer.alloc(bytes - 3 - 17), form }),
    ),
  )

function useOf(valueBytes: readonly number[], form?: typeof plainForm): RedisBucketUse {
  const use = new RedisBucketUse()
  use.note(writesOfValues(valueBytes, form))
  return use
}

describe('limits in a reply to CONFIG GET hash-max-*', () => {
  const reply = (...texts: string[]) => texts.map((text) => Buffer.from(text))
  test.each([
    {
      title: 'of Redis 7',
      texts: ['hash-max-listpack-value', '64', 'hash-max-listpack-entries', '128'],
      limits: { entriesMax: 128, valueBytesMax: 64 },
    },
    {
      title: 'of Redis 6',
      texts: ['hash-max-ziplist-entries', '512', 'hash-max-ziplist-value', '64'],
      limits: { entriesMax: 512, valueBytesMax: 64 },
    },
    { title: 'that lacks one', texts: ['hash-max-ziplist-entries', '512'], limits: undefined },
    { title: 'that is empty', texts: [], limits: undefined },
  ])('$title', ({ texts, limits }) => {
    expect(parseListpackLimits(reply(...texts))).toEqual(limits)
  })

  test('that is refused', () => {
    expect(parseListpackLimits(new Error('ERR unknown command'))).toBeUndefined()
  })
})

describe('findings', () => {
  const enough = { entriesMax: 512, valueBytesMax: 1024 }

  test.each([
    { title: 'nothing was written', use: useOf([]), limits: { entriesMax: 1, valueBytesMax: 1 } },
    {
      title: 'no row lies in a bucket',
      use: useOf([500], plainForm),
      limits: { entriesMax: 1, valueBytesMax: 1 },
    },
    { title: 'all is within the limits', use: useOf([100, 1024]), limits: enough },
    { title: 'rows end at the limit', use: useOf([64]), limits: { ...enough, valueBytesMax: 64 } },
  ])('none where $title', ({ use, limits }) => {
    expect(use.findings(limits)).toEqual([])
  })

  test('rows that are longer than the limit are counted', () => {
    expect(useOf([60, 65, 100, 2000]).findings({ ...enough, valueBytesMax: 64 })).toEqual([
      'hash-max-listpack-value is 64 bytes, and 3 of 4 rows written into buckets are longer: ' +
        'one such row makes its bucket a hash table; raise the limit, or give the view packing: string',
    ])
  })

  test('buckets that hold more rows than the limit allows', () => {
    expect(useOf([60]).findings({ ...enough, entriesMax: 32 })).toEqual([
      'hash-max-listpack-entries is 32, and buckets hold about 64 rows: they become hash tables, ' +
        'which are larger than keys of their own; set it to at least 96',
    ])
  })

  test('limits that cannot be read', () => {
    expect(useOf([60]).findings(undefined)).toEqual([
      expect.stringContaining('the listpack limits could not be read (CONFIG GET is refused)'),
    ])
  })
})
