/**
 * A read plan as text, for golden files: what is fetched, and what is made of it.
 */
import { formatFeatureType } from '../../src/feature-type.js'
import type { ReadPlan, ViewRead } from '../../src/server/plan-read.js'

/** Keys are hex, with their text behind them where they are printable. */
export function printReadPlan(plan: ReadPlan): string {
  const lines = [`${plan.rowCount} rows`]
  for (const read of plan.reads) {
    const { view, start, count } = read
    lines.push('', `fetch view ${view.name} (${view.latencyClass}), slots from ${start}`)
    for (let index = 0; index < count; index++) {
      lines.push(`  slot ${start + index}  ${printKey(keyOf(read, index))}`)
    }
  }
  for (const { role, view, slots } of plan.roles) {
    lines.push('', `role ${role} of view ${view.name}, slot within its view by row`)
    lines.push(`  ${[...slots].join(' ')}`)
  }
  lines.push('', 'columns')
  for (const { name, role, feature } of plan.features) {
    const { id, name: featureName, type } = feature
    lines.push(`  ${name} = ${role} feature ${id} ${featureName} ${formatFeatureType(type)}`)
  }
  return `${lines.join('\n')}\n`
}

function keyOf({ keyBytes, keyOffsets }: ViewRead, index: number): Buffer {
  return Buffer.from(keyBytes.subarray(keyOffsets[index], keyOffsets[index + 1]))
}

function printKey(key: Buffer): string {
  const text = key.toString('latin1')
  return /^[\x20-\x7e]+$/.test(text) ? `${key.toString('hex')} "${text}"` : key.toString('hex')
}
