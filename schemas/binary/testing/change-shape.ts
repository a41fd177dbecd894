import type { Random } from '../../../infra/testing/random.ts'
import { fieldNames, shuffled, unionOf } from './random-schemas.ts'
import type { FieldShape, Named, Shape, ShapeMaker } from './random-schemas.ts'

/** Changes a schema as versions and careless producers do: each place with a small probability. */
export class Changer {
  private readonly random: Random
  private readonly maker: ShapeMaker
  private readonly rate: number
  private readonly elsewhere: boolean
  private readonly changed = new Map<Named, Named>()

  constructor(random: Random, maker: ShapeMaker, rate: number) {
    this.random = random
    this.maker = maker
    this.rate = rate
    this.elsewhere = random.chance(rate)
  }

  change(shape: Shape): Shape {
    const { random } = this
    if ('name' in shape) return this.named(shape)
    if (random.chance(this.rate / 4)) return this.maker.fresh()
    if (random.chance(this.rate)) return unionOf([this.inner(shape), { kind: 'primitive', type: 'null' }], random)
    return this.inner(shape)
  }

  private inner(shape: Exclude<Shape, Named>): Shape {
    const { random, rate } = this
    if (shape.kind === 'primitive')
      return random.chance(rate)
        ? { kind: 'primitive', type: random.pick(relatives[shape.type] ?? [shape.type]) }
        : shape
    if (shape.kind !== 'union') return { kind: shape.kind, inner: this.change(shape.inner) }
    if (random.chance(rate)) return this.change(random.pick(shape.branches))
    const branches = shape.branches.map((branch) => this.change(branch))
    return unionOf(random.chance(rate) ? [...branches, this.maker.fresh()] : branches, random)
  }

  private named(shape: Named): Named {
    const { random, rate } = this
    const known = this.changed.get(shape)
    if (known) return known
    const changed: Named = structuredClone({ ...shape, ...(shape.kind === 'record' && { fields: [] }) }) as Named
    this.changed.set(shape, changed)
    if (this.elsewhere) changed.namespace = 'elsewhere'
    else if (random.chance(rate / 2)) changed.namespace = random.pick(this.maker.namespaces)
    if (random.chance(rate / 3)) {
      changed.name = `${shape.name}x`
      if (random.chance(0.8)) changed.alias = shape.namespace === '' ? shape.name : `${shape.namespace}.${shape.name}`
    }
    if (changed.kind === 'fixed' && random.chance(rate)) changed.size++
    if (changed.kind === 'enum' && random.chance(rate * 2)) changed.symbols = this.maker.symbols()
    if (changed.kind === 'enum' && random.chance(rate)) changed.fallback = !changed.fallback
    if (changed.kind === 'record' && shape.kind === 'record')
      changed.fields = this.fields(shape.fields, changed.namespace === shape.namespace)
    return changed
  }

  /** Java applies no aliases of fields where the namespaces differ; it takes the reader's default instead. */
  private fields(fields: readonly FieldShape[], renaming: boolean): FieldShape[] {
    const { random, rate } = this
    const kept = fields
      .filter(() => !random.chance(rate))
      .map((field) => ({ ...field, shape: this.change(field.shape) }))
    for (const name of fieldNames) {
      if (kept.some((field) => field.name === name) || !random.chance(rate / 2)) continue
      const other =
        renaming && random.chance(0.3)
          ? kept.find((field) => !field.alias && fields.some((before) => before.name === field.name))
          : undefined
      if (other && !fields.some((field) => field.name === name)) Object.assign(other, { alias: other.name, name })
      else kept.push({ name, shape: this.maker.fresh(), optional: random.chance(0.8) })
    }
    for (const field of kept) if (kept.some(({ name }) => name === field.alias)) delete field.alias
    return random.chance(rate) ? shuffled(kept, random) : kept
  }
}

const relatives: Record<string, string[]> = {
  boolean: ['int', 'string'],
  int: ['long', 'long', 'float', 'double', 'string'],
  long: ['float', 'double', 'int', 'string'],
  float: ['double', 'double', 'long'],
  double: ['float', 'long'],
  string: ['bytes', 'bytes', 'int'],
  bytes: ['string', 'string', 'double'],
  null: ['string'],
}
