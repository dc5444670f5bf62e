/**
 * Random damage to request messages, field by field.
 *
 * The idea: a message is a tree of plain values. A mutation picks a place anywhere in the tree and puts
 * something of the same kind there that a careless or hostile client might have sent, so that whatever
 * the message, most damage still parses and reaches the code behind.
 */
import type { Prng } from '../../src/prng.js'
import { mutateRow } from './random-row.js'
import { pick } from './sim-history.js'

/** A place in a message: its owner, and the name or index under which it stands there. */
interface Place {
  readonly owner: object
  readonly name: string
  readonly value: unknown
}

const oddTexts = [
  '',
  'wide',
  'wide.',
  '.',
  'id',
  'mark',
  ' ',
  'ä\u0000b',
  '@',
  'm@1',
  'm@stable',
  'm@9',
]
const oddNumbers = [0, 1, 2, 7, 255, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]
const oddBigInts = [0n, 1n, -1n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const oddCounts = [0, 1, 2, 3, 4, 255, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1]
const fixedClasses = ['f32', 'f64', 'i64'] as const
/** Bytes of a field that is only too long. */
const longBytesMax = 100_000

/** `message` with one to four places damaged; `message` itself stays as it is. */
export function damageMessage<Message extends object>(message: Message, prng: Prng): Message {
  const damaged = structuredClone(message)
  for (let count = 1 + prng.below(4); count > 0; count--) {
    const place = pick(placesOf(damaged), prng)
    Reflect.set(place.owner, place.name, damageValue(place.value, prng))
  }
  return damaged
}

/** Every place in a message but single bytes of a field. */
function placesOf(owner: object): Place[] {
  return Object.entries(owner).flatMap(([name, value]: [string, unknown]): Place[] => {
    const place = { owner, name, value }
    const isInner = typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
    return isInner ? [place, ...placesOf(value)] : [place]
  })
}

function damageValue(value: unknown, prng: Prng): unknown {
  if (value instanceof Uint8Array) return damageField(value, prng)
  if (Array.isArray(value)) return damageList(value, prng)
  switch (typeof value) {
    case 'string':
      return prng.below(8) === 0 ? 'x'.repeat(prng.below(3000)) : damageText(value, prng)
    case 'number':
      return pick(oddNumbers, prng)
    case 'bigint':
      // Unsigned fields take no negative number; the greatest signed one fits both.
      return value < 0n ? pick(oddBigInts, prng) : pick(oddBigInts, prng) & (2n ** 63n - 1n)
    case 'boolean':
      return !value
    default:
      return damageChoice(value, prng)
  }
}

function damageText(text: string, prng: Prng): string {
  // A class of values or a target becomes another that holds the same kind of thing.
  if (fixedClasses.some((known) => known === text)) return pick(fixedClasses, prng)
  if (text === 'service' || text === 'view') return pick(['service', 'view'], prng)
  if (text === 'var' || text === 'list') return text
  const at = prng.below(text.length + 1)
  return pick(
    [...oddTexts, text.slice(0, at), `${text}${text}`, `${text.slice(0, at)}\u{1f600}`],
    prng,
  )
}

/** A field of bytes: cut, grown, or with values that are no length, no status, no number. */
function damageField(bytes: Uint8Array, prng: Prng): Buffer {
  switch (prng.below(6)) {
    case 0:
      return Buffer.from(bytes.subarray(0, prng.below(bytes.byteLength + 1)))
    case 1:
      return Buffer.alloc(prng.below(prng.below(8) === 0 ? longBytesMax : 100), prng.below(256))
    case 2: {
      const counts = Buffer.from(bytes)
      const at = 4 * prng.below(Math.floor(bytes.byteLength / 4) + 1)
      if (at + 4 <= counts.byteLength) counts.writeUInt32LE(pick(oddCounts, prng), at)
      return counts
    }
    case 3:
      return Buffer.concat([bytes, bytes])
    default:
      return mutateRow(Buffer.from(bytes), prng)
  }
}

function damageList(list: readonly unknown[], prng: Prng): unknown[] {
  const at = prng.below(list.length + 1)
  switch (prng.below(4)) {
    case 0:
      return [...list.slice(0, at), ...list.slice(at + 1)]
    case 1:
      return [...list, ...list.slice(at)]
    case 2:
      return [...list].reverse()
    default:
      return prng.below(20) === 0 && list.length > 0 ? repeat(list, 3000) : []
  }
}

function repeat(list: readonly unknown[], count: number): unknown[] {
  return Array.from({ length: count }, (_, index) => list[index % list.length])
}

/** A message in a message, or one of several: gone, or of another class with the same bytes. */
function damageChoice(value: unknown, prng: Prng): unknown {
  if (typeof value !== 'object' || value === null || !('$case' in value)) return value
  if (prng.below(2) === 0) return undefined
  const inner = 'value' in value ? value.value : undefined
  if (!(inner instanceof Uint8Array)) return undefined
  const values = { data: inner, lengths: Buffer.from(inner.subarray(0, prng.below(40))) }
  return pick(
    [
      { $case: 'var', value: values },
      {
        $case: 'list',
        value: { lengths: values.lengths, elements: { $case: 'f32', value: inner } },
      },
      { $case: 'list', value: { lengths: inner, elements: { $case: 'var', value: values } } },
    ],
    prng,
  )
}
