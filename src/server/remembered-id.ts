/**
 * The ids that callers give to batches and loads, by which sequences are remembered.
 */
import { LarderError } from '../errors.js'
import { batchIdBytesMax } from '../limits.js'

/** Load ids are remembered beside batch ids, which must not begin so. */
const loadIdPrefix = 'larder:load:'

/** Throws `invalid_argument` for a batch id of a wrong size, with a NUL, or that might be a load's. */
export function assertBatchId(batchId: string): void {
  assertId(batchId, 'batch_id')
  if (!batchId.startsWith(loadIdPrefix)) return
  throw new LarderError('invalid_argument', `batch_id must not begin with '${loadIdPrefix}'`)
}

/** The batch id that stands for a load. Throws `invalid_argument` as `assertBatchId`. */
export function batchIdOfLoad(loadId: string): string {
  assertId(loadId, 'load_id')
  return `${loadIdPrefix}${loadId}`
}

function assertId(id: string, field: string): void {
  const idBytes = Buffer.byteLength(id)
  if (idBytes === 0 || idBytes > batchIdBytesMax) {
    throw new LarderError(
      'invalid_argument',
      `${field} has ${idBytes} bytes, it must have 1 to ${batchIdBytesMax}`,
    )
  }
  // PostgreSQL keeps no text that has one.
  if (id.includes('\0')) {
    throw new LarderError('invalid_argument', `${field} has a NUL character`)
  }
}
