/**
 * One node of a Redis Cluster: a connection of its own that comes back by itself when it is lost.
 *
 * Commands wait for the first connection and for no later one: who asks for a node that was there and
 * is lost is told at once. It knows nothing of slots, and never sends a command twice.
 */
import { Command, Redis, type RedisOptions } from 'ioredis'
import { splitAddress } from './redis-cluster-url.js'
import type { RedisCommand, RedisReply } from './redis-connection.js'
import { rawCommand, redisServerOptions } from './redis-server-connection.js'

/** Who to be on every node. */
export type NodeCredentials = Pick<RedisOptions, 'username' | 'password'>

export class RedisClusterNode {
  readonly #address: string
  readonly #client: Redis
  /** Until the first try to connect is over. */
  #connecting: Promise<void> | undefined
  /** Why the connection is not there; its commands only say that it is not. */
  #lostBecause: Error | undefined

  constructor(address: string, credentials: NodeCredentials) {
    this.#address = address
    this.#client = new Redis({ ...redisServerOptions, ...credentials, ...splitAddress(address) })
    this.#client.on('error', (error: Error) => {
      this.#lostBecause = error
    })
    this.#client.on('ready', () => {
      this.#lostBecause = undefined
    })
    this.#connecting = this.#connect()
  }

  /**
   * Sends `commands` in their order, nothing between them, and returns a reply or an error for each: the
   * node's own error reply as it is, a lost connection with the node's address and the reason. Never
   * rejects.
   */
  send(commands: readonly RedisCommand[]): Promise<readonly (RedisReply | Error)[]> {
    return this.#sendAll(commands.map(rawCommand))
  }

  /** Sends one command without keys; its reply, or an error with the node's address. Never rejects. */
  async ask(name: string, args: readonly string[]): Promise<RedisReply | Error> {
    const [answer = null] = await this.#sendAll([new Command(name, [...args])])
    const isOfNode = answer instanceof Error && answer.name === 'ReplyError'
    return isOfNode ? this.#error(answer.message, answer) : answer
  }

  /** Lets go of the connection; commands under way fail. Safe to call twice. */
  close(): void {
    this.#client.disconnect()
  }

  async #sendAll(commands: readonly Command[]): Promise<readonly (RedisReply | Error)[]> {
    if (this.#connecting !== undefined) await this.#connecting
    // One write for all: measured, a write for each of 20 small commands costs as much as all the rest.
    const { stream } = this.#client
    stream?.cork()
    const answers = commands.map((command) => this.#answer(command))
    stream?.uncork()
    return Promise.all(answers)
  }

  async #answer(command: Command): Promise<RedisReply | Error> {
    try {
      this.#client.sendCommand(command)
      return await command.promise
    } catch (thrown) {
      if (thrown instanceof Error && thrown.name === 'ReplyError') return thrown
      const reason = this.#lostBecause?.message ?? 'the connection was lost'
      return this.#error(reason, thrown)
    }
  }

  #error(reason: string, cause: unknown): Error {
    return new Error(`node ${this.#address}: ${reason}`, { cause })
  }

  async #connect(): Promise<void> {
    try {
      await this.#client.connect()
    } catch {
      // The 'error' event has told why, and the client tries again by itself.
    } finally {
      this.#connecting = undefined
    }
  }
}
