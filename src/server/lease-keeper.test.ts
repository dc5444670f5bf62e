import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createManualClock, type ManualClock } from '../../test/support/manual-clock.js'
import { createMemoryRegistryStore } from '../../test/support/memory-registry-store.js'
import { LarderError } from '../errors.js'
import { leaseMs, leaseRenewMs } from '../limits.js'
import type { RegistryStore } from '../registry/registry-store.js'
import { untilAborted } from '../tiers/abortable.js'
import { LeaseKeeper } from './lease-keeper.js'

const never = new AbortController().signal
const lost = {
  code: 'unavailable',
  message:
    'this daemon lost its lease because the warm tier could not renew it: it does not write ' +
    'until it can',
}

let clock: ManualClock
let store: RegistryStore
let lease: LeaseKeeper
let failures: string[]
beforeEach(async () => {
  failures = []
  clock = createManualClock(Date.UTC(2026, 0, 1))
  store = createMemoryRegistryStore()
  lease = await open(store)
})
afterEach(async () => {
  await lease.close()
})

const open = (of: RegistryStore, holder = 'pid:1:a') => {
  const onFailure = (error: LarderError) => void failures.push(error.message)
  return LeaseKeeper.open({ store: of, clock, holder, onFailure }, never)
}

/** The store, failing whatever is named. */
function broken(words: Partial<RegistryStore>): RegistryStore {
  return { ...store, ...words }
}

const gone = async () => {
  throw new LarderError('unavailable', 'warm is gone')
}

test("a lease is held from the start, and its id is nobody else's", async () => {
  expect(lease.daemonId).toBe(0)
  expect(lease.assertHeld).not.toThrow()
  const other = await open(store, 'pid:2:b')
  expect(other.daemonId).toBe(1)
  await other.close()
})

test('it is renewed by itself, for as long as time runs', async () => {
  for (let step = 0; step < 20; step++) {
    clock.advance(leaseRenewMs)
    await lease.renew()
  }
  expect(lease.assertHeld).not.toThrow()
  expect(await store.liveDaemons(clock.nowMs(), never)).toEqual([
    { daemonId: 0, holder: 'pid:1:a' },
  ])
})

test('without a renewal it is held until it ends, and not a moment longer', async () => {
  const keeper = await open(broken({ renewDaemon: gone }))
  await keeper.renew()
  expect(failures).toEqual(['warm is gone'])
  clock.advance(leaseMs - 1)
  expect(keeper.assertHeld).not.toThrow()
  clock.advance(1)
  expect(keeper.assertHeld).toThrow(expect.objectContaining(lost))
  await keeper.close()
})

test('a renewal counts from when it was asked, not from when it was answered', async () => {
  let isFirst = true
  const keeper = await open(
    broken({
      async renewDaemon() {
        if (!isFirst) return gone()
        isFirst = false
        clock.advance(4000)
        return true
      },
    }),
  )
  await keeper.renew()
  clock.advance(leaseMs - 4001)
  expect(keeper.assertHeld).not.toThrow()
  clock.advance(1)
  expect(keeper.assertHeld).toThrow(expect.objectContaining(lost))
  await keeper.close()
})

describe('a lease that was lost to another', () => {
  test('is replaced by one with another id', async () => {
    clock.stepTimeOfDay(leaseMs)
    const thief = await open(store, 'pid:2:b')
    expect(thief.daemonId).toBe(0)
    await lease.renew()
    expect(lease.daemonId).toBe(1)
    expect(lease.assertHeld).not.toThrow()
    await thief.close()
  })

  test('is not written under, even where its time is not over', async () => {
    let isFull = false
    const keeper = await open(
      broken({
        renewDaemon: async () => false,
        leaseDaemon: (request, signal) => (isFull ? gone() : store.leaseDaemon(request, signal)),
      }),
    )
    isFull = true
    await keeper.renew()
    expect(keeper.assertHeld).toThrow(expect.objectContaining(lost))
    isFull = false
    await keeper.renew()
    expect(keeper.assertHeld).not.toThrow()
    await keeper.close()
  })
})

test('a renewal that hangs is given up', async () => {
  const keeper = await open(
    broken({
      renewDaemon: (_lease, _times, signal) => untilAborted(new Promise(() => {}), signal),
    }),
  )
  const renewal = keeper.renew()
  clock.advance(leaseRenewMs)
  await renewal
  clock.advance(leaseMs - leaseRenewMs)
  expect(keeper.assertHeld).toThrow(expect.objectContaining(lost))
  const closed = keeper.close()
  clock.advance(leaseRenewMs)
  await closed
})

test('a renewal under way when it closes takes no new id', async () => {
  const keeper = await open(broken({ renewDaemon: async () => false }), 'pid:2:b')
  const renewal = keeper.renew()
  await keeper.close()
  await renewal
  expect(await store.liveDaemons(clock.nowMs(), never)).toEqual([
    { daemonId: 0, holder: 'pid:1:a' },
  ])
})

test('closing gives the id back and ends the renewals', async () => {
  const keeper = await open(store, 'pid:3:c')
  expect(keeper.daemonId).toBe(1)
  await keeper.close()
  clock.advance(10 * leaseRenewMs)
  const next = await open(store, 'pid:4:d')
  expect(next.daemonId).toBe(1)
  await next.close()
})

test('where all ids are taken there is no keeper', async () => {
  const full = broken({
    leaseDaemon: async () => {
      throw new LarderError('resource_exhausted', 'all daemon ids are taken')
    },
  })
  await expect(open(full)).rejects.toMatchObject({ code: 'resource_exhausted' })
})
