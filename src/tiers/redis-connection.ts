/**
 * What the Redis tier asks of a Redis: to send commands and to bring back a reply for each.
 *
 * The tier makes whole commands, in the protocol's own bytes, and never two keys of different shards in
 * one; a connection only brings them to the server that holds their shard. `redis-server-connection.ts`
 * knows one server, which is one shard; a cluster has `shardCount` of `codec/store-key.ts`, told apart by a
 * tag at the start of each key. It must never read or change a command's arguments.
 */

/** A command whose keys, if it has any, all lie in `shard`. */
export interface RedisCommand {
  /** In lower case; for messages and routing, it is in `bytes` too. */
  readonly name: string
  /** 0 to `shardCount` - 1. */
  readonly shard: number
  /** The command as it goes over the wire (RESP2). Must not change until its reply is there. */
  readonly bytes: Buffer
}

export type RedisReply = Buffer | number | null | readonly RedisReply[]

export interface RedisConnection {
  /** 1 where keys carry no shard tag. */
  readonly shardCount: number

  /**
   * Sends `commands`, those to one server in one round trip, and returns for each, in order, its reply
   * or why there is none: the server's error reply, an Error of the lost connection, or the LarderError
   * of `abortError` where `signal` fired first. Never rejects, and settles at once when `signal` fires. What
   * a cluster redirects is followed until then; nothing else is sent twice. TRYAGAIN, which a cluster
   * answers to commands of several keys while their slot moves, is handed back.
   */
  send(
    commands: readonly RedisCommand[],
    signal: AbortSignal,
  ): Promise<readonly (RedisReply | Error)[]>

  /** Sends a command without keys to every server that holds rows; replies or errors as of `send`. */
  sendToAll(
    name: string,
    args: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly (RedisReply | Error)[]>

  /** What an operator should know of how the servers hang together; empty for one server. */
  findings(signal: AbortSignal): Promise<readonly string[]>

  /** Why the connection was last lost, where it is and a command's own error does not say. */
  lostBecause(): Error | undefined

  /** Ends all connections at once. Safe to call twice. */
  close(): void
}

export function isArrayReply(reply: RedisReply): reply is readonly RedisReply[] {
  return typeof reply === 'object' && reply !== null && !Buffer.isBuffer(reply)
}
