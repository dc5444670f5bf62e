/**
 * What an ONNX file says of itself, read before onnxruntime sees it.
 *
 * The file is one protobuf message (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto); this
 * walks the few fields that Larder needs and checks that all others lie within their bounds. It does
 * not check the model: onnxruntime does.
 */
import { LarderError } from '../errors.js'
import { onnxNestingMax } from '../limits.js'

export interface OnnxFileFacts {
  readonly irVersion: number
  /** `name version` of what wrote the file; empty where it does not say. */
  readonly producer: string
  /** Version by domain; the standard operators' domain is `ai.onnx`. */
  readonly opsets: ReadonlyMap<string, number>
}

/** Field numbers of onnx.proto. */
const modelFields = { irVersion: 1, producerName: 2, producerVersion: 3, graph: 7, opset: 8 }
const opsetFields = { domain: 1, version: 2 }

/** Messages in which tensors can lie, each with the fields that lead on. */
const messages = {
  graph: new Map([
    [1, 'node'],
    [5, 'tensor'],
    [15, 'sparse'],
  ]),
  node: new Map([[5, 'attribute']]),
  attribute: new Map([
    [5, 'tensor'],
    [6, 'graph'],
    [10, 'tensor'],
    [11, 'graph'],
    [22, 'sparse'],
    [23, 'sparse'],
  ]),
  sparse: new Map([
    [1, 'tensor'],
    [2, 'tensor'],
  ]),
} as const satisfies Record<string, ReadonlyMap<number, string>>
const tensorFields = { name: 8, location: 14 }
const externalLocation = 1

/** Reads the facts. Throws `bad_model` with the byte offset where the file is cut or no ONNX model. */
export function readOnnxFile(bytes: Uint8Array): OnnxFileFacts {
  const opsets = new Map<string, number>()
  let irVersion = 0
  let producer = ''
  let graphCount = 0
  for (const { field, value, begin, end } of fieldsOf(bytes, 0, bytes.length)) {
    if (field === modelFields.irVersion) irVersion = value
    if (field === modelFields.producerName || field === modelFields.producerVersion) {
      producer = `${producer} ${textAt(bytes, begin, end)}`.trim()
    }
    if (field === modelFields.opset) readOpset(bytes, begin, end, opsets)
    if (field === modelFields.graph) {
      graphCount++
      refuseExternalData(bytes, { kind: 'graph', begin, end }, 0)
    }
  }
  if (graphCount === 0 || irVersion === 0) {
    throw badFile('not an ONNX model: it has no ir_version or no graph', 0)
  }
  return { irVersion, producer, opsets }
}

/** `opset ai.onnx 13, IR version 8, made by pytorch 2.1`, for messages. */
export function describeOnnxFile({ irVersion, producer, opsets }: OnnxFileFacts): string {
  const versions = [...opsets].map(([domain, version]) => `${domain} ${version}`).join(', ')
  const madeBy = producer === '' ? '' : `, made by ${producer}`
  return `opset ${versions || 'none'}, IR version ${irVersion}${madeBy}`
}

function readOpset(
  bytes: Uint8Array,
  start: number,
  stop: number,
  opsets: Map<string, number>,
): void {
  let domain = ''
  let version = 0
  for (const { field, value, begin, end } of fieldsOf(bytes, start, stop)) {
    if (field === opsetFields.domain) domain = textAt(bytes, begin, end)
    if (field === opsetFields.version) version = value
  }
  opsets.set(domain === '' ? 'ai.onnx' : domain, version)
}

interface Message {
  readonly kind: keyof typeof messages
  readonly begin: number
  readonly end: number
}

/** Weights in other files would be looked for wherever the daemon happens to run. */
function refuseExternalData(bytes: Uint8Array, message: Message, depth: number): void {
  if (depth > onnxNestingMax) {
    throw badFile(`graphs nest deeper than ${onnxNestingMax}`, message.begin)
  }
  const leads: ReadonlyMap<number, string> = messages[message.kind]
  for (const { field, begin, end, isBytes } of fieldsOf(bytes, message.begin, message.end)) {
    const kind = leads.get(field)
    if (kind === undefined || !isBytes) continue
    if (kind === 'tensor') refuseExternalTensor(bytes, begin, end)
    else if (isMessageKind(kind)) refuseExternalData(bytes, { kind, begin, end }, depth + 1)
  }
}

function isMessageKind(kind: string): kind is keyof typeof messages {
  return kind in messages
}

function refuseExternalTensor(bytes: Uint8Array, start: number, stop: number): void {
  let name = ''
  let isExternal = false
  for (const { field, value, begin, end } of fieldsOf(bytes, start, stop)) {
    if (field === tensorFields.name) name = textAt(bytes, begin, end)
    if (field === tensorFields.location) isExternal = value === externalLocation
  }
  if (!isExternal) return
  const advice = 'save the model as one file (save_as_external_data=False)'
  throw badFile(`the data of ${JSON.stringify(name)} lies in another file: ${advice}`, start)
}

interface WireField {
  readonly field: number
  /** Of a varint; 0 for other wire types. */
  readonly value: number
  readonly isBytes: boolean
  /** Where the content of a length-delimited field lies. */
  readonly begin: number
  readonly end: number
}

/** The fields between two offsets, each within them. */
function* fieldsOf(bytes: Uint8Array, start: number, stop: number): Generator<WireField> {
  let at = start
  while (at < stop) {
    const tag = readVarint(bytes, at, stop)
    const field = Math.floor(tag.value / 8)
    const wireType = tag.value % 8
    if (field === 0) throw badFile('a field has number 0', at)
    const content = tag.next
    if (wireType === 0) {
      const { value, next } = readVarint(bytes, content, stop)
      at = next
      yield { field, value, isBytes: false, begin: content, end: next }
      continue
    }
    const { begin, end } = contentOf(bytes, { wireType, content, stop, at })
    at = end
    yield { field, value: 0, isBytes: wireType === 2, begin, end }
  }
}

function contentOf(
  bytes: Uint8Array,
  field: { wireType: number; content: number; stop: number; at: number },
): { readonly begin: number; readonly end: number } {
  const { wireType, content, stop, at } = field
  const byteCounts: Readonly<Record<number, number>> = { 1: 8, 5: 4 }
  const fixed = byteCounts[wireType]
  const { value, next } =
    wireType === 2 ? readVarint(bytes, content, stop) : { value: fixed, next: content }
  if (value === undefined) throw badFile(`a field has wire type ${wireType}`, at)
  if (value > stop - next) {
    throw badFile(`a field of ${value} bytes ends beyond byte ${stop}: is the file cut?`, at)
  }
  return { begin: next, end: next + value }
}

/** Exact up to 2^53; what lies beyond is too large for anything here. */
function readVarint(
  bytes: Uint8Array,
  start: number,
  stop: number,
): { readonly value: number; readonly next: number } {
  let value = 0
  for (let at = start; at < Math.min(stop, start + 10); at++) {
    const byte = bytes[at] ?? 0
    value += (byte & 127) * 2 ** (7 * (at - start))
    if (byte < 128) return { value, next: at + 1 }
  }
  throw badFile('a number is cut or too long', start)
}

function textAt(bytes: Uint8Array, begin: number, end: number): string {
  return Buffer.from(bytes.subarray(begin, Math.min(end, begin + 200))).toString('utf8')
}

function badFile(reason: string, offset: number): LarderError {
  return new LarderError('bad_model', `byte ${offset}: ${reason}`, { details: { offset } })
}
