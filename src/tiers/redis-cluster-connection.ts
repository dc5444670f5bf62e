/**
 * The Redis tier's way to a Redis Cluster: every command goes to the node that serves its shard.
 *
 * Commands to one node travel together, and a node that is lost or slow costs only its own commands
 * their answers. A slot on its way to another node is followed: MOVED for good, ASK for this one command,
 * behind ASKING. What a node answers to keys of which it holds only some while their slot moves, TRYAGAIN,
 * may stay true for minutes: it is handed back, and the tier asks for each key by itself.
 *
 * This is not ioredis's own cluster client: of that, a pipeline must lie on one node and is redirected
 * whole or not at all, and commands for a lost node are tried on others until all redirections are used.
 */
import type { Clock } from '../clock.js'
import { shardCount } from '../codec/store-key.js'
import { redisRedirectionsMax } from '../limits.js'
import { abortError, throwIfAborted, untilAborted } from './abortable.js'
import { RedisClusterNodes } from './redis-cluster-nodes.js'
import { type NodeAddress, redirectionOf } from './redis-cluster-owners.js'
import { type RedisClusterUrl, splitAddress } from './redis-cluster-url.js'
import type { RedisCommand, RedisConnection, RedisReply } from './redis-connection.js'
import { slotCount, slotOfShard } from './redis-shards.js'

type Answer = RedisReply | Error
/** Filled as answers come. */
type Answers = (Answer | undefined)[]

/** A command on its way: where it stands in the caller's list, and where it goes next. */
interface Hop {
  readonly command: RedisCommand
  readonly position: number
  readonly address: NodeAddress
  /** The node serves the command only because another one sent it there. */
  readonly isAsking: boolean
}

/** Lets the next command on its connection ask for a slot that is still on its way to the node. */
const asking: RedisCommand = {
  name: 'asking',
  shard: 0,
  bytes: Buffer.from('*1\r\n$6\r\nASKING\r\n'),
}

export interface RedisClusterOptions extends RedisClusterUrl {
  readonly clock: Clock
}

/** Connects and learns who serves what. Throws `unavailable` with the reason where no seed answers. */
export async function connectRedisCluster(
  options: RedisClusterOptions,
  signal: AbortSignal,
): Promise<RedisClusterConnection> {
  throwIfAborted(signal)
  const { seeds, username, password, clock } = options
  const nodes = new RedisClusterNodes({ seeds, clock, credentials: { username, password } })
  try {
    await untilAborted(nodes.look(), signal)
    return new RedisClusterConnection(nodes)
  } catch (thrown) {
    nodes.close()
    throw thrown
  }
}

export class RedisClusterConnection implements RedisConnection {
  readonly shardCount = shardCount
  readonly #nodes: RedisClusterNodes

  constructor(nodes: RedisClusterNodes) {
    this.#nodes = nodes
  }

  async send(commands: readonly RedisCommand[], signal: AbortSignal): Promise<readonly Answer[]> {
    if (signal.aborted) return commands.map(() => abortError(signal))
    const answers: Answers = new Array(commands.length).fill(undefined)
    const hops = commands.flatMap((command, position): Hop[] => {
      const address = this.#nodes.ownerOf(command.shard)
      if (address !== undefined) return [{ command, position, address, isAsking: false }]
      answers[position] = new Error(`no node serves slot ${slotOfShard(command.shard)}`)
      this.#nodes.lookSoon()
      return []
    })
    return answersUntil(signal, answers, this.#follow(hops, answers, redisRedirectionsMax))
  }

  async sendToAll(
    name: string,
    args: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly Answer[]> {
    const { serving } = this.#nodes
    if (signal.aborted) return serving.map(() => abortError(signal))
    const answers: Answers = new Array(serving.length).fill(undefined)
    const asked = serving.map(async (address, position) => {
      answers[position] = await this.#nodes.at(address).ask(name, args)
    })
    return answersUntil(signal, answers, Promise.all(asked))
  }

  /** What keeps one lost node from being no more than that. */
  async findings(signal: AbortSignal): Promise<readonly string[]> {
    const found: string[] = []
    const unserved = slotCount - this.#nodes.servedSlotCount
    if (unserved > 0) found.push(`${unserved} of ${slotCount} slots are served by no node`)
    const settings = await this.sendToAll('config', ['GET', fullCoverage], signal)
    if (settings.some((setting) => Array.isArray(setting) && String(setting[1]) === 'yes')) {
      found.push(`${fullCoverage} is yes: one lost node stops all reads; set it to no`)
    }
    return found
  }

  /** Errors name their node and its reason themselves. */
  lostBecause(): undefined {
    return undefined
  }

  close(): void {
    this.#nodes.close()
  }

  /** Sends each hop and those that its answer leads to; every hop's last answer goes to `answers`. */
  async #follow(hops: readonly Hop[], answers: Answers, redirectionsLeft: number): Promise<void> {
    const followed = [...groupByNode(hops)].map(async ([address, group]) => {
      const groupAnswers = await this.#sendGroup(address, group)
      const redirected = group.flatMap((hop, index) => {
        const answer = groupAnswers[index]
        const next = answer instanceof Error ? this.#nextHop(hop, answer) : undefined
        if (next !== undefined && redirectionsLeft > 0) return [next]
        answers[hop.position] = answer
        return []
      })
      if (redirected.length > 0) await this.#follow(redirected, answers, redirectionsLeft - 1)
    })
    await Promise.all(followed)
  }

  /** The answers of the node at `address` to `group`, in its order. */
  async #sendGroup(address: NodeAddress, group: readonly Hop[]): Promise<readonly Answer[]> {
    const commands = group.flatMap(({ isAsking, command }) =>
      isAsking ? [asking, command] : command,
    )
    const answers = await this.#nodes.at(address).send(commands)
    return answers.filter((_, index) => commands[index] !== asking)
  }

  /** Where `answer` leads; undefined where it is the end. */
  #nextHop(hop: Hop, answer: Error): Hop | undefined {
    const redirection = redirectionOf(answer.message, splitAddress(hop.address).host)
    if (redirection === undefined) {
      if (isOfTheCluster(answer)) this.#nodes.lookSoon()
      return undefined
    }
    const { kind, slot, address } = redirection
    if (kind === 'moved') this.#nodes.believeMoved(slot, address)
    return { ...hop, address, isAsking: kind === 'ask' }
  }
}

const fullCoverage = 'cluster-require-full-coverage'

/** The answers once `work` has given them all; where `signal` fires first, its error for the others. */
async function answersUntil(
  signal: AbortSignal,
  answers: Answers,
  work: Promise<unknown>,
): Promise<readonly Answer[]> {
  try {
    await untilAborted(work, signal)
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  }
  return answers.map((answer) => (answer === undefined ? abortError(signal) : answer))
}

function groupByNode(hops: readonly Hop[]): Map<NodeAddress, Hop[]> {
  const groups = new Map<NodeAddress, Hop[]>()
  for (const hop of hops) {
    const group = groups.get(hop.address)
    if (group === undefined) groups.set(hop.address, [hop])
    else group.push(hop)
  }
  return groups
}

/** True where an error may mean that somebody else serves the slot by now. */
function isOfTheCluster(answer: Error): boolean {
  return (
    answer.name !== 'ReplyError' ||
    /^(CLUSTERDOWN|LOADING|MASTERDOWN|READONLY)\b/.test(answer.message)
  )
}
