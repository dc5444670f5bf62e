/**
 * The nodes of a Redis Cluster, and which of them serves each shard.
 *
 * The idea: what is known of the cluster is good until a node says otherwise. Who meets a redirection or
 * a lost node asks for another look (`lookSoon`), which happens beside the requests and at most every
 * `redisClusterLookMsMin`; a redirection is believed at once. Nodes are asked in turn, each look starting
 * with another, so that one with an old view of the cluster, cut off from the rest, is not always heard.
 */
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import { redisClusterLookMsMin, redisClusterLookTimeoutMs } from '../limits.js'
import { untilAborted } from './abortable.js'
import { type NodeCredentials, RedisClusterNode } from './redis-cluster-node.js'
import { type ClusterOwners, type NodeAddress, parseClusterSlots } from './redis-cluster-owners.js'
import { splitAddress } from './redis-cluster-url.js'
import { shardOfSlot } from './redis-shards.js'

export interface RedisClusterNodesOptions {
  /** Whom to ask first, and again when no node known of answers. At least one. */
  readonly seeds: readonly NodeAddress[]
  readonly credentials: NodeCredentials
  readonly clock: Clock
}

export class RedisClusterNodes {
  readonly #options: RedisClusterNodesOptions
  readonly #nodes = new Map<NodeAddress, RedisClusterNode>()
  #ofShard: (NodeAddress | undefined)[] = []
  #serving: readonly NodeAddress[] = []
  #servedSlotCount = 0
  #lookCount = 0
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined
  #isClosed = false

  constructor(options: RedisClusterNodesOptions) {
    this.#options = options
  }

  /** The nodes that serve slots, as of the last look. */
  get serving(): readonly NodeAddress[] {
    return this.#serving
  }

  /** Slots that some node serves, as of the last look. */
  get servedSlotCount(): number {
    return this.#servedSlotCount
  }

  /** The node that serves `shard`; undefined where none does. */
  ownerOf(shard: number): NodeAddress | undefined {
    return this.#ofShard[shard]
  }

  /** The node at `address`, to which a connection is made where there is none yet. */
  at(address: NodeAddress): RedisClusterNode {
    const known = this.#nodes.get(address)
    if (known !== undefined) return known
    const node = new RedisClusterNode(address, this.#options.credentials)
    if (this.#isClosed) node.close()
    this.#nodes.set(address, node)
    return node
  }

  /** Takes a node's word for who serves `slot` from now on, and looks for what else has moved. */
  believeMoved(slot: number, address: NodeAddress): void {
    const shard = shardOfSlot(slot)
    if (shard !== undefined) this.#ofShard[shard] = address
    this.lookSoon()
  }

  /** Looks in the background unless a look is under way or was a moment ago. */
  lookSoon(): void {
    const sinceLookMs = this.#options.clock.monotonicMs() - this.#lookedAtMs
    if (this.#isClosed || this.#looking !== undefined || sinceLookMs < redisClusterLookMsMin) return
    this.#looking = this.look()
      // Requests say themselves what they could not reach, and ask for the next look.
      .catch(() => undefined)
      .finally(() => {
        this.#looking = undefined
      })
  }

  /** Asks the nodes who serves what. Throws `unavailable` with every node's reason where none says. */
  async look(): Promise<void> {
    this.#lookedAtMs = this.#options.clock.monotonicMs()
    const known = this.#serving
    const first = this.#lookCount++ % Math.max(1, known.length)
    const inTurn = [...known.slice(first), ...known.slice(0, first)]
    const reasons: string[] = []
    for (const address of new Set([...inTurn, ...this.#options.seeds])) {
      try {
        this.#adopt(await this.#askOwners(address))
        return
      } catch (thrown) {
        reasons.push(LarderError.from(thrown).message)
      }
    }
    throw new LarderError('unavailable', reasons.join('; '))
  }

  close(): void {
    this.#isClosed = true
    for (const node of this.#nodes.values()) node.close()
  }

  async #askOwners(address: NodeAddress): Promise<ClusterOwners> {
    // A seed is not kept: the cluster may know the same node under another name, or no longer.
    const known = this.#nodes.get(address)
    const node = known ?? new RedisClusterNode(address, this.#options.credentials)
    const signal = this.#options.clock.timeout(redisClusterLookTimeoutMs)
    try {
      const reply = await untilAborted(node.ask('cluster', ['SLOTS']), signal)
      if (reply instanceof Error) throw reply
      const owners = parseClusterSlots(reply, splitAddress(address).host)
      // One that was reset, or has not met the others yet: whom it would leave us with is nobody.
      if (owners.nodes.length > 0) return owners
      throw new LarderError('unavailable', `node ${address}: knows no node that serves slots`)
    } catch (thrown) {
      if (!signal.aborted) throw thrown
      const waited = `no answer within ${redisClusterLookTimeoutMs} ms`
      throw new LarderError('unavailable', `node ${address}: ${waited}`, { cause: thrown })
    } finally {
      if (known === undefined) node.close()
    }
  }

  #adopt(owners: ClusterOwners): void {
    this.#ofShard = [...owners.ofShard]
    this.#serving = owners.nodes
    this.#servedSlotCount = owners.servedSlotCount
    for (const [address, node] of this.#nodes) {
      if (owners.nodes.includes(address)) continue
      node.close()
      this.#nodes.delete(address)
    }
    for (const address of owners.nodes) this.at(address)
  }
}
