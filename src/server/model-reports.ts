/**
 * Tells what becomes of the models, in the log, in metrics and to whoever asks: after each scan, and
 * after each swap of the registry, as a model that fitted one version of it may not fit the next.
 *
 * What is wrong is logged once, when it begins; that it is over as well.
 */
import type { ModelChange, ModelRepository } from '../predict/model-repository.js'
import type { Registry } from '../registry/registry.js'
import type { DaemonMetrics } from './daemon-metrics.js'
import type { DaemonLog } from './log.js'
import { describeModels } from './model-findings.js'

export interface ModelReports {
  /** A scan has ended with these changes. */
  scanned(changes: readonly ModelChange[]): void
  registrySwapped(): void
  /** What is wrong now; see `describeModels`. */
  findings(): readonly string[]
}

export interface ModelReportTools {
  readonly registry: Pick<Registry, 'current'>
  readonly models: ModelRepository
  readonly metrics: Pick<DaemonMetrics, 'setModels' | 'modelLoaded' | 'modelRefused'>
  readonly log: Pick<DaemonLog, 'info' | 'warn' | 'error'>
}

export function createModelReports(tools: ModelReportTools): ModelReports {
  const { registry, models, metrics, log } = tools
  let told: ReadonlySet<string> = new Set()
  const findings = () => describeModels(models, registry.current())
  const tellFindings = () => {
    const current = new Set(findings())
    for (const finding of current) if (!told.has(finding)) log.error({}, finding)
    for (const finding of told) if (!current.has(finding)) log.info({}, `no longer: ${finding}`)
    told = current
  }
  return {
    scanned(changes) {
      if (changes.length === 0) return
      for (const change of changes) tellChange(tools, change)
      metrics.setModels(countModels(models))
      tellFindings()
    },
    registrySwapped: tellFindings,
    findings,
  }
}

function tellChange({ metrics, log }: ModelReportTools, { what, entry }: ModelChange): void {
  const { name, version, labels, model, loadMs, vectorCount } = entry
  const facts = { model: name, version }
  switch (what) {
    case 'loaded':
      metrics.modelLoaded(loadMs ?? 0)
      log.info({ ...facts, kernel: model?.kernel, loadMs, vectorCount }, 'model loaded')
      break
    case 'refused':
      // The finding says why.
      metrics.modelRefused()
      break
    case 'changed':
      log.info({ ...facts, labels }, 'settings of a model changed')
      break
    case 'removed':
      log.info(facts, 'model removed')
      break
  }
}

function countModels(models: ModelRepository) {
  const entries = models.list()
  const loaded = entries.flatMap(({ model }) => (model === undefined ? [] : [model]))
  return {
    loadedCount: loaded.length,
    modelBytes: loaded.reduce((sum, model) => sum + model.modelBytes, 0),
    brokenCount: entries.filter(({ problem, isPending }) => problem !== undefined && !isPending)
      .length,
  }
}
