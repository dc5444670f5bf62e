import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type ConfigSources, readConfig } from './config.js'
import { flagOf, isLoopback, settingKeys, settings, variableOf } from './config-settings.js'

const folder = mkdtempSync(join(tmpdir(), 'larder-config-'))
afterAll(() => rmSync(folder, { recursive: true }))
const configPath = join(folder, 'larder.yaml')

function read(text: string, { env = {}, flags = {} }: Partial<ConfigSources> = {}) {
  writeFileSync(configPath, text)
  return readConfig({ configPath, env, flags })
}

function problemsOf(text: string, sources: Partial<ConfigSources> = {}): string[] {
  try {
    read(text, sources)
    return []
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : ''
    return message.replaceAll(`${configPath}:`, '').split('\n').slice(1)
  }
}

const defaults = {
  listen: { grpc: '127.0.0.1:6570', http: '127.0.0.1:6571', insecure: false },
  tiers: { hot: 'memory:', warm: `lmdb:${join(folder, '.larder/data')}` },
  featuresFolder: join(folder, 'features'),
  modelsFolder: join(folder, 'models'),
  dataFolder: join(folder, '.larder'),
  trees: { kernel: 'auto' },
  clockAtUs: undefined,
  limits: { requestRows: 1000, batchRows: 10_000, readTimeoutMs: 1000 },
  log: { level: 'info' },
}

test('what is not set has its default', () => {
  expect(read('')).toEqual(defaults)
  expect(read('listen: {}\n')).toEqual(defaults)
})

test('without larder.yaml paths are relative to the current folder', () => {
  const config = readConfig({ configPath: undefined, env: {}, flags: {} })
  expect(config.dataFolder).toBe(resolve('.larder'))
})

test('larder.yaml sets everything', () => {
  const config = read(`
listen: { grpc: 0.0.0.0:0, http: "[::1]:8080", insecure: true }
tiers: { hot: "redis://:secret@cache:6379/1", warm: "postgresql://larder@db/larder" }
features: ../definitions
models: /srv/models
data: state
trees: { kernel: bitmask-portable }
clock: { at: 2001-06-15T18:00:00Z }
limits: { request_rows: 10, batch_rows: 20, read_timeout_ms: 30 }
log: { level: debug }
`)
  expect(config).toEqual({
    listen: { grpc: '0.0.0.0:0', http: '[::1]:8080', insecure: true },
    tiers: { hot: 'redis://:secret@cache:6379/1', warm: 'postgresql://larder@db/larder' },
    featuresFolder: resolve(folder, '../definitions'),
    modelsFolder: '/srv/models',
    dataFolder: join(folder, 'state'),
    trees: { kernel: 'bitmask-portable' },
    clockAtUs: 992_628_000_000_000n,
    limits: { requestRows: 10, batchRows: 20, readTimeoutMs: 30 },
    log: { level: 'debug' },
  })
  expect(Object.isFrozen(config) && Object.isFrozen(config.listen)).toBe(true)
})

test('flags beat variables, which beat larder.yaml', () => {
  const text = 'limits: { request_rows: 10, batch_rows: 11, read_timeout_ms: 12 }\n'
  const env = { LARDER_LIMITS_BATCH_ROWS: '21', LARDER_LIMITS_READ_TIMEOUT_MS: '22' }
  const flags = { '--limits-read-timeout-ms': '32', '--json': true }
  expect(read(text, { env, flags }).limits).toEqual({
    requestRows: 10,
    batchRows: 21,
    readTimeoutMs: 32,
  })
})

test('variables and flags set switches and paths too', () => {
  const env = { LARDER_LISTEN_INSECURE: 'true', LARDER_TIERS_WARM: 'lmdb:rows', PATH: '/bin' }
  const config = read('', { env, flags: { '--listen-grpc': '0.0.0.0:1', '--data': '7' } })
  expect(config.listen).toMatchObject({ grpc: '0.0.0.0:1', insecure: true })
  expect(config.tiers.warm).toBe(`lmdb:${join(folder, 'rows')}`)
  expect(config.dataFolder).toBe(join(folder, '7'))
})

test.each([
  { text: 'lisen: {}', problem: '1:1: unknown key "lisen": did you mean "listen"?' },
  {
    text: 'listen: { rpc: "127.0.0.1:1" }',
    problem: '1:11: unknown key "rpc": did you mean "grpc"?',
  },
  { text: 'listen: 6570', problem: '1:9: expected a map, found 6570' },
  {
    text: 'trees: { kernal: walk }',
    problem: '1:10: unknown key "kernal": did you mean "kernel"?',
  },
  {
    text: 'trees: { kernel: fast }',
    problem:
      '1:18: expected one of auto, walk, bitmask-portable, bitmask-avx2, bitmask-avx512, found "fast"',
  },
  { text: '- listen', problem: '1:1: expected a map, found a list of 1' },
  {
    text: 'listen: { grpc: localhost }',
    problem: '1:17: "localhost" is not host:port with a port between 0 and 65535',
  },
  {
    text: 'listen: { grpc: "localhost:65536" }',
    problem: '1:17: "localhost:65536" is not host:port with a port between 0 and 65535',
  },
  { text: 'listen: { grpc: 6570 }', problem: '1:17: expected host:port, found 6570' },
  { text: 'listen: { insecure: yes }', problem: '1:21: expected true or false, found "yes"' },
  {
    text: 'listen: { http: "0.0.0.0:80" }',
    problem:
      '1:17: other machines could reach 0.0.0.0:80 without TLS or tokens, which do not exist yet: listen on 127.0.0.1, or set listen.insecure to true',
  },
  {
    text: 'tiers: { hot: "user:secret/@" , warm: ./data }',
    problem:
      '1:39: not the URL of a tier: it begins with memory:, lmdb:, redis:// or postgresql://, say',
  },
  { text: 'features: ""', problem: '1:11: expected at least 1 characters, found ""' },
  {
    text: 'clock: { at: 2001-06-31T18:00:00Z }',
    problem: '1:14: "2001-06-31T18:00:00Z" is not an instant: write it like 2001-06-15T18:00:00Z',
  },
  { text: 'limits: { request_rows: 1001 }', problem: '1:25: expected at most 1000, found 1001' },
  { text: 'limits: { batch_rows: 0 }', problem: '1:23: expected at least 1, found 0' },
  { text: 'limits: { read_timeout_ms: 1.5 }', problem: '1:28: expected a whole number, found 1.5' },
  {
    text: 'log: { level: verbose }',
    problem: '1:15: expected one of trace, debug, info, warn, error, silent, found "verbose"',
  },
  {
    text: 'log: { level: info\n',
    problem: '2:1: Flow map in block collection must be sufficiently indented and end with a }',
  },
  { text: 'log:\nlog: {}', problem: '2:1: duplicate key "log", first at 1:1' },
])('larder.yaml with $text is refused', ({ text, problem }) => {
  expect(problemsOf(text)).toContain(problem)
})

test.each([
  {
    env: { LARDER_TIERS_HOTT: 'memory:' },
    problem: 'LARDER_TIERS_HOTT: unknown variable: did you mean "LARDER_TIERS_HOT"?',
  },
  {
    env: { LARDER_CLOCK_AT: '2001-06-15T18:00:00Z' },
    problem: expect.stringMatching(/^LARDER_CLOCK_AT: unknown variable/),
  },
  { env: { LARDER_DATA: '' }, problem: 'LARDER_DATA: expected at least 1 characters, found ""' },
  {
    env: { LARDER_LISTEN_INSECURE: '1' },
    problem: 'LARDER_LISTEN_INSECURE: expected true or false, found "1"',
  },
  {
    env: { LARDER_LIMITS_REQUEST_ROWS: '1e3' },
    problem: 'LARDER_LIMITS_REQUEST_ROWS: expected a number, found "1e3"',
  },
  {
    env: { LARDER_LISTEN_GRPC: '10.0.0.1:1' },
    problem: expect.stringMatching(/^LARDER_LISTEN_GRPC: other machines could reach 10.0.0.1:1/),
  },
])('the variables $env are refused', ({ env, problem }) => {
  expect(problemsOf('', { env })).toEqual([problem])
})

test('a wrong flag is refused by its name, and so is what it beats', () => {
  const text = 'log: { level: loud }'
  const env = { LARDER_LOG_LEVEL: 'quiet', LARDER_ADDRESS: 'x', LARDER_FUZZ_RUNS: '1' }
  const found = problemsOf(text, { env, flags: { '--log-level': 'soft' } })
  expect(found.map((problem) => problem.split(': ')[0])).toEqual([
    '--log-level',
    '1:15',
    'LARDER_LOG_LEVEL',
  ])
})

test('the clock cannot be set by a flag', () => {
  expect(read('', { flags: { '--clock-at': '2001-06-15T18:00:00Z' } }).clockAtUs).toBeUndefined()
})

test('a file that is not there, or not UTF-8, is named', () => {
  const missing = join(folder, 'none.yaml')
  const attempt = (path: string) => () => readConfig({ configPath: path, env: {}, flags: {} })
  const error = { code: 'bad_config' }
  expect(attempt(missing)).toThrow(
    expect.objectContaining({
      ...error,
      message: expect.stringContaining(`${missing} cannot be read`),
    }),
  )
  writeFileSync(configPath, Buffer.from([0x61, 0x3a, 0xff]))
  expect(attempt(configPath)).toThrow(expect.objectContaining(error))
})

test('every setting has a variable and a flag of its own, and says what it does', () => {
  expect(settingKeys.map(variableOf)).toContain('LARDER_LIMITS_READ_TIMEOUT_MS')
  expect(new Set(settingKeys.map(variableOf)).size).toBe(settingKeys.length)
  expect(new Set(settingKeys.map(flagOf)).size).toBe(settingKeys.length)
  expect(settingKeys.filter((key) => !settings[key].effect.includes('default'))).toEqual([])
})

test.each([
  { address: '127.0.0.1:1', loopback: true },
  { address: '127.8.9.10:1', loopback: true },
  { address: '[::1]:1', loopback: true },
  { address: 'localhost:1', loopback: true },
  { address: '0.0.0.0:1', loopback: false },
  { address: '[::]:1', loopback: false },
  { address: '127.0.0.1.example.com:1', loopback: false },
  { address: 'larder:1', loopback: false },
])('$address is loopback: $loopback', ({ address, loopback }) => {
  expect(isLoopback(address)).toBe(loopback)
})
