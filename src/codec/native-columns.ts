/**
 * Wire columns as the addon takes them: their classes as numbers, their bytes in one flat list.
 *
 * Reading a property by its name from C++ is dear: what has a name here has a place there.
 */
import type { WireColumn, WireScalarValues, WireValues } from '../column.js'
import type { ColumnClass } from '../feature-type.js'
import type { NativeColumns } from '../native.js'

const classCodes = { f32: 0, f64: 1, i64: 2, var: 3, list: 4 } as const satisfies Record<
  ColumnClass,
  number
>
const elementClassFactor = 8
const hasStatusFlag = 64

/** The columns in the form that `native/codec_arguments.cc` reads. Nothing is copied. */
export function nativeColumns(columns: readonly WireColumn[]): NativeColumns {
  const forms = new Uint32Array(columns.length)
  const parts: Uint8Array[] = []
  for (const [index, { values, status }] of columns.entries()) {
    const elements = values.class === 'list' ? values.elements : values
    if (values.class === 'list') parts.push(values.lengths)
    if (elements.class === 'var') parts.push(elements.data, elements.lengths)
    else parts.push(elements.bytes)
    if (status !== undefined) parts.push(status)
    forms[index] = formOf(values, elements, status)
  }
  return { forms, parts }
}

function formOf(
  values: WireValues,
  elements: WireScalarValues,
  status: Uint8Array | undefined,
): number {
  const classes = classCodes[values.class] + elementClassFactor * classCodes[elements.class]
  return status === undefined ? classes : classes + hasStatusFlag
}
