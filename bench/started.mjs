/**
 * What a case starts: a temporary folder, a daemon, Redis, PostgreSQL, and processes of floors. Each is
 * a process of its own, so that its CPU can be told; all are stopped, last first, when the case ends.
 */
import { fork, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { runnerImport } from 'vite'
import { createLarderClient } from '../dist/client/index.js'

const rootFolder = fileURLToPath(new URL('..', import.meta.url))

/** Runs `use` with `started`, to which it adds what it starts; everything is stopped in the end. */
export async function withStarted(use) {
  const folder = mkdtempSync(join(tmpdir(), 'larder-bench-'))
  const stops = [() => rmSync(folder, { recursive: true, force: true })]
  const started = { folder, onEnd: (stop) => stops.push(stop) }
  try {
    return await use(started)
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

const serverStarters = { redis: 'startRedis', postgres: 'startPostgres' }

/**
 * The tests' real servers of `kinds`, in that order, each `{ url, pid }`; undefined where a program is
 * not installed. Any other failure throws.
 */
export async function startServers(started, kinds) {
  const servers = []
  try {
    for (const kind of kinds) servers.push(await startServer(started, kind))
  } catch (error) {
    if (error.code === 'ENOENT' || /initdb is missing/.test(error.message)) return undefined
    throw error
  }
  return servers
}

/** A Redis with `settings`, such as `--maxmemory 10mb`, as `startServers` does it. */
export async function startRedis(started, settings) {
  return await startServer(started, 'redis', settings)
}

async function startServer(started, kind, settings = []) {
  const path = join(rootFolder, 'test', 'support', `${kind}-server.ts`)
  const { module } = await runnerImport(path, {
    root: rootFolder,
    logLevel: 'error',
    configFile: false,
  })
  const server = await module[serverStarters[kind]](settings)
  started.onEnd(() => server.stop())
  return server
}

/** What a case answers that cannot run here. */
export function skipped(reason) {
  return { figures: {}, ratios: {}, skipped: reason }
}

/**
 * A daemon with `definitions` applied: its addresses, its pid and a client. `LARDER_BENCH_NODE_OPTIONS`
 * are options of its Node, such as `--cpu-prof`.
 */
export async function startDaemon(started, { hot, warm, definitions, models = {} }) {
  const { folder } = started
  for (const [path, text] of Object.entries(models)) {
    const file = join(folder, 'models', path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  const nodeOptions = (process.env.LARDER_BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean)
  const configPath = join(folder, 'larder.yaml')
  writeFileSync(configPath, configText({ hot, warm: warm ?? 'lmdb:warm' }))
  const child = spawn(
    process.execPath,
    [...nodeOptions, join(rootFolder, 'dist/cli/main.js'), 'serve', '--config', configPath],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], env: envWithoutSettings() },
  )
  const gone = new Promise((resolve) => child.once('exit', resolve))
  started.onEnd(() => {
    child.kill('SIGTERM')
    return gone
  })
  const { grpc, http } = await readAddresses(child, gone)
  const client = createLarderClient({ addresses: grpc, deadlineMs: 60_000 })
  started.onEnd(() => client.close())
  await client.apply({ files: [{ path: 'bench.yaml', text: definitions }] })
  return { grpc, http, client, pid: child.pid }
}

/** Everything beside larder.yaml, on any free ports. */
function configText({ hot, warm }) {
  return [
    'listen: { grpc: "127.0.0.1:0", http: "127.0.0.1:0" }',
    `tiers: { hot: "${hot}", warm: "${warm}" }`,
    'models: models',
    'data: data',
    'log: { level: error }',
    '',
  ].join('\n')
}

/** The user's own LARDER_* settings must not change what is measured. */
function envWithoutSettings() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('LARDER_')),
  )
}

async function readAddresses(child, gone) {
  const ready = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = /^larder ready grpc=(\S+) http=(\S+)$/.exec(line)
      if (match !== null) resolve({ grpc: match[1], http: match[2] })
    })
  })
  const ended = gone.then((code) => {
    throw new Error(`the daemon ended before it was ready (exit ${code})`)
  })
  return await Promise.race([ready, ended])
}

/** Writes batches and waits until all are durable and visible. */
export async function writeBatches(client, batches) {
  const writer = client.openWriter()
  const acks = []
  for (const batch of batches) {
    await writer.ready()
    acks.push(writer.write(batch))
  }
  for (const ack of await Promise.all(acks)) {
    if (ack.durable && ack.visible) continue
    const reason = ack.error?.message ?? ack.notVisibleReason
    throw new Error(`batch ${ack.batchId} was not stored whole: ${reason}`)
  }
  await writer.close()
}

/**
 * A process that runs `bench/MODULE.mjs` with `options`: `ask(message)` sends a message and resolves
 * with its answer.
 */
export async function startPart(started, moduleName, options) {
  const child = fork(join(rootFolder, 'bench', `${moduleName}.mjs`), [], {
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'advanced',
  })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  started.onEnd(() => {
    if (child.connected) child.disconnect()
    return gone
  })
  const ask = async (message) => {
    const answer = new Promise((resolve) => child.once('message', resolve))
    child.send(message)
    const ended = gone.then((code) => {
      throw new Error(`${moduleName} ended (exit ${code})`)
    })
    return await Promise.race([answer, ended])
  }
  return { pid: child.pid, ready: await ask(options), ask }
}
