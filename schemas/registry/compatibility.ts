import type { AvroType, EnumType, Field, RecordType } from '../avro-schema.ts'
import { isPromotion, sourcesOf, takesName } from '../binary/rules.ts'

/** Why a reader cannot read a writer's values. */
export type Clash = { path: string } & (
  | { kind: 'field missing' }
  | { kind: 'fields ambiguous' }
  | { kind: 'type'; reader: string; writer: string }
  | { kind: 'symbols unknown'; symbols: readonly string[] }
)

/** Finds every place where the reader's schema cannot read values of the writer's; empty if it can read all. */
export const findClashes = (reader: AvroType, writer: AvroType): Clash[] => compare(reader, writer, '', new Map())

/** What a clash means for a changed schema. `reads`: the new schema reads old events; otherwise old code reads new ones. */
export function describeClash(clash: Clash, reads: 'old events' | 'new events'): string {
  const backward = reads === 'old events'
  switch (clash.kind) {
    case 'field missing':
      return backward
        ? 'was added without a default, which events written before do not have'
        : 'was removed, which code deployed before needs: it has no default there'
    case 'fields ambiguous':
      return 'has aliases that name several fields'
    case 'symbols unknown':
      return backward
        ? `lost ${clash.symbols.join(', ')}, which events written before may hold`
        : `gained ${clash.symbols.join(', ')}, which code deployed before has no default for`
    case 'type': {
      const [before, after] = backward ? [clash.writer, clash.reader] : [clash.reader, clash.writer]
      return `was ${before} and would be ${after}`
    }
  }
}

/** Results for pairs of records, reader first; empty while a pair is being compared, because it may contain itself. */
type Seen = Map<RecordType, Map<RecordType, Clash[]>>

function compare(reader: AvroType, writer: AvroType, path: string, seen: Seen): Clash[] {
  if (writer.kind === 'union') return everyBranch(reader, writer, path, seen)
  if (reader.kind === 'union') return someBranch(reader, writer, path, seen)
  const unlike: Clash[] = [{ kind: 'type', path, reader: label(reader), writer: label(writer) }]
  if (reader.kind === 'record' && writer.kind === 'record') {
    return takesName(reader, writer) ? compareFields(reader, writer, path, seen) : unlike
  }
  if (reader.kind === 'enum' && writer.kind === 'enum') {
    return takesName(reader, writer) ? compareSymbols(reader, writer, path) : unlike
  }
  if (reader.kind === 'fixed' && writer.kind === 'fixed') {
    return takesName(reader, writer) && reader.size === writer.size ? [] : unlike
  }
  if (reader.kind === 'array' && writer.kind === 'array') return compare(reader.items, writer.items, `${path}[]`, seen)
  if (reader.kind === 'map' && writer.kind === 'map') return compare(reader.values, writer.values, `${path}{}`, seen)
  return reader.kind === writer.kind || isPromotion(reader, writer) ? [] : unlike
}

type Union = Extract<AvroType, { kind: 'union' }>

/** A value may have any of the writer's branches, so all must be readable. */
function everyBranch(reader: AvroType, writer: Union, path: string, seen: Seen): Clash[] {
  const clashes = writer.branches.flatMap((branch) => compare(reader, branch, path, seen))
  return precise(clashes, path, reader, writer)
}

function someBranch(reader: Union, writer: AvroType, path: string, seen: Seen): Clash[] {
  const attempts = reader.branches.map((branch) => compare(branch, writer, path, seen))
  return attempts.some((clashes) => clashes.length === 0) ? [] : precise(attempts.flat(), path, reader, writer)
}

/** Clashes inside a branch are more specific than a difference of the unions. */
function precise(clashes: Clash[], path: string, reader: AvroType, writer: AvroType): Clash[] {
  const inside = clashes.filter((clash) => clash.path !== path || clash.kind !== 'type')
  if (clashes.length === 0 || inside.length > 0) return inside
  return [{ kind: 'type', path, reader: label(reader), writer: label(writer) }]
}

function compareFields(reader: RecordType, writer: RecordType, path: string, seen: Seen): Clash[] {
  const known = seen.get(reader) ?? new Map<RecordType, Clash[]>()
  const found = known.get(writer)
  if (found) return found
  seen.set(reader, known.set(writer, []))
  const clashes = reader.fields.flatMap((field) => compareField(field, reader, writer, path, seen))
  known.set(writer, clashes)
  return clashes
}

function compareField(field: Field, reader: RecordType, writer: RecordType, within: string, seen: Seen): Clash[] {
  const path = within ? `${within}.${field.name}` : field.name
  const [source, ...more] = sourcesOf(field, reader, writer)
  if (more.length > 0) return [{ kind: 'fields ambiguous', path }]
  if (source) return compare(field.type, source.type, path, seen)
  return field.default === undefined ? [{ kind: 'field missing', path }] : []
}

function compareSymbols(reader: EnumType, writer: EnumType, path: string): Clash[] {
  const symbols = writer.symbols.filter((symbol) => !reader.symbols.includes(symbol))
  return symbols.length === 0 || reader.default !== undefined ? [] : [{ kind: 'symbols unknown', path, symbols }]
}

function label(type: AvroType): string {
  switch (type.kind) {
    case 'union':
      return type.branches.map(label).join(' | ')
    case 'array':
      return `array of ${label(type.items)}`
    case 'map':
      return `map of ${label(type.values)}`
    case 'fixed':
      return `${type.name} (${type.size} bytes)`
    case 'record':
    case 'enum':
      return type.name
    default:
      return type.kind
  }
}
