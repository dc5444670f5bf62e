import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { status } from '@grpc/grpc-js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type GetRegistryRequest,
  GetRegistryResponse,
  type GetStatusRequest,
  GetStatusResponse,
  type ListModelsRequest,
  ListModelsResponse,
} from '../src/gen/larder/v1/admin.js'
import { type Captured, runCaptured } from './support/captured-io.js'
import { failThenAnswer, grpcError, startFakeDaemon } from './support/fake-daemon.js'

const definitions = `
entities:
  - { name: airport, keys: { airport: string } }
  - { name: route, keys: { origin: string, destination: string } }
feature_views:
  - name: delays
    entity: airport
    latency_class: realtime
    ttl: 1h
    retention: 30d
    features:
      - { name: mean, type: float32, default: 4 }
      - { name: serial, type: int64 }
      - { name: hours, type: "list<int32>" }
    source: { path: data/*.csv, event_time: as_of }
  - name: routes
    entity: route
    latency_class: relaxed
    ttl: 30d
    retention: 30d
    features: [{ name: flights, type: int32 }]
feature_services:
  - name: trip
    views:
      - { view: delays, as: from, keys: { airport: origin }, features: [mean] }
      - { view: delays, as: to, keys: { airport: destination }, features: [mean] }
      - { view: routes }
`

/** One tree: 1 where from.mean is at most 2.5, else 3; plus nothing from \`hour\`. */
const model = `tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=1
objective=regression
feature_names=from.mean hour
feature_infos=[0:10] [0:23]
tree_sizes=300

Tree=0
num_leaves=2
num_cat=0
split_feature=0
split_gain=1
threshold=2.5
decision_type=2
left_child=-1
right_child=-2
leaf_value=1 3
leaf_weight=1 1
leaf_count=1 1
internal_value=0
internal_weight=0
internal_count=2
is_linear=0
shrinkage=1


end of trees
`

let folder: string
let serving: Promise<Captured>
const stop = new AbortController()

function larder(...argv: string[]): Promise<Captured> {
  return runCaptured(argv, { cwd: folder })
}

async function json(...argv: string[]) {
  const { stdout, stderr } = await larder(...argv, '--json')
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

async function writeProject(): Promise<void> {
  for (const name of ['features', 'data', 'models/delay/1']) {
    await mkdir(join(folder, name), { recursive: true })
  }
  await writeFile(
    join(folder, 'larder.yaml'),
    `listen: { grpc: "127.0.0.1:0", http: "127.0.0.1:0" }
tiers: { hot: "memory:", warm: "lmdb:.larder/data" }
clock: { at: 2001-06-15T18:00:00Z }
log: { level: silent }
`,
  )
  await writeFile(join(folder, 'features/all.yaml'), definitions)
  await writeFile(
    join(folder, 'data/delays.csv'),
    `airport,as_of,mean,serial,hours
ATL,2001-06-15T18:00:00Z,1.1,9007199254740993,"[1, 2]"
ORD,2001-06-15T12:00:00Z,nan,,
OLD,2001-01-01T00:00:00Z,1,1,[]
`,
  )
  await writeFile(
    join(folder, 'old.csv'),
    'airport,as_of,mean,serial,hours\nOLD,2001-01-01T00:00:00Z,1,1,[]\n',
  )
  await writeFile(
    join(folder, 'data/routes.jsonl'),
    '{"origin": "ATL", "destination": "ORD", "flights": 7, "at": "2001-06-15T00:00:00Z"}\n',
  )
  await writeFile(join(folder, 'models/delay/1/model.txt'), model)
  await writeFile(
    join(folder, 'models/delay/model.yaml'),
    'kind: lightgbm\nservice: trip\nrequest_values: [{ name: hour, type: int8 }]\nlabels: { stable: 1 }\n',
  )
}

/** Starts a daemon in this process, and waits until it tells that it is ready. */
function startDaemon(): Promise<string> {
  return new Promise((resolve) => {
    let stdout = ''
    const write = async (text: string) => {
      stdout += text
      if (stdout.includes('larder ready')) resolve(stdout)
    }
    serving = runCaptured(['serve'], {
      cwd: folder,
      stop: stop.signal,
      stdout: { write, terminal: undefined },
    }).then((result) => ({ ...result, stdout }))
  })
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-cli-'))
  await writeProject()
  await startDaemon()
})

afterAll(async () => {
  stop.abort()
  await serving
  await rm(folder, { recursive: true, force: true })
})

test('the commands of a first day, in order', async () => {
  const planned = await larder('plan')
  expect(planned.stdout).toContain('add feature view delays')
  expect(planned.stdout).toContain('run `larder apply` to apply')
  expect((await larder('apply')).stdout).toContain('applied: registry version 1')
  expect(await json('plan')).toMatchObject({ registry_version: 1, applied: false, changes: [] })

  const loaded = await json('load', 'delays')
  expect(loaded).toMatchObject({ stored_count: 2, left_out_count: 1, refused_count: 0 })
  expect(await json('load', 'delays')).toMatchObject({ stored_count: 0, superseded_count: 2 })
  const routes = await larder('load', 'routes', 'data/routes.jsonl', '--event-time', 'at')
  expect(routes).toMatchObject({ exitCode: 0, stderr: '' })
})

test('get shows values, and every status that is not PRESENT', async () => {
  const { stdout } = await larder('get', 'delays', '--key', 'airport=ATL', '--key', 'airport=XXX')
  expect(stdout).toContain('ATL      1.1          9007199254740993  [1, 2]')
  expect(stdout).toContain('XXX      NOT_FOUND    NOT_FOUND         NOT_FOUND')
  const orders = await larder('get', 'delays', '--key', 'airport=ORD')
  expect(orders.stdout).toContain('NaN OUTSIDE_MAX_AGE')
})

test('get of a service broadcasts single keys, and tells where rows came from', async () => {
  const keys = ['--key', 'origin=ATL', '--key', 'destination=ORD', '--key', 'destination=XXX']
  const { rows } = await json('get', 'trip', ...keys, '--rows', '--apply-defaults')
  expect(rows[0]).toMatchObject({
    keys: { origin: 'ATL', destination: 'ORD' },
    features: {
      'to.mean': { value: 'NaN', status: 'OUTSIDE_MAX_AGE' },
      'routes.flights': { value: 7, status: 'PRESENT' },
    },
    rows: [
      { role: 'from', view: 'delays', event_time: '2001-06-15T18:00:00Z' },
      { role: 'to', event_time: '2001-06-15T12:00:00Z' },
      { role: 'routes', tier: 'warm' },
    ],
  })
  expect(rows[1].features['routes.flights']).toEqual({ value: null, status: 'NOT_FOUND' })
  expect(rows[1].features['to.mean']).toEqual({ value: 4, status: 'NOT_FOUND' })
})

test('int64 beyond 2^53 is a string in JSON, and keys may come from a file', async () => {
  await writeFile(join(folder, 'keys.csv'), 'airport\nATL\n')
  const { rows } = await json('get', 'delays', '--keys-file', 'keys.csv', '--feature', 'serial')
  expect(rows[0].features).toEqual({
    'delays.serial': { value: '9007199254740993', status: 'PRESENT' },
  })
})

test('predict scores, and explains where each value came from', async () => {
  const argv = ['--key', 'origin=ATL', '--key', 'destination=ORD', '--set', 'hour=18', '--explain']
  const result = await json('predict', 'delay', ...argv)
  expect(result).toMatchObject({
    model: 'delay',
    version: '1',
    rows: [
      {
        scores: [1],
        inputs: [
          { input: 'from.mean', from: 'store', status: 'PRESENT' },
          { input: 'hour', value: 18, from: 'given', status: null },
        ],
      },
    ],
  })
  const given = await larder('predict', 'delay@stable', ...argv, '--set', 'from.mean=9')
  expect(given.stdout).toMatch(/ATL +ORD +3\n/)
})

test('predict keeps going past models that cannot answer, and says so', async () => {
  const argv = ['--key', 'origin=ATL', '--key', 'destination=ORD', '--set', 'hour=18']
  const both = ['predict', 'delay', 'none', 'delay@stable', ...argv, '--keep-going']
  const shown = await larder(...both)
  expect(shown.stdout).toMatch(/^delay@1\norigin +destination +score\nATL +ORD +1\n/)
  expect(shown.stdout).toContain("\nnone\nno answer (not_found): no model 'none'")
  expect(shown).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('1 of 3 models did not answer'),
  })
  const { stdout } = await larder(...both, '--json')
  expect(JSON.parse(stdout)).toMatchObject([
    { model: 'delay', version: '1', rows: [{ scores: [1] }] },
    { model: 'none', version: '', error: { code: 'not_found' } },
    { model: 'delay', version: '1', rows: [{ scores: [1] }] },
  ])
})

test('service names its features as a model must name them', async () => {
  const { stdout } = await larder('service', 'trip')
  expect(stdout).toContain('keys: origin (string), destination (string)')
  expect(stdout).toContain('to.mean         float32  delays')
})

test('codec shows what each feature costs, and rows in Redis', async () => {
  const { stdout } = await larder('codec', 'delays')
  expect(stdout).toMatch(/^delays, .*, on 2 rows:$/m)
  expect(stdout).toMatch(/^feature +type +bits +entropy +encoding +why$/m)
  expect(stdout).toMatch(/^hours +list<int32> /m)
  expect(stdout).toMatch(/^rows +row +string +string, expiring +bucket +bucket, expiring$/m)
  expect(stdout).toMatch(/^as they are stored +\d+\.\d( +\d+){4}$/m)
})

test('models lists the model, ready', async () => {
  expect((await larder('models')).stdout).toMatch(/delay +1 +stable +lightgbm +trip +2 +1 +ready/)
})

test('doctor finds nothing wrong, and mentions the replay clock', async () => {
  const { exitCode, stdout } = await larder('doctor')
  expect(stdout).toContain('warning clock: stands at 2001-06-15T18:00:00Z')
  expect(stdout).toContain('ok      registry: version 1')
  expect(stdout).toContain('ok      served model delay@1: ready (stable)')
  expect({ exitCode, problems: stdout.match(/^problem/gm) }).toEqual({
    exitCode: 0,
    problems: null,
  })
})

test('codec learn registers a profile, unless it is told not to', async () => {
  const argv = ['codec', 'learn', 'delays', '--input', 'data/delays.csv']
  const dry = await larder(...argv, '--dry-run')
  expect(dry.stdout).toContain('dry run: nothing was registered')
  expect(await json('codec', 'delays')).toMatchObject({ profile: { id: 0 } })
  const learned = await json(...argv)
  expect(learned).toMatchObject({ registered: true, profile_id: 1, sample_row_count: 2 })
  expect(await json('codec', 'delays')).toMatchObject({ profile: { id: 1 } })
  const again = await larder('codec', 'learn', 'delays')
  expect(again.stdout).toContain('profile 1 stays: what was learned saves less than 5 %')
})

test('delete asks first, and removes the rows of every view', async () => {
  const argv = ['delete', 'route', '--key', 'origin=ATL', '--key', 'destination=ORD']
  const unasked = await larder(...argv)
  expect(unasked).toMatchObject({ exitCode: 2 })
  expect(unasked.stderr).toContain('deleting 1 route needs --yes without a terminal')
  const questions: string[] = []
  const ask = async (question: string) => {
    questions.push(question)
    return questions.length === 1 ? 'n' : 'y'
  }
  const declined = await runCaptured(argv, { cwd: folder, ask })
  expect(declined).toMatchObject({ exitCode: 1, stderr: 'error: nothing was deleted\n' })
  const deleted = await runCaptured(argv, { cwd: folder, ask })
  expect(questions[1]).toBe('Delete 1 route from routes? [y/N] ')
  expect(deleted.stdout).toContain('deleted 1 row')
  const { rows } = await json('get', 'routes', '--key', 'origin=ATL', '--key', 'destination=ORD')
  expect(rows[0].features['routes.flights'].status).toBe('NOT_FOUND')
})

test('wrong definitions are told with file, line and column', async () => {
  await mkdir(join(folder, 'wrong'), { recursive: true })
  await writeFile(join(folder, 'wrong/a.yaml'), 'entities:\n  - { nam: airport }\n')
  const { exitCode, stderr } = await larder('plan', 'wrong')
  expect(exitCode).toBe(1)
  expect(stderr).toContain('wrong/a.yaml:2:')
})

test('a drop needs --allow-drop', async () => {
  await mkdir(join(folder, 'smaller'), { recursive: true })
  const smaller = 'entities:\n  - { name: airport, keys: { airport: string } }\n'
  await writeFile(join(folder, 'smaller/a.yaml'), smaller)
  const planned = await larder('plan', 'smaller')
  expect(planned.stdout).toContain('(needs --allow-drop)')
  expect(planned.stdout).toContain('run `larder apply --allow-drop`')
  expect(await larder('apply', 'smaller')).toMatchObject({ exitCode: 1, stdout: '' })
})

test.each([
  { argv: ['get', 'none', '--key', 'a=1'], problem: 'there is no feature service or view "none"' },
  { argv: ['get', 'delays', '--key', 'port=1'], problem: 'no join key "port"; known: airport' },
  { argv: ['get', 'delays', '--key', 'airport'], problem: 'not of the form name=value' },
  { argv: ['predict', 'none'], problem: 'there is no model "none"; known: delay@1' },
  { argv: ['predict', 'delay', '--set', 'hour=x'], problem: 'input hour: "x" is not a value of' },
  { argv: ['service', 'none'], problem: 'there is no service "none"; known: trip' },
  { argv: ['delete', 'none', '--key', 'a=1', '--yes'], problem: 'there is no entity "none"' },
  { argv: ['delete', 'route', '--key', 'origin=A', '--yes'], problem: 'missing for destination' },
  { argv: ['load', 'none'], problem: 'there is no view "none"; known: delays, routes' },
  { argv: ['codec', 'none'], problem: 'there is no view "none"; known: delays, routes' },
  { argv: ['codec', 'learn', 'delays', '--now'], problem: '--event-time and --now belong to --in' },
  {
    argv: ['codec', 'learn', 'delays', '--input', 'old.csv'],
    problem: 'is good and within retention: nothing to learn from',
  },
  { argv: ['apply', '--from-version', 'x'], problem: '--from-version "x" is not a registry' },
  { argv: ['apply', 'features', '--from-version', '1'], problem: 'not both' },
  { argv: ['plan', 'nowhere'], problem: 'cannot be read' },
  { argv: ['get', 'delays', '--key', 'airport=A', '--address', 'x'], problem: 'not HOST:PORT' },
  { argv: ['apply', '--from-version', '99'], problem: '99' },
  { argv: ['models', '--address', 'http://127.0.0.1:1'], problem: 'not HOST:PORT' },
  { argv: ['models', '--address', '127.0.0.1:1'], problem: ': connect ECONNREFUSED 127.0.0.1:1\n' },
  { argv: ['model', 'score', 'models', '--input', 'x.csv'], problem: 'is not a file: name a' },
  {
    argv: ['get', 'trip', '--key', 'origin=A', '--key', 'destination=B', '--feature', 'mean'],
    problem: 'did you mean "from.mean" or "to.mean"?',
  },
])('$argv fails with its reason', async ({ argv, problem }) => {
  const { exitCode, stdout, stderr } = await larder(...argv)
  expect({ stdout, failed: exitCode !== 0 }).toEqual({ stdout: '', failed: true })
  expect(stderr).toContain(problem)
})

test.each([
  { argv: ['fetch'], problem: "unknown command 'fetch'" },
  { argv: ['get'], problem: "missing required argument 'target'" },
  { argv: ['get', 'x', '--kye', 'a=1'], problem: "unknown option '--kye'" },
  { argv: ['model', 'score', 'm.txt'], problem: "required option '--input <csv>'" },
])('$argv is a wrong command line', async ({ argv, problem }) => {
  const { exitCode, stderr } = await larder(...argv)
  expect(exitCode).toBe(2)
  expect(stderr).toContain(problem)
})

test('a plan with a refused change does not advise to apply it', async () => {
  await mkdir(join(folder, 'retyped'))
  const retyped = definitions.replace(
    '{ name: serial, type: int64 }',
    '{ name: serial, type: int8 }',
  )
  await writeFile(join(folder, 'retyped/all.yaml'), retyped)
  const { stdout } = await larder('plan', 'retyped')
  expect(stdout).toContain('1 change refused: correct the definitions')
  expect(stdout).not.toContain('to apply')
})

test('doctor tells wrong definitions once, their places indented', async () => {
  await writeFile(join(folder, 'features/wrong.yaml'), 'entitys: []\nviews: []\n')
  const { exitCode, stdout } = await larder('doctor')
  await rm(join(folder, 'features/wrong.yaml'))
  expect(exitCode).toBe(1)
  expect(stdout.match(/ {8}features\/wrong\.yaml:1:1/g)).toHaveLength(1)
})

test('--version tells the version', async () => {
  const { exitCode, stdout } = await larder('--version')
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '0.1.0\n' })
})

test('while its warm tier is down, doctor finds the daemon and says why it is not ready', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'larder-down-'))
  await writeFile(
    join(elsewhere, 'larder.yaml'),
    `listen: { grpc: "127.0.0.1:0", http: "127.0.0.1:0" }
tiers: { hot: "memory:", warm: "postgresql://larder@127.0.0.1:1/larder" }
log: { level: silent }
`,
  )
  const stopped = new AbortController()
  const waiting = runCaptured(['serve'], { cwd: elsewhere, stop: stopped.signal })
  const addressPath = join(elsewhere, '.larder/address.json')
  await expect.poll(() => existsSync(addressPath), { timeout: 20_000 }).toBe(true)
  const { exitCode, stdout } = await runCaptured(['doctor'], { cwd: elsewhere })
  stopped.abort()
  await waiting
  const isLeft = existsSync(addressPath)
  await rm(elsewhere, { recursive: true })
  expect({ exitCode, isLeft }).toEqual({ exitCode: 1, isLeft: false })
  expect(stdout).toMatch(/problem daemon: .*not ready: postgresql:\/\/larder@127\.0\.0\.1:1/)
}, 60_000)

test('--help is not an error', async () => {
  const { exitCode, stdout } = await larder('--help')
  expect(exitCode).toBe(0)
  expect(stdout).toContain('serve')
})

test('without a daemon the message says what to do', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'larder-none-'))
  const { exitCode, stderr } = await runCaptured(['models'], { cwd: elsewhere })
  await rm(elsewhere, { recursive: true })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('no running daemon was found')
  expect(stderr).toContain('Start a daemon with `larder serve`')
})

test('a wrong larder.yaml is a configuration error', async () => {
  const elsewhere = await mkdtemp(join(tmpdir(), 'larder-wrong-'))
  await writeFile(join(elsewhere, 'larder.yaml'), 'tires: { hot: "memory:" }\n')
  const { exitCode, stderr } = await runCaptured(['serve'], { cwd: elsewhere })
  await rm(elsewhere, { recursive: true })
  expect(exitCode).toBe(2)
  expect(stderr).toContain('tires')
})

test('--address beats LARDER_ADDRESS, which beats the address file', async () => {
  const daemonOf = (name: string) =>
    startFakeDaemon({
      admin: {
        getRegistry: failThenAnswer<GetRegistryRequest, GetRegistryResponse>([], () =>
          GetRegistryResponse.fromPartial({ services: [{ name }] }),
        ),
      },
    })
  const [flag, variable] = [await daemonOf('flag'), await daemonOf('variable')]
  const io = { cwd: folder, env: { LARDER_ADDRESS: variable.address } }
  const byFlag = await runCaptured(['service', 'flag', '--address', flag.address], io)
  const byVariable = await runCaptured(['service', 'variable'], io)
  flag.stop()
  variable.stop()
  expect([byFlag.exitCode, byVariable.exitCode]).toEqual([0, 0])
})

test('doctor says what is wrong with a daemon, and exits 1', async () => {
  const sick = await startFakeDaemon({
    admin: {
      getStatus: failThenAnswer<GetStatusRequest, GetStatusResponse>([], () =>
        GetStatusResponse.fromPartial({
          version: '0.1.0',
          ready: true,
          exposed: true,
          tiers: [{ role: 'warm', url: 'postgresql://db', problem: 'connection refused' }],
        }),
      ),
      plan: failThenAnswer([grpcError(status.INTERNAL, 'cannot plan')], () => ({})),
      listModels: failThenAnswer<ListModelsRequest, ListModelsResponse>([], () =>
        ListModelsResponse.fromPartial({
          models: [{ name: 'delay', version: '2', state: 'byte 7: no' }],
        }),
      ),
    },
  })
  const { exitCode, stdout } = await larder('doctor', '--address', sick.address)
  sick.stop()
  expect(exitCode).toBe(1)
  expect(stdout).toContain('problem warm tier: postgresql://db: connection refused')
  expect(stdout).toContain('warning exposure: other machines can reach it')
  expect(stdout).toContain('problem registry: cannot plan')
  expect(stdout).toContain('problem served model delay@2: byte 7: no')
})

test('serve drains when it is asked to stop, and exits 0', async () => {
  stop.abort()
  const { exitCode, stdout, stderr } = await serving
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  expect(stdout).toMatch(/larder ready grpc=127\.0\.0\.1:\d+ http=127\.0\.0\.1:\d+\n/)
  expect(stdout.endsWith('larder stopped\n')).toBe(true)
})
