import { TallyError } from '../infra/errors.ts'

/** An Avro schema with resolved names: a reference is the object it refers to, so a recursive schema is a cycle. */
export type AvroType =
  | { kind: Primitive }
  | { kind: 'array'; items: AvroType }
  | { kind: 'map'; values: AvroType }
  | { kind: 'union'; branches: AvroType[] }
  | FixedType
  | EnumType
  | RecordType

interface Named {
  /** Full name: namespace and name. */
  name: string
  /** Former full names: a reader also accepts values written under them. */
  aliases: string[]
  doc?: string
}

export interface FixedType extends Named {
  kind: 'fixed'
  size: number
}

export interface EnumType extends Named {
  kind: 'enum'
  symbols: string[]
  /** Replaces symbols that the reader does not know. */
  default?: string
}

export interface RecordType extends Named {
  kind: 'record'
  fields: Field[]
}

export interface Field {
  name: string
  aliases: string[]
  type: AvroType
  doc?: string
  /** A text about a person, which is sealed with the key of its customer. */
  personal?: boolean
  /** As JSON; absent means that a record without this field cannot be read. */
  default?: unknown
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'] as const
export type Primitive = (typeof primitives)[number]

const isPrimitive = (name: string): name is Primitive => (primitives as readonly string[]).includes(name)

/** The last part of a full name. */
export const simpleName = (fullName: string): string => fullName.slice(fullName.lastIndexOf('.') + 1)

/**
 * Resolves a schema from an .avsc file or a registry. Logical types count as their underlying type.
 * @param referred schemas whose types it may refer to, each after those it refers to itself
 * @throws TallyError SCHEMA_INVALID when it is not an Avro schema or refers to a name that it does not define
 */
export function parseSchema(json: unknown, referred: readonly unknown[] = []): AvroType {
  const named = new Map<string, AvroType>()

  const parse = (schema: unknown, namespace: string): AvroType => {
    if (typeof schema === 'string') return refer(schema, namespace)
    if (Array.isArray(schema)) return { kind: 'union', branches: schema.map((branch) => parse(branch, namespace)) }
    if (typeof schema !== 'object' || schema === null) throw invalid(schema)
    const { type, ...rest } = schema as Record<string, unknown>
    switch (type) {
      case 'array':
        return { kind: 'array', items: parse(rest['items'], namespace) }
      case 'map':
        return { kind: 'map', values: parse(rest['values'], namespace) }
      case 'fixed':
      case 'enum':
      case 'record':
      case 'error':
        return define(type, rest as unknown as Definition, namespace)
      default:
        return parse(type, namespace)
    }
  }

  const refer = (name: string, namespace: string): AvroType => {
    if (isPrimitive(name)) return { kind: name }
    const found = named.get(qualify(name, namespace)) ?? named.get(name)
    if (!found) throw new TallyError('SCHEMA_INVALID', `Avro schema: ${name} is not defined before its use`)
    return found
  }

  const define = (kind: string, definition: Definition, outer: string): AvroType => {
    if (typeof definition.name !== 'string') throw invalid(definition)
    const name = qualify(definition.name, definition.namespace ?? outer)
    if (named.has(name)) throw new TallyError('SCHEMA_INVALID', `Avro schema: ${name} is defined twice`)
    const namespace = name.slice(0, Math.max(0, name.lastIndexOf('.')))
    const aliases = (definition.aliases ?? []).map((alias) => qualify(alias, namespace))
    const common = { name, aliases, doc: definition.doc }
    const { size, symbols, fields } = definition
    if (kind === 'fixed' && size !== undefined) return remember({ kind, ...common, size })
    if (kind === 'enum' && symbols) return remember({ kind, ...common, symbols, default: definition.default })
    if (!fields) throw invalid(definition)
    const record: RecordType = remember({ kind: 'record', ...common, fields: [] })
    record.fields = fields.map((field) => ({ aliases: [], ...field, type: parse(field.type, namespace) }))
    return record
  }

  const remember = <T extends FixedType | EnumType | RecordType>(type: T): T => {
    named.set(type.name, type)
    return type
  }

  for (const schema of referred) parse(schema, '')
  return parse(json, '')
}

/** Equal for schemas that encode alike: Avro's parsing canonical form, without what reading does not need. */
export function canonicalForm(type: AvroType): string {
  const seen = new Set<AvroType>()
  const form = (inner: AvroType): unknown => {
    if ('name' in inner) {
      if (seen.has(inner)) return inner.name
      seen.add(inner)
    }
    switch (inner.kind) {
      case 'array':
        return { type: 'array', items: form(inner.items) }
      case 'map':
        return { type: 'map', values: form(inner.values) }
      case 'union':
        return inner.branches.map(form)
      case 'fixed':
        return { name: inner.name, type: 'fixed', size: inner.size }
      case 'enum':
        return { name: inner.name, type: 'enum', symbols: inner.symbols }
      case 'record': {
        const fields = inner.fields.map((field) => ({ name: field.name, type: form(field.type) }))
        return { name: inner.name, type: 'record', fields }
      }
      default:
        return inner.kind
    }
  }
  return JSON.stringify(form(type))
}

/** The properties of a named definition; which are present depends on its kind. */
interface Definition {
  name: string
  namespace?: string
  aliases?: string[]
  doc?: string
  size?: number
  symbols?: string[]
  default?: string
  fields?: (Omit<Field, 'type' | 'aliases'> & { type: unknown; aliases?: string[] })[]
}

const qualify = (name: string, namespace: string): string =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`

const invalid = (schema: unknown) =>
  new TallyError('SCHEMA_INVALID', `Avro schema: not a type: ${JSON.stringify(schema)?.slice(0, 200)}`)
