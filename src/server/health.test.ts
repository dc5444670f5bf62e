import { expect, test, vi } from 'vitest'
import { createHealth } from './health.js'

const services = [
  '',
  'larder.v1.ServingService',
  'larder.v1.IngestService',
  'larder.v1.AdminService',
]

test('every service is told to be down while starting, up when ready, down in the drain', () => {
  const changes: boolean[] = []
  const health = createHealth((isReady) => changes.push(isReady))
  const setStatus = vi.spyOn(health.implementation, 'setStatus')
  expect(health.notReadyReason).toBe('starting')
  health.setReady()
  expect(health.notReadyReason).toBeUndefined()
  health.setNotReady('draining')
  expect(health.notReadyReason).toBe('draining')
  expect(setStatus.mock.calls).toEqual([
    ...services.map((service) => [service, 'SERVING']),
    ...services.map((service) => [service, 'NOT_SERVING']),
  ])
  expect(changes).toEqual([false, true, false])
})
