/**
 * Redis commands as bytes. Pure.
 *
 * A command is arguments known beforehand, then keys picked from a blob, then further arguments; the
 * native side joins them, so that no buffer is made per key.
 */
import { loadAddon } from '../native.js'
import type { RedisCommand } from './redis-connection.js'
import type { RedisScript } from './redis-scripts.js'

/** Keys in one blob: key i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface CommandKeys {
  readonly bytes: Uint8Array
  readonly offsets: Uint32Array
  /** Which of them the command has, in its order. */
  readonly picks: Uint32Array
  /** Where all of those lie. */
  readonly shard: number
}

/** A command, and what to send instead of it where a server asks for that. */
export interface RedisCall {
  readonly first: RedisCommand
  /** Where the server does not have the script (NOSCRIPT): the same with its text. */
  readonly withText?: () => RedisCommand
  /**
   * Where the server holds only some of its keys (TRYAGAIN): the same, a call per key. Undefined where it
   * has one only.
   */
  readonly byKey?: (() => readonly RedisCall[]) | undefined
}

/** The command `name` of `keys` and `args`. */
export function keysCommand(
  name: string,
  keys: CommandKeys,
  args: readonly Uint8Array[] = [],
): RedisCommand {
  return { name, shard: keys.shard, bytes: encode([name], keys, args) }
}

/** A call of `script`: by its digest first, then by its text. */
export function scriptCall(
  script: RedisScript,
  keys: CommandKeys,
  args: readonly Uint8Array[],
): RedisCall {
  const command = (name: string, given: string): RedisCommand => {
    const head = [name, given, String(keys.picks.length)]
    return { name, shard: keys.shard, bytes: encode(head, keys, args) }
  }
  return {
    first: command('evalsha', script.digest),
    withText: () => command('eval', script.text),
  }
}

function encode(head: readonly string[], keys: CommandKeys, args: readonly Uint8Array[]): Buffer {
  return loadAddon().encodeRedisCommand(
    head.length,
    Buffer.from(head.map(encodeArgument).join('')),
    keys.bytes,
    keys.offsets,
    keys.picks,
    args,
  )
}

function encodeArgument(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`
}
