import type { Random } from '../../../infra/testing/random.ts'
import type { FieldShape, Named, Shape } from './random-schemas.ts'

/** Writes a shape down as a schema: with documentation, logical types, orders and properties that resolution ignores. */
export class SchemaWriter {
  private readonly random: Random
  private readonly defaults: 'valid' | 'any JSON'
  private readonly written = new Set<Named>()

  constructor(random: Random, defaults: 'valid' | 'any JSON') {
    this.random = random
    this.defaults = defaults
  }

  json(shape: Shape, namespace = ''): unknown {
    switch (shape.kind) {
      case 'primitive':
        return this.primitive(shape.type)
      case 'array':
        return { type: 'array', items: this.json(shape.inner, namespace), ...this.noise() }
      case 'map':
        return { type: 'map', values: this.json(shape.inner, namespace), ...this.noise() }
      case 'union':
        return shape.branches.map((branch) => this.json(branch, namespace))
      default:
        return this.named(shape, namespace)
    }
  }

  private named(shape: Named, around: string): unknown {
    const { random } = this
    const full = shape.namespace === '' ? shape.name : `${shape.namespace}.${shape.name}`
    // A name without a namespace cannot be told from one in the namespace around it
    if (this.written.has(shape)) return shape.namespace === around && random.chance(0.5) ? shape.name : full
    this.written.add(shape)
    const inherits = shape.namespace === around && random.chance(0.5)
    const dotted = !inherits && shape.namespace !== '' && random.chance(0.5)
    const name = dotted
      ? { name: full }
      : inherits
        ? { name: shape.name }
        : { name: shape.name, namespace: shape.namespace }
    const common = { ...name, ...this.noise(), ...(shape.alias !== undefined && { aliases: [shape.alias] }) }
    switch (shape.kind) {
      case 'fixed':
        return { type: 'fixed', ...common, size: shape.size }
      case 'enum':
        return { type: 'enum', ...common, symbols: shape.symbols, ...(shape.fallback && { default: shape.symbols[0] }) }
      case 'record':
        return { type: 'record', ...common, fields: shape.fields.map((field) => this.field(field, shape.namespace)) }
    }
  }

  private field({ name, shape, optional, alias }: FieldShape, namespace: string): object {
    const { random, defaults } = this
    const type = this.json(shape, namespace)
    const json = defaults === 'valid' ? defaultFor(shape) : this.anything(shape)
    return {
      name,
      type,
      ...(optional && json !== undefined && { default: json }),
      ...(alias !== undefined && { aliases: [alias] }),
      ...(random.chance(0.1) && { doc: 'Text' }),
      ...(random.chance(0.1) && { order: random.pick(['ascending', 'descending', 'ignore']) }),
    }
  }

  private anything(shape: Shape): unknown {
    // The parser of Java reads the text as a number even where it is told not to check defaults
    const number = shape.kind === 'primitive' && /^(int|long|float|double)$/.test(shape.type)
    return this.random.pick([number ? 1 : 'VALUE1', null, {}, [], true])
  }

  private primitive(type: string): unknown {
    const logical = this.random.chance(0.2) ? logicalTypes[type] : undefined
    if (logical) return { type, ...this.random.pick(logical) }
    return this.random.chance(0.1) ? { type } : type
  }

  private noise = () => (this.random.chance(0.1) ? { doc: 'Text', 'x-property': { type: 'int' } } : {})
}

const logicalTypes: Record<string, object[]> = {
  int: [{ logicalType: 'date' }, { logicalType: 'time-millis' }],
  long: [{ logicalType: 'timestamp-millis' }, { logicalType: 'local-timestamp-micros' }],
  string: [{ logicalType: 'uuid' }, { logicalType: 'made-up' }],
  bytes: [{ logicalType: 'decimal', precision: 4, scale: 2 }],
}

/** A default that is valid for the shape; undefined if there is no simple one. */
function defaultFor(shape: Shape): unknown {
  switch (shape.kind) {
    case 'primitive':
      return { null: null, boolean: true, int: 7, long: 12, float: 1.25, double: 2.5, string: 'é', bytes: '\u00ff' }[
        shape.type
      ]
    case 'array':
      return []
    case 'map': {
      const inner = defaultFor(shape.inner)
      return inner === undefined ? {} : { k: inner }
    }
    case 'union':
      return defaultFor(shape.branches[0]!)
    case 'enum':
      return shape.symbols.at(-1)
    case 'fixed':
      return '\u0001'.repeat(shape.size)
    case 'record':
      return shape.fields.length === 0 ? {} : undefined
  }
}
