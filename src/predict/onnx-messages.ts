/**
 * What the daemon and its ONNX workers say to each other. A worker answers each message that has a
 * `callId` once, in order.
 */
import type { OnnxPlan } from './onnx-block.js'

export type ToOnnxWorker =
  /** Makes an instance of a model; answered by `opened`. The bytes are shared and never changed. */
  | {
      readonly kind: 'open'
      readonly callId: number
      readonly modelId: number
      readonly bytes: SharedArrayBuffer
    }
  /** Runs `rowCount` rows of zeros and tells what comes out; answered by `probed`. */
  | {
      readonly kind: 'probe'
      readonly callId: number
      readonly modelId: number
      readonly inputs: OnnxPlan['inputs']
      readonly outputName: string
      readonly rowCount: number
    }
  /** Runs the rows in the block; answered by `ran`. */
  | {
      readonly kind: 'run'
      readonly callId: number
      readonly modelId: number
      readonly plan: OnnxPlan
      readonly rowCount: number
      readonly block: ArrayBuffer
    }
  | { readonly kind: 'close'; readonly modelId: number }
  /** The worker ends. */
  | { readonly kind: 'end' }

/** An input or output as onnxruntime describes it. */
export interface OnnxValue {
  readonly name: string
  readonly isTensor: boolean
  /** Empty for what is no tensor. */
  readonly type: string
  /** A number, or the name of a dimension that is open. */
  readonly shape: readonly (number | string)[]
}

export interface OnnxDescription {
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly runtimeVersion: string
}

/** What a model made of rows of zeros. */
export interface OnnxProbe {
  readonly type: string
  readonly shape: readonly number[]
  readonly scores: readonly number[]
}

export type FromOnnxWorker =
  | { readonly kind: 'opened'; readonly callId: number; readonly description: OnnxDescription }
  | { readonly kind: 'probed'; readonly callId: number; readonly probe: OnnxProbe }
  | { readonly kind: 'ran'; readonly callId: number; readonly block: ArrayBuffer }
  | {
      readonly kind: 'failed'
      readonly callId: number
      readonly message: string
      /** What failed: the package is not there, or cannot be loaded, or refused the model or the rows. */
      readonly reason: 'absent' | 'broken' | 'refused'
    }

export interface OnnxWorkerData {
  /** What the worker imports. */
  readonly packageName: string
}
