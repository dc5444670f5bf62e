/**
 * Several models in one request, one of them broken; lists and embeddings that a tree cannot take.
 */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { column } from '../../src/client/index.js'
import type { PredictOptions } from '../../src/client/start-call.js'
import { describeOnBothKinds, predictRecorded } from '../support/e2e-both-kinds.js'
import { type E2eDaemon, freshTiers, nowUs, startDaemon } from '../support/e2e-daemon.js'
import { createModelsFolder, putModel, putModelYaml, sumModel } from '../support/e2e-models.js'

const definitions = `
entities: [{ name: user, keys: { user: string } }]
feature_views:
  - name: taste
    entity: user
    latency_class: realtime
    ttl: 1h
    retention: 2d
    features:
      - { name: mean, type: float32 }
      - { name: seen, type: list<int32> }
      - { name: profile, type: "embedding<2, f32>" }
feature_services: [{ name: tastes, views: [{ view: taste }] }]
`

/** The service's role \`taste\` is another view, whose \`mean\` is a list. */
const listDefinitions = `${definitions.replace('{ view: taste }', '{ view: means, as: taste }')}
  - { name: old_tastes, views: [{ view: taste }] }
`
  .replace('feature_services: [', 'feature_services:\n  - ')
  .replace('}] }]', '}] }')
  .replace(
    'feature_views:',
    `feature_views:
  - name: means
    entity: user
    latency_class: realtime
    ttl: 1h
    retention: 2d
    features: [{ name: mean, type: list<float32> }]`,
  )

function fillModels(folder: string): void {
  putModel(folder, 'mean', 1, sumModel({ 'taste.mean': 1 }))
  putModel(folder, 'mean', 2, sumModel({ 'taste.mean': 1 }, 0.5))
  putModelYaml(folder, 'mean', 'kind: lightgbm\nservice: tastes\nlabels: { stable: 1 }\n')
  putModel(folder, 'torn', 1, sumModel({ 'taste.mean': 1 }).slice(0, 200))
  putModel(folder, 'seen', 1, sumModel({ 'taste.seen': 1 }))
  putModelYaml(folder, 'seen', 'kind: lightgbm\nservice: tastes\n')
  putModel(folder, 'profile', 1, sumModel({ 'taste.profile': 1 }))
  putModelYaml(folder, 'profile', 'kind: lightgbm\nservice: tastes\n')
  putModel(folder, 'basket', 1, sumModel({ basket: 1 }))
  putModelYaml(
    folder,
    'basket',
    'kind: lightgbm\nrequest_values: [{ name: basket, type: list<int64> }]\n',
  )
  putModel(folder, 'count', 1, sumModel({ count: 1 }))
  putModelYaml(
    folder,
    'count',
    'kind: lightgbm\nrequest_values: [{ name: count, type: int64, default: 3 }]\n',
  )
}

describeOnBothKinds((recorder) => {
  let daemon: E2eDaemon
  let folder: string

  beforeAll(async () => {
    folder = createModelsFolder()
    fillModels(folder)
    const tiers = await freshTiers(recorder.kind)
    daemon = await startDaemon({ tiers, definitions, modelsFolder: folder })
    const writer = daemon.client.openWriter()
    const ack = await writer.write({
      batchId: 'tastes',
      view: 'taste',
      schemaVersion: 1,
      keys: [users('a', 'b')],
      features: [
        column.fromValues('mean', 'float32', [1.5, 2.5]),
        column.fromValues('seen', 'list<int32>', [[1, 2], []]),
        column.fromValues('profile', 'embedding<2, f32>', [
          [1, 2],
          [3, 4],
        ]),
      ],
      eventTimesUs: BigInt64Array.of(nowUs, nowUs),
    })
    await writer.close()
    expect(ack).toMatchObject({ durable: true, visible: true })
  })
  afterAll(async () => {
    await daemon.stop()
    rmSync(folder, { recursive: true })
  })

  const users = (...names: readonly string[]) => column.strings('user', names)
  const keys = [users('a', 'b')]
  const keepGoing = true

  const told = async (label: string, options: PredictOptions) => {
    const { predictions } = await predictRecorded(recorder, daemon, label, options)
    return predictions.map(({ model, version, scores, error }) => ({
      name: `${model}@${version}`,
      scores: [...scores],
      code: error?.code,
      message: error?.message ?? '',
    }))
  }
  const answer = (name: string, ...scores: readonly number[]) => ({
    name,
    scores,
    code: undefined,
    message: '',
  })
  const failure = (name: string, code: string, message: string) => ({
    name,
    scores: [],
    code,
    message: expect.stringContaining(message),
  })

  test('the models that can answer do, each in its place', async () => {
    const models = ['torn', 'mean', 'none', 'mean@2', 'mean@9', 'mean@stable', 'count']
    expect(await told('several', { models, keys, keepGoing })).toEqual([
      failure('torn@', 'bad_model', 'torn@1'),
      answer('mean@1', 1.5, 2.5),
      failure('none@', 'not_found', "no model 'none'"),
      answer('mean@2', 2, 3),
      failure('mean@9@', 'not_found', "'mean' has no '9'"),
      answer('mean@1', 1.5, 2.5),
      answer('count@1', 3, 3),
    ])
  })

  test.each([
    ['torn', 'failed_precondition'],
    ['none', 'not_found'],
    ['seen', 'failed_precondition'],
  ])('without that, %s fails the request', async (model, code) => {
    const failing = daemon.client.predict({ models: ['mean', model], keys })
    await expect(failing).rejects.toMatchObject({ code })
  })

  const toTree = 'a list fed to a tree model is an error'
  test.each([
    ['seen', `input 'taste.seen' is list<int32>, which a tree cannot take: ${toTree}`],
    ['profile', `input 'taste.profile' is embedding<2, f32>, which a tree cannot take: ${toTree}`],
    ['basket', `input 'basket' is list<int64>, which a tree cannot take: ${toTree}`],
  ])('a tree takes no list: %s', async (name, message) => {
    expect(await told(`tree ${name}`, { models: [name, 'mean'], keys, keepGoing })).toEqual([
      failure(`${name}@`, 'bad_model', message),
      answer('mean@1', 1.5, 2.5),
    ])
    const { models } = await daemon.client.models()
    expect(models.find((model) => model.name === name)).toMatchObject({
      ready: false,
      state: expect.stringContaining(message),
    })
  })

  test('what is given for a model that cannot be used does not stop the others', async () => {
    const features = [
      column.fromValues('basket', 'list<int64>', [[1n, 2n], []]),
      column.fromValues('taste.profile', 'embedding<2, f32>', [[1, 2]]),
      column.float32('taste.mean', [7, 8]),
    ]
    const models = ['basket', 'mean']
    expect(await told('given', { models, features, keepGoing })).toMatchObject([
      { name: 'basket@', code: 'bad_model' },
      answer('mean@1', 7, 8),
    ])
    const failing = daemon.client.predict({ models: ['mean'], features })
    await expect(failing).rejects.toThrow("reads a feature or request value 'basket'")
  })

  test('what is wrong with the request fails it all the same', async () => {
    const wrong: readonly [PredictOptions, string][] = [
      [{ models: ['mean', 'none'] }, "key column 'user' (string) is missing"],
      [{ models: ['mean', 'none'], keys: [users()] }, 'is empty: 0 rows'],
      [{ models: [] }, 'names no model'],
      [
        { models: ['mean', 'none'], keys, features: [column.strings('taste.mean', ['1'])] },
        "column 'taste.mean' came as var",
      ],
      [{ models: ['none'], keys, features: [column.float32('x', [1, 2, 3])] }, 'ragged columns'],
    ]
    for (const [options, message] of wrong) {
      const failing = daemon.client.predict({ ...options, keepGoing })
      await expect(failing).rejects.toThrow(message)
      await expect(failing).rejects.toMatchObject({ code: 'invalid_argument' })
    }
  })

  test('a feature that becomes a list is a warning, and refuses the tree that reads it', async () => {
    const reads = `input 'taste.mean' is list<float32>, which a tree cannot take: ${toTree}`
    const files = [{ path: 'tastes.yaml', text: listDefinitions }]
    const { warnings } = await daemon.client.plan({ files })
    expect(warnings).toContainEqual(expect.stringContaining(`model 'mean@1' does not fit`))
    expect(warnings).toContainEqual(expect.stringContaining(reads))
    const applied = await daemon.client.apply({ files })
    expect(applied.warnings).toEqual(warnings)
    await expect(daemon.client.predict({ models: ['mean'], keys })).rejects.toThrow(reads)
  })
})
