/**
 * Every setting of a daemon: its key in larder.yaml, what it may hold, its default, its effect.
 *
 * A setting `tiers.warm` is also the variable `LARDER_TIERS_WARM` and the flag `--tiers-warm`.
 */
import { z } from 'zod'
import { LarderError } from '../errors.js'
import { parseInstant } from '../instant.js'
import {
  ackTimeoutMsMax,
  batchRowsMax,
  readTimeoutMsDefault,
  requestRowsMax,
  warmReadFloorMs,
} from '../limits.js'
import { treeKernels } from '../predict/tree-kernel.js'
import { parsedText } from '../yaml-fields.js'

export interface Setting<Value> {
  /** Its place in larder.yaml: `section.name`, or a name alone. */
  readonly path: string
  readonly schema: z.ZodType<Value>
  readonly fallback: Value
  /** What it does, its default and range: one line for `--help`. */
  readonly effect: string
  /** Set where neither a variable nor a flag can set it. */
  readonly fileOnly?: boolean
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

const folderSchema = z.string().min(1)
const switchSchema = z.boolean()
const addressSchema = parsedText('host:port', parseListenAddress)
const tierUrlSchema = parsedText('the URL of a tier', parseTierScheme)

export const settings = {
  listenGrpc: {
    path: 'listen.grpc',
    schema: addressSchema,
    fallback: '127.0.0.1:6570',
    effect: 'host:port for gRPC; port 0 takes any free one (default 127.0.0.1:6570)',
  },
  listenHttp: {
    path: 'listen.http',
    schema: addressSchema,
    fallback: '127.0.0.1:6571',
    effect: 'host:port for metrics and health; port 0 takes any free one (default 127.0.0.1:6571)',
  },
  listenInsecure: {
    path: 'listen.insecure',
    schema: switchSchema,
    fallback: false,
    effect: 'lets other machines in, without TLS or tokens: true or false (default false)',
  },
  tiersHot: {
    path: 'tiers.hot',
    schema: tierUrlSchema,
    fallback: 'memory:',
    effect: 'URL of the hot tier; memory: serves one daemon alone (default memory:)',
  },
  tiersWarm: {
    path: 'tiers.warm',
    schema: tierUrlSchema,
    fallback: 'lmdb:.larder/data',
    effect: 'URL of the warm tier, where rows are durable (default lmdb:.larder/data)',
  },
  features: {
    path: 'features',
    schema: folderSchema,
    fallback: 'features',
    effect: 'folder of definitions that plan, apply and doctor read (default features)',
  },
  models: {
    path: 'models',
    schema: folderSchema,
    fallback: 'models',
    effect: 'folder of the model repository (default models)',
  },
  treesKernel: {
    path: 'trees.kernel',
    schema: z.enum(treeKernels),
    fallback: 'auto' as const,
    effect:
      `kernel that all models of trees run in, whatever their model.yaml says: ` +
      `${treeKernels.join(', ')} (default auto: what is fastest for each)`,
  },
  data: {
    path: 'data',
    schema: folderSchema,
    fallback: '.larder',
    effect: 'folder for the address file and local state (default .larder)',
  },
  clockAt: {
    path: 'clock.at',
    schema: parsedText('an instant such as 2001-06-15T18:00:00Z', parseInstant).optional(),
    fallback: undefined,
    effect: 'freezes the clock that judges freshness and retention, for replays (default: it runs)',
    fileOnly: true,
  },
  limitsRequestRows: {
    path: 'limits.request_rows',
    schema: z.int().min(1).max(requestRowsMax),
    fallback: requestRowsMax,
    effect: `rows of a read request: 1 to ${requestRowsMax} (default ${requestRowsMax})`,
  },
  limitsBatchRows: {
    path: 'limits.batch_rows',
    schema: z.int().min(1).max(batchRowsMax),
    fallback: batchRowsMax,
    effect: `rows of a written batch: 1 to ${batchRowsMax} (default ${batchRowsMax})`,
  },
  limitsReadTimeoutMs: {
    path: 'limits.read_timeout_ms',
    // No read waits longer than an acknowledgement may, or less than a read from warm is worth.
    schema: z.int().min(warmReadFloorMs).max(ackTimeoutMsMax),
    fallback: readTimeoutMsDefault,
    effect:
      'deadline in ms of a read that brings none: ' +
      `${warmReadFloorMs} to ${ackTimeoutMsMax} (default ${readTimeoutMsDefault})`,
  },
  logLevel: {
    path: 'log.level',
    schema: z.enum(logLevels),
    fallback: 'info' as const,
    effect: `what is logged: ${logLevels.join(', ')} (default info)`,
  },
}

export type SettingKey = keyof typeof settings
export const settingKeys: readonly SettingKey[] = Object.keys(settings).filter(isSettingKey)

/** `LARDER_TIERS_WARM` of `tiers.warm`. */
export function variableOf(key: SettingKey): string {
  return `LARDER_${settings[key].path.replace('.', '_').toUpperCase()}`
}

/** `--tiers-warm` of `tiers.warm`. */
export function flagOf(key: SettingKey): string {
  return `--${settings[key].path.replace(/[._]/g, '-')}`
}

/** True where only this machine can reach the host of `address`. */
export function isLoopback(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(':'))
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

function parseListenAddress(text: string): string {
  const parts = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):(\d{1,5})$/i.exec(text)
  if (parts !== null && Number(parts[2]) <= 65_535) return text
  throw new LarderError(
    'bad_config',
    `${JSON.stringify(text)} is not host:port with a port between 0 and 65535`,
  )
}

/** The rest of the URL is for the tier to check; it may hold a password, so that it is not repeated. */
function parseTierScheme(text: string): string {
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return text
  throw new LarderError(
    'bad_config',
    'not the URL of a tier: it begins with memory:, lmdb:, redis:// or postgresql://, say',
  )
}

function isSettingKey(text: string): text is SettingKey {
  return Object.hasOwn(settings, text)
}
