/**
 * The kinds of values that workloads are made of: for each its type, how one is drawn, and how many bits
 * of entropy one has. Every distribution of the benches is written down here and nowhere else.
 *
 *   kind         type           values
 *   digits_3     float32        log-normal, mu 1, sigma 1, to 3 significant digits
 *   digits_4     float32        log-normal, mu 3, sigma 1, to 4
 *   digits_5     float32        log-normal, mu 5, sigma 1, to 5
 *   digits_6     float32        log-normal, mu 7, sigma 1, to 6
 *   below_N      int16          uniform in [0, N), for N of 24, 100, 200, 500 and 1,000
 *   ids_0_10     list<int32>    0 to 10 elements, uniform; elements uniform in [0, 100,000)
 *   ids_5        list<int32>    5 elements, uniform in [0, 1,000,000)
 *   ids_0_20     list<int32>    0 to 20 elements, uniform; elements uniform in [0, 250,000)
 *   mean         float32        normal, mean 40, deviation 15
 *   share        float32        uniform in [0, 1)
 *   amount       float32        log-normal, mu 3, sigma 1, to two decimals
 *   count        int16          floor of an exponential of mean 200, at most 32,767
 *   vector_64    embedding<64, f32>   elements normal, mean 0, deviation 1
 *   raw          float32        uniform in [0, 1,000), not decimal
 *   counter      int64          floor of a log-normal, mu 9, sigma 2.5
 *   instant      timestamp      uniform over the 90 days before 2001-06-15, to the second
 *   category     categorical    200 names; the k-th most frequent with a probability of 1/k, scaled
 *   cents        int32          log-normal, mu 8, sigma 1, rounded
 *   sparse       int32          0 in nine of ten; else 1 and the floor of an exponential of mean 5
 *   flag         bool           true in one of ten
 *   text         string         3 to 12 letters a to z, all uniform
 *
 * Floats are rounded to float32. The ids of `ranking_22` are as large as ids of a catalogue are, and bring
 * its columns to the 75 bytes that the design's targets name. They were fixed before any row was encoded,
 * and must never be changed to suit an encoding.
 */

/** Numbers of one distribution: how one is drawn, and its entropy. */
const significant = (digits, mu) => ({
  type: 'float32',
  draw: (prng) => Math.fround(Number(Math.exp(mu + normal(prng)).toPrecision(digits))),
  bits: logNormalBits({ mu, sigma: 1 }, (x) => 10 ** (Math.floor(Math.log10(x)) - digits + 1)),
})

const below = (bound) => ({
  type: 'int16',
  draw: (prng) => prng.below(bound),
  bits: Math.log2(bound),
})

const ids = ({ countMin, countMax, bound }) => ({
  type: 'list<int32>',
  draw: (prng) =>
    Array.from({ length: countMin + prng.below(countMax - countMin + 1) }, () => prng.below(bound)),
  bits: Math.log2(countMax - countMin + 1) + ((countMin + countMax) / 2) * Math.log2(bound),
})

const rounded = ({ type, mu, sigma, round }) => ({
  type,
  draw: (prng) => round(Math.exp(mu + sigma * normal(prng))),
  bits: logNormalBits({ mu, sigma }, () => 1),
})

const vectorElementCount = 64
const categoryCount = 200
const sparseShare = 0.1
const sparseMean = 5
const textCharsMin = 3
const textCharsMax = 12
const daySeconds = 86_400
const instantSpanSeconds = 90 * daySeconds
const instantEndSeconds = Date.UTC(2001, 5, 15) / 1000
const categoryShares = sharesOf(
  Array.from({ length: categoryCount }, (_, index) => 1 / (index + 1)),
)
const categoryNames = categoryShares.map((_, index) => `category ${(index * 7919) % 10_007}`)

/** By name. `bits` are those of one value that is not null, exact or integrated numerically. */
export const valueKinds = Object.freeze({
  digits_3: significant(3, 1),
  digits_4: significant(4, 3),
  digits_5: significant(5, 5),
  digits_6: significant(6, 7),
  below_24: below(24),
  below_100: below(100),
  below_200: below(200),
  below_500: below(500),
  below_1000: below(1000),
  ids_0_10: ids({ countMin: 0, countMax: 10, bound: 100_000 }),
  ids_5: ids({ countMin: 5, countMax: 5, bound: 1_000_000 }),
  ids_0_20: ids({ countMin: 0, countMax: 20, bound: 250_000 }),
  mean: {
    type: 'float32',
    draw: (prng) => Math.fround(40 + 15 * normal(prng)),
    bits: normalBits((z) => ({ step: float32Step(40 + 15 * z), slope: 15 })),
  },
  share: {
    type: 'float32',
    draw: (prng) => Math.fround(prng.next()),
    bits: uniformBits(1),
  },
  amount: {
    type: 'float32',
    draw: (prng) => Math.fround(Math.round(100 * Math.exp(3 + normal(prng))) / 100),
    bits: logNormalBits({ mu: 3, sigma: 1 }, () => 0.01),
  },
  count: {
    type: 'int16',
    draw: (prng) => Math.min(32_767, exponential(prng, 200)),
    bits: geometricBits(200),
  },
  vector_64: {
    type: 'embedding<64, f32>',
    draw: (prng) => Array.from({ length: vectorElementCount }, () => Math.fround(normal(prng))),
    bits: vectorElementCount * normalBits((z) => ({ step: float32Step(z), slope: 1 })),
  },
  raw: {
    type: 'float32',
    draw: (prng) => Math.fround(1000 * prng.next()),
    bits: uniformBits(1000),
  },
  counter: rounded({ type: 'int64', mu: 9, sigma: 2.5, round: (x) => BigInt(Math.floor(x)) }),
  instant: {
    type: 'timestamp',
    draw: (prng) => BigInt(instantEndSeconds - prng.below(instantSpanSeconds)) * 1_000_000n,
    bits: Math.log2(instantSpanSeconds),
  },
  category: {
    type: 'categorical',
    draw: (prng) => categoryNames[pick(categoryShares, prng)],
    bits: discreteBits(categoryShares),
  },
  cents: rounded({ type: 'int32', mu: 8, sigma: 1, round: Math.round }),
  sparse: {
    type: 'int32',
    draw: (prng) => (prng.next() < sparseShare ? 1 + exponential(prng, sparseMean) : 0),
    bits: choiceBits(sparseShare) + sparseShare * geometricBits(sparseMean),
  },
  flag: { type: 'bool', draw: (prng) => prng.next() < 0.1, bits: choiceBits(0.1) },
  text: {
    type: 'string',
    draw: (prng) => {
      const charCount = textCharsMin + prng.below(textCharsMax - textCharsMin + 1)
      return String.fromCharCode(...Array.from({ length: charCount }, () => 97 + prng.below(26)))
    },
    bits:
      Math.log2(textCharsMax - textCharsMin + 1) +
      ((textCharsMin + textCharsMax) / 2) * Math.log2(26),
  },
})

/** Entropy of a yes with probability `share`, in bits. */
export function choiceBits(share) {
  return discreteBits([share, 1 - share])
}

/** Entropy of a choice among outcomes of these probabilities, in bits. */
export function discreteBits(shares) {
  return shares.reduce((sum, share) => (share > 0 ? sum - share * Math.log2(share) : sum), 0)
}

/** Box and Muller's: two uniform numbers make a normal one. */
function normal(prng) {
  return Math.sqrt(-2 * Math.log(1 - prng.next())) * Math.cos(2 * Math.PI * prng.next())
}

/** The floor of an exponential. */
function exponential(prng, mean) {
  return Math.floor(-mean * Math.log(1 - prng.next()))
}

function pick(shares, prng) {
  const at = prng.next()
  let reached = 0
  const index = shares.findIndex((share) => {
    reached += share
    return at < reached
  })
  return index < 0 ? shares.length - 1 : index
}

function sharesOf(weights) {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

function geometricBits(mean) {
  const stay = Math.exp(-1 / mean)
  return choiceBits(stay) / (1 - stay)
}

function logNormalBits({ mu, sigma }, stepAt) {
  return normalBits((z) => {
    const x = Math.exp(mu + sigma * z)
    return { step: stepAt(x), slope: sigma * x }
  })
}

/**
 * Entropy of x(z), z normal, rounded to a grid: `at(z)` says how far apart the grid is there and how fast
 * x grows. Good where the grid is fine against the density.
 */
function normalBits(at) {
  const zMax = 8
  const stepCount = 100_000
  const width = (2 * zMax) / stepCount
  let bits = 0
  for (let index = 0; index < stepCount; index++) {
    const z = (index + 0.5) * width - zMax
    const density = Math.exp(-z * z * 0.5) / Math.sqrt(2 * Math.PI)
    const { step, slope } = at(z)
    bits -= density * width * Math.log2((density * step) / slope)
  }
  return bits
}

/** Entropy of `bound` times one of 2^32 equal steps of [0, 1), rounded to float32. */
function uniformBits(bound) {
  const stepCount = 100_000
  let bits = 0
  for (let index = 0; index < stepCount; index++) {
    const x = ((index + 0.5) / stepCount) * bound
    const step = Math.max(float32Step(x), bound * 2 ** -32)
    bits -= Math.log2(step / bound) / stepCount
  }
  return bits
}

/** How far apart float32 values are at `x`. */
function float32Step(x) {
  return 2 ** (Math.floor(Math.log2(Math.abs(x))) - 23)
}
