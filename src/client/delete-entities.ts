/**
 * DeleteEntities: one call, progress as it goes.
 *
 * It must never be repeated by itself: a second try gets a later sequence, and would delete rows that
 * were written after the first.
 */
import type { DeleteEntitiesResponse } from '../gen/larder/v1/ingest.js'
import { clientErrorOf, isServiceError, LarderClientError } from './client-error.js'
import type { Daemon } from './daemon-channels.js'
import { type DeleteEntitiesOptions, deleteRequestOf } from './start-call.js'

/**
 * Yields progress messages; the last has `done`. Has no deadline of its own, since a partial match
 * scans the warm tier: `signal` ends it. Error `unavailable` also where the daemon ends early.
 */
export async function* deleteEntities(
  daemon: Daemon,
  options: DeleteEntitiesOptions,
  signal?: AbortSignal,
): AsyncGenerator<DeleteEntitiesResponse> {
  const stream = daemon.ingest.deleteEntities(deleteRequestOf(options))
  const cancel = () => stream.cancel()
  if (signal?.aborted) cancel()
  signal?.addEventListener('abort', cancel, { once: true })
  const details = { address: daemon.address, attemptCount: 1 }
  try {
    for await (const message of stream) {
      const progress: DeleteEntitiesResponse = message
      yield progress
      if (progress.done) return
    }
    throw new LarderClientError(
      'unavailable',
      `${daemon.address}: the daemon stopped before the end`,
      {
        details,
      },
    )
  } catch (error) {
    throw isServiceError(error) ? clientErrorOf(error, details) : error
  } finally {
    signal?.removeEventListener('abort', cancel)
    stream.cancel()
  }
}
