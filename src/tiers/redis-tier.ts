/**
 * The Redis tier: rows as Redis strings, read by one MGET, written by a script that compares versions.
 *
 * Redis keeps its own time: what it is handed are durations, and expired rows go by themselves. A lost
 * server is told at once instead of queued for: reads leave their slots failed, writes throw
 * `unavailable`, and the connection comes back by itself. No persistence is asked of it: what is
 * durable is warm's.
 */
import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { assert } from '../assert.js'
import { LarderError } from '../errors.js'
import type { HashSeeds } from '../hash-seeds.js'
import {
  redisConnectTimeoutMs,
  redisReconnectDelayMsMax,
  redisScriptBytesMax,
  redisScriptRowsMax,
  redisSilenceMsMax,
} from '../limits.js'
import type { Prng } from '../prng.js'
import { failSlots, throwIfAborted, untilAborted } from './abortable.js'
import { withJitter } from './expiry.js'
import type { KeyBatch } from './key-batch.js'
import { redisFindings, serverVersionOf } from './redis-findings.js'
import { type PackedKey, packKeys, packRows, unpackValue, writeScript } from './redis-packing.js'
import type { RowBatch, TierCode } from './row-batch.js'
import { allIndices, assertRows, keepMsOfWrite, planSteps, rowOfWrite } from './row-writes.js'
import type { RowWrites, Tier, TierStats, WriteResult } from './tier.js'

const scriptSha = createHash('sha1').update(writeScript).digest('hex')

export interface RedisTierOptions {
  readonly url: string
  readonly kind: 'redis' | 'rediss'
  readonly displayUrl: string
  readonly seeds: HashSeeds
  readonly prng: Prng
}

/** Connects. Throws `unavailable` with the reason where the server is not there. */
export async function openRedisTier(
  options: RedisTierOptions,
  signal: AbortSignal,
): Promise<RedisTier> {
  throwIfAborted(signal)
  const client = new Redis(options.url, {
    lazyConnect: true,
    connectTimeout: redisConnectTimeoutMs,
    socketTimeout: redisSilenceMsMax,
    // A lost server fails its callers now: they have deadlines, and warm to turn to.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 10), redisReconnectDelayMsMax),
  })
  const tier = new RedisTier(client, options)
  try {
    await untilAborted(client.connect(), signal)
    return tier
  } catch (cause) {
    await tier.close()
    throw cause instanceof LarderError ? cause : tier.unavailable(cause)
  }
}

export class RedisTier implements Tier {
  readonly kind: 'redis' | 'rediss'
  readonly displayUrl: string
  readonly durable = false
  readonly #client: Redis
  readonly #seeds: HashSeeds
  readonly #prng: Prng
  /** Why the connection was last lost; commands only say that it is. */
  #connectionError: Error | undefined
  /** Reads that met another entity's row under the same 128-bit hash. */
  #hashCollisionCount = 0

  constructor(client: Redis, { kind, displayUrl, seeds, prng }: RedisTierOptions) {
    this.kind = kind
    this.displayUrl = displayUrl
    this.#client = client
    this.#seeds = seeds
    this.#prng = prng
    client.on('error', (error: Error) => {
      this.#connectionError = error
    })
    client.on('ready', () => {
      this.#connectionError = undefined
    })
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
      const places = packKeys(keys, slots, this.#seeds)
      const values = await untilAborted(
        this.#client.mgetBuffer(places.map(({ key }) => key)),
        signal,
      )
      places.forEach((place, index) => {
        const row = this.#rowOf(place, values[index] ?? null)
        const slot = slots[index] ?? 0
        if (row === undefined) into.setAbsent(slot, from)
        else into.setRow(slot, row, from)
      })
      return undefined
    } catch (thrown) {
      failSlots(into, slots, from)
      return this.#asTierError(thrown)
    }
  }

  async write(writes: RowWrites, signal: AbortSignal): Promise<WriteResult> {
    throwIfAborted(signal)
    assertRows(writes)
    const indices = allIndices(writes.keys.count)
    const places = packKeys(writes.keys, indices, this.#seeds)
    const bounds = { rowsMax: redisScriptRowsMax, bytesMax: redisScriptBytesMax }
    const calls = planSteps(writes, indices, bounds).map((step) =>
      this.#scriptArguments(writes, step, places),
    )
    try {
      return { storedCount: await untilAborted(this.#runScripts(calls), signal) }
    } catch (thrown) {
      throw this.#asTierError(thrown)
    }
  }

  async remove(keys: KeyBatch, signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    if (keys.count === 0) return
    const places = packKeys(keys, allIndices(keys.count), this.#seeds)
    await this.#ask(this.#client.unlink(places.map(({ key }) => key)), signal)
  }

  /** Redis holds hashes of long keys: it cannot tell which entities its rows are of. */
  scan(): undefined {
    return undefined
  }

  /** Redis removes what is past by itself. */
  async reclaim(signal: AbortSignal): Promise<number> {
    throwIfAborted(signal)
    return 0
  }

  async ping(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    await this.#ask(this.#client.ping(), signal)
  }

  async stats(signal: AbortSignal): Promise<TierStats> {
    throwIfAborted(signal)
    const info = await this.#ask(this.#client.info(), signal)
    const rowCount = await this.#ask(this.#client.dbsize(), signal)
    const findings = redisFindings(info)
    if (this.#hashCollisionCount > 0) {
      findings.push(`${this.#hashCollisionCount} reads met another entity's row under their hash`)
    }
    return {
      serverVersion: serverVersionOf(info),
      rowCount,
      storedBytes: Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? Number.NaN) || undefined,
      findings,
    }
  }

  async close(): Promise<void> {
    this.#client.disconnect()
  }

  /** `cause` as `unavailable`, with why the connection was lost where that says more. */
  unavailable(cause: unknown): LarderError {
    const told = this.#connectionError ?? cause
    const reason = told instanceof Error ? told.message : String(told)
    return new LarderError('unavailable', `${this.displayUrl}: ${reason}`, { cause })
  }

  #rowOf(place: PackedKey, value: Buffer | null): Buffer | undefined {
    if (value === null) return undefined
    const row = unpackValue(place, value)
    if (row === undefined) this.#hashCollisionCount++
    return row
  }

  #scriptArguments(
    writes: RowWrites,
    step: Uint32Array,
    places: readonly PackedKey[],
  ): (Buffer | number)[] {
    const rows = Array.from(step, (index) => ({
      place: placeAt(places, index),
      row: rowOfWrite(writes, index),
      keepMs: withJitter(Math.max(1, keepMsOfWrite(writes, index)), this.#prng),
    }))
    return [rows.length, ...rows.map(({ place }) => place.key), packRows(rows)]
  }

  /** Runs the script once per call, all in one pipeline; sends its text where Redis lost it. */
  async #runScripts(calls: readonly (Buffer | number)[][]): Promise<number> {
    const answers = await this.#pipeline('EVALSHA', scriptSha, calls)
    const forgotten = calls.filter((_, index) => isUnknownScript(answers[index]?.[0]))
    const repeated = await this.#pipeline('EVAL', writeScript, forgotten)
    let storedCount = 0
    for (const [error, count] of [...answers, ...repeated]) {
      if (error === null) storedCount += Number(count)
      else if (!isUnknownScript(error)) throw error
    }
    return storedCount
  }

  async #pipeline(
    command: 'EVALSHA' | 'EVAL',
    script: string,
    calls: readonly (Buffer | number)[][],
  ): Promise<[Error | null, unknown][]> {
    if (calls.length === 0) return []
    const pipeline = this.#client.pipeline()
    for (const args of calls) pipeline.call(command, script, ...args)
    return (await pipeline.exec()) ?? []
  }

  async #ask<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
    try {
      return await untilAborted(answer, signal)
    } catch (thrown) {
      throw this.#asTierError(thrown)
    }
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
    return this.unavailable(thrown)
  }
}

function placeAt(places: readonly PackedKey[], index: number): PackedKey {
  const place = places[index]
  assert(place !== undefined, 'every key of a write has a place')
  return place
}

function isUnknownScript(error: Error | null | undefined): boolean {
  return error?.message.startsWith('NOSCRIPT') === true
}
