/**
 * A daemon process that a test kills with SIGKILL and starts again on the same data.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert } from '../../src/assert.js'
import { createLarderClient, type LarderClient } from '../../src/client/index.js'
import { endProcess } from './server-process.js'

/** The program as it is built, which `npm test` does first: it starts three times as fast as its sources. */
const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const readyLine = /larder ready grpc=(\S+)/

export interface RunningProcess {
  readonly address: string
  /** Its owner closes it, after every writer that it opened. */
  readonly client: LarderClient
  /** Ends it as a crash would, and resolves when it is gone. */
  kill(): Promise<void>
}

/** Writes the larder.yaml of a daemon on these tiers, whose judging clock stands; returns its path. */
export function writeConfig(
  tiers: { readonly hot: string; readonly warm: string },
  clockAt: string,
): string {
  const folder = mkdtempSync(join(tmpdir(), 'larder-kill-'))
  const path = join(folder, 'larder.yaml')
  const text = {
    listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0' },
    tiers,
    data: 'data',
    log: { level: 'error' },
  }
  // JSON is YAML, all but the instant, which YAML writes without quotes.
  writeFileSync(path, `${JSON.stringify(text).slice(0, -1)}, "clock": {"at": ${clockAt}}}`)
  return path
}

/** Starts `larder serve` and resolves once it is ready. */
export async function startProcessOf(configPath: string): Promise<RunningProcess> {
  const child = spawn(process.execPath, [program, 'serve', '--config', configPath], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  })
  const address = await whenReady(child)
  const client = createLarderClient({ addresses: address, deadlineMs: 30_000 })
  return {
    address,
    client,
    kill: () => endProcess(child, 'SIGKILL'),
  }
}

async function whenReady(child: ChildProcess): Promise<string> {
  let printed = ''
  await new Promise<void>((resolve) => {
    child.stdout?.on('data', (chunk) => {
      printed += chunk.toString()
      if (readyLine.test(printed)) resolve()
    })
    child.once('exit', () => resolve())
  })
  const address = readyLine.exec(printed)?.[1]
  assert(address !== undefined, `the daemon became ready, but it printed: ${printed}`)
  return address
}
