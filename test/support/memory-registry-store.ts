/**
 * A registry store in memory, for tests of what stands on the contract.
 */
import { LarderError } from '../../src/errors.js'
import { daemonIdsMax } from '../../src/limits.js'
import type { DaemonLease, RegistryStore } from '../../src/registry/registry-store.js'

export function createMemoryRegistryStore(): RegistryStore {
  const documents: string[] = []
  const leases = new Map<number, { readonly holder: string; readonly untilMs: number }>()
  const batches = new Map<string, { readonly sequence: bigint; readonly receivedAtMs: number }>()
  const holds = ({ daemonId, holder }: DaemonLease) => leases.get(daemonId)?.holder === holder
  return {
    seeds: { hotKey: 1n, hotCheck: 2n, warmSpread: 3n },
    async latestVersion() {
      return documents.length
    },
    async readDocument(version) {
      const documentJson = documents[version - 1]
      return documentJson === undefined ? undefined : { version, documentJson }
    },
    async appendDocument(version, documentJson) {
      if (version !== documents.length + 1) {
        throw new LarderError('conflict', `registry version ${version} is not the next`)
      }
      documents.push(documentJson)
    },
    async leaseDaemon({ holder, nowMs, durationMs }) {
      for (let daemonId = 0; daemonId < daemonIdsMax; daemonId++) {
        if ((leases.get(daemonId)?.untilMs ?? nowMs) > nowMs) continue
        leases.set(daemonId, { holder, untilMs: nowMs + durationMs })
        return { daemonId, holder }
      }
      throw new LarderError('resource_exhausted', 'all daemon ids are taken')
    },
    async renewDaemon(lease, { nowMs, durationMs }) {
      if (!holds(lease)) return false
      leases.set(lease.daemonId, { holder: lease.holder, untilMs: nowMs + durationMs })
      return true
    },
    async releaseDaemon(lease) {
      if (holds(lease)) leases.delete(lease.daemonId)
    },
    async liveDaemons(nowMs) {
      return [...leases]
        .filter(([, { untilMs }]) => untilMs > nowMs)
        .map(([daemonId, { holder }]) => ({ daemonId, holder }))
    },
    async recordBatch({ batchId, sequence, receivedAtMs }) {
      const first = batches.get(batchId) ?? { sequence, receivedAtMs }
      batches.set(batchId, first)
      return first.sequence
    },
    async forgetBatches(beforeMs) {
      const old = [...batches].filter(([, { receivedAtMs }]) => receivedAtMs < beforeMs)
      for (const [batchId] of old) batches.delete(batchId)
      return old.length
    },
  }
}
