/**
 * A real PostgreSQL for tests: fsync on as in service, trust on loopback, a temporary folder, run as
 * the user postgres where the tests run as root, which PostgreSQL itself refuses.
 */
import { execFileSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import {
  endProcess,
  freePort,
  type SystemUser,
  startProcess,
  systemUser,
  type TestServer,
} from './server-process.js'

const debianRoot = '/usr/lib/postgresql'

/** Starts a PostgreSQL with an empty cluster of its own. */
export async function startPostgres(): Promise<TestServer> {
  const programs = postgresPrograms()
  const user = process.getuid?.() === 0 ? systemUser('postgres') : undefined
  const folder = mkdtempSync(join(tmpdir(), 'larder-postgres-'))
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  createCluster(join(programs, 'initdb'), data, user)
  const port = await freePort()
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
  const command = {
    file: join(programs, 'postgres'),
    args: [
      ...['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1'],
      ...['-c', 'fsync=on', '-c', 'max_connections=200'],
    ],
    user,
    answers: () => accepts(url),
  }
  let child = await startProcess(command)
  return {
    url,
    get pid() {
      return child.pid ?? 0
    },
    async kill() {
      // Its sessions are processes of their own and would go on answering.
      const sessions = childrenOf(child.pid ?? 0)
      await endProcess(child, 'SIGKILL')
      for (const pid of sessions) killIfThere(pid)
    },
    async restart() {
      child = await startProcess(command)
    },
    async stop() {
      // SIGINT is PostgreSQL's fast shutdown: it ends sessions instead of waiting for them.
      await endProcess(child, 'SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The folder of initdb and postgres: Debian's newest, else that on PATH. Throws where there is none. */
function postgresPrograms(): string {
  const versions = existsSync(debianRoot) ? readdirSync(debianRoot) : []
  const folders = versions
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debianRoot, version, 'bin'))
    .concat((process.env['PATH'] ?? '').split(':'))
  const found = folders.find((folder) => existsSync(join(folder, 'initdb')))
  if (found === undefined) throw new Error('initdb is missing: install PostgreSQL')
  return found
}

function createCluster(initdb: string, data: string, user: SystemUser | undefined): void {
  const args = ['-D', data, '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-locale']
  execFileSync(initdb, args, { stdio: 'pipe', cwd: tmpdir(), ...(user ?? {}) })
}

/** The processes whose parent is `pid`, from Linux's /proc. */
function childrenOf(pid: number): number[] {
  const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))
  return pids.map(Number).filter((child) => parentOf(child) === pid)
}

function parentOf(pid: number): number | undefined {
  try {
    // `pid (name) state parent …`, where a name may hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return Number(fields[1])
  } catch {
    return undefined // It ended meanwhile.
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended with its parent.
  }
}

async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('SELECT 1')
    return true
  } catch {
    return false
  } finally {
    await client.end()
  }
}
