import { TallyError } from '../infra/errors.ts'
import { simpleName } from './avro-schema.ts'
import type { AvroType, EnumType, FixedType, RecordType } from './avro-schema.ts'
import type { EventSchema } from './load-schemas.ts'

/**
 * The TypeScript types of all events, as the text of a module.
 * @throws TallyError SCHEMA_INVALID when a field lacks a doc, two definitions share a name, or a union is not of null and one type
 */
export function toTypeScript(schemas: readonly EventSchema[]): string {
  const declared = declarations(schemas)
  const lines = (line: (schema: EventSchema) => string) => schemas.map(line).join('\n')
  return `// Generated from schemas/avro, do not edit: npm run generate

${[...declared.values()].join('\n\n')}

export interface EventData {
${lines(({ type }) => `  ${type}: ${type}`)}
}

export type EventType = keyof EventData

/** Full names of the records, as in a schema and in the header \`ce_type\`. */
export const eventFullNames: Record<EventType, string> = {
${lines(({ type, record }) => `  ${type}: '${record.name}',`)}
}
`
}

type NamedType = FixedType | EnumType | RecordType

/** Text by simple name: a record that several events use is declared once. */
function declarations(schemas: readonly EventSchema[]): Map<string, string> {
  const declared = new Map<string, string>()
  const origin = new Map<string, NamedType>()
  const visit = (type: AvroType): void => {
    if (type.kind === 'array') return visit(type.items)
    if (type.kind === 'map') return visit(type.values)
    if (type.kind === 'union') return type.branches.forEach(visit)
    if (!('name' in type) || origin.get(simpleName(type.name)) === type) return
    const name = simpleName(type.name)
    const text = declare(type)
    const other = origin.get(name)
    if (other && other.name !== type.name) throw refuse(type.name, `and ${other.name} would share one TypeScript name`)
    if (other && declared.get(name) !== text) throw refuse(type.name, 'is defined twice and differently')
    origin.set(name, type)
    declared.set(name, text)
    if (type.kind === 'record') type.fields.forEach((field) => visit(field.type))
  }
  schemas.forEach(({ record }) => visit(record))
  return declared
}

function declare(type: NamedType): string {
  const name = simpleName(type.name)
  if (type.kind === 'fixed') return `/** ${type.size} bytes. */\nexport type ${name} = Buffer`
  const doc = type.doc ? `${comment(type.doc)}\n` : ''
  if (type.kind === 'enum')
    return `${doc}export type ${name} = ${type.symbols.map((symbol) => `'${symbol}'`).join(' | ')}`
  return `${doc}export interface ${name} {\n${type.fields.map((field) => declareField(type, field)).join('\n')}\n}`
}

/** A field that is null by default may be left out of what is encoded. */
function declareField(record: RecordType, { name, type, doc, ...field }: RecordType['fields'][number]): string {
  const isOptional = field.default === null
  if (!doc) throw refuse(`${record.name}.${name}`, 'has no doc: say what it means, in which unit')
  return `  ${comment(doc)}\n  ${name}${isOptional ? '?' : ''}: ${expression(type, `${record.name}.${name}`)}`
}

function expression(type: AvroType, path: string): string {
  switch (type.kind) {
    case 'int':
    case 'long':
    case 'float':
    case 'double':
      return 'number'
    case 'bytes':
      return 'Buffer'
    case 'array':
      return `Array<${expression(type.items, path)}>`
    case 'map':
      return `Record<string, ${expression(type.values, path)}>`
    case 'union':
      return nullable(type.branches, path)
    case 'record':
    case 'enum':
    case 'fixed':
      return simpleName(type.name)
    default:
      return type.kind
  }
}

/** Other unions have no plain TypeScript counterpart: avsc wraps the ambiguous ones in objects. */
function nullable(branches: AvroType[], path: string): string {
  const values = branches.filter((branch) => branch.kind !== 'null')
  const [value] = values
  if (!value || values.length !== 1 || branches.length !== 2)
    throw refuse(path, 'is a union of more than null and one type')
  return `${expression(value, path)} | null`
}

const comment = (text: string): string => `/** ${text.replaceAll('*/', '*\\/')} */`

const refuse = (name: string, why: string) => new TallyError('SCHEMA_INVALID', `${name} ${why}`)
