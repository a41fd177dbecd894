import type { AvroType, EnumType, Field, FixedType, RecordType } from '../avro-schema.ts'
import { simpleName } from '../avro-schema.ts'

/*
 * Avro's rules of schema resolution (specification 1.12): which of the reader's types takes a value of the writer's. Where
 * the specification leaves a choice, they follow Apache Avro for Java; resolver.test.ts compares the two.
 */

type Union = Extract<AvroType, { kind: 'union' }>
type NamedType = RecordType | EnumType | FixedType

/** The types that a value may be promoted to. */
const promotions: { readonly [Kind in AvroType['kind']]?: readonly AvroType['kind'][] } = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
}

export const isPromotion = (reader: AvroType, writer: AvroType): boolean =>
  promotions[writer.kind]?.includes(reader.kind) ?? false

/** Names match without their namespaces, too. */
export const takesName = (reader: NamedType, writer: { name: string }): boolean =>
  takesFullName(reader, writer) || simpleName(reader.name) === simpleName(writer.name)

/** Whether the writer's full name is the reader's, or an alias of it. */
export const takesFullName = (reader: NamedType, writer: { name: string }): boolean =>
  reader.name === writer.name || reader.aliases.includes(writer.name)

/** The branch of the reader's union for values of the writer's type, which is no union: an equal type before a promotion. */
export function branchFor(reader: Union, writer: AvroType): AvroType | undefined {
  const alike = reader.branches.filter(({ kind }) => kind === writer.kind)
  if (!('name' in writer)) return alike[0] ?? reader.branches.find((branch) => isPromotion(branch, writer))
  const named = alike.filter((branch) => 'name' in branch)
  return named.find((branch) => takesFullName(branch, writer)) ?? named.find((branch) => takesName(branch, writer))
}

/**
 * The writer's fields that a field of the reader is read from, at most one in a usable pair. An alias renames the writer's
 * field before names are compared.
 */
export const sourcesOf = (field: Field, reader: RecordType, writer: RecordType): Field[] =>
  writer.fields.filter(({ name }) => field.name === renamed(name, reader))

const renamed = (name: string, reader: RecordType): string =>
  reader.fields.find(({ aliases }) => aliases.includes(name))?.name ?? name
