/**
 * The folders of a Larder project, as its `larder.yaml` names them.
 *
 * The file is found by `--config`, then `LARDER_CONFIG`, then in the current folder. Commands that only
 * talk to a daemon do not need one.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LarderError } from '../errors.js'
import { type Config, readConfig } from '../server/config.js'
import type { CliIo } from './cli-io.js'

/** The path of larder.yaml, or undefined where there is none. */
export function findConfigPath(option: string | undefined, io: CliIo): string | undefined {
  const named = option ?? io.env['LARDER_CONFIG']
  if (named !== undefined) return resolve(io.cwd, named)
  const local = resolve(io.cwd, 'larder.yaml')
  return existsSync(local) ? local : undefined
}

/**
 * The configuration, with `flags` over everything else. Errors: `bad_config` with every problem, or
 * where there is no larder.yaml.
 */
export function readProject(
  option: string | undefined,
  io: CliIo,
  flags: Readonly<Record<string, string | undefined>> = {},
): Config {
  const configPath = findConfigPath(option, io)
  if (configPath === undefined) {
    throw new LarderError(
      'bad_config',
      `there is no larder.yaml in ${io.cwd}: name one with --config or LARDER_CONFIG, or make one ` +
        '(it may be empty: every key has a default)',
    )
  }
  return readConfig({ configPath, env: io.env, flags })
}
