import type { Random } from '../../../infra/testing/random.ts'

/** A schema before it is written down. Named types are objects: one that occurs again is written as its name. */
export type Shape =
  | { kind: 'primitive'; type: string }
  | { kind: 'array' | 'map'; inner: Shape }
  | { kind: 'union'; branches: Shape[] }
  | Named

export type Named = { name: string; namespace: string; alias?: string } & (
  | { kind: 'enum'; symbols: string[]; fallback: boolean }
  | { kind: 'fixed'; size: number }
  | { kind: 'record'; fields: FieldShape[] }
)

export interface FieldShape {
  name: string
  shape: Shape
  optional: boolean
  alias?: string
}

const primitives = ['boolean', 'int', 'long', 'float', 'double', 'string', 'bytes']
export const fieldNames = ['a', 'b', 'c', 'd', '__proto__', 'constructor']

export class ShapeMaker {
  private readonly random: Random
  /** Avro for Java finds no name without a namespace inside one: the types of a schema have namespaces, or none has. */
  readonly namespaces: readonly string[]
  private names = 0
  /** Named types that a later place may refer to. */
  private readonly made: Named[] = []
  /** Records that contain the place. */
  private readonly around: Named[] = []

  constructor(random: Random) {
    this.random = random
    this.namespaces = random.chance(0.2) ? [''] : ['tally', 'tally.deep']
  }

  record(depth: number): Named {
    const { random } = this
    const made: Named = { kind: 'record', ...this.name(), fields: [] }
    this.around.push(made)
    const names = fieldNames.filter(() => random.chance(0.5))
    made.fields = names.map((name) => ({ name, shape: this.shape(depth - 1), optional: random.chance(0.4) }))
    this.around.pop()
    this.made.push(made)
    return made
  }

  shape(depth: number): Shape {
    const { random } = this
    if (depth <= 0 || random.chance(0.45)) return { kind: 'primitive', type: random.pick(primitives) }
    const kind = random.pick(['array', 'map', 'union', 'union', 'record', 'enum', 'fixed', 'again', 'within'] as const)
    switch (kind) {
      case 'array':
      case 'map':
        return { kind, inner: this.shape(depth - 1) }
      case 'union':
        return this.union(depth)
      case 'record':
        return this.record(depth)
      case 'enum':
        return this.keep({ kind, ...this.name(), symbols: this.symbols(), fallback: random.chance(0.4) })
      case 'fixed':
        return this.keep({ kind, ...this.name(), size: random.integer(1, 3) })
      case 'again':
        return this.made.length > 0 ? random.pick(this.made) : this.shape(depth - 1)
      case 'within': {
        if (this.around.length === 0) return this.shape(depth - 1)
        const inner = random.pick(this.around)
        const empty: Shape = { kind: 'primitive', type: 'null' }
        return random.chance(0.5) ? { kind: 'union', branches: [empty, inner] } : { kind: 'array', inner }
      }
    }
  }

  union(depth: number): Shape {
    const { random } = this
    const branches: Shape[] = random.chance(0.6) ? [{ kind: 'primitive', type: 'null' }] : []
    for (let i = random.integer(1, 3); i > 0; i--) branches.push(this.shape(depth - 1))
    return unionOf(branches, random)
  }

  /** A small one that shares no named type with those made before. */
  fresh(): Shape {
    const before = this.made.splice(0)
    const shape = this.shape(1)
    this.made.splice(0, this.made.length, ...before)
    return shape
  }

  symbols(): string[] {
    return shuffled(['A', 'B', 'C', 'D'], this.random).slice(0, this.random.integer(1, 4))
  }

  private name() {
    return { name: `N${this.names++}`, namespace: this.random.pick(this.namespaces) }
  }

  private keep(made: Named): Named {
    this.made.push(made)
    return made
  }
}

/** At most one unnamed branch of each kind; no union inside a union. */
export function unionOf(branches: readonly Shape[], random: Random): Shape {
  const flat = branches.flatMap((branch) => (branch.kind === 'union' ? branch.branches : [branch]))
  const known = new Map(flat.map((branch) => [idOf(branch), branch]))
  return { kind: 'union', branches: shuffled([...known.values()], random) }
}

const idOf = (shape: Shape): string =>
  shape.kind === 'primitive' ? shape.type : 'name' in shape ? shape.name : shape.kind

export function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => [random.uniform(), item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item)
}
