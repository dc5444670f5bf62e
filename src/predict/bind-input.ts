/**
 * Binds one model input to what it reads: whether the declared type fits the form the model takes, and
 * what stands in for a missing value, in that form. Pure.
 *
 * Never guesses: a type or a default that does not fit is `bad_model`, naming the input, its type and
 * what the input takes.
 */
import { unreachable } from '../assert.js'
import type { DefaultScalar, DefaultValue } from '../declared.js'
import { LarderError } from '../errors.js'
import {
  columnClassOf,
  elementClassOf,
  type FeatureType,
  formatFeatureType,
} from '../feature-type.js'
import { quoteText } from '../quoted-text.js'
import type { ServiceFeature } from '../registry/snapshot.js'
import {
  type CategoryCodes,
  codeOfDefault,
  createCategoryCodes,
  isTextType,
} from './category-codes.js'
import type { Category, InputForm, Model, ModelInput } from './model.js'

/** What an input reads. */
interface BoundSource {
  /** The model's own name. */
  readonly inputName: string
  /** The service feature's or the request value's name. */
  readonly name: string
  readonly type: FeatureType
  /** Undefined for a request value. */
  readonly feature: ServiceFeature | undefined
}

/** What stands in for a missing value, first the model's, then the view's; as the model sees it. */
interface Defaults<Value> {
  readonly modelDefault: Value | undefined
  readonly viewDefault: Value | undefined
}

/** One number a row. */
export interface BoundNumberInput extends BoundSource, Defaults<number> {
  readonly kind: 'number'
  /** Undefined where the value itself is what the model sees. */
  readonly codes: CategoryCodes | undefined
  /** Every value the input can take is exact in float32. */
  readonly exactInFloat32: boolean
}

/** Several numbers a row. */
export interface BoundListInput extends BoundSource, Defaults<readonly number[]> {
  readonly kind: 'list'
  readonly form: Extract<InputForm, { kind: 'list' | 'embedding' }>
  /** Every element the input can take is exact in float32. */
  readonly exactInFloat32: boolean
}

/** Several texts a row, which the model sees as numbers that are equal where the texts are. */
export interface BoundTextListInput extends BoundSource, Defaults<readonly string[]> {
  readonly kind: 'textList'
  readonly itemsMax: number
}

/** A model input and what it reads. */
export type BoundInput = BoundNumberInput | BoundListInput | BoundTextListInput

/** An input to bind. */
export interface InputToBind extends Omit<BoundSource, 'inputName'> {
  readonly input: ModelInput
  readonly modelKind: Model['kind']
  /** What the model's file lists of an input of the form `number`; undefined where nothing. */
  readonly categories: readonly Category[] | undefined
  /** What model.yaml says stands in for a missing value. */
  readonly yamlDefault: DefaultValue | undefined
}

/** Throws `bad_model` where the input cannot take what it is to read. */
export function bindInput(toBind: InputToBind): BoundInput {
  const { input, name, type, feature } = toBind
  const source = { inputName: input.name, name, type, feature }
  const { form } = input
  switch (form.kind) {
    case 'number':
      return bindNumber(source, toBind, toBind.categories)
    case 'category':
      return bindNumber(source, toBind, form.categories)
    case 'embedding':
      return bindList(source, toBind, form)
    case 'list':
      return form.items === 'text'
        ? bindTextList(source, toBind, form.itemsMax)
        : bindList(source, toBind, form)
    default:
      return unreachable(form)
  }
}

function bindNumber(
  source: BoundSource,
  toBind: InputToBind,
  categories: readonly Category[] | undefined,
): BoundNumberInput {
  const { type, feature, inputName } = source
  const columnClass = columnClassOf(type)
  const isCode = isTextType(type) && categories !== undefined
  if (columnClass === 'list' || (columnClass === 'var' && !isCode)) throw misfit(source, toBind)
  const codes = categories === undefined ? undefined : codesOf(source, categories)
  const target = { inputName, type, codes }
  const modelDefault =
    modelDefaultAsInput(toBind.yamlDefault, target) ?? ownNumber(source, toBind.input.defaultValue)
  const viewDefault = defaultAsInput(feature?.feature.defaultValue, target)
  const isFloat32Value = codes === undefined ? columnClass === 'f32' : codes.size <= 2 ** 24
  const defaults = [modelDefault, viewDefault].filter((value) => value !== undefined)
  const exactInFloat32 = isFloat32Value && defaults.every(isFloat32)
  return { kind: 'number', ...source, codes, modelDefault, viewDefault, exactInFloat32 }
}

function codesOf({ inputName, type }: BoundSource, categories: readonly Category[]): CategoryCodes {
  try {
    return createCategoryCodes(type, categories)
  } catch (thrown) {
    throw badModel(`input '${inputName}': ${LarderError.from(thrown).message}`)
  }
}

function bindList(
  source: BoundSource,
  toBind: InputToBind,
  form: BoundListInput['form'],
): BoundListInput {
  const { type, feature } = source
  if (!fitsList(source, form)) throw misfit(source, toBind)
  const asList = (value: DefaultValue | undefined) => {
    const elements = elementsOf(source, value)?.map((element) => asNumber(source, element))
    return checkLength(source, elements, form)
  }
  const modelDefault = asList(toBind.yamlDefault) ?? asList(toBind.input.defaultValue)
  const viewDefault = asList(feature?.feature.defaultValue)
  const defaults = [...(modelDefault ?? []), ...(viewDefault ?? [])]
  const exactInFloat32 = elementClassOf(type) === 'f32' && defaults.every(isFloat32)
  return { kind: 'list', ...source, form, modelDefault, viewDefault, exactInFloat32 }
}

/** A stored list is no embedding: whether each row has its dimension is for its declared type to say. */
function fitsList({ type, feature }: BoundSource, form: BoundListInput['form']): boolean {
  if (form.kind === 'embedding' && type.kind === 'embedding') return type.dim === form.dim
  const isNumbers = type.kind === 'list' && elementClassOf(type) !== 'var'
  return isNumbers && (form.kind === 'list' || feature === undefined)
}

function bindTextList(
  source: BoundSource,
  toBind: InputToBind,
  itemsMax: number,
): BoundTextListInput {
  const { type, feature, inputName } = source
  const isTexts = type.kind === 'list' && isTextType({ kind: 'scalar', scalar: type.element })
  if (!isTexts) throw misfit(source, toBind)
  const asList = (value: DefaultValue | undefined) => {
    const texts = elementsOf(source, value)?.map((element) => asText(source, element))
    return checkLength(source, texts, { kind: 'list', itemsMax })
  }
  const own = elementsOf(source, toBind.input.defaultValue)
  if (own !== undefined && own.length > 0) {
    throw badModel(`input '${inputName}': the model's default for its texts is of numbers`)
  }
  const modelDefault = asList(toBind.yamlDefault) ?? (own === undefined ? undefined : [])
  const viewDefault = asList(feature?.feature.defaultValue)
  return { kind: 'textList', ...source, itemsMax, modelDefault, viewDefault }
}

function elementsOf(
  { inputName }: BoundSource,
  value: DefaultValue | undefined,
): readonly DefaultScalar[] | undefined {
  if (value === undefined || isList(value)) return value
  throw badModel(`input '${inputName}': its default ${textOf(value)} is not a list`)
}

function checkLength<Element>(
  { inputName }: BoundSource,
  elements: readonly Element[] | undefined,
  form: { readonly kind: 'embedding'; dim: number } | { readonly kind: 'list'; itemsMax: number },
): readonly Element[] | undefined {
  if (elements === undefined) return undefined
  const count = elements.length
  if (form.kind === 'embedding' && count !== form.dim) {
    throw badModel(`input '${inputName}': its default has ${count} elements instead of ${form.dim}`)
  }
  if (form.kind === 'list' && count > form.itemsMax) {
    throw badModel(
      `input '${inputName}': its default has ${count} elements, at most ${form.itemsMax} are allowed`,
    )
  }
  return elements
}

type DefaultTarget = Pick<BoundNumberInput, 'inputName' | 'type' | 'codes'>

/** A default of the model's own that it does not know is a mistake, not a missing value. */
function modelDefaultAsInput(
  value: DefaultValue | undefined,
  target: DefaultTarget,
): number | undefined {
  const input = defaultAsInput(value, target)
  if (value === undefined || input === undefined) return input
  if (!Number.isNaN(input) || Number.isNaN(value)) return input
  throw badModel(
    `input '${target.inputName}': its default ${textOf(value)} is none of its categories`,
  )
}

/** The default as the model sees it; of a categorical input its code, or NaN where it has none. */
function defaultAsInput(
  value: DefaultValue | undefined,
  { inputName, type, codes }: DefaultTarget,
): number | undefined {
  if (value === undefined) return undefined
  if (isList(value)) {
    throw badModel(`input '${inputName}': its default ${textOf(value)} is not one value`)
  }
  if (codes !== undefined) return codeOfDefault(codes, value, type) ?? Number.NaN
  return asNumber({ inputName }, value)
}

/** What the model's own file says is as the model sees it already. */
function ownNumber({ inputName }: BoundSource, value: ModelInput['defaultValue']) {
  if (value === undefined || typeof value === 'number') return value
  throw badModel(`input '${inputName}': the model's own default is a list, but it takes one value`)
}

function asNumber({ inputName }: Pick<BoundSource, 'inputName'>, value: DefaultScalar): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'bigint') {
    throw badModel(`input '${inputName}': its default ${quoteText(String(value))} is not a number`)
  }
  if (BigInt(Number(value)) === value) return Number(value)
  throw badModel(`input '${inputName}': its default ${value} is not exact as a float64`)
}

function asText({ inputName }: BoundSource, value: DefaultScalar): string {
  if (typeof value === 'string') return value
  throw badModel(`input '${inputName}': its default ${textOf(value)} is not text`)
}

function misfit({ inputName, type }: BoundSource, { input, modelKind }: InputToBind): LarderError {
  const is = `input '${inputName}' is ${formatFeatureType(type)}`
  const isTree = modelKind === 'lightgbm' || modelKind === 'xgboost'
  if (!isTree) return badModel(`${is}, but takes ${wordsOfForm(input.form)}`)
  const why =
    type.kind === 'scalar'
      ? 'only numbers, booleans, and categoricals that the model has codes for'
      : 'a list fed to a tree model is an error, only single numbers are taken'
  return badModel(`${is}, which a tree cannot take: ${why}`)
}

/** What a form takes, for people. */
function wordsOfForm(form: InputForm): string {
  switch (form.kind) {
    case 'number':
      return 'one number: texts need an input with categories, lists one that takes a list'
    case 'category':
      return `one of its ${form.categories.length} categories`
    case 'embedding':
      return `${form.dim} numbers: embedding<${form.dim}, f32>, or as a request value list<float32> too`
    case 'list':
      return form.items === 'text'
        ? 'a list of texts: list<string> or list<categorical>'
        : 'a list of numbers, such as list<float32>, list<int64> or list<bool>'
    default:
      return unreachable(form)
  }
}

function textOf(value: DefaultValue): string {
  if (isList(value)) return `of ${value.length} elements`
  return typeof value === 'string' ? quoteText(value) : String(value)
}

function isList(value: DefaultValue): value is readonly DefaultScalar[] {
  return Array.isArray(value)
}

function isFloat32(value: number): boolean {
  return Number.isNaN(value) || Math.fround(value) === value
}

function badModel(message: string): LarderError {
  return new LarderError('bad_model', message)
}
