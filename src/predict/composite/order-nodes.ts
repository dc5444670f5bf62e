/**
 * The order in which nodes can be computed: each after those it reads. Iterative, since a graph may be
 * as deep as it has nodes.
 */

export interface NodeOrder {
  /** Every node's index, each after those it reads; what closes a cycle is left unread. */
  readonly order: readonly number[]
  /** For each cycle that was met: the nodes along it, and the operand that closes it. */
  readonly cycles: readonly NodeCycle[]
}

export interface NodeCycle {
  /** From the first node, each reading the next; the last reads the first again. */
  readonly path: readonly number[]
  /** Which operand of the last one. */
  readonly operandIndex: number
}

/** Visits `starts` and all they read; `readsOf` gives what a node reads, undefined for constants. */
export function orderNodes(
  starts: readonly number[],
  readsOf: (node: number) => readonly (number | undefined)[],
): NodeOrder {
  const order: number[] = []
  const cycles: NodeCycle[] = []
  const done = new Set<number>()
  // The nodes that are being visited, each with the operand that is looked at next.
  const path = new Map<number, number>()
  for (const start of starts) {
    if (done.has(start)) continue
    const stack = [start]
    path.set(start, 0)
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      const operandIndex = path.get(node) ?? 0
      const reads = readsOf(node)
      if (operandIndex === reads.length) {
        stack.pop()
        path.delete(node)
        done.add(node)
        order.push(node)
        continue
      }
      path.set(node, operandIndex + 1)
      const read = reads[operandIndex]
      if (read === undefined || done.has(read)) continue
      if (path.has(read)) {
        cycles.push({ path: stack.slice(stack.indexOf(read)), operandIndex })
        continue
      }
      stack.push(read)
      path.set(read, 0)
    }
  }
  return { order, cycles }
}
