import type { AvroType, RecordType } from '../avro-schema.ts'
import { ByteCursor } from './byte-cursor.ts'

/**
 * Checks that the bytes from `offset` on are exactly one value of their writer schema. avsc trusts counts and lengths: seven
 * bytes can make it allocate gigabytes, a negative block size can make it loop forever. After this check it processes only
 * the bytes that exist.
 * @throws TallyError UNREADABLE naming the field
 */
export type BoundsCheck = (bytes: Buffer, offset: number) => void

/** Most items without bytes (nulls, empty records) in one value: they cost memory, too. */
const maxZeroByteItems = 1_000

/** Only values of a recursive schema can nest deeper than their schema. */
const maxDepth = 64

export function compileBounds(type: AvroType): BoundsCheck {
  const walk = compileWalk(type)
  return (bytes, offset) => {
    const cursor = new ByteCursor(bytes, offset)
    walk(cursor)
    if (cursor.left > 0) throw cursor.unreadable('', `${cursor.left} bytes too many`)
  }
}

/** Passes over one value. */
export type Walk = (cursor: ByteCursor) => void

export const compileWalk = (type: AvroType): Walk => new Compiler().compile(type, '')

class Compiler {
  /** Absent while a record is being compiled: a reference to it then comes from inside it. */
  private readonly records = new Map<RecordType, Walk | undefined>()

  compile(type: AvroType, path: string): Walk {
    switch (type.kind) {
      case 'null':
        return () => {}
      case 'boolean':
        return (cursor) => cursor.boolean(path)
      case 'int':
        return (cursor) => cursor.int(path)
      case 'long':
        return (cursor) => cursor.skipLong(path)
      case 'float':
        return (cursor) => cursor.skip(4, path)
      case 'double':
        return (cursor) => cursor.skip(8, path)
      case 'bytes':
        return (cursor) => cursor.skip(cursor.long(path), path)
      case 'fixed':
        return (cursor) => cursor.skip(type.size, path)
      case 'string':
        return (cursor) => cursor.text(path)
      case 'enum':
        return (cursor) => void cursor.index(type.symbols.length, path)
      case 'union': {
        const branches = type.branches.map((branch) => this.compile(branch, path))
        return (cursor) => branches[cursor.index(branches.length, path)]?.(cursor)
      }
      case 'array':
        return blocks(this.compile(type.items, `${path}[]`), leastBytes(type.items), path)
      case 'map': {
        const value = this.compile(type.values, `${path}{}`)
        const entry = (cursor: ByteCursor) => {
          cursor.text(path)
          value(cursor)
        }
        return blocks(entry, 1 + leastBytes(type.values), path)
      }
      case 'record':
        return this.record(type, path)
    }
  }

  private record(type: RecordType, path: string): Walk {
    if (this.records.has(type)) return this.nested(type, path)
    this.records.set(type, undefined)
    const fields = type.fields.map((field) => this.compile(field.type, path ? `${path}.${field.name}` : field.name))
    const walk = (cursor: ByteCursor) => {
      for (let i = 0; i < fields.length; i++) fields[i]!(cursor)
    }
    this.records.set(type, walk)
    return walk
  }

  private nested(type: RecordType, path: string): Walk {
    return (cursor) => {
      if (++cursor.depth > maxDepth) throw cursor.unreadable(path, `more than ${maxDepth} levels deep`)
      this.records.get(type)?.(cursor)
      cursor.depth--
    }
  }
}

/** Arrays and maps: blocks of a count and its items, ended by a count of 0. A negative count is followed by a size. */
function blocks(item: Walk, itemBytes: number, path: string): Walk {
  return (cursor) => {
    for (let count = cursor.long(path); count !== 0; count = cursor.long(path)) {
      let end: number | undefined
      if (count < 0) {
        count = -count
        const size = cursor.long(path)
        if (size < 0 || size > cursor.left)
          throw cursor.unreadable(path, `a block of ${size} bytes, ${cursor.left} left`)
        end = cursor.position + size
      }
      if (itemBytes === 0) cursor.zeroByteItems += count
      if (count * itemBytes > cursor.left || cursor.zeroByteItems > maxZeroByteItems) {
        throw cursor.unreadable(path, `${count} items announced, ${cursor.left} bytes left`)
      }
      for (let i = 0; i < count; i++) item(cursor)
      if (end !== undefined && end !== cursor.position)
        throw cursor.unreadable(path, 'a block whose size differs from the one announced')
    }
  }
}

/** A lower bound of the bytes of a value. */
function leastBytes(type: AvroType, within: readonly AvroType[] = []): number {
  switch (type.kind) {
    case 'null':
      return 0
    case 'float':
      return 4
    case 'double':
      return 8
    case 'fixed':
      return type.size
    case 'record':
      if (within.includes(type)) return 0
      return type.fields.reduce((sum, field) => sum + leastBytes(field.type, [...within, type]), 0)
    default:
      return 1
  }
}
