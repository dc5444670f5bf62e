/**
 * `larder serve`: runs a daemon in this process until SIGTERM or SIGINT, then drains it.
 */
import { type Command, Option } from 'commander'
import { formatInstant } from '../instant.js'
import { flagOf, type SettingKey, settingKeys, settings } from '../server/config-settings.js'
import { serve } from '../server/serve.js'
import type { CommandContext } from './command-context.js'
import { printLine } from './print.js'
import { readProject } from './project.js'

interface ServeOptions {
  readonly config?: string
  /** Settings given as flags, under the names that commander makes of them. */
  readonly [attribute: string]: string | undefined
}

export function addServeCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('serve')
    .description('Run a daemon until SIGTERM or SIGINT')
    .option('--config <file>', 'larder.yaml (default: LARDER_CONFIG, then ./larder.yaml)')
  for (const key of flagKeys) command.addOption(settingOption(key))
  command.action((options: ServeOptions) => runDaemon(options, context))
}

const flagKeys = settingKeys.filter((key) => !('fileOnly' in settings[key]))

function settingOption(key: SettingKey): Option {
  return new Option(`${flagOf(key)} <value>`, settings[key].effect)
}

/** The flags that were given, by flag, as the configuration reads them. */
function givenFlags(options: ServeOptions): Record<string, string | undefined> {
  return Object.fromEntries(
    flagKeys.map((key) => [flagOf(key), options[settingOption(key).attributeName()]]),
  )
}

async function runDaemon(options: ServeOptions, { io }: CommandContext): Promise<void> {
  const config = readProject(options.config, io, givenFlags(options))
  const daemon = await serve(config)
  try {
    if (config.clockAtUs !== undefined) {
      await printLine(io, `replay clock: standing at ${formatInstant(config.clockAtUs)}`)
    }
    const stopped = whenStopped(io.stop)
    const isReady = await Promise.race([daemon.ready.then(() => true), stopped.then(() => false)])
    if (isReady) {
      await printLine(io, `larder ready grpc=${daemon.grpcAddress} http=${daemon.httpAddress}`)
      await stopped
    }
  } finally {
    await daemon.stop()
  }
  await printLine(io, 'larder stopped')
}

function whenStopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve()
    else stop.addEventListener('abort', () => resolve(), { once: true })
  })
}
