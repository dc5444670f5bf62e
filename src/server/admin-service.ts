/**
 * `larder.v1.AdminService`: message -> registry, models or status -> message.
 */
import { LarderError } from '../errors.js'
import type {
  AdminServiceServer,
  ApplyRequest,
  ApplyResponse,
  PlanResponse,
  DefinitionSource as SourceMessage,
} from '../gen/larder/v1/admin.js'
import { larderVersion } from '../larder-version.js'
import type { DefinitionSource } from '../registry/registry.js'
import type { Snapshot } from '../registry/snapshot.js'
import type { FetchDeadline } from '../tiers/fetch-rows.js'
import { type CallFrame, unary } from './call-handlers.js'
import type { Config } from './config.js'
import type { DaemonState } from './daemon-state.js'
import { describeDaemon } from './daemon-status.js'
import type { Health } from './health.js'
import { bindProblem } from './model-findings.js'
import { formatModelChange, formatModels } from './model-messages.js'
import { packingAdvice } from './packing-advice.js'
import { registerLayout } from './register-layout.js'
import { formatRegistry } from './registry-messages.js'
import { sampleRows } from './sample-rows.js'

export interface AdminTools extends CallFrame {
  /** Throws `unavailable` while the daemon is not ready. */
  readonly state: () => DaemonState
  /** Undefined until the tiers are open. */
  readonly openedState: () => DaemonState | undefined
  readonly health: Health
  readonly config: Config
  readonly startedAtMs: number
  readonly listenAddresses: () => readonly string[]
}

export function createAdminService(tools: AdminTools): AdminServiceServer {
  return {
    plan: unary(tools, 'Plan', ({ source }, deadline) => plan(tools, source, deadline)),
    apply: unary(tools, 'Apply', (request, deadline) => apply(tools, request, deadline)),
    getRegistry: unary(tools, 'GetRegistry', () => {
      const { registry, registryStore } = tools.state()
      return formatRegistry(registry.current(), registryStore.seeds)
    }),
    listModels: unary(tools, 'ListModels', () => {
      const { models, registry } = tools.state()
      return { models: formatModels(models, registry.current()) }
    }),
    reloadModels: unary(tools, 'ReloadModels', async (_request, { signal }) => {
      const { models, registry, modelReports } = tools.state()
      const changes = await models.load(signal)
      modelReports.scanned(changes)
      return {
        changes: changes.map(formatModelChange),
        models: formatModels(models, registry.current()),
      }
    }),
    getStatus: unary(tools, 'GetStatus', (_request, deadline) =>
      describeDaemon(tools, larderVersion, deadline.signal),
    ),
    sampleRows: unary(tools, 'SampleRows', (request, { signal }) => {
      const { registry, warm, judgingClock } = tools.state()
      return sampleRows({ registry, warm, judgingClock, clock: tools.clock }, request, signal)
    }),
    registerLayout: unary(tools, 'RegisterLayout', (request, { signal }) => {
      const { registry, registryStore, sequencer, lease } = tools.state()
      const assertMayWrite = () => lease.assertHeld()
      const { clock } = tools
      return registerLayout(
        { registry, registryStore, sequencer, assertMayWrite, clock },
        request,
        signal,
      )
    }),
  }
}

async function plan(
  tools: AdminTools,
  message: SourceMessage | undefined,
  { signal }: FetchDeadline,
): Promise<PlanResponse> {
  const { registry } = tools.state()
  const result = await registry.plan(parseSource(message), signal)
  const { snapshot: after } = result
  return {
    registryVersion: BigInt(result.version),
    changes: [...result.changes],
    warnings:
      after === undefined ? [] : modelWarnings(tools, { before: registry.current(), after }),
    advice: after === undefined ? [] : packingAdvices(tools, after),
  }
}

/** None where hot is no Redis: then rows lie in one way only. */
function packingAdvices(tools: AdminTools, snapshot: Snapshot): string[] {
  const { hot, warm } = tools.state()
  if (!(hot ?? warm).kind.startsWith('redis')) return []
  return [...snapshot.views.values()].flatMap((view) => packingAdvice(view) ?? [])
}

async function apply(
  tools: AdminTools,
  request: ApplyRequest,
  { signal }: FetchDeadline,
): Promise<ApplyResponse> {
  const state = tools.state()
  state.lease.assertHeld()
  const before = state.registry.current()
  const result = await state.registry.apply(
    {
      source: parseSource(request.source),
      allowDrop: request.allowDrop,
      expectedVersion: Number(request.expectedVersion),
    },
    signal,
  )
  return {
    registryVersion: BigInt(result.version),
    changes: [...result.changes],
    warnings: modelWarnings(tools, { before, after: result.snapshot }),
  }
}

function parseSource(message: SourceMessage | undefined): DefinitionSource {
  switch (message?.source?.$case) {
    case 'files':
      return { kind: 'files', files: message.source.value.files }
    case 'registryVersion':
      return { kind: 'version', version: Number(message.source.value) }
    case undefined:
      throw new LarderError('invalid_argument', 'the request names no definitions')
  }
}

/** The models that do not fit the definitions `after`, though they fit those `before`. */
function modelWarnings(
  tools: AdminTools,
  { before, after }: { readonly before: Snapshot; readonly after: Snapshot },
): string[] {
  const { models } = tools.state()
  return models.list().flatMap((entry) => {
    const problem = bindProblem(models, entry, after)
    const isNew = problem !== undefined && bindProblem(models, entry, before) === undefined
    return isNew ? [problem] : []
  })
}
