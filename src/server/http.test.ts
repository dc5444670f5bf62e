import { expect, test } from 'vitest'
import { createDaemonMetrics } from './daemon-metrics.js'
import { createHealth } from './health.js'
import { createHttpServer } from './http.js'

async function ask(
  url: string,
  prepare: (tools: ReturnType<typeof createTools>) => void,
  findings: readonly string[] = [],
) {
  const tools = createTools()
  prepare(tools)
  const server = createHttpServer(tools.metrics, tools.health, () => findings)
  const { statusCode, body, headers } = await server.inject(url)
  await server.close()
  return { statusCode, body, contentType: headers['content-type'] }
}

function createTools() {
  const metrics = createDaemonMetrics(() => {})
  const health = createHealth((isReady) => metrics.setReady(isReady))
  return { metrics, health }
}

test.each([
  ['while starting', () => {}, 503, { status: 'not ready', reason: 'starting' }],
  [
    'once ready',
    ({ health }: ReturnType<typeof createTools>) => health.setReady(),
    200,
    { status: 'ready' },
  ],
  [
    'while it drains',
    ({ health }: ReturnType<typeof createTools>) => {
      health.setReady()
      health.setNotReady('draining')
    },
    503,
    { status: 'not ready', reason: 'draining' },
  ],
])('/readyz %s', async (_case, prepare, statusCode, body) => {
  const answer = await ask('/readyz', prepare)
  expect([answer.statusCode, JSON.parse(answer.body)]).toEqual([statusCode, body])
})

test('/readyz tells what is wrong though it is ready', async () => {
  const findings = ["model 'a@2' cannot be used: byte 7"]
  const answer = await ask('/readyz', ({ health }) => health.setReady(), findings)
  expect([answer.statusCode, JSON.parse(answer.body)]).toEqual([200, { status: 'ready', findings }])
})

test('/healthz is alive also while it is not ready', async () => {
  expect(await ask('/healthz', () => {})).toMatchObject({ statusCode: 200 })
})

test('/metrics tells what was counted, in the format of Prometheus', async () => {
  const answer = await ask('/metrics', ({ metrics, health }) => {
    health.setReady()
    metrics.rowsRequested('Predict', 200)
  })
  expect(answer.contentType).toContain('text/plain; version=0.0.4')
  expect(answer.body).toContain('larder_ready 1\n')
  expect(answer.body).toContain('larder_requested_rows_total{rpc="Predict"} 200\n')
})

test('any other path is not found', async () => {
  expect(await ask('/', () => {})).toMatchObject({ statusCode: 404 })
})
