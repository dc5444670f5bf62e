/**
 * The rows of a write, one by one, and their grouping into steps that a store can take at once.
 */
import { assert } from '../assert.js'
import { readRowHeader } from '../codec/row-version.js'
import { formAt } from './key-batch.js'
import type { RowWrites } from './tier.js'

/** The bytes of row `index`: a view, not a copy. */
export function rowOfWrite(writes: RowWrites, index: number): Uint8Array {
  return writes.rows.subarray(writes.rowOffsets[index], writes.rowOffsets[index + 1])
}

/** Milliseconds to keep row `index`. */
export function keepMsOfWrite(writes: RowWrites, index: number): number {
  return writes.keepMs[index] ?? 0
}

/** Throws where a row of `writes` is none of its form: an encoder's bug must not reach a store. */
export function assertRows(writes: RowWrites): void {
  assert(writes.rowOffsets.length === writes.keys.count + 1, 'every key of a write has a row')
  assert(writes.keepMs.length === writes.keys.count, 'every row of a write has a time to keep it')
  for (let index = 0; index < writes.keys.count; index++) {
    readRowHeader(rowOfWrite(writes, index), formAt(writes.keys, index).versions)
  }
}

/**
 * Splits `order` (row indices) into consecutive steps of at most `rowsMax` rows and `bytesMax` bytes
 * of rows; a row longer than `bytesMax` gets a step of its own. `isBorder` says where in `order` a step
 * had better end; one that has such a place ends at its last.
 */
export function planSteps(
  writes: RowWrites,
  order: Uint32Array,
  bounds: { readonly rowsMax: number; readonly bytesMax: number },
  isBorder: (position: number) => boolean = () => false,
): Uint32Array[] {
  const steps: Uint32Array[] = []
  let start = 0
  let border = 0
  let stepBytes = 0
  for (let position = 0; position < order.length; position++) {
    const rowBytes = rowOfWrite(writes, order[position] ?? 0).byteLength
    const rowCount = position - start
    if (position > start && isBorder(position)) border = position
    if (rowCount > 0 && (rowCount === bounds.rowsMax || stepBytes + rowBytes > bounds.bytesMax)) {
      const end = border > start ? border : position
      steps.push(order.subarray(start, end))
      start = end
      // From the border on the rows are counted anew.
      position = end - 1
      stepBytes = 0
      continue
    }
    stepBytes += rowBytes
  }
  if (start < order.length) steps.push(order.subarray(start))
  return steps
}

/** The indices 0 to `count` - 1. */
export function allIndices(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, index) => index)
}
