/**
 * What benches measure with: repeated timing of a function in this process, and CPU of any process.
 *
 * Others on the machine only ever make a run slower, and wall-clock time more so than CPU time. So what
 * things cost is told in CPU time; a function's figure is its best round, a loaded process's the median
 * of its rounds.
 */
import { readdirSync, readFileSync } from 'node:fs'

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

/**
 * CPU that the threads of process `pid` have used, user and system, in microseconds: schedstat counts
 * nanoseconds, where /proc/PID/stat counts hundredths of a second.
 */
export function cpuOfUs(pid) {
  const taskFolder = `/proc/${pid}/task`
  const cpuNs = readdirSync(taskFolder).map((task) => {
    const [onCpuNs] = readFileSync(`${taskFolder}/${task}/schedstat`, 'utf8').split(' ')
    return Number(onCpuNs)
  })
  return cpuNs.reduce((sum, taskNs) => sum + taskNs, 0) / 1000
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
