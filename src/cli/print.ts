/**
 * Output of commands: tables, JSON, and values as people read them.
 */
import Table from 'cli-table3'
import { createColors } from 'picocolors'
import type { CellScalar, CellValue } from '../client/index.js'
import { type FeatureType, scalarTypeOf } from '../feature-type.js'
import { shortenFloat32 } from '../float32-digits.js'
import { formatInstant } from '../instant.js'
import type { CliIo, TextOutput } from './cli-io.js'
import { type JsonInput, jsonText } from './json-text.js'

/** Colours for a terminal that has not asked for none; plain text everywhere else. */
export function colorsOf(io: CliIo, output: TextOutput): ReturnType<typeof createColors> {
  return createColors(output.terminal !== undefined && io.env['NO_COLOR'] === undefined)
}

export function printLine(io: CliIo, text: string): Promise<void> {
  return io.stdout.write(`${text}\n`)
}

/** Prints the one JSON document of a command that was run with `--json`. */
export function printJson(io: CliIo, value: JsonInput): Promise<void> {
  return io.stdout.write(jsonText(value))
}

export interface TextTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Columns as wide as they need to be, without frames: easy on the eye and on `grep`. */
export function printTable(io: CliIo, table: TextTable): Promise<void> {
  const colors = colorsOf(io, io.stdout)
  const text = new Table({
    chars: noFrame,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2, compact: true },
    head: table.head.map((name) => colors.bold(name)),
  })
  for (const row of table.rows) text.push([...row])
  const lines = text.toString().split('\n')
  return io.stdout.write(`${lines.map((line) => line.trimEnd()).join('\n')}\n`)
}

const noFrame = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
}

/**
 * A value on one line: lists in brackets, bytes as base64, timestamps as ISO 8601, float32 with its own
 * digits, null as a dash.
 */
export function formatCell(value: CellValue, type: FeatureType): string {
  if (value === null) return '-'
  return isList(value)
    ? `[${value.map((item) => formatScalar(item, type)).join(', ')}]`
    : formatScalar(value, type)
}

/** A value as `--json` has it: float32 with its own digits, everything else as it is. */
export function jsonCell(value: CellValue, type: FeatureType): CellValue {
  if (value === null) return null
  return isList(value) ? value.map((item) => shorten(item, type)) : shorten(value, type)
}

function formatScalar(value: CellScalar, type: FeatureType): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value === 'bigint' && scalarTypeOf(type) === 'timestamp') return formatInstant(value)
  return Object.is(value, -0) ? '-0' : String(shorten(value, type))
}

/** An f16 or int8 embedding's elements are float32 too, once they are read. */
function shorten(value: CellScalar, type: FeatureType): CellScalar {
  const isFloat32 = typeof value === 'number' && scalarTypeOf(type) === 'float32'
  return isFloat32 ? shortenFloat32(value) : value
}

function isList(value: CellScalar | readonly CellScalar[]): value is readonly CellScalar[] {
  return Array.isArray(value)
}

/** `3 rows`, `1 row`: a count with its word. */
export function formatCount(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${Number(count) === 1 ? one : many}`
}
