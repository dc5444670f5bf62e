/**
 * Golden bytes of the codec: what is written today must be readable for ever. A change to one of
 * these files is a change of format. `docs/formats/row-v1.md` shows them.
 */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { assert } from '../src/assert.js'
import { encodeEntityKeys } from '../src/codec/entity-key.js'
import { encodeVersionOnlyRow } from '../src/codec/row-version.js'
import { encodeWarmKeys, placeHotRows } from '../src/codec/store-key.js'
import type { DefaultScalar, JoinKey } from '../src/declared.js'
import { type FeatureType, formatFeatureType, parseFeatureType } from '../src/feature-type.js'
import { annotatePieces, annotateRow, type NamedCell } from './support/annotate-row.js'
import { encodeCells, layoutOf } from './support/codec-batches.js'
import { wireColumnOf } from './support/codec-columns.js'
import { everyType } from './support/random-row.js'
import { cellOf } from './support/reference-row.js'

const eventTimeUs = 992_628_000_000_000n
const goldenPath = (name: string) => `golden/row-v1/${name}.txt`

type PlainValue = Parameters<typeof cellOf>[1]

function namedCell(name: string, type: FeatureType, value: PlainValue): NamedCell {
  return { name, type, text: formatPlain(value), cell: cellOf(type, value) }
}

function formatPlain(value: PlainValue): string {
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return `[${value.map(formatPlain).join(', ')}]`
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\\u0000', '\\0')
  return Object.is(value, -0) ? '-0' : String(value)
}

/** The native encoder's row of these cells, annotated. */
function annotateEncoded(cells: readonly NamedCell[], layoutId: number): string {
  const layout = layoutOf(
    cells.map(({ type }) => type),
    layoutId,
  )
  const [row] = encodeCells(layout, [cells.map(({ cell }) => cell)], eventTimeUs)
  assert(row !== undefined, 'one row')
  return annotateRow(row, cells)
}

const example: readonly (readonly [name: string, type: string, value: PlainValue])[] = [
  ['departures_7d', 'int32', 5210],
  ['delay_mean_7d', 'float32', 7.25],
  ['is_hub', 'bool', null],
  ['busy_hours', 'list<int32>', [7, 17]],
  ['profile', 'embedding<3, f16>', [1, -0.5, 65504]],
  ['city', 'string', 'Zürich'],
  ['first_seen', 'timestamp', 946684800000000n],
  ['terminals', 'list<string>', ['A', '', 'E']],
  ['taste', 'embedding<2, int8>', [0.5, -0.25]],
]

/** Extremes of every type. */
const extremes: readonly PlainValue[] = [
  ...[true, -128, -32768, -2147483648, -(2n ** 63n), -0, -0, '', Uint8Array.of(), -1n, '\0'],
  ...[[true, false], [-1, 127], [-1, 32767], [-1, 2147483647], [2n ** 63n - 1n]],
  ...[[Number.POSITIVE_INFINITY], [5e-324], ['', 'é'], [Uint8Array.of(0)], [0n], []],
  ...[
    [1e-45, 0, 1],
    [1e-7, -65504, 2 ** -24],
    [0, 0, 0],
  ],
]

describe('rows', () => {
  test('the worked example, which the format document shows', async () => {
    const cells = example.map(([name, typeText, value]) => {
      const type = parseFeatureType(typeText)
      assert(type !== undefined, 'a type')
      return namedCell(name, type, value)
    })
    const golden = annotateEncoded(cells, 300)
    await expect(golden).toMatchFileSnapshot(goldenPath('worked-example'))
    expect(await formatDocument()).toContain(golden)
  })

  test('extremes of every type, and every type null', async () => {
    const cells = everyType.map((type, index) => namedCell('f', type, extremes[index] ?? null))
    const nulls = everyType.map((type) => namedCell('f', type, null))
    const golden = `${annotateEncoded(cells, 2)}\n${annotateEncoded(nulls, 127)}`
    await expect(golden).toMatchFileSnapshot(goldenPath('every-type'))
  })

  test('tombstone and fence', async () => {
    const version = { eventTimeUs, sequence: 2n ** 64n - 1n }
    const golden = annotatePieces(
      Buffer.concat([encodeVersionOnlyRow(0, version), encodeVersionOnlyRow(1, version)]),
      [
        [17, 'tombstone'],
        [17, 'fence'],
      ],
    )
    await expect(golden).toMatchFileSnapshot(goldenPath('version-only'))
    expect(await formatDocument()).toContain(golden)
  })
})

const entityKeys: readonly (readonly (readonly [JoinKey['type'], DefaultScalar])[])[] = [
  [['string', 'JFK']],
  [['string', '']],
  [
    ['string', 'JFK'],
    ['string', 'LAX'],
  ],
  [
    ['string', 'a\0b'],
    ['string', 'a\0b'],
  ],
  [['int32', 7]],
  [['int32', -7]],
  [
    ['int8', 127],
    ['int16', -32768],
    ['int64', 2n ** 53n + 1n],
  ],
  [
    ['bool', true],
    ['timestamp', eventTimeUs],
    ['bytes', Uint8Array.of(0, 255)],
  ],
  [
    ['categorical', ''],
    ['int8', 0],
  ],
]

function entityKeyOf(parts: readonly (readonly [JoinKey['type'], DefaultScalar])[]): Buffer {
  const types = parts.map(([type], index) => ({ name: `k${index}`, type }))
  const columns = parts.map(([scalar, value], index) => {
    const type = { kind: 'scalar', scalar } as const
    return wireColumnOf(`k${index}`, type, [cellOf(type, value)])
  })
  const encoded = encodeEntityKeys(types, columns, 1)
  assert('bytes' in encoded, 'the values fit')
  return encoded.bytes
}

test('entity keys', async () => {
  const lines = entityKeys.map((parts) => {
    const texts = parts.map(([type, value]) => `${type} ${formatPlain(value)}`)
    return `${(entityKeyOf(parts).toString('hex') || '-').padEnd(34)}  ${texts.join(', ')}\n`
  })
  await expect(lines.join('')).toMatchFileSnapshot(goldenPath('entity-keys'))
  expect(await formatDocument()).toContain(lines.join(''))
})

test('hot and warm keys', async () => {
  const seeds = {
    hotKey: 0x0123456789abcdefn,
    hotCheck: 0xfedcba9876543210n,
    warmSpread: 0x0f1e2d3c4b5a6978n,
  }
  const named: readonly (readonly [text: string, key: Buffer, generation: number])[] = [
    ['"JFK", generation 2', Buffer.from('JFK'), 2],
    ['"JFK", generation 300', Buffer.from('JFK'), 300],
    ['40 times "x", generation 2', Buffer.alloc(40, 'x'), 2],
    ['41 times "x", generation 2', Buffer.alloc(41, 'x'), 2],
  ]
  const offsets = new Uint32Array(named.length + 1)
  for (const [index, [, key]] of named.entries()) {
    offsets[index + 1] = (offsets[index] ?? 0) + key.byteLength
  }
  const batch = {
    generations: Float64Array.from(named, ([, , generation]) => generation),
    bytes: Buffer.concat(named.map(([, key]) => key)),
    offsets,
  }
  const slots = Uint32Array.from(named.keys())
  const packings = Float64Array.of(2, 0, 300, 0)
  const hot = placeHotRows(batch, slots, { packings, seeds, isSharded: false })
  const warm = encodeWarmKeys(batch, slots, seeds)
  const lines = named.flatMap(([text], index) => {
    const key = hot.bytes.subarray(hot.offsets[index], hot.offsets[index + 1])
    const check = hot.checks?.subarray(index * 8, (index + 1) * 8)
    return [
      `${text}\n  hot    ${key.toString('hex')}\n`,
      hot.isHashed?.[index] === 1 ? `  check  ${check?.toString('hex')}\n` : '',
      `  warm   ${warm[index]?.toString('hex')}\n`,
    ]
  })
  await expect(lines.join('')).toMatchFileSnapshot(goldenPath('store-keys'))
  expect(await formatDocument()).toContain(lines.join(''))
})

test('places in Redis: both packings, alone and in a cluster', async () => {
  const seeds = { hotKey: 0x0123456789abcdefn, hotCheck: 0n, warmSpread: 0n }
  const keys = [Buffer.from('JFK'), Buffer.alloc(40, 'x'), Buffer.alloc(41, 'x')]
  const names = ['"JFK"', '40 times "x"', '41 times "x"']
  const batch = {
    generations: new Float64Array(keys.length).fill(2),
    bytes: Buffer.concat(keys),
    offsets: Uint32Array.of(0, 3, 43, 84),
  }
  const lines = [false, true].flatMap((isSharded) =>
    [0, 1000].flatMap((bucketCount) => {
      const packings = Float64Array.of(2, bucketCount)
      const slots = Uint32Array.from(keys.keys())
      const { bytes, offsets, fields, fieldOffsets } = placeHotRows(batch, slots, {
        packings,
        seeds,
        isSharded,
      })
      const packing = bucketCount === 0 ? 'string' : `bucket of ${bucketCount}`
      return names.map((name, index) => {
        const key = bytes.subarray(offsets[index], offsets[index + 1]).toString('hex')
        const field = fields?.subarray((fieldOffsets?.[index] ?? 0) + 1, fieldOffsets?.[index + 1])
        const inBucket = bucketCount === 0 ? '' : `  field ${field?.toString('hex')}`
        return `${name}, ${packing}${isSharded ? ', cluster' : ''}\n  key ${key}${inBucket}\n`
      })
    }),
  )
  await expect(lines.join('')).toMatchFileSnapshot(goldenPath('hot-places'))
  expect(await formatDocument()).toContain(lines.join(''))
})

test('every type has its place in the format document', async () => {
  const document = await formatDocument()
  const names = everyType.map((type) =>
    type.kind === 'scalar' ? formatFeatureType(type) : type.kind,
  )
  const missing = names.filter((name) => !document.includes(name))
  expect(missing).toEqual([])
})

function formatDocument(): Promise<string> {
  return readFile(new URL('../docs/formats/row-v1.md', import.meta.url), 'utf8')
}
