import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { CodeClass } from '../encoding-profile.js'
import { checkProfile } from '../profile-check.js'
import { learnTable } from './learn-classes.js'
import type { TableTask } from './symbol-counts.js'

const int64 = { kind: 'scalar', scalar: 'int64' } as const

function taskOf(counts: ReadonlyMap<bigint, number>, given: Partial<TableTask> = {}): TableTask {
  const symbols = BigInt64Array.from(counts.keys()).sort()
  return {
    counted: {
      symbols,
      counts: Float64Array.from(symbols, (symbol) => counts.get(symbol) ?? 0),
      exponents: new Int8Array(symbols.length),
    },
    nullCount: 0,
    unmappedCount: 0,
    literalBits: 64,
    exceptionBits: 23,
    least: -(2n ** 63n),
    greatest: 2n ** 63n - 1n,
    ...given,
  }
}

const extremes = [0n, -1n, 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, 1n - 2n ** 53n]
const taskArbitrary = fc
  .record({
    symbols: fc.array(
      fc.tuple(
        fc.oneof(fc.constantFrom(...extremes), fc.bigInt(-1000n, 1000n), fc.bigInt(0n, 2n ** 62n)),
        fc.integer({ min: 1, max: 1000 }),
      ),
      { maxLength: 400 },
    ),
    nullCount: fc.nat(100),
    unmappedCount: fc.nat(100),
  })
  .map(({ symbols, ...given }) => taskOf(new Map(symbols), given))

test('every table is valid, and takes what it says', () => {
  let tableCount = 0
  fc.assert(
    fc.property(taskArbitrary, (task) => {
      const { classes, sampleBits } = learnTable(task)
      expect(() => checkTable(classes)).not.toThrow()
      expect(sampleBits).toBe(countedBits(task, classes))
      tableCount++
    }),
    { seed: 3, numRuns: 200 },
  )
  expect(tableCount).toBe(200)
})

function checkTable(classes: readonly CodeClass[]): void {
  const encoding = {
    kind: 'coded',
    coding: { mapping: { kind: 'integer', unit: 1n }, classes },
  } as const
  const profile = { id: 0, encodings: new Map([[1, encoding]]), sampleRowCount: 0 }
  checkProfile(profile, [{ id: 1, type: int64 }])
}

/** Symbol by symbol, by the format document. */
function countedBits(task: TableTask, classes: readonly CodeClass[]): number {
  const literal = classes.find(({ kind }) => kind === 'literal')
  const literalBits = 64 + (literal?.prefixBits ?? task.exceptionBits)
  const nullClass = classes.find(({ kind }) => kind === 'null')
  const symbols = Array.from(task.counted.symbols, (symbol, index) => {
    const code = classes.find((each) => holds(each, symbol))
    const bits = code?.kind === 'range' ? code.prefixBits + code.width : literalBits
    return bits * (task.counted.counts[index] ?? 0)
  })
  const nullBits = task.nullCount * (nullClass?.prefixBits ?? task.exceptionBits)
  return symbols.reduce((sum, bits) => sum + bits, nullBits + task.unmappedCount * literalBits)
}

function holds(code: CodeClass, symbol: bigint): boolean {
  if (code.kind !== 'range') return false
  return symbol >= code.base && symbol < code.base + (1n << BigInt(code.width))
}

function ranges(classes: readonly CodeClass[]) {
  return classes.filter((code) => code.kind === 'range')
}

test('a small sample of a wide uniform range is one class, not points learned by heart', () => {
  const symbols = Array.from({ length: 200 }, (_, index) => BigInt((index * 7_919_003) % 2 ** 20))
  const { classes } = learnTable(taskOf(new Map(symbols.map((symbol) => [symbol, 1]))))
  expect(ranges(classes)).toHaveLength(1)
  expect(ranges(classes)[0]).toMatchObject({ width: 20 })
})

test('gaps between values that came once are covered, and a little beyond them', () => {
  const symbols = Array.from({ length: 100 }, (_, index) => BigInt(1000 + 17 * index))
  const { classes } = learnTable(taskOf(new Map(symbols.map((symbol) => [symbol, 1]))))
  const unseen = Array.from({ length: 1800 }, (_, index) => BigInt(950 + index))
  expect(unseen.filter((symbol) => !classes.some((code) => holds(code, symbol)))).toEqual([])
})

test('symbols that come often leave the numbers between them out', () => {
  const { classes } = learnTable(
    taskOf(
      new Map([
        [0n, 500],
        [1_000_000n, 500],
      ]),
    ),
  )
  expect(ranges(classes).map(({ width }) => width)).toEqual([0, 0])
})

test('ranges stay within the bounds of what can be', () => {
  const counts = new Map(Array.from({ length: 100 }, (_, index) => [BigInt(index), 1]))
  const { classes } = learnTable(taskOf(counts, { least: 0n, greatest: 127n }))
  expect(ranges(classes)).toEqual([
    { kind: 'range', prefixBits: 0, base: 0n, width: 7, exponent: 0 },
  ])
})

test.each([
  { name: 'only nulls', given: { nullCount: 5 }, kinds: ['null'] },
  { name: 'only values without symbols', given: { unmappedCount: 5 }, kinds: ['literal'] },
  {
    name: 'nulls and values without symbols',
    given: { nullCount: 5, unmappedCount: 5 },
    kinds: ['null', 'literal'],
  },
  {
    name: 'nulls, where literals cannot be',
    given: { nullCount: 5, literalBits: undefined },
    kinds: ['null'],
  },
])('a table of $name', ({ given, kinds }) => {
  const { classes } = learnTable(taskOf(new Map(), given))
  expect(classes.map(({ kind }) => kind)).toEqual(kinds)
})
