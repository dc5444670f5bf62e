/**
 * `larder doctor`: what is wrong here, and with the daemon, and what to do about it.
 *
 * One line per check: ok, a warning, or a problem with its remedy. It must never change anything, and
 * never stop at the first problem; the exit code is 1 only if there is one.
 */
import type { Command } from 'commander'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { checkDaemon } from './daemon-checks.js'
import { withDaemonOptions } from './daemon-options.js'
import type { Finding } from './finding.js'
import { checkMachine, checkProject } from './local-checks.js'
import { colorsOf, printJson, printLine } from './print.js'

export function addDoctorCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('doctor'))
    .description('Check this machine, the project and the daemon, and say what to fix')
    .action((options: DaemonOptions) => doctor(options, context))
}

async function doctor(options: DaemonOptions, { io, markFailed }: CommandContext): Promise<void> {
  const findings: Finding[] = [
    ...(await checkMachine()),
    ...(await checkProject(options.config, io)),
    ...(await checkDaemon(options, io)),
  ]
  if (options.json) await printJson(io, { findings: findings.map((finding) => ({ ...finding })) })
  else for (const finding of findings) await printFinding(io, finding)
  if (findings.some((finding) => finding.level === 'problem')) markFailed()
}

async function printFinding(io: CommandContext['io'], finding: Finding): Promise<void> {
  const { level, subject, text, remedy } = finding
  const colors = colorsOf(io, io.stdout)
  const paint = { ok: colors.green, warning: colors.yellow, problem: colors.red }
  await printLine(io, `${paint[level](level.padEnd(7))} ${subject}: ${indented(text)}`)
  if (remedy !== undefined) await printLine(io, `        ${remedy}`)
}

/** The further lines of a text, which tell one problem each, stand under its first. */
function indented(text: string): string {
  return text.replaceAll('\n', '\n        ')
}
