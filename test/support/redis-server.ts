/**
 * A real Redis for tests: no persistence, a free port on loopback, a temporary folder.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endProcess, freePort, startProcess, type TestServer } from './server-process.js'

/** Databases of one server: each test file, and often each test, takes one of its own. */
export const redisDatabaseCount = 1024

/** Starts a Redis; `extraArgs` are further command-line settings, such as `--maxmemory 10mb`. */
export async function startRedis(extraArgs: readonly string[] = []): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'larder-redis-'))
  const port = await freePort()
  const command = {
    file: 'redis-server',
    args: [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder],
      ...['--save', '', '--appendonly', 'no', '--databases', String(redisDatabaseCount)],
      ...extraArgs,
    ],
    user: undefined,
    answers: () => pings(port),
  }
  let child = await startProcess(command)
  return {
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0
    },
    kill: () => endProcess(child, 'SIGKILL'),
    async restart() {
      child = await startProcess(command)
    },
    async stop() {
      await endProcess(child, 'SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** True when a server on `port` answers PING. */
function pings(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const end = (answered: boolean) => {
      socket.destroy()
      resolve(answered)
    }
    socket.once('data', (reply) => end(reply.toString().startsWith('+PONG')))
    socket.once('error', () => end(false))
    socket.once('close', () => end(false))
  })
}
