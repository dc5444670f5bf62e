/**
 * What benches measure with: repeated timing of a function in this process, and CPU of any process.
 *
 * Others on the machine only ever make a run slower, and wall-clock time more so than CPU time. So what
 * things cost is told in CPU time; a function's figure is its best round, a loaded process's the median
 * of its rounds.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Ticks a second in /proc/PID/stat. */
const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))

/**
 * CPU nanoseconds of `step(index)`, the best of `roundCount` rounds, each over index 0 to
 * `stepCount` - 1 as often as fills `roundMs`. One round before the first is not counted.
 */
export function timeSteps(step, { stepCount, roundMs, roundCount }) {
  timeRound(step, stepCount, roundMs)
  const rounds = Array.from({ length: roundCount }, () => timeRound(step, stepCount, roundMs))
  return Math.min(...rounds)
}

function timeRound(step, stepCount, roundMs) {
  const startMs = performance.now()
  const startUs = ownCpuUs()
  let passCount = 0
  while (passCount === 0 || performance.now() - startMs < roundMs) {
    for (let index = 0; index < stepCount; index++) step(index)
    passCount++
  }
  return ((ownCpuUs() - startUs) * 1000) / (passCount * stepCount)
}

/** CPU that process `pid` has used since it started, user and system, all threads, in microseconds. */
export function cpuOfUs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The command's name is in parentheses and may hold spaces; utime is the 14th field, stime the 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond
}

/** CPU of this process in microseconds. */
export function ownCpuUs() {
  const { user, system } = process.cpuUsage()
  return user + system
}

export function median(values) {
  return quantile(values, 0.5)
}

/** The value that a share `q` of `values` does not exceed. */
export function quantile(values, q) {
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
}

/** Four significant digits: more would claim what no run can repeat. */
export function rounded(value) {
  return Number(value.toPrecision(4))
}
