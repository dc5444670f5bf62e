/**
 * The native addon: loads it, and types its exports; the engine's are in `native-trees.ts`.
 *
 * The callers named below validate; the addon only requires, so that a wrong argument is a
 * `TypeError` and a bug of ours, never a read outside a buffer. Buffers passed in belong to the
 * caller and are read, or filled, before the call returns; buffers returned are the caller's.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { LarderError } from './errors.js'
import type { GraphNative } from './native-graph.js'
import type { StoreKeyNative } from './native-store-key.js'
import type { TreesNative } from './native-trees.js'

declare const nativeRowLayout: unique symbol
declare const nativeRowDecoder: unique symbol
/** A compiled layout; freed when it is no longer referenced. */
export interface NativeRowLayout {
  readonly [nativeRowLayout]: true
}
/** A compiled decoder; freed when it is no longer referenced. */
export interface NativeRowDecoder {
  readonly [nativeRowDecoder]: true
}

/** Columns as `codec/native-columns.ts` writes them. */
export interface NativeColumns {
  /** For each column its class, 8 times that of its elements, and 64 where it has statuses. */
  readonly forms: Uint32Array
  /** For each column lengths of lists, values or a blob, lengths of blobs, statuses: what it has. */
  readonly parts: readonly Uint8Array[]
}

/** Byte strings in one blob: item i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface NativeBlob {
  readonly bytes: Buffer
  readonly offsets: Uint32Array
}

/** At most one problem per row, and one per column that is wrong as a whole. */
export interface NativeProblems {
  readonly problems: readonly {
    /** Absent where the column as a whole is wrong. */
    readonly rowIndex?: number
    /** Absent where the row as a whole is wrong. */
    readonly columnIndex?: number
    readonly reason: string
  }[]
  readonly problemCount: number
}

export interface NativeDecoded {
  /**
   * Everything whose size varies, each part at a multiple of 8. Absent where it exceeds its bound.
   */
  readonly varying?: ArrayBuffer
  readonly corrupt: readonly { readonly slot: number; readonly reason: string }[]
  readonly unknownLayouts: readonly { readonly slot: number; readonly layoutId: number }[]
}

/**
 * Exports of `native/codec_binding.cc`. `features` are five numbers each: see `codec/row-
 * layout.ts`.
 */
interface CodecNative {
  /**
   * `version`: base, unit, bytes and sequence of a compact one, else empty. The profile is as `codec/
   * profile-words.ts` writes it, or that of `like`, a layout of the same features; without either rows
   * are plain. A text says why there is no such layout.
   */
  createRowLayout(
    layoutId: number,
    features: Uint32Array,
    version: BigInt64Array,
    profileWords: BigInt64Array | undefined,
    dictionaryBytes: Uint8Array | undefined,
    like: NativeRowLayout | undefined,
  ): NativeRowLayout | string
  /**
   * Each row in the first layout that its version fits; the last takes every one. `limits`: bytes of a
   * row, bytes of a value, elements of a list, problems told.
   */
  encodeRows(
    layouts: readonly NativeRowLayout[],
    columns: NativeColumns,
    eventTimesUs: BigInt64Array,
    sequence: bigint,
    limits: Uint32Array,
  ): NativeBlob | NativeProblems
  createRowDecoder(layouts: readonly NativeRowLayout[], wanted: Uint32Array): NativeRowDecoder
  /**
   * Fills `fixed`, which is zero: for each column as four u32 where its elements begin and end in what
   * varies, and its blob; event times; the values (or lengths) of columns of 8 bytes a cell, then those
   * of 4; statuses; in the order of `wanted` each.
   */
  decodeRows(
    decoder: NativeRowDecoder,
    arena: Uint8Array,
    starts: Uint32Array,
    lengths: Uint32Array,
    states: Uint8Array,
    slots: Uint32Array,
    nowUs: bigint,
    ttlUs: bigint,
    retentionUs: bigint,
    servesStale: boolean,
    fixed: Uint8Array,
    varyingBytesMax: number,
  ): NativeDecoded
  /** Bytes of the LZ4 block that the encoder would write for a value; 0 where it would write none. */
  lz4CompressedBytes(value: Uint8Array): number
  /** `cellCounts`: for each column `rowCount`, or 1 where its one cell holds for every row. */
  encodeEntityKeys(
    typeCodes: Uint32Array,
    columns: NativeColumns,
    cellCounts: Uint32Array,
    rowCount: number,
    keyBytesMax: number,
    problemsToldMax: number,
  ): NativeBlob | NativeProblems
  dedupeKeys(
    bytes: Uint8Array,
    offsets: Uint32Array,
  ): { readonly slots: Uint32Array; readonly firstRows: Uint32Array }
}

export type LarderAddon = CodecNative & GraphNative & TreesNative & StoreKeyNative

let addon: LarderAddon | undefined

/** The addon, loaded once. Throws `bad_file` where it was not built, or not for this Node. */
export function loadAddon(): LarderAddon {
  addon ??= requireAddon()
  return addon
}

function requireAddon(): LarderAddon {
  // The same steps up from `src/` and from `dist/`.
  const path = fileURLToPath(new URL('../native/build/Release/larder.node', import.meta.url))
  try {
    // The native edge: what the file exports is what this file says it exports.
    return createRequire(import.meta.url)(path) as LarderAddon
  } catch (cause) {
    throw new LarderError(
      'bad_file',
      `the native addon ${path} cannot be loaded: run \`npm run build\``,
      { cause },
    )
  }
}
