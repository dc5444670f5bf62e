/**
 * The limits up to which Redis keeps a hash as a listpack, which is what makes buckets small.
 *
 * Beyond the count of entries or the length of one value Redis makes the hash a hash table, which takes
 * two to three times the memory.
 */
import { isArrayReply, type RedisReply } from './redis-connection.js'

/** Entries of a hash and bytes of each value up to which Redis keeps it as a listpack. */
export interface ListpackLimits {
  readonly entriesMax: number
  readonly valueBytesMax: number
}

/** The limits by the names that `CONFIG GET hash-max-*` has; until Redis 7 they were the ziplist's. */
const limitNames = {
  entriesMax: ['hash-max-listpack-entries', 'hash-max-ziplist-entries'],
  valueBytesMax: ['hash-max-listpack-value', 'hash-max-ziplist-value'],
} as const

/** The arguments of the CONFIG that tells the limits. */
export const listpackConfigArgs = ['get', 'hash-max-*'] as const

/** The limits that hold on all servers; `unknown` where one refused CONFIG, or does not tell them. */
export function leastListpackLimits(
  replies: readonly (RedisReply | Error)[],
): ListpackLimits | 'unknown' {
  const limits = replies.map(parseListpackLimits)
  const least = (field: keyof ListpackLimits) =>
    Math.min(...limits.map((each) => each?.[field] ?? Number.NaN))
  const [entriesMax, valueBytesMax] = [least('entriesMax'), least('valueBytesMax')]
  return Number.isFinite(entriesMax + valueBytesMax) ? { entriesMax, valueBytesMax } : 'unknown'
}

function parseListpackLimits(reply: RedisReply | Error): ListpackLimits | undefined {
  if (reply instanceof Error || !isArrayReply(reply)) return undefined
  const texts = reply.map(String)
  const limitOf = (names: readonly string[]) => {
    const index = texts.findIndex((text, at) => at % 2 === 0 && names.includes(text))
    return index < 0 ? Number.NaN : Number(texts[index + 1])
  }
  const entriesMax = limitOf(limitNames.entriesMax)
  const valueBytesMax = limitOf(limitNames.valueBytesMax)
  return Number.isNaN(entriesMax + valueBytesMax) ? undefined : { entriesMax, valueBytesMax }
}
