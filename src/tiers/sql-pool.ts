/**
 * Connections to the warm tier's database: runs one statement at a time under a signal.
 *
 * Every statement is its own implicit transaction and safe to run twice, so that lost connections and
 * serialization failures are retried here. Results come as text: the driver decodes binary results
 * through UTF-8, which would corrupt BYTEA.
 */
import pg from 'pg'
import type { Clock } from '../clock.js'
import { LarderError } from '../errors.js'
import {
  sqlAbandonedStatementMsMax,
  sqlBackoffBaseMs,
  sqlConnectionsMax,
  sqlConnectTimeoutMs,
  sqlStatementTimeoutMs,
  sqlTriesMax,
} from '../limits.js'
import type { Prng } from '../prng.js'
import { throwIfAborted, untilAborted } from './abortable.js'

/** SQLSTATEs that a repeat may cure: serialization, deadlock, unknown outcome, shutting down, starting. */
const retriableStates = /^(40001|40003|40P01|08...|57P0[123]|53300)$/

export interface SqlStatement {
  /** Statements with a name are prepared once per connection. */
  readonly name?: string
  readonly text: string
  readonly values?: readonly (string | number | bigint | Buffer)[]
}

export interface SqlResult {
  readonly rows: readonly (readonly string[])[]
  /** Rows returned, or changed. */
  readonly rowCount: number
}

export interface SqlPoolOptions {
  readonly connectionString: string
  readonly displayUrl: string
  readonly clock: Clock
  readonly prng: Prng
}

export class SqlPool {
  readonly displayUrl: string
  readonly clock: Clock
  readonly #prng: Prng
  readonly #pool: pg.Pool
  #closed: Promise<void> | undefined

  constructor({ connectionString, displayUrl, clock, prng }: SqlPoolOptions) {
    this.displayUrl = displayUrl
    this.clock = clock
    this.#prng = prng
    this.#pool = new pg.Pool({
      connectionString,
      max: sqlConnectionsMax,
      connectionTimeoutMillis: sqlConnectTimeoutMs,
      statement_timeout: sqlStatementTimeoutMs,
      keepAlive: true,
      application_name: 'larder',
    })
    // A connection lost while idle is replaced at its next use, which reports what is wrong then. The
    // driver emits such errors on the pool and, for connections in use, on the client itself.
    const replaceLater = () => undefined
    this.#pool.on('error', replaceLater)
    this.#pool.on('connect', (client) => client.on('error', replaceLater))
  }

  /** Runs `statement`. Throws `unavailable`, `deadline_exceeded` or `cancelled`. */
  async run(statement: SqlStatement, signal: AbortSignal): Promise<SqlResult> {
    for (let attempt = 1; ; attempt++) {
      throwIfAborted(signal)
      try {
        return await this.#runOnce(statement, signal)
      } catch (thrown) {
        if (thrown instanceof LarderError) throw thrown
        if (attempt === sqlTriesMax || this.#closed !== undefined || !isRetriable(thrown)) {
          throw this.#unavailable(thrown)
        }
      }
      const backoffMs = sqlBackoffBaseMs * 2 ** (attempt - 1) * this.#prng.next()
      await untilAborted(this.clock.sleep(backoffMs), signal)
    }
  }

  /** Ends all connections; statements under way finish first. */
  close(): Promise<void> {
    this.#closed ??= this.#pool.end()
    return this.#closed
  }

  async #runOnce(statement: SqlStatement, signal: AbortSignal): Promise<SqlResult> {
    const client = await this.#connect(signal)
    const running = client.query<string[]>({
      ...statement,
      values: [...(statement.values ?? [])],
      rowMode: 'array',
      types: textTypes,
    })
    this.#releaseAfter(client, running, signal)
    const { rows, rowCount } = await untilAborted(running, signal)
    return { rows, rowCount: rowCount ?? 0 }
  }

  async #connect(signal: AbortSignal): Promise<pg.PoolClient> {
    const connecting = this.#pool.connect()
    try {
      return await untilAborted(connecting, signal)
    } catch (thrown) {
      connecting.then(
        (late) => late.release(),
        () => undefined,
      )
      throw thrown
    }
  }

  /** Gives the connection back when the statement ends, or destroys it some time after `signal`. */
  #releaseAfter(client: pg.PoolClient, running: Promise<unknown>, signal: AbortSignal): void {
    let isReleased = false
    const release = (destroy: boolean) => {
      signal.removeEventListener('abort', abandon)
      if (isReleased) return
      isReleased = true
      client.release(destroy)
    }
    const abandon = () => {
      this.clock.sleep(sqlAbandonedStatementMsMax).then(() => release(true))
    }
    if (signal.aborted) abandon()
    else signal.addEventListener('abort', abandon, { once: true })
    running.then(
      () => release(false),
      (error) => release(!(error instanceof pg.DatabaseError)),
    )
  }

  #unavailable(cause: unknown): LarderError {
    return new LarderError('unavailable', `${this.displayUrl}: ${reasonOf(cause)}`, { cause })
  }
}

/** The SQLSTATE behind what `SqlPool.run` threw; undefined where the server gave none. */
export function sqlStateOf(thrown: unknown): string | undefined {
  const cause = thrown instanceof LarderError ? thrown.cause : thrown
  return cause instanceof pg.DatabaseError ? cause.code : undefined
}

/** Values stay the text that the server sent. */
const textTypes = { getTypeParser: () => (text: string) => text }

/** Anything but a server's error is a lost or refused connection. */
function isRetriable(thrown: unknown): boolean {
  return !(thrown instanceof pg.DatabaseError) || retriableStates.test(thrown.code ?? '')
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join('; ')
  return cause instanceof Error ? cause.message : String(cause)
}
