import { expect, test } from 'vitest'
import { createSeededPrng } from '../prng.js'
import { ModelDrain } from './model-drain.js'

function testModel() {
  const model = { closeCount: 0, close: () => void model.closeCount++ }
  return model
}

/** A request that ends when it is told to. */
function openRequest(drain: ModelDrain) {
  let end = () => {}
  const held = new Promise<void>((resolve) => {
    end = resolve
  })
  const ended = drain.whileInUse(() => held)
  return async () => {
    end()
    await ended
  }
}

test('a model that no request can have found is closed at once, and once only', () => {
  const drain = new ModelDrain()
  const [first, second] = [testModel(), testModel()]
  drain.retire([first])
  drain.retire([second])
  drain.retire([])
  expect([first.closeCount, second.closeCount, drain.waitingCount]).toEqual([1, 1, 0])
})

test('a model waits for the requests that began before it was retired, and for no others', async () => {
  const drain = new ModelDrain()
  const model = testModel()
  const endEarly = openRequest(drain)
  drain.retire([model])
  const endLate = openRequest(drain)
  expect([model.closeCount, drain.waitingCount]).toEqual([0, 1])
  await endEarly()
  expect([model.closeCount, drain.waitingCount]).toEqual([1, 0])
  await endLate()
  expect(model.closeCount).toBe(1)
})

test('a request may have found what is retired later: all of that waits for it', async () => {
  const drain = new ModelDrain()
  const models = [testModel(), testModel(), testModel()]
  const end = openRequest(drain)
  for (const model of models) drain.retire([model])
  expect(models.map(({ closeCount }) => closeCount)).toEqual([0, 0, 0])
  await end()
  expect(models.map(({ closeCount }) => closeCount)).toEqual([1, 1, 1])
})

test('a request that fails has ended too', async () => {
  const drain = new ModelDrain()
  const model = testModel()
  const failing = drain.whileInUse(async () => {
    drain.retire([model])
    expect(model.closeCount).toBe(0)
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(model.closeCount).toBe(1)
})

test.each([1, 2, 3, 4, 5])(
  'any order of requests and swaps (%d): closed once, never early',
  async (seed) => {
    const prng = createSeededPrng(seed)
    const drain = new ModelDrain()
    let current = testModel()
    const all = [current]
    const open: {
      readonly found: ReturnType<typeof testModel>
      readonly end: () => Promise<void>
    }[] = []
    for (let step = 0; step < 500; step++) {
      const choice = prng.next()
      if (choice < 0.4) open.push({ found: current, end: openRequest(drain) })
      else if (choice < 0.8) await open.splice(Math.floor(prng.next() * open.length), 1)[0]?.end()
      else {
        const old = current
        current = testModel()
        all.push(current)
        drain.retire([old])
      }
      expect(open.map(({ found }) => found.closeCount).filter((count) => count > 0)).toEqual([])
    }
    for (const { end } of open) await end()
    drain.retire([current])
    expect(new Set(all.map(({ closeCount }) => closeCount))).toEqual(new Set([1]))
  },
)
