/**
 * A server that a test started: a child process on a free port, with its own temporary folder.
 *
 * The idea: `start` waits until the server answers, `kill` ends it as a crash would, `stop` ends it in
 * order and removes its folder. It never signals a process that it did not start itself.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { systemClock } from '../../src/clock.js'

const startTimeoutMs = 60_000
const startPollMs = 50

/** A server under a test's control. */
export interface TestServer {
  readonly url: string
  readonly pid: number
  /** Ends it with SIGKILL; its data stay. */
  kill(): Promise<void>
  /** Starts it again on the same port and data, after `kill`. */
  restart(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

export interface ServerCommand {
  readonly file: string
  readonly args: readonly string[]
  /** The system user to run as; undefined for the one that runs the tests. */
  readonly user: SystemUser | undefined
  /** True as soon as the server answers. */
  readonly answers: () => Promise<boolean>
}

export interface SystemUser {
  readonly uid: number
  readonly gid: number
}

/** The ids of a system user, for `spawn`. */
export function systemUser(name: string): SystemUser {
  const id = (flag: string) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

/** Starts `command` and resolves once it answers; the error holds the end of what it printed. */
export async function startProcess(command: ServerCommand): Promise<ChildProcess> {
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(command.user ?? {}),
  })
  let printed = ''
  const keep = (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-2000)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  let failure: Error | undefined
  child.once('error', (error) => {
    failure = error
  })
  const deadlineMs = systemClock.monotonicMs() + startTimeoutMs
  while (!(await command.answers())) {
    if (failure !== undefined) throw failure
    if (child.exitCode !== null || systemClock.monotonicMs() > deadlineMs) {
      child.kill('SIGKILL')
      throw new Error(`${command.file} did not start:\n${printed}`)
    }
    await systemClock.sleep(startPollMs)
  }
  return child
}

/** Sends `signal` and resolves when the process is gone. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill(signal)
  await gone
}
