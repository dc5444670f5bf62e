/**
 * Installs the real servers that the tests start: redis-server and PostgreSQL.
 *
 * Where they are there already nothing happens. As root on Debian apt installs them; anywhere else this
 * says what to install. The services that the distribution starts with them are stopped again: the
 * tests start servers of their own, on free ports and in temporary folders.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The package that holds each program, and the name of its service too. */
const packages = { 'redis-server': 'redis-server', initdb: 'postgresql' }
const debianRoot = '/usr/lib/postgresql'

/** Installs what is missing, or prints what to install and ends the process with 1. */
export function installTestServers() {
  const missing = Object.keys(packages).filter((program) => !isInstalled(program))
  if (missing.length === 0) return
  const wanted = missing.map((program) => packages[program])
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    console.error(`The tests need ${missing.join(' and ')}: install ${wanted.join(' and ')},`)
    console.error(`on Debian or Ubuntu with: sudo apt-get install -y ${wanted.join(' ')}`)
    process.exit(1)
  }
  const apt = (...args) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    execFileSync('apt-get', args, { stdio: 'inherit', env })
  }
  apt('update')
  apt('install', '-y', ...wanted)
  for (const name of wanted) stopService(name)
}

/** True where `program` is on PATH or where Debian keeps PostgreSQL's. */
function isInstalled(program) {
  const versions = existsSync(debianRoot) ? readdirSync(debianRoot) : []
  const folders = versions
    .map((version) => join(debianRoot, version, 'bin'))
    .concat((process.env.PATH ?? '').split(':'))
  return folders.some((folder) => existsSync(join(folder, program)))
}

/** Stops a service that apt may have started; most containers start none, which is as good. */
function stopService(name) {
  try {
    execFileSync('service', [name, 'stop'], { stdio: 'ignore' })
  } catch {
    console.error(
      `note: could not stop the service ${name}, if it runs at all; the tests do not use it`,
    )
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) installTestServers()
