import { expect, test } from 'vitest'
import { snapshotOf, viewOf } from '../../test/support/defined-snapshot.js'
import { packingAdvice } from './packing-advice.js'

interface Wanted {
  readonly latencyClass: string
  readonly packing?: string
  readonly type?: string
}

async function adviceFor({ latencyClass, packing, type = 'int32' }: Wanted) {
  const text = `
entities: [{ name: user, keys: { id: int64 } }]
feature_views:
  - name: clicks
    entity: user
    latency_class: ${latencyClass}
    ttl: 1h
    retention: 1d
${packing === undefined ? '' : `    ${packing}\n`}    features: [{ name: f, type: "${type}" }]
`
  return packingAdvice(viewOf(await snapshotOf(text), 'clicks'))
}

const bucket = 'packing: bucket\n    expected_entities: 1000000'
const costs = /\(about \d+ B per entity as string, \d+ B as bucket/

test.each([
  { latencyClass: 'realtime', text: /^view clicks: packing string suits it: it is read fastest/ },
  {
    latencyClass: 'standard',
    text: /^view clicks: packing bucket would save \d\d % of its memory/,
  },
  {
    latencyClass: 'realtime',
    packing: bucket,
    text: /^view clicks: packing bucket saves \d\d % .*; string would be read faster/,
  },
  {
    latencyClass: 'standard',
    packing: bucket,
    text: /^view clicks: packing bucket suits it: it saves \d\d % of its memory/,
  },
  {
    latencyClass: 'standard',
    type: 'embedding<64, f32>',
    text: /^view clicks: packing string suits it/,
  },
])('$latencyClass, $packing, $type', async ({ text, ...wanted }) => {
  const advice = await adviceFor(wanted)
  expect(advice).toMatch(text)
  expect(advice).toMatch(costs)
})

test('the total is told where the number of entities is known', async () => {
  expect(await adviceFor({ latencyClass: 'standard', packing: bucket })).toMatch(
    /; \d+ and \d+ MiB for 1,000,000 entities\)$/,
  )
  const few = bucket.replace('1000000', '5000')
  expect(await adviceFor({ latencyClass: 'standard', packing: few })).toMatch(
    /; 0\.\d and 0\.\d MiB for 5,000 entities\)$/,
  )
  expect(await adviceFor({ latencyClass: 'standard' })).not.toContain('entities')
})

test('a view that hot does not hold needs none', async () => {
  expect(await adviceFor({ latencyClass: 'relaxed' })).toBeUndefined()
})
