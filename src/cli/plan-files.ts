/**
 * The files that a command line names, or the view's own source, each with the statement that reads it.
 */
import { dirname } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { LarderError } from '../errors.js'
import type { CliIo } from './cli-io.js'
import { type FilePlan, type LoadTarget, planFile } from './load-plan.js'
import { readProject } from './project.js'
import { findFiles, openSourceFile } from './source-file.js'

export interface NamedFiles {
  /** None: the view's source. */
  readonly patterns: readonly string[]
  /** The larder.yaml that was named. */
  readonly config: string | undefined
}

/** Opens and checks every file. Errors: `bad_file`; `invalid_argument` where nothing names a file. */
export async function planFiles(
  connection: DuckDBConnection,
  target: LoadTarget,
  { patterns, config }: NamedFiles,
  io: CliIo,
): Promise<FilePlan[]> {
  const paths =
    patterns.length > 0
      ? await findFiles(connection, patterns, io.cwd)
      : await findSourceFiles(connection, target, config, io)
  const plans: FilePlan[] = []
  for (const path of paths) {
    plans.push(planFile(target, await openSourceFile(connection, path, io.stop)))
  }
  return plans
}

/** The files of the view's own source, relative to the folder that holds the definitions' folder. */
function findSourceFiles(
  connection: DuckDBConnection,
  { view }: LoadTarget,
  config: string | undefined,
  io: CliIo,
): Promise<string[]> {
  if (view.sourcePath === '') {
    throw new LarderError(
      'invalid_argument',
      `view "${view.name}" declares no source: name the files to load`,
    )
  }
  const folder = dirname(readProject(config, io).featuresFolder)
  return findFiles(connection, [view.sourcePath], folder)
}
