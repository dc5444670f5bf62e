/** The client's public names. */
export type {
  BatchWriter,
  BatchWriterOptions,
  WriteAck,
  WriteBatch,
} from './batch-writer.js'
export { LarderClientError, type LarderClientErrorCode } from './client-error.js'
export type { Health } from './health.js'
export { createLarderClient, type LarderClient, type LarderClientOptions } from './larder-client.js'
export type {
  ContributionsResult,
  InputResult,
  PredictionError,
  PredictionResult,
  PredictResult,
} from './read-prediction.js'
export type { FeaturesResult, RowsOrigin } from './read-result.js'
export { column, type RequestColumn, type RequestValue } from './request-column.js'
export type { CellScalar, CellValue, ResponseColumn } from './response-column.js'
export type { RetryPolicy } from './retry.js'
export type {
  ApplyOptions,
  Definitions,
  DeleteEntitiesOptions,
  GetFeaturesOptions,
  PredictOptions,
} from './start-call.js'
export type { RegisterLayoutOptions, SampleResult, SampleRowsOptions } from './view-layouts.js'
