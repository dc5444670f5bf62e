/**
 * `larder …` as a function: arguments in, exit code out.
 *
 * Exit codes: 0 it worked, 1 the operation failed, 2 the command line or the configuration is wrong.
 * Errors go to stderr with what to do next; it never throws and never exits the process.
 */
import { Command, CommanderError } from 'commander'
import { LarderClientError } from '../client/index.js'
import { LarderError } from '../errors.js'
import { larderVersion } from '../larder-version.js'
import { addApplyCommand } from './apply.js'
import type { CliIo } from './cli-io.js'
import { addCodecCommand } from './codec.js'
import type { CommandContext } from './command-context.js'
import { addDeleteCommand } from './delete.js'
import { addDoctorCommand } from './doctor.js'
import { addGetCommand } from './get.js'
import { addLoadCommand } from './load.js'
import { addModelCommand } from './model-score.js'
import { addModelsCommand } from './models.js'
import { addPlanCommand } from './plan.js'
import { addPredictCommand } from './predict.js'
import { colorsOf } from './print.js'
import { addServeCommand } from './serve.js'
import { addServiceCommand } from './service.js'

const exitCodes = { ok: 0, failed: 1, usage: 2 } as const

/** Runs one command line, without the program's name. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  let exitCode: number = exitCodes.ok
  const context: CommandContext = {
    io,
    markFailed() {
      exitCode = exitCodes.failed
    },
  }
  try {
    await createProgram(context).parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    return tellError(error, io)
  }
}

function createProgram(context: CommandContext): Command {
  const { io } = context
  const program = new Command('larder')
    .description('A tiered online feature store that answers predictions in the same hop')
    .version(larderVersion)
    .exitOverride()
    .showHelpAfterError('(add --help for what it takes)')
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
    })
  addServeCommand(program, context)
  addPlanCommand(program, context)
  addApplyCommand(program, context)
  addLoadCommand(program, context)
  addGetCommand(program, context)
  addPredictCommand(program, context)
  addServiceCommand(program, context)
  addModelsCommand(program, context)
  addModelCommand(program, context)
  addCodecCommand(program, context)
  addDeleteCommand(program, context)
  addDoctorCommand(program, context)
  return program
}

async function tellError(thrown: unknown, io: CliIo): Promise<number> {
  // Commander has told it already; asking for help is not an error.
  if (thrown instanceof CommanderError) {
    return thrown.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  }
  const error = thrown instanceof LarderClientError ? thrown : LarderError.from(thrown)
  const colors = colorsOf(io, io.stderr)
  const isInterrupt = io.stop.aborted && error.code === 'cancelled'
  const message = isInterrupt && thrown !== error ? 'interrupted' : error.message
  await io.stderr.write(`${colors.red('error:')} ${message}\n`)
  const advice = adviceOf(error)
  if (advice !== undefined) await io.stderr.write(`${advice}\n`)
  if (error.code === 'internal') {
    const origin = error.cause instanceof Error ? error.cause : error
    await io.stderr.write(`${origin.stack}\n`)
  }
  const isUsage = error instanceof LarderError && usageCodes.has(error.code)
  return isUsage ? exitCodes.usage : exitCodes.failed
}

const usageCodes: ReadonlySet<string> = new Set(['invalid_argument', 'bad_config'])

/** What to do next; undefined where the message says it. */
function adviceOf(error: LarderError | LarderClientError): string | undefined {
  const isAnswered = error instanceof LarderClientError && error.details.larderCode !== undefined
  if (error.code === 'unavailable' && isAnswered) {
    return 'The daemon runs, but lacks something: `larder doctor` shows the state of its tiers.'
  }
  return advices[error.code]
}

const advices: Readonly<Partial<Record<(LarderError | LarderClientError)['code'], string>>> = {
  unavailable:
    'Start a daemon with `larder serve`, or name one with --address HOST:PORT or LARDER_ADDRESS; `larder doctor` says what is wrong with it.',
  deadline_exceeded: 'The daemon is there but slow: `larder doctor` shows the state of its tiers.',
  unimplemented: 'The daemon is older than this client: upgrade it.',
  internal: 'This is a bug in Larder: please report it with the lines below.',
}
