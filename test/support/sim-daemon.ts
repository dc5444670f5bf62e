/**
 * A real daemon in the test's own process, for tests that need several on one pair of tiers.
 *
 * Everything but its tiers and its clock is fresh: ports, folders, the address file.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLarderClient, type LarderClient } from '../../src/client/index.js'
import { batchRowsMax, readTimeoutMsDefault, requestRowsMax } from '../../src/limits.js'
import type { Config } from '../../src/server/config.js'
import { serve } from '../../src/server/serve.js'

export interface SimDaemonOptions {
  readonly hot: string
  readonly warm: string
  /** Where the judging clock stands; left out, it runs. */
  readonly clockAtUs?: bigint
  readonly modelsFolder?: string
}

export interface SimDaemon {
  readonly client: LarderClient
  readonly grpcAddress: string
  stop(): Promise<void>
}

/** Starts a daemon and resolves when it is ready. */
export async function startSimDaemon(options: SimDaemonOptions): Promise<SimDaemon> {
  const daemon = await serve(configOf(options))
  await daemon.ready
  const client = createLarderClient({ addresses: daemon.grpcAddress, deadlineMs: 30_000 })
  return {
    client,
    grpcAddress: daemon.grpcAddress,
    async stop() {
      client.close()
      await daemon.stop()
    },
  }
}

function configOf({ hot, warm, clockAtUs, modelsFolder }: SimDaemonOptions): Config {
  const folder = mkdtempSync(join(tmpdir(), 'larder-sim-'))
  return {
    listen: { grpc: '127.0.0.1:0', http: '127.0.0.1:0', insecure: false },
    tiers: { hot, warm },
    trees: { kernel: 'auto' },
    featuresFolder: join(folder, 'features'),
    modelsFolder: modelsFolder ?? join(folder, 'models'),
    dataFolder: join(folder, 'data'),
    clockAtUs,
    limits: {
      requestRows: requestRowsMax,
      batchRows: batchRowsMax,
      readTimeoutMs: readTimeoutMsDefault,
    },
    log: { level: 'error' },
  }
}
