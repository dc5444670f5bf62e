import { status as grpcStatus } from '@grpc/grpc-js'
import { expect, test } from 'vitest'
import { type ErrorCode, LarderError } from '../errors.js'
import { isRetryable, toServiceError } from './status.js'

/** Every code, by its type: the status it is sent as, and whether a retry may help. */
const told = {
  invalid_argument: [grpcStatus.INVALID_ARGUMENT, false],
  bad_definitions: [grpcStatus.INVALID_ARGUMENT, false],
  bad_model: [grpcStatus.FAILED_PRECONDITION, false],
  bad_config: [grpcStatus.FAILED_PRECONDITION, false],
  bad_file: [grpcStatus.INVALID_ARGUMENT, false],
  corrupt_row: [grpcStatus.DATA_LOSS, false],
  not_found: [grpcStatus.NOT_FOUND, false],
  conflict: [grpcStatus.ABORTED, true],
  refused: [grpcStatus.FAILED_PRECONDITION, false],
  resource_exhausted: [grpcStatus.RESOURCE_EXHAUSTED, false],
  hot_out_of_memory: [grpcStatus.RESOURCE_EXHAUSTED, true],
  unavailable: [grpcStatus.UNAVAILABLE, true],
  deadline_exceeded: [grpcStatus.DEADLINE_EXCEEDED, true],
  cancelled: [grpcStatus.CANCELLED, true],
  internal: [grpcStatus.INTERNAL, false],
} as const satisfies Record<ErrorCode, readonly [grpcStatus, boolean]>

function isCode(name: string): name is ErrorCode {
  return name in told
}

test.each(Object.keys(told).filter(isCode))('%s', (name) => {
  const [code, retryable] = told[name]
  const error = new LarderError(name, 'what is wrong', { cause: new Error('secret') })
  const sent = toServiceError(error)
  expect(sent).toMatchObject({ code, message: 'what is wrong', details: 'what is wrong' })
  expect(sent.metadata.get('larder-code')).toEqual([name])
  expect(isRetryable(error)).toBe(retryable)
  expect(sent.cause).toBeUndefined()
})

test.each([
  ['a'.repeat(4096), 4096],
  ['a'.repeat(4097), 4097],
  ['€'.repeat(1_000_000), 4097],
])('a message that would not fit a trailer is cut', (message, charCount) => {
  const { details } = toServiceError(new LarderError('invalid_argument', message))
  expect(details).toHaveLength(charCount)
  expect(encodeURI(details).length).toBeLessThan(60 * 1024)
})

test.each([
  ['half a character', '\ud83d'],
  ['cut in the middle of one', `${'a'.repeat(4095)}😀`],
])('%s can be sent', (_case, message) => {
  const { details } = toServiceError(new LarderError('invalid_argument', message))
  expect(() => encodeURI(details)).not.toThrow()
  expect(details).toContain('\ufffd')
})
