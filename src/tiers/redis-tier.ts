/**
 * The Redis tier: rows as Redis strings, read by one MGET, or many to a hash, read by one script call;
 * written by scripts that compare versions.
 *
 * Redis keeps its own time: what it is handed are durations, and expired rows go by themselves. A lost
 * server is told at once instead of queued for: reads leave their slots failed, writes throw
 * `unavailable`, and the connection comes back by itself. No persistence is asked of it: what is
 * durable is warm's. How many servers there are, its `RedisConnection` knows.
 */
import { unknownLayout } from '../codec/row-version.js'
import { LarderError } from '../errors.js'
import type { HashSeeds } from '../hash-seeds.js'
import type { Prng } from '../prng.js'
import { failSlots, throwIfAborted } from './abortable.js'
import type { KeyBatch } from './key-batch.js'
import { leastListpackLimits, listpackConfigArgs } from './listpack-limits.js'
import type { RedisCall } from './redis-command.js'
import type { RedisCommand, RedisConnection, RedisReply } from './redis-connection.js'
import { redisFindings, serverVersionOf, usedMemoryOf } from './redis-findings.js'
import {
  groupPlaces,
  type PlaceGroup,
  placeRows,
  type RowPlaces,
  splitGroup,
} from './redis-places.js'
import { fillFromReply, planRead, type ReplyTarget } from './redis-reads.js'
import { openRedisServerConnection } from './redis-server-connection.js'
import { parseWriteReply, planRemovals, planWrites } from './redis-writes.js'
import type { RowBatch, TierCode } from './row-batch.js'
import { assertRows } from './row-writes.js'
import type { RowWrites, Tier, TierStats, WriteResult } from './tier.js'

export interface RedisTierOptions {
  readonly kind: 'redis' | 'rediss' | 'redis+cluster'
  readonly displayUrl: string
  readonly seeds: HashSeeds
  readonly prng: Prng
}

/** Connects to one server. Throws `unavailable` with the reason where it is not there. */
export async function openRedisTier(
  options: RedisTierOptions & { readonly url: string },
  signal: AbortSignal,
): Promise<RedisTier> {
  throwIfAborted(signal)
  try {
    return new RedisTier(await openRedisServerConnection(options.url, signal), options)
  } catch (thrown) {
    throw thrown instanceof LarderError ? thrown : unavailable(options.displayUrl, thrown)
  }
}

export class RedisTier implements Tier {
  readonly kind: RedisTierOptions['kind']
  readonly displayUrl: string
  readonly durable = false
  readonly #connection: RedisConnection
  readonly #seeds: HashSeeds
  readonly #prng: Prng
  /** Reads that met another entity's row under the same 128-bit hash. */
  #hashCollisionCount = 0

  /** The tier closes `connection`. */
  constructor(connection: RedisConnection, { kind, displayUrl, seeds, prng }: RedisTierOptions) {
    this.kind = kind
    this.displayUrl = displayUrl
    this.#connection = connection
    this.#seeds = seeds
    this.#prng = prng
  }

  async read(
    keys: KeyBatch,
    slots: Uint32Array,
    into: RowBatch,
    from: TierCode,
    signal: AbortSignal,
  ): Promise<Error | undefined> {
    if (slots.length === 0) return undefined
    try {
      throwIfAborted(signal)
      const places = placeRows(keys, slots, this.#placing)
      const groups = groupPlaces(places, this.#connection.shardCount)
      return await this.#readGroups(places, groups, { into, from }, signal)
    } catch (thrown) {
      failSlots(into, slots, from)
      return this.#asTierError(thrown)
    }
  }

  async write(writes: RowWrites, signal: AbortSignal): Promise<WriteResult> {
    throwIfAborted(signal)
    assertRows(writes)
    const calls = planWrites(writes, { ...this.#placing, prng: this.#prng })
    let storedCount = 0
    let unknownId: number | undefined
    for (const reply of await this.#sendAll(calls, signal)) {
      const result = parseWriteReply(reply)
      storedCount += result.storedCount
      unknownId ??= result.unknownLayoutId
    }
    if (unknownId !== undefined) throw unknownLayout(unknownId)
    return { storedCount }
  }

  async remove(keys: KeyBatch, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    if (keys.count === 0) return
    await this.#sendAll(planRemovals(keys, this.#placing), signal)
  }

  /** Redis holds hashes of long keys: it cannot tell which entities its rows are of. */
  scan(): undefined {
    return undefined
  }

  /** Redis removes what is past by itself; in buckets, writes do. */
  async reclaim(signal: AbortSignal): Promise<number> {
    throwIfAborted(signal)
    return 0
  }

  async ping(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    const replies = await this.#connection.sendToAll('ping', [], signal)
    for (const reply of replies) this.#expectReply(reply)
  }

  /** Of all servers together; those that do not answer are told, unless none does. */
  async stats(signal: AbortSignal): Promise<TierStats> {
    throwIfAborted(signal)
    const replies = await this.#connection.sendToAll('info', [], signal)
    const infos = replies.flatMap((reply) => (reply instanceof Error ? [] : [String(reply)]))
    const failures = replies.flatMap((reply) => (reply instanceof Error ? [reply] : []))
    if (infos.length === 0) throw this.#asTierError(failures[0])
    const limits = await this.#connection.sendToAll('config', listpackConfigArgs, signal)
    const findings = [
      ...failures.map(({ message }) => message),
      ...infos.flatMap((info) => redisFindings(info, this.#connection.shardCount)),
      ...(await this.#connection.findings(signal)),
    ]
    if (this.#hashCollisionCount > 0) {
      findings.push(`${this.#hashCollisionCount} reads met another entity's row under their hash`)
    }
    return {
      serverVersion: serverVersionOf(infos[0] ?? ''),
      // Keys can be counted, and a bucket is one key of many rows.
      rowCount: undefined,
      storedBytes: infos.reduce((sum, info) => sum + usedMemoryOf(info), 0) || undefined,
      findings: [...new Set(findings)],
      listpackLimits: leastListpackLimits(limits),
    }
  }

  async close(): Promise<void> {
    this.#connection.close()
  }

  get #placing() {
    return { seeds: this.#seeds, shardCount: this.#connection.shardCount }
  }

  /** Reads the rows of `groups`; returns why some could not be read. */
  async #readGroups(
    places: RowPlaces,
    groups: readonly PlaceGroup[],
    target: ReplyTarget,
    signal: AbortSignal,
  ): Promise<Error | undefined> {
    const replies = await this.#send(
      groups.map((group) => planRead(places, group)),
      signal,
    )
    let failure: Error | undefined
    const moving: PlaceGroup[] = []
    for (const [index, group] of groups.entries()) {
      const reply = replies[index] ?? null
      if (isOfMovingKeys(reply) && group.positions.length > 1) {
        moving.push(...splitGroup(group))
      } else if (reply instanceof Error) {
        const slots = group.positions.map((position) => places.slots[position] ?? 0)
        failSlots(target.into, slots, target.from)
        failure ??= this.#asTierError(reply)
      } else {
        this.#hashCollisionCount += fillFromReply(places, group, reply, target)
      }
    }
    if (moving.length === 0) return failure
    const failureOfMoving = await this.#readGroups(places, moving, target, signal)
    return failure ?? failureOfMoving
  }

  /** Sends each call's command, with the script's text where a server does not know it. */
  async #send(
    calls: readonly RedisCall[],
    signal: AbortSignal,
  ): Promise<readonly (RedisReply | Error)[]> {
    const replies = await this.#connection.send(
      calls.map(({ first }) => first),
      signal,
    )
    if (!replies.some(isUnknownScript)) return replies
    const repeated: RedisCommand[] = []
    for (const [index, { withText }] of calls.entries()) {
      if (isUnknownScript(replies[index]) && withText !== undefined) repeated.push(withText())
    }
    const later = [...(await this.#connection.send(repeated, signal))]
    return replies.map((reply) => (isUnknownScript(reply) ? (later.shift() ?? reply) : reply))
  }

  /** The replies of `calls`, key by key where that is asked for. Throws the first error at the end. */
  async #sendAll(calls: readonly RedisCall[], signal: AbortSignal): Promise<RedisReply[]> {
    const replies = await this.#send(calls, signal)
    const moving = calls.flatMap(({ byKey }, index) =>
      isOfMovingKeys(replies[index]) && byKey !== undefined ? byKey() : [],
    )
    const later = moving.length === 0 ? [] : await this.#sendAll(moving, signal)
    const whole = replies.filter(
      (reply, index) => !isOfMovingKeys(reply) || calls[index]?.byKey === undefined,
    )
    return [...whole.map((reply) => this.#expectReply(reply)), ...later]
  }

  #expectReply(reply: RedisReply | Error): RedisReply {
    if (reply instanceof Error) throw this.#asTierError(reply)
    return reply
  }

  #asTierError(thrown: unknown): LarderError {
    if (thrown instanceof LarderError) return thrown
    if (thrown instanceof Error && /\bOOM\b/.test(thrown.message)) {
      return new LarderError(
        'hot_out_of_memory',
        `${this.displayUrl} is full: raise its maxmemory or move views to the class relaxed`,
        { cause: thrown },
      )
    }
    // Why the connection was lost says more than that it is.
    return unavailable(this.displayUrl, this.#connection.lostBecause() ?? thrown)
  }
}

function unavailable(displayUrl: string, cause: unknown): LarderError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new LarderError('unavailable', `${displayUrl}: ${reason}`, { cause })
}

/** A cluster's answer to several keys of a slot on its way from one server to another. */
function isOfMovingKeys(reply: RedisReply | Error | undefined): boolean {
  return reply instanceof Error && reply.message.startsWith('TRYAGAIN')
}

function isUnknownScript(reply: RedisReply | Error | undefined): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT')
}
