/**
 * `larder get SERVICE|VIEW --key k=v …`: features of some entities, with the status of every cell.
 */
import type { Command } from 'commander'
import type { FeaturesResult, LarderClient, ResponseColumn, RowsOrigin } from '../client/index.js'
import { cellStatusText } from '../column.js'
import { LarderError } from '../errors.js'
import type { GetRegistryResponse } from '../gen/larder/v1/admin.js'
import { formatInstant } from '../instant.js'
import type { CliIo } from './cli-io.js'
import type { CommandContext, DaemonOptions } from './command-context.js'
import { collect, withDaemonOptions } from './daemon-options.js'
import { withClient } from './find-daemon.js'
import type { JsonInput } from './json-text.js'
import {
  createColumns,
  type DeclaredColumn,
  type KeyOptions,
  readKeys,
  rowCountOf,
  type TextColumns,
  textAt,
} from './key-columns.js'
import { colorsOf, formatCell, jsonCell, printJson, printTable } from './print.js'
import { knownNames } from './service.js'

interface GetOptions extends DaemonOptions, KeyOptions {
  readonly feature: readonly string[]
  readonly applyDefaults?: boolean
  readonly rows?: boolean
}

export function addGetCommand(program: Command, context: CommandContext): void {
  withDaemonOptions(program.command('get'))
    .description('Read features of some entities, with the status of every cell')
    .argument('<target>', 'a feature service or a feature view')
    .option('--key <name=value>', 'a join key; repeat a name for several rows', collect, [])
    .option('--keys-file <csv>', 'a CSV of join keys, their names in the first line')
    .option('--feature <name>', 'only this feature; repeat for several', collect, [])
    .option('--apply-defaults', 'put declared defaults where values are missing')
    .option('--rows', "show each row's event time and tier")
    .action((name: string, options: GetOptions) => get(name, options, context))
}

async function get(name: string, options: GetOptions, { io }: CommandContext): Promise<void> {
  const keys = await readKeys(options, io.cwd)
  rowCountOf(keys)
  const result = await withClient(options, io, (client) =>
    fetchFeatures({ client, name, options, keys }, io.stop),
  )
  if (options.json) await printJson(io, resultJson(keys, result))
  else await printResult(io, keys, result)
}

interface Fetch {
  readonly client: LarderClient
  readonly name: string
  readonly options: GetOptions
  readonly keys: TextColumns
}

async function fetchFeatures(fetch: Fetch, signal: AbortSignal): Promise<FeaturesResult> {
  const { client, options } = fetch
  const target = findTarget(await client.registry(signal), fetch.name)
  return client.getFeatures(
    {
      ...target.selector,
      keys: createColumns(fetch.keys, target.keys, 'join key'),
      features: options.feature.map((feature) => qualify(feature, target)),
      applyDefaults: options.applyDefaults ?? false,
      includeRows: options.rows ?? false,
    },
    signal,
  )
}

/** A view's features may be named without the view: there is only one. */
function qualify(feature: string, { selector }: Target): string {
  return 'view' in selector && !feature.includes('.') ? `${selector.view}.${feature}` : feature
}

interface Target {
  readonly selector: { readonly service: string } | { readonly view: string }
  readonly keys: readonly DeclaredColumn[]
}

function findTarget(registry: GetRegistryResponse, name: string): Target {
  const service = registry.services.find((candidate) => candidate.name === name)
  if (service !== undefined) return { selector: { service: name }, keys: service.keys }
  const view = registry.views.find((candidate) => candidate.name === name)
  const entity = registry.entities.find((candidate) => candidate.name === view?.entity)
  if (view !== undefined && entity !== undefined) {
    return { selector: { view: name }, keys: entity.keys }
  }
  const names = [...registry.services, ...registry.views].map((candidate) => candidate.name)
  throw new LarderError(
    'not_found',
    `there is no feature service or view "${name}"; ${knownNames(names)}`,
  )
}

/** Over this many features a few entities read better side by side, a feature a line. */
const featuresPerLineMax = 8
const entitiesSideBySideMax = 4

async function printResult(io: CliIo, keys: TextColumns, result: FeaturesResult): Promise<void> {
  const { columns, rowCount } = result
  const rowIndexes = Array.from({ length: rowCount }, (_, rowIndex) => rowIndex)
  const cell = (column: ResponseColumn, rowIndex: number) => formatFeature(io, column, rowIndex)
  const keyNames = [...keys.keys()]
  if (columns.length > featuresPerLineMax && rowCount <= entitiesSideBySideMax) {
    const titles = rowIndexes.map((rowIndex) =>
      keyNames.map((name) => `${name}=${textAt(keys, name, rowIndex)}`).join(' '),
    )
    await printTable(io, {
      head: ['feature', ...titles],
      rows: columns.map((column) => [
        column.name,
        ...rowIndexes.map((rowIndex) => cell(column, rowIndex)),
      ]),
    })
  } else {
    await printTable(io, {
      head: [...keyNames, ...columns.map((column) => column.name)],
      rows: rowIndexes.map((rowIndex) => [
        ...keyNames.map((name) => textAt(keys, name, rowIndex)),
        ...columns.map((column) => cell(column, rowIndex)),
      ]),
    })
  }
  if (result.origins.length > 0) await printOrigins(io, result.origins, rowIndexes)
}

/** The value, and the status wherever it is not PRESENT. */
function formatFeature(io: CliIo, column: ResponseColumn, rowIndex: number): string {
  const status = column.statusAt(rowIndex)
  const value = column.valueAt(rowIndex)
  const shown = formatCell(value, column.type)
  if (status === 'present') return shown
  const text = colorsOf(io, io.stdout).yellow(cellStatusText[status])
  return value === null ? text : `${shown} ${text}`
}

function printOrigins(
  io: CliIo,
  origins: readonly RowsOrigin[],
  rowIndexes: readonly number[],
): Promise<void> {
  return printTable(io, {
    head: ['role', 'view', 'row', 'event time', 'tier'],
    rows: origins.flatMap((origin) =>
      rowIndexes.map((rowIndex) => [
        origin.role,
        origin.view,
        String(rowIndex),
        eventTimeText(origin, rowIndex) ?? '-',
        origin.tierAt(rowIndex) ?? '-',
      ]),
    ),
  })
}

function eventTimeText(origin: RowsOrigin, rowIndex: number): string | undefined {
  const eventTimeUs = origin.eventTimesUs[rowIndex] ?? 0n
  return origin.tierAt(rowIndex) === undefined ? undefined : formatInstant(eventTimeUs)
}

function resultJson(keys: TextColumns, result: FeaturesResult): JsonInput {
  const { columns, origins, rowCount, registryVersion } = result
  const rows = Array.from({ length: rowCount }, (_, rowIndex) => ({
    keys: Object.fromEntries(
      [...keys.keys()].map((name) => [name, textAt(keys, name, rowIndex)] as const),
    ),
    features: Object.fromEntries(
      columns.map((column) => [column.name, featureJson(column, rowIndex)] as const),
    ),
    ...(origins.length > 0 && {
      rows: origins.map((origin) => ({
        role: origin.role,
        view: origin.view,
        event_time: eventTimeText(origin, rowIndex) ?? null,
        tier: origin.tierAt(rowIndex) ?? null,
      })),
    }),
  }))
  return { registry_version: registryVersion, rows }
}

function featureJson(column: ResponseColumn, rowIndex: number) {
  return {
    value: jsonCell(column.valueAt(rowIndex), column.type),
    status: cellStatusText[column.statusAt(rowIndex)],
  }
}
