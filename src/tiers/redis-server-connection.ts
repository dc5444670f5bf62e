/**
 * A connection to one Redis server.
 *
 * A lost server is told at once instead of queued for: commands fail, and the connection comes back by
 * itself. ioredis does the connecting and parses replies; the commands' bytes go past its encoder.
 */
import { Command, Redis } from 'ioredis'
import { LarderError } from '../errors.js'
import { redisConnectTimeoutMs, redisReconnectDelayMsMax, redisSilenceMsMax } from '../limits.js'
import { abortError, untilAborted } from './abortable.js'
import type { RedisCommand, RedisConnection, RedisReply } from './redis-connection.js'

/** How ioredis is to treat a server: callers have deadlines, and warm to turn to. */
export const redisServerOptions = {
  lazyConnect: true,
  connectTimeout: redisConnectTimeoutMs,
  socketTimeout: redisSilenceMsMax,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: (attempt: number) =>
    Math.min(50 * 2 ** Math.min(attempt, 10), redisReconnectDelayMsMax),
} as const

/** Connects. Rejects with ioredis's error, or what `untilAborted` throws. */
export async function openRedisServerConnection(
  url: string,
  signal: AbortSignal,
): Promise<RedisConnection> {
  const client = new Redis(url, redisServerOptions)
  const connection = new RedisServerConnection(client)
  try {
    await untilAborted(client.connect(), signal)
    return connection
  } catch (thrown) {
    connection.close()
    throw thrown instanceof LarderError ? thrown : (connection.lostBecause() ?? thrown)
  }
}

class RedisServerConnection implements RedisConnection {
  readonly shardCount = 1
  readonly #client: Redis
  #lostBecause: Error | undefined

  constructor(client: Redis) {
    this.#client = client
    client.on('error', (error: Error) => {
      this.#lostBecause = error
    })
    client.on('ready', () => {
      this.#lostBecause = undefined
    })
  }

  send(
    commands: readonly RedisCommand[],
    signal: AbortSignal,
  ): Promise<readonly (RedisReply | Error)[]> {
    return repliesOf(this.#client, commands.map(rawCommand), signal)
  }

  sendToAll(
    name: string,
    args: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (RedisReply | Error)[]> {
    return repliesOf(this.#client, [new Command(name, [...args])], signal)
  }

  async findings(): Promise<readonly string[]> {
    return []
  }

  lostBecause(): Error | undefined {
    return this.#lostBecause
  }

  close(): void {
    this.#client.disconnect()
  }
}

/** An ioredis command that goes over the wire as `command.bytes`. */
export function rawCommand({ name, bytes }: RedisCommand): Command {
  const command = new Command(name)
  command.toWritable = () => bytes
  return command
}

/**
 * Sends `commands` and returns a reply for each, or why there is none. In one tick: the socket writes
 * all that follow the first at once.
 */
async function repliesOf(
  client: Redis,
  commands: readonly Command[],
  signal: AbortSignal,
): Promise<(RedisReply | Error)[]> {
  if (signal.aborted) return commands.map(() => abortError(signal))
  const replies: (RedisReply | Error)[] = []
  const answered = commands.map(async (command, index) => {
    try {
      client.sendCommand(command)
      replies[index] = await command.promise
    } catch (thrown) {
      replies[index] = thrown instanceof Error ? thrown : new Error(String(thrown))
    }
  })
  try {
    await untilAborted(Promise.all(answered), signal)
    return replies
  } catch {
    // Copied, because answers that are late may still come.
    return commands.map((_, index) => replies[index] ?? abortError(signal))
  }
}
