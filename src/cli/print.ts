/**
 * Output of commands: tables, JSON, and values as people read them.
 */
import Table from 'cli-table3'
import { createColors } from 'picocolors'
import type { CellValue } from '../client/index.js'
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
 * A value on one line: lists in brackets, bytes as base64, null as a dash. `isFloat32` says that its
 * numbers are float32: they are shown as such, not with the digits of the float64 that holds them.
 */
export function formatCell(value: CellValue, isFloat32: boolean): string {
  if (value === null) return '-'
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  const format = (item: unknown) =>
    isFloat32 && typeof item === 'number' ? formatFloat32(item) : String(item)
  return Array.isArray(value) ? `[${value.map(format).join(', ')}]` : format(value)
}

/** 6 digits always fit a float32, 9 always tell it from its neighbours. */
const float32Digits = [6, 7, 8, 9] as const

function formatFloat32(value: number): string {
  const texts = float32Digits.map((digits) => String(Number(value.toPrecision(digits))))
  return texts.find((text) => Math.fround(Number(text)) === value) ?? String(value)
}

/** An instant in microseconds as ISO 8601, to the microsecond. */
export function formatInstant(instantUs: bigint): string {
  const microseconds = ((instantUs % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = (instantUs - microseconds) / 1_000_000n
  const date = new Date(Number(seconds) * 1000)
  if (Number.isNaN(date.getTime())) return `${instantUs} us`
  const fraction = microseconds === 0n ? '' : `.${String(microseconds).padStart(6, '0')}`
  return date.toISOString().replace('.000Z', `${fraction}Z`)
}

/** `3 rows`, `1 row`: a count with its word. */
export function formatCount(count: number | bigint, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${Number(count) === 1 ? one : many}`
}
