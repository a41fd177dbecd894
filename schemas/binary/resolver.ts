import { isUtf8 } from 'node:buffer'
import { TallyError } from '../../infra/errors.ts'
import type { AvroType, EnumType, Field, RecordType } from '../avro-schema.ts'
import { compileWalk } from './bounds.ts'
import { ByteCursor } from './byte-cursor.ts'
import { defaultOf } from './default-value.ts'
import { branchFor, isPromotion, sourcesOf, takesName } from './rules.ts'

/**
 * Reads values of one schema as another's. A value that the rules do not allow is refused by itself: a null where the reader
 * has no null, a symbol that it does not know. avsc refuses the whole schema for them.
 */
export interface Resolver {
  /**
   * Reads the value at `offset`, whose bounds were checked.
   * @throws TallyError UNREADABLE naming the field
   */
  read(bytes: Buffer, offset: number): unknown
  /** Why no value can be read; undefined if some can. */
  readonly never?: string
}

export function compileResolver(reader: AvroType, writer: AvroType): Resolver {
  const { read, never } = new Compiler().plan(reader, writer, '')
  return { read: (bytes, offset) => read(new ByteCursor(bytes, offset)), never }
}

type Read = (cursor: ByteCursor) => unknown

interface Plan {
  read: Read
  never?: string
}

class Compiler {
  /** By reader, then writer. A plan that is being made reads through its entry, because a record may contain itself. */
  private readonly records = new Map<RecordType, Map<RecordType, Plan>>()

  plan(reader: AvroType, writer: AvroType, path: string): Plan {
    if (writer.kind === 'union') return this.everyBranch(reader, writer.branches, path)
    if (reader.kind === 'union') {
      const branch = branchFor(reader, writer)
      return branch ? this.plan(branch, writer, path) : mismatch(reader, writer, path)
    }
    if (reader.kind === 'record' && writer.kind === 'record' && takesName(reader, writer))
      return this.record(reader, writer, path)
    if (reader.kind === 'enum' && writer.kind === 'enum' && takesName(reader, writer))
      return { read: symbols(reader, writer, path) }
    if (reader.kind === 'fixed' && writer.kind === 'fixed' && takesName(reader, writer) && reader.size === writer.size)
      return { read: (cursor) => take(cursor, writer.size) }
    if (reader.kind === 'array' && writer.kind === 'array') {
      const item = this.plan(reader.items, writer.items, `${path}[]`).read
      return { read: (cursor) => blocks(cursor, item) }
    }
    if (reader.kind === 'map' && writer.kind === 'map') {
      const value = this.plan(reader.values, writer.values, `${path}{}`).read
      const entry = (cursor: ByteCursor) => [textAt(cursor), value(cursor)] as const
      return { read: (cursor) => Object.fromEntries(blocks(cursor, entry)) }
    }
    const read =
      reader.kind === writer.kind || isPromotion(reader, writer) ? primitive(reader, writer, path) : undefined
    return read ? { read } : mismatch(reader, writer, path)
  }

  private everyBranch(reader: AvroType, branches: readonly AvroType[], path: string): Plan {
    const plans = branches.map((branch) => this.plan(reader, branch, path))
    const never = plans.every((plan) => plan.never !== undefined) ? plans[0]?.never : undefined
    return { read: (cursor) => plans[cursor.index(plans.length, path)]?.read(cursor), never }
  }

  private record(reader: RecordType, writer: RecordType, path: string): Plan {
    const known = this.records.get(reader) ?? new Map<RecordType, Plan>()
    this.records.set(reader, known)
    const found = known.get(writer)
    if (found) return { read: (cursor) => found.read(cursor), never: found.never }
    const plan: Plan = { read: () => undefined }
    known.set(writer, plan)
    return Object.assign(plan, this.fields(reader, writer, path))
  }

  private fields(reader: RecordType, writer: RecordType, path: string): Plan {
    const plans = new Map<Field, Plan>()
    const absent: (readonly [string, () => unknown])[] = []
    for (const field of reader.fields) {
      const at = path ? `${path}.${field.name}` : field.name
      const [source, ...more] = sourcesOf(field, reader, writer)
      if (more.length > 0) return refusal(`${at} has aliases that name several fields`)
      if (source) plans.set(source, this.plan(field.type, source.type, at))
      else if (field.default === undefined) return refusal(`${at} is missing and has no default`)
      else absent.push([field.name, defaultOf(field.type, field.default)])
    }
    const steps = writer.fields.map((source) => {
      const target = reader.fields.find((field) => sourcesOf(field, reader, writer)[0] === source)
      return { name: target?.name, read: plans.get(source)?.read ?? compileWalk(source.type) }
    })
    const read: Read = (cursor) => {
      const value: Record<string, unknown> = {}
      for (const step of steps) {
        const part = step.read(cursor)
        if (step.name !== undefined) put(value, step.name, part)
      }
      for (const [name, make] of absent) put(value, name, make())
      return value
    }
    return { read, never: [...plans.values()].find(({ never }) => never !== undefined)?.never }
  }
}

function put(record: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') record[name] = value
  else Object.defineProperty(record, name, { value, enumerable: true }) // Assigning would set the prototype
}

function refusal(why: string): Plan {
  const read = () => {
    throw new TallyError('UNREADABLE', why)
  }
  return { read, never: why }
}

const mismatch = (reader: AvroType, writer: AvroType, path: string): Plan =>
  refusal(`${path ? `${path}: ` : ''}${nameOf(writer)} cannot be read as ${nameOf(reader)}`)

function nameOf(type: AvroType): string {
  if (type.kind === 'union') return type.branches.map(nameOf).join(' | ')
  if (type.kind === 'fixed') return `fixed ${type.name} of ${type.size} bytes`
  return 'name' in type ? `${type.kind} ${type.name}` : type.kind
}

function symbols(reader: EnumType, writer: EnumType, path: string): Read {
  const taken = writer.symbols.map((symbol) => (reader.symbols.includes(symbol) ? symbol : reader.default))
  return (cursor) => {
    const index = cursor.index(taken.length, path)
    const symbol = taken[index]
    if (symbol === undefined)
      throw new TallyError('UNREADABLE', `${path}: ${reader.name} has no symbol ${writer.symbols[index]}`)
    return symbol
  }
}

function primitive(reader: AvroType, writer: AvroType, path: string): Read | undefined {
  switch (writer.kind) {
    case 'null':
      return () => null
    case 'boolean':
      return (cursor) => take(cursor, 1)[0] === 1
    case 'int':
      return reader.kind === 'float' ? (cursor) => Math.fround(cursor.long(path)) : (cursor) => cursor.long(path)
    case 'long':
      if (reader.kind === 'float') return (cursor) => nearestFloat(cursor.exactLong(path))
      return reader.kind === 'double' ? (cursor) => Number(cursor.exactLong(path)) : (cursor) => safe(cursor, path)
    case 'float':
      return (cursor) => take(cursor, 4).readFloatLE()
    case 'double':
      return (cursor) => take(cursor, 8).readDoubleLE()
    case 'string':
      if (reader.kind === 'string') return textAt
      return (cursor) => Buffer.from(take(cursor, cursor.long(path)))
    case 'bytes':
      if (reader.kind === 'string') return (cursor) => textOfBytes(cursor, path)
      return (cursor) => Buffer.from(take(cursor, cursor.long(path)))
  }
}

function safe(cursor: ByteCursor, path: string): number {
  const start = cursor.position
  const rough = cursor.long(path)
  if (Math.abs(rough) < 2 ** 52) return rough
  cursor.position = start
  const value = cursor.exactLong(path)
  if (Number.isSafeInteger(Number(value))) return Number(value)
  throw new TallyError('UNREADABLE', `${path}: potential precision loss, ${value} is beyond 2^53`)
}

/** Rounds once: to an odd number of 53 bits first, so that the second rounding cannot meet a tie that the first one made. */
function nearestFloat(value: bigint): number {
  if (Number.isSafeInteger(Number(value))) return Math.fround(Number(value))
  return Math.fround(Number((value >> 11n) | (value & 0x7ffn ? 1n : 0n)) * 2048)
}

/** Bounds are checked, so a text is UTF-8; bytes need not be. */
function textAt(cursor: ByteCursor): string {
  const length = cursor.long('')
  const from = cursor.position
  cursor.position += length
  return cursor.bytes.toString('utf8', from, cursor.position)
}

function textOfBytes(cursor: ByteCursor, path: string): string {
  const bytes = take(cursor, cursor.long(path))
  if (isUtf8(bytes)) return bytes.toString()
  throw new TallyError('UNREADABLE', `${path}: the bytes are not UTF-8`)
}

function take(cursor: ByteCursor, length: number): Buffer {
  const from = cursor.position
  cursor.position += length
  return cursor.bytes.subarray(from, cursor.position)
}

function blocks<Item>(cursor: ByteCursor, item: (cursor: ByteCursor) => Item): Item[] {
  const items: Item[] = []
  for (let count = cursor.long(''); count !== 0; count = cursor.long('')) {
    if (count < 0) cursor.long('') // The size of the block, in bytes
    for (let i = Math.abs(count); i > 0; i--) items.push(item(cursor))
  }
  return items
}
