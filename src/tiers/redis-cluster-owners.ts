/**
 * Who serves which shard of a Redis Cluster, read from CLUSTER SLOTS. Pure.
 */
import { shardCount } from '../codec/store-key.js'
import { LarderError } from '../errors.js'
import { slotCount, slotOfShard } from './redis-shards.js'

/** `host:port` of a node, as the cluster tells it. */
export type NodeAddress = string

export interface ClusterOwners {
  /** By shard its node; undefined where no node serves it. */
  readonly ofShard: readonly (NodeAddress | undefined)[]
  /** Every node that serves slots, each once. */
  readonly nodes: readonly NodeAddress[]
  /** Slots that some node serves: `slotCount` where all is well. */
  readonly servedSlotCount: number
}

/** A redirection that a node answered instead of a reply. */
export interface Redirection {
  /** `ask`: this command only, after ASKING. `moved`: from now on. */
  readonly kind: 'moved' | 'ask'
  readonly slot: number
  readonly address: NodeAddress
}

interface SlotRange {
  readonly first: number
  readonly last: number
  readonly address: NodeAddress
}

/**
 * Reads the reply of CLUSTER SLOTS, given by the node at `askedHost`: nodes that do not know their own
 * name are there. Throws `unavailable` where it is no such reply.
 */
export function parseClusterSlots(reply: unknown, askedHost: string): ClusterOwners {
  if (!Array.isArray(reply)) throw unreadable(reply)
  const ranges = reply.map((range) => parseRange(range, askedHost))
  const ofShard = Array.from({ length: shardCount }, (_, shard) => {
    const slot = slotOfShard(shard)
    return ranges.find(({ first, last }) => first <= slot && slot <= last)?.address
  })
  return {
    ofShard,
    nodes: [...new Set(ranges.map(({ address }) => address))],
    servedSlotCount: ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0),
  }
}

/**
 * The redirection in an error's message, or undefined where it is none. `askedHost` stands in for the
 * host where the node does not know its name.
 */
export function redirectionOf(message: string, askedHost: string): Redirection | undefined {
  const [, word, slot, host, port] = /^(MOVED|ASK) (\d+) (.*):(\d+)$/.exec(message) ?? []
  if (word === undefined) return undefined
  return {
    kind: word === 'MOVED' ? 'moved' : 'ask',
    slot: Number(slot),
    address: `${hostOf(host, askedHost)}:${port}`,
  }
}

function parseRange(range: unknown, askedHost: string): SlotRange {
  const [first, last, owner]: unknown[] = Array.isArray(range) ? range : []
  const [host, port]: unknown[] = Array.isArray(owner) ? owner : []
  const isRange = isSlot(first) && isSlot(last) && first <= last
  if (!isRange || !Number.isInteger(port)) throw unreadable(range)
  return { first, last, address: `${hostOf(host, askedHost)}:${port}` }
}

function isSlot(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < slotCount
}

/** Redis leaves the host empty or null where it is the one that was asked, `?` where it has none. */
function hostOf(host: unknown, askedHost: string): string {
  const name = host === null || host === undefined ? '' : String(host)
  return name === '' || name === '?' ? askedHost : name
}

function unreadable(reply: unknown): LarderError {
  const shown = JSON.stringify(reply)?.slice(0, 80)
  return new LarderError('unavailable', `CLUSTER SLOTS answered what nobody can read: ${shown}`)
}
