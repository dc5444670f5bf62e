/**
 * Opens tiers by URL: the one place that knows which kinds there are.
 *
 * An unknown or not yet supported URL is `bad_config` and names what is; a server that is not there is
 * `unavailable`. Once open, a tier finds its server again by itself.
 */
import { resolve } from 'node:path'
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import type { HashSeeds } from '../hash-seeds.js'
import { memoryTierBytesDefault, memoryTierBytesMin } from '../limits.js'
import { type Prng, randomSeed } from '../prng.js'
import type { RegistryStore } from '../registry/registry-store.js'
import { openLmdbRegistryStore } from './lmdb-registry-store.js'
import { openLmdbStore } from './lmdb-store.js'
import { LmdbTier } from './lmdb-tier.js'
import { MemoryTier } from './memory-tier.js'
import { loadMigrations, migrate } from './migrate.js'
import { connectRedisCluster } from './redis-cluster-connection.js'
import { parseRedisClusterUrl, type RedisClusterUrl } from './redis-cluster-url.js'
import { openRedisTier, RedisTier } from './redis-tier.js'
import { dialectOfVersion, type SqlDialect } from './sql-dialect.js'
import { SqlPool } from './sql-pool.js'
import { openSqlRegistryStore } from './sql-registry-store.js'
import { SqlTier } from './sql-tier.js'
import type { Tier } from './tier.js'

/** A tier's URL, taken apart. `displayUrl` hides the password. */
export type TierUrl =
  | { readonly kind: 'memory'; readonly displayUrl: string; readonly bytesMax: number }
  | { readonly kind: 'lmdb'; readonly displayUrl: string; readonly folder: string }
  | { readonly kind: 'redis' | 'rediss'; readonly displayUrl: string; readonly url: string }
  | ({ readonly kind: 'redis+cluster'; readonly displayUrl: string } & RedisClusterUrl)
  | {
      readonly kind: 'postgresql' | 'cockroachdb'
      readonly displayUrl: string
      readonly url: string
    }

/** What is passed in, so that a simulation can run tiers on its own time and luck. */
export interface TierContext {
  readonly clock: Clock
  readonly prng: Prng
}

/** A warm tier and the registry beside its rows; closing the tier closes both. */
export interface WarmTier {
  readonly tier: Tier
  readonly registry: RegistryStore
}

const supported =
  'supported are memory:, lmdb:PATH, redis://, rediss://, redis+cluster://, postgresql:// and cockroachdb://'

/** Takes a tier's URL apart. Throws `bad_config` that names what is supported. */
export function parseTierUrl(text: string): TierUrl {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase()
  switch (scheme) {
    case 'memory':
      return parseMemoryUrl(text)
    case 'lmdb':
      return parseLmdbUrl(text)
    case 'redis':
    case 'rediss':
      return { kind: scheme, ...parseServerUrl(text, checkRedisUrl) }
    case 'postgres':
    case 'postgresql':
      return { kind: 'postgresql', ...parseServerUrl(text, () => undefined) }
    case 'cockroachdb': {
      const { displayUrl, url } = parseServerUrl(text, () => undefined)
      // The driver knows the protocol by PostgreSQL's name only.
      return { kind: scheme, displayUrl, url: url.replace(/^cockroachdb:/i, 'postgresql:') }
    }
    case 'redis+cluster':
      return parseClusterUrl(text)
    case 'redis+sentinel':
      throw badUrl(text, `${scheme}:// is not supported yet; ${supported}`)
    default:
      throw badUrl(text, `is not a tier's URL; ${supported}`)
  }
}

/** Opens the tier in the warm role, with its schema migrated. */
export async function openWarmTier(
  text: string,
  context: TierContext,
  signal: AbortSignal,
): Promise<WarmTier> {
  const url = parseTierUrl(text)
  switch (url.kind) {
    case 'lmdb':
      return openLmdbWarmTier(url.folder, context, signal)
    case 'postgresql':
    case 'cockroachdb':
      return openSqlWarmTier(url, context, signal)
    case 'redis':
    case 'rediss':
    case 'redis+cluster':
      throw badUrl(text, 'Redis is not supported in the warm role yet; use lmdb: or postgresql://')
    case 'memory':
      throw badUrl(text, 'memory: keeps nothing over a restart; warm is lmdb: or postgresql://')
  }
}

/**
 * Opens the tier in the hot role. For LMDB in both roles this is the warm tier itself, which is passed
 * in as `warm`; its owner closes it once.
 */
export async function openHotTier(
  text: string,
  context: TierContext & { readonly seeds: HashSeeds; readonly warm: Tier },
  signal: AbortSignal,
): Promise<Tier> {
  const url = parseTierUrl(text)
  switch (url.kind) {
    case 'memory':
      return new MemoryTier({ ...url, clock: context.clock })
    case 'lmdb':
      if (url.displayUrl === context.warm.displayUrl) return context.warm
      throw badUrl(
        text,
        `lmdb: can be hot only where it is warm too, which is ${context.warm.displayUrl}`,
      )
    case 'redis':
    case 'rediss':
      return openRedisTier({ ...url, seeds: context.seeds, prng: context.prng }, signal)
    case 'redis+cluster':
      return openRedisClusterTier(url, context, signal)
    case 'postgresql':
    case 'cockroachdb':
      throw badUrl(
        text,
        'a SQL database cannot be hot; hot is memory:, redis:// or redis+cluster://',
      )
  }
}

async function openLmdbWarmTier(
  folder: string,
  context: TierContext,
  signal: AbortSignal,
): Promise<WarmTier> {
  const store = openLmdbStore(folder)
  try {
    const registry = await openLmdbRegistryStore(store, signal)
    return { tier: new LmdbTier({ store, clock: context.clock }), registry }
  } catch (thrown) {
    await store.close()
    throw thrown
  }
}

async function openRedisClusterTier(
  url: Extract<TierUrl, { readonly kind: 'redis+cluster' }>,
  context: TierContext & { readonly seeds: HashSeeds },
  signal: AbortSignal,
): Promise<RedisTier> {
  const { kind, displayUrl } = url
  try {
    const connection = await connectRedisCluster({ ...url, clock: context.clock }, signal)
    return new RedisTier(connection, { kind, displayUrl, seeds: context.seeds, prng: context.prng })
  } catch (thrown) {
    const { code, message } = LarderError.from(thrown)
    if (code !== 'unavailable') throw thrown
    if (!message.includes('cluster support disabled')) {
      throw new LarderError(code, `${displayUrl}: ${message}`, { cause: thrown })
    }
    throw badUrl(displayUrl, 'the server is in no cluster: write redis://')
  }
}

async function openSqlWarmTier(
  url: { readonly kind: SqlDialect['name']; readonly displayUrl: string; readonly url: string },
  context: TierContext,
  signal: AbortSignal,
): Promise<WarmTier> {
  const pool = new SqlPool({ ...url, ...context, connectionString: url.url })
  try {
    const version = (await pool.run({ text: 'SELECT version()' }, signal)).rows[0]?.[0] ?? ''
    const dialect = dialectOfVersion(version)
    if (dialect.name !== url.kind) {
      throw badUrl(url.displayUrl, `the server is ${dialect.name}: write ${dialect.name}://`)
    }
    const holder = randomSeed(8).toString('hex')
    await migrate(pool, { dialect, migrations: loadMigrations(), holder }, signal)
    const registry = await openSqlRegistryStore(pool, signal)
    const durabilityFindings = await findUndurable(pool, dialect, signal)
    const serverVersion = `${dialect.name} ${/[0-9][^ ]*/.exec(version)?.[0] ?? version}`
    const { seeds } = registry
    const tier = new SqlTier({ pool, dialect, seeds, serverVersion, durabilityFindings })
    return { tier, registry }
  } catch (thrown) {
    await pool.close()
    throw thrown
  }
}

/** Why a commit on this server may be lost in a crash; empty where none may. */
async function findUndurable(
  pool: SqlPool,
  dialect: SqlDialect,
  signal: AbortSignal,
): Promise<string[]> {
  if (dialect.durability === undefined) return []
  const [settings] = (await pool.run({ text: dialect.durability }, signal)).rows
  const names = ['fsync', 'synchronous_commit']
  return names
    .filter((_, index) => settings?.[index] === 'off')
    .map((name) => `${name} is off: acknowledged rows may be lost in a crash; set it to on`)
}

function parseMemoryUrl(text: string): TierUrl {
  const given = /^memory:(?:\?max_bytes=([0-9]{1,15}))?$/i.exec(text)
  if (given === null) throw badUrl(text, 'is not memory: or memory:?max_bytes=BYTES')
  const bytesMax = given[1] === undefined ? memoryTierBytesDefault : Number(given[1])
  if (bytesMax < memoryTierBytesMin) {
    throw badUrl(text, `max_bytes is ${bytesMax}; at least ${memoryTierBytesMin} are needed`)
  }
  return { kind: 'memory', displayUrl: text, bytesMax }
}

function parseLmdbUrl(text: string): TierUrl {
  const path = text.slice('lmdb:'.length)
  if (path === '') throw badUrl(text, 'names no folder; write lmdb:PATH')
  const folder = resolve(path)
  return { kind: 'lmdb', displayUrl: `lmdb:${folder}`, folder }
}

function parseClusterUrl(text: string): TierUrl {
  const url = parseRedisClusterUrl(text)
  if (typeof url === 'string') throw badUrl(text, url)
  return { kind: 'redis+cluster', displayUrl: hidePassword(text), ...url }
}

function parseServerUrl(
  text: string,
  problemOf: (url: URL) => string | undefined,
): { readonly displayUrl: string; readonly url: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^[a-z+]+:\/\//i.test(text)) {
    throw badUrl(text, 'is not of the form SCHEME://USER:PASSWORD@HOST:PORT/NAME')
  }
  const problem = problemOf(url)
  if (problem !== undefined) throw badUrl(text, problem)
  return { displayUrl: hidePassword(text), url: text }
}

function checkRedisUrl(url: URL): string | undefined {
  if (url.hostname === '') return 'names no host'
  if (!/^(\/[0-9]*)?$/.test(url.pathname))
    return `has the database ${url.pathname.slice(1)}; it must be a number`
  if (url.search !== '') return `has parameters, ${url.search}, and none are supported`
  return undefined
}

function badUrl(text: string, problem: string): LarderError {
  return new LarderError('bad_config', `tier ${hidePassword(text)}: ${problem}`)
}

/** The URL without its password, also where it is too broken to be parsed. */
function hidePassword(text: string): string {
  return text
    .replace(/^([^/]*\/\/[^/@:]*):.*@/, '$1:***@')
    .replace(/([?&]password=)[^&]*/i, '$1***')
}
