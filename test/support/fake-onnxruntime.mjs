/**
 * Stands in for onnxruntime in a worker: the model file's text says what its runs do.
 *
 *   echo      scores are the first input      throw   a run fails      hang   a run never ends
 *   exit      a run ends the worker           refuse  it cannot be opened
 */
class InferenceSession {
  inputMetadata = [{ name: 'x', isTensor: true, type: 'float64', shape: ['n'] }]
  outputMetadata = [{ name: 'y', isTensor: true, type: 'float64', shape: ['n'] }]

  constructor(behaviour) {
    this.behaviour = behaviour
  }

  static async create(bytes) {
    const behaviour = Buffer.from(bytes).toString()
    if (behaviour === 'refuse') throw new Error('no such operator')
    return new InferenceSession(behaviour)
  }

  async run({ x }, fetches) {
    if (this.behaviour === 'throw') throw new Error('index out of bounds')
    if (this.behaviour === 'exit') process.exit(7)
    if (this.behaviour === 'hang') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    fetches.y.data.set(x.data)
    return fetches
  }

  async release() {}
}

class Tensor {
  constructor(type, data, dims) {
    Object.assign(this, { type, data, dims })
  }
}

export default { InferenceSession, Tensor, env: { versions: { common: '0.0.0', node: '0.0.0' } } }
