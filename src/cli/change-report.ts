/**
 * A plan, or what was applied, as people and as scripts read it.
 */
import type { Change } from '../gen/larder/v1/admin.js'
import type { CliIo } from './cli-io.js'
import { colorsOf, formatCount, printJson, printLine } from './print.js'

export interface ChangeReport {
  /** The version a plan was made against, or that applying made. */
  readonly registryVersion: bigint
  readonly changes: readonly Change[]
  readonly warnings: readonly string[]
  /** Of a plan only: what would suit the views better. */
  readonly advice?: readonly string[]
  readonly applied: boolean
}

export async function printChanges(io: CliIo, report: ChangeReport, json: boolean): Promise<void> {
  if (json) {
    await printJson(io, {
      registry_version: report.registryVersion,
      applied: report.applied,
      changes: report.changes.map((change) => ({ ...change })),
      warnings: report.warnings,
      ...(report.advice === undefined ? {} : { advice: report.advice }),
    })
    return
  }
  for (const change of report.changes) await printChange(io, change, report.applied)
  const colors = colorsOf(io, io.stdout)
  for (const warning of report.warnings) {
    await printLine(io, `${colors.yellow('warning')} ${warning}`)
  }
  for (const advice of report.advice ?? []) {
    await printLine(io, `${colors.cyan('advice')} ${advice}`)
  }
  await printLine(io, summaryOf(report))
}

async function printChange(io: CliIo, change: Change, applied: boolean): Promise<void> {
  const colors = colorsOf(io, io.stdout)
  const paint = { add: colors.green, drop: colors.red, change: colors.yellow, refused: colors.red }
  const action = isAction(change.action) ? paint[change.action](change.action) : change.action
  const detail = [change.before, change.after].filter((text) => text !== '').join(' -> ')
  const what = detail === '' ? change.name : `${change.name}: ${detail}`
  const needs = change.destructive && !applied ? ' (needs --allow-drop)' : ''
  await printLine(io, `${action} ${change.kind} ${what}${needs}`)
  if (change.effect !== '') await printLine(io, `    ${change.effect}`)
}

function isAction(action: string): action is 'add' | 'drop' | 'change' | 'refused' {
  return ['add', 'drop', 'change', 'refused'].includes(action)
}

function summaryOf({ applied, changes, registryVersion }: ChangeReport): string {
  if (changes.length === 0) return `nothing to change: registry version ${registryVersion}`
  if (applied) return `applied: registry version ${registryVersion}`
  const refusedCount = changes.filter((change) => change.action === 'refused').length
  if (refusedCount > 0) {
    const refused = `${formatCount(refusedCount, 'change')} refused`
    return `planned against registry version ${registryVersion}; ${refused}: correct the definitions`
  }
  const needsAllowDrop = changes.some((change) => change.destructive)
  const command = needsAllowDrop ? 'larder apply --allow-drop' : 'larder apply'
  return `planned against registry version ${registryVersion}; run \`${command}\` to apply`
}
