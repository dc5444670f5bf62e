/**
 * `larder delete ENTITY --key k=v …`: deletes entities' rows in every view of that entity.
 *
 * It must never delete without a yes: on the terminal, or `--yes` where nobody can be asked.
 */
import type { Command } from 'commander'
import type { LarderClient } from '../client/index.js'
import { LarderError } from '../errors.js'
import type { GetRegistryResponse } from '../gen/larder/v1/admin.js'
import type { DeleteEntitiesResponse } from '../gen/larder/v1/ingest.js'
import type { CliIo } from './cli-io.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { collect, withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import { createColumns, type KeyOptions, readKeys, rowCountOf } from './key-columns.js'
import { formatCount, printJson, printLine } from './print.js'
import { openProgress } from './progress.js'
import { knownNames } from './service.js'

interface DeleteOptions extends DaemonOptions, KeyOptions {
  readonly partial?: boolean
  readonly yes?: boolean
}

export function addDeleteCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('delete'))
    .description("Delete entities' rows in every view of that entity")
    .argument('<entity>', 'the entity')
    .option('--key <name=value>', 'a join key; repeat a name for several entities', collect, [])
    .option('--keys-file <csv>', 'a CSV of join keys, their names in the first line')
    .option('--partial', 'the keys are only some of the join keys: delete whatever matches')
    .option('--yes', 'do not ask')
    .action((entity: string, options: DeleteOptions) => deleteRows(entity, options, context))
}

async function deleteRows(
  entity: string,
  options: DeleteOptions,
  { io }: CommandContext,
): Promise<void> {
  const result = await withClient(options, io, async (client) => {
    const request = await requestOf(entity, options, await client.registry(io.stop), io)
    await confirm(request, options, io)
    return runDelete(client, request, io)
  })
  if (options.json) {
    await printJson(io, {
      deleted_count: result.deletedCount,
      scanned_count: result.scannedCount,
      durable: result.durable,
      visible: result.visible,
      sequence: result.sequence,
    })
    return
  }
  const state = result.visible ? 'durable and visible' : 'durable, not yet visible everywhere'
  await printLine(io, `deleted ${formatCount(result.deletedCount, 'row')}: ${state}`)
}

interface DeleteRequest {
  readonly entity: string
  readonly keys: ReturnType<typeof createColumns>
  readonly partial: boolean
  readonly entityCount: number
  readonly viewNames: readonly string[]
}

async function requestOf(
  entity: string,
  options: DeleteOptions,
  registry: GetRegistryResponse,
  io: CliIo,
): Promise<DeleteRequest> {
  const declared = registry.entities.find((candidate) => candidate.name === entity)
  if (declared === undefined) {
    const names = registry.entities.map((candidate) => candidate.name)
    throw new LarderError('not_found', `there is no entity "${entity}"; ${knownNames(names)}`)
  }
  const texts = await readKeys(options, io.cwd)
  const missing = declared.keys.filter((key) => !texts.has(key.name)).map((key) => key.name)
  const partial = options.partial ?? false
  if (texts.size === 0 || (missing.length > 0 && !partial)) {
    throw new LarderError(
      'invalid_argument',
      `--key is missing for ${missing.join(', ')}; --partial deletes whatever matches the others`,
    )
  }
  return {
    entity,
    keys: createColumns(texts, declared.keys, 'join key'),
    partial,
    entityCount: rowCountOf(texts),
    viewNames: registry.views.filter((view) => view.entity === entity).map((view) => view.name),
  }
}

async function confirm(request: DeleteRequest, options: DeleteOptions, io: CliIo): Promise<void> {
  if (options.yes) return
  const what = request.partial
    ? `every ${request.entity} that matches`
    : formatCount(request.entityCount, request.entity)
  if (io.ask === undefined) {
    throw new LarderError('invalid_argument', `deleting ${what} needs --yes without a terminal`)
  }
  const answer = await io.ask(`Delete ${what} from ${request.viewNames.join(', ')}? [y/N] `)
  if (!/^y(es)?$/i.test(answer.trim())) throw new LarderError('cancelled', 'nothing was deleted')
}

async function runDelete(
  client: LarderClient,
  request: DeleteRequest,
  io: CliIo,
): Promise<DeleteEntitiesResponse> {
  const { entity, keys, partial } = request
  const progress = openProgress(io, 'rows scanned')
  try {
    let last: DeleteEntitiesResponse | undefined
    for await (const message of client.deleteEntities({ entity, keys, partial }, io.stop)) {
      last = message
      progress.show(Number(message.scannedCount))
    }
    if (last === undefined) throw new LarderError('internal', 'the daemon told nothing')
    return last
  } finally {
    progress.close()
  }
}
