/**
 * Floats as decimals: the shortest that stands for a float, and the float that a decimal stands for.
 *
 * A decimal is n / 10^e with whole n. `decimalValue` is the formula of `docs/formats/row-v1.md`, one IEEE
 * operation on numbers that are exact; whoever encodes must see it give back the value's very bits.
 */

export interface Decimal {
  /** n: a whole number, up to 2^53 in magnitude. */
  readonly mantissa: number
  /** e, -22 to 22. */
  readonly exponent: number
}

/** Powers of ten up to here are exact in a float64. */
export const decimalExponentMax = 22
/** Whole numbers up to here are exact in a float64. */
const decimalMantissaMax = 2 ** 53

const powersOfTen = Array.from({ length: decimalExponentMax + 1 }, (_, power) =>
  Number(`1e${power}`),
)

export function decimalValue({ mantissa, exponent }: Decimal, isFloat32: boolean): number {
  const power = powersOfTen[Math.abs(exponent)] ?? Number.NaN
  const value = exponent >= 0 ? mantissa / power : mantissa * power
  return isFloat32 ? Math.fround(value) : value
}

/**
 * The shortest decimal that is `value`, without trailing zeros: 1.5 is 15 / 10^1, 300 is 3 * 10^2.
 * Undefined for what is none: NaN, infinities, -0, and numbers whose decimals do not fit the bounds.
 */
export function shortestDecimal(value: number, isFloat32: boolean): Decimal | undefined {
  if (value === 0) return Object.is(value, -0) ? undefined : { mantissa: 0, exponent: 0 }
  if (!Number.isFinite(value)) return undefined
  const decimal = parseExponential(isFloat32 ? shortestFloat32Text(value) : value.toExponential())
  if (Math.abs(decimal.exponent) > decimalExponentMax) return undefined
  if (Math.abs(decimal.mantissa) > decimalMantissaMax) return undefined
  return decimalValue(decimal, isFloat32) === value ? decimal : undefined
}

/** The mantissa of `value` at `exponent`, or undefined where no whole number gives back its very bits. */
export function mantissaAt(
  value: number,
  exponent: number,
  isFloat32: boolean,
): number | undefined {
  const power = powersOfTen[Math.abs(exponent)] ?? Number.NaN
  const mantissa = Math.round(exponent >= 0 ? value * power : value / power)
  if (!(Math.abs(mantissa) <= decimalMantissaMax)) return undefined
  // Math.round makes a -0 of what lies just below 0; as a whole number it is 0.
  const decimal = { mantissa: mantissa + 0, exponent }
  return Object.is(decimalValue(decimal, isFloat32), value) ? decimal.mantissa : undefined
}

/** `9` digits tell any float32 from its neighbours; decimals that people write have fewer. */
function shortestFloat32Text(value: number): string {
  for (const digitCount of [6, 7, 8]) {
    const text = value.toExponential(digitCount - 1)
    if (Math.fround(Number(text)) === value) return text
  }
  return value.toExponential(8)
}

/** Reads `-1.2300e-5`. */
function parseExponential(text: string): Decimal {
  const at = text.indexOf('e')
  const power = Number(text.slice(at + 1))
  const digits = text.slice(0, at).replace('.', '')
  let end = digits.length
  while (digits[end - 1] === '0') end--
  const fractionCount = end - (digits.startsWith('-') ? 2 : 1)
  return { mantissa: Number(digits.slice(0, end)), exponent: fractionCount - power }
}
