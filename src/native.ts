/**
 * The native addon: loads it, and types its exports; the engine's are in `native-lightgbm.ts`.
 *
 * The callers named below validate; the addon only requires, so that a wrong argument is a
 * `TypeError` and a bug of ours, never a read outside a buffer. Buffers passed in belong to the
 * caller and are read, or filled, before the call returns; buffers returned are the caller's.
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { WireColumn } from './column.js'
import { LarderError } from './errors.js'
import type { LightgbmNative } from './native-lightgbm.js'

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

/** Byte strings in one blob: item i is `bytes[offsets[i] .. offsets[i + 1])`. */
export interface NativeBlob {
  readonly bytes: Buffer
  readonly offsets: Uint32Array
}

/** What an entity key became in a tier, for each slot; see `codec/store-key.ts`. */
export interface NativeStoreKeys extends NativeBlob {
  /** 1 where a hash stands for the key. Empty for warm keys. */
  readonly isHashed: Buffer
  /** 8 bytes per slot, meaningful where hashed. Empty for warm keys. */
  readonly checks: Buffer
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
  /** For each column where its elements begin and end in `varying`, and its blob. */
  readonly bounds?: Uint32Array
  readonly corrupt: readonly { readonly slot: number; readonly reason: string }[]
  readonly unknownLayouts: readonly { readonly slot: number; readonly layoutId: number }[]
}

/**
 * Exports of `native/codec_binding.cc`. `features` are five numbers each: see `codec/row-
 * layout.ts`.
 */
interface CodecNative {
  createRowLayout(layoutId: number, features: Uint32Array): NativeRowLayout
  /** `limits`: bytes of a row, bytes of a value, elements of a list, problems told. */
  encodeRows(
    layout: NativeRowLayout,
    columns: readonly WireColumn[],
    eventTimesUs: BigInt64Array,
    sequence: bigint,
    limits: Uint32Array,
  ): NativeBlob | NativeProblems
  createRowDecoder(layouts: readonly NativeRowLayout[], wanted: Uint32Array): NativeRowDecoder
  /**
   * Fills `fixed`, which is zero: event times at 0, then each column's values (or lengths) and
   * statuses at the given offsets, values aligned to their width.
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
    valueOffsets: Uint32Array,
    statusOffsets: Uint32Array,
    varyingBytesMax: number,
  ): NativeDecoded
  /** `cellCounts`: for each column `rowCount`, or 1 where its one cell holds for every row. */
  encodeEntityKeys(
    typeCodes: Uint32Array,
    columns: readonly WireColumn[],
    cellCounts: Uint32Array,
    rowCount: number,
    keyBytesMax: number,
    problemsToldMax: number,
  ): NativeBlob | NativeProblems
  dedupeKeys(
    bytes: Uint8Array,
    offsets: Uint32Array,
  ): { readonly slots: Uint32Array; readonly firstRows: Uint32Array }
  encodeHotKeys(
    generations: Float64Array,
    bytes: Uint8Array,
    offsets: Uint32Array,
    slots: Uint32Array,
    rawKeyBytesMax: number,
    hotKeySeed: bigint,
    hotCheckSeed: bigint,
  ): NativeStoreKeys
  encodeWarmKeys(
    generations: Float64Array,
    bytes: Uint8Array,
    offsets: Uint32Array,
    slots: Uint32Array,
    warmSpreadSeed: bigint,
  ): NativeStoreKeys
}

export type LarderAddon = CodecNative & LightgbmNative

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
