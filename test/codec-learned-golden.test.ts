/**
 * Golden bits of a learned row: what is written today must be readable for ever. A change to the file is
 * a change of format. `docs/formats/row-v1.md` shows it.
 */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { assert } from '../src/assert.js'
import type { CodeClass, FeatureEncoding, SymbolCoding } from '../src/encoding-profile.js'
import { parseFeatureType } from '../src/feature-type.js'
import { checkProfile } from '../src/profile-check.js'
import { annotateBits, annotatePieces } from './support/annotate-row.js'
import { sequence } from './support/codec-batches.js'
import { block, decimals, dictionary, floatBits, integers, listOf } from './support/encodings.js'
import { decodeBatch, encodeBatch, keptCells, plainLayout } from './support/learned-batches.js'
import { decodeLearnedRow, type LearnedReferenceLayout } from './support/reference-learned-row.js'
import { cellOf } from './support/reference-row.js'

type Piece = readonly [bitCount: number, text: string]

interface ExampleFeature {
  readonly name: string
  readonly type: string
  readonly encoding: FeatureEncoding
  readonly value: Parameters<typeof cellOf>[1]
  readonly pieces: readonly Piece[]
}

const remark = 'late; '.repeat(10)

const example: readonly ExampleFeature[] = [
  {
    name: 'country',
    type: 'string',
    encoding: dictionary(['US'], [0n, 0]),
    value: 'US',
    pieces: [[0, 'country = "US": the only class has no prefix, its range no bits']],
  },
  {
    name: 'departures_7d',
    type: 'int32',
    encoding: integers(1n, [0n, 4], [16n, 10], 'null'),
    value: 210,
    pieces: [
      [2, 'departures_7d: the second range'],
      [10, 'departures_7d = 16 + 194 = 210'],
    ],
  },
  {
    name: 'arrivals_7d',
    type: 'int32',
    encoding: integers(1n, [0n, 4], [16n, 10], 'null'),
    value: null,
    pieces: [[2, 'arrivals_7d = null, which has a class']],
  },
  {
    name: 'first_seen',
    type: 'timestamp',
    encoding: integers(3_600_000_000n, [262_968n, 8]),
    value: 947_048_400_000_000n,
    pieces: [[8, 'first_seen = (262968 + 101) x 3600000000 = 947048400000000']],
  },
  {
    name: 'delay_mean_7d',
    type: 'float32',
    encoding: decimals([100n, 10, 2], [100n, 10, 1]),
    value: 7.25,
    pieces: [
      [1, 'delay_mean_7d: the class of two digits after the point'],
      [10, 'delay_mean_7d = (100 + 625) / 100 = 7.25'],
    ],
  },
  {
    name: 'delay_max_7d',
    type: 'float32',
    encoding: decimals([100n, 10, 2], [100n, 10, 1]),
    value: 48.5,
    pieces: [
      [1, 'delay_max_7d: the class of one digit'],
      [10, 'delay_max_7d = (100 + 385) / 10 = 48.5'],
    ],
  },
  {
    name: 'load_factor',
    type: 'float32',
    encoding: floatBits(16, [0x3f00n, 7]),
    value: 0.75,
    pieces: [[7, 'load_factor = the float of bits (3f00 + 40) << 16 = 0.75']],
  },
  {
    name: 'carrier',
    type: 'categorical',
    encoding: dictionary(['AA', 'DL', 'UA', 'WN'], [0n, 2], 'literal'),
    value: 'UA',
    pieces: [
      [1, 'carrier: the class of the dictionary'],
      [2, 'carrier = place 2, "UA"'],
    ],
  },
  {
    name: 'partner',
    type: 'categorical',
    encoding: dictionary(['AA', 'DL', 'UA', 'WN'], [0n, 2], 'literal'),
    value: 'HP',
    pieces: [
      [1, 'partner: literally'],
      [24, 'partner = 2 bytes, "HP"'],
    ],
  },
  {
    name: 'busy_hours',
    type: 'list<int32>',
    encoding: listOf([[0n, 3], 'null'], integers(1n, [0n, 5])),
    value: [7, 17],
    pieces: [
      [1, 'busy_hours: not null'],
      [3, 'busy_hours: 2 elements'],
      [5, 'busy_hours = [7,'],
      [5, '17]'],
    ],
  },
  {
    name: 'profile',
    type: 'embedding<3, f16>',
    encoding: listOf([[3n, 0]], floatBits(8, [0n, 8])),
    value: [1, -0.5, 2],
    pieces: [
      [0, 'profile: 3 elements, always'],
      [8, 'profile = [half 3c00, 1,'],
      [8, 'half b800, -0.5,'],
      [8, 'half 4000, 2]'],
    ],
  },
  {
    name: 'taste',
    type: 'embedding<2, int8>',
    encoding: listOf([[2n, 0]], integers(1n, [-64n, 7], 'literal')),
    value: [0.5, -0.25],
    pieces: [
      [32, 'taste: scale'],
      [1, 'taste: the first step literally'],
      [8, 'taste = [127 x scale = 0.5,'],
      [1, 'the second by the range'],
      [7, '(-64 + 0) x scale]'],
    ],
  },
  {
    name: 'remark',
    type: 'string',
    encoding: block(32, [0n, 6]),
    value: remark,
    pieces: [
      [6, `remark: ${remark.length} bytes`],
      [1, 'remark: compressed'],
      [6, 'remark: to 16 bytes'],
      [128, `remark = "${remark}"`],
    ],
  },
  {
    name: 'checksum',
    type: 'int64',
    encoding: { kind: 'plain' },
    value: 0x0102030405060708n,
    pieces: [
      [1, 'checksum: set'],
      [64, 'checksum = 72623859790382856'],
    ],
  },
  {
    name: 'terminal',
    type: 'int8',
    encoding: integers(1n, [1n, 2]),
    value: 9,
    pieces: [
      [1, 'terminal, the exception: set'],
      [8, 'terminal = 9'],
    ],
  },
]

const versionFormat = {
  eventBaseUs: 992_563_200_000_000n,
  eventUnitUs: 60_000_000n,
  eventBytes: 2,
  sequence,
}
const steps = 1080n

test('the worked example, which the format document shows', async () => {
  const features = example.map(({ type: text }, index) => {
    const type = parseFeatureType(text)
    assert(type !== undefined, 'a type')
    return { id: index + 1, type }
  })
  const encodings = new Map(example.map(({ encoding }, index) => [index + 1, encoding]))
  const profile = { id: 1, encodings, sampleRowCount: 1000 }
  checkProfile(profile, features)
  const learned: LearnedReferenceLayout = { layoutId: 300, features, versionFormat, profile }
  const layouts = [learned, plainLayout(features, 299)]
  const cells = features.map(({ type }, index) => cellOf(type, example[index]?.value ?? null))
  const eventTimeUs = versionFormat.eventBaseUs + steps * versionFormat.eventUnitUs
  const [row] = encodeBatch({ layouts, rows: [cells], eventTimesUs: [eventTimeUs] })
  assert(row !== undefined, 'one row')
  const kept = keptCells(cells, features)
  expect(decodeBatch(layouts, [row])).toEqual([kept])
  expect(decodeLearnedRow(row, layouts)).toMatchObject({ eventTimeUs, sequence, cells: kept })

  const parts = [formatProfile(), annotateHead(row), annotateBody(row)]
  await expect(parts.join('\n')).toMatchFileSnapshot('golden/row-v1/learned-example.txt')
  const document = await readFile(new URL('../docs/formats/row-v1.md', import.meta.url), 'utf8')
  expect(parts.filter((part) => !document.includes(part))).toEqual([])
})

const headBytes = 4

function annotateHead(row: Buffer): string {
  return annotatePieces(row.subarray(0, headBytes), [
    [2, 'layout id 300'],
    [2, `event time 992563200000000 + ${steps} x 60000000 us`],
  ])
}

function annotateBody(row: Buffer): string {
  const pieces: Piece[] = [
    [1, 'the row has exceptions'],
    [example.length, 'one of them: terminal'],
    ...example.flatMap((feature) => feature.pieces),
  ]
  const bitCount = pieces.reduce((sum, [bits]) => sum + bits, 0)
  const body = row.subarray(headBytes)
  return annotateBits(body, [...pieces, [8 * body.byteLength - bitCount, 'up to the byte']])
}

/** A line for each feature: its encoding in words. */
function formatProfile(): string {
  const lines = example.map(
    ({ name, type, encoding }) =>
      `${name.padEnd(14)} ${type.padEnd(18)} ${formatEncoding(encoding)}`,
  )
  return `${lines.join('\n')}\n`
}

function formatEncoding(encoding: FeatureEncoding): string {
  switch (encoding.kind) {
    case 'plain':
      return 'plain'
    case 'coded':
      return formatCoding(encoding.coding)
    case 'packed_list':
      return `lengths ${formatTable(encoding.lengths)}; elements ${formatCoding(encoding.elements)}`
    case 'block':
      return `lengths ${formatTable(encoding.lengths)}; LZ4 from ${encoding.lz4BytesMin} bytes`
  }
}

function formatCoding({ mapping, classes }: SymbolCoding): string {
  switch (mapping.kind) {
    case 'integer':
      return `integer, unit ${mapping.unit} ${formatTable(classes)}`
    case 'decimal':
      return `decimal ${formatTable(classes)}`
    case 'float_bits':
      return `float_bits, shift ${mapping.shift} ${formatTable(classes)}`
    case 'dictionary':
      return `dictionary ${mapping.values.map(String).join(' ')} ${formatTable(classes)}`
  }
}

/** Prefix and content of each class; the tables of the example have unary prefixes. */
function formatTable(classes: readonly CodeClass[]): string {
  const texts = classes.map((code, index) => {
    const isLast = index === classes.length - 1
    const prefix = '1'.repeat(isLast ? code.prefixBits : index) + (isLast ? '' : '0')
    return `${prefix || '-'}: ${formatClass(code)}`
  })
  return `{${texts.join(', ')}}`
}

function formatClass(code: CodeClass): string {
  if (code.kind !== 'range') return code.kind
  const { base, width, exponent } = code
  const divisor = exponent === 0 ? '' : ` / 10^${exponent}`
  return `${base}..${base + (1n << BigInt(width)) - 1n}${divisor}`
}
