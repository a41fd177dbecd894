import avro from 'avsc'
import type { Schema } from 'avsc'
import fc from 'fast-check'

/** Shapes without names; names follow from the place, so that two schemas share them where they are alike. */
type Shape =
  | string
  | { array: Shape }
  | { map: Shape }
  | { maybe: Shape }
  | { symbols: string[]; fallback: boolean }
  | { size: number }
  | { fields: { name: string; shape: Shape; optional: boolean; alias: boolean }[]; renamed: boolean }

function schemaOf(shape: Shape, at: string): unknown {
  if (typeof shape === 'string') return shape
  if ('array' in shape) return { type: 'array', items: schemaOf(shape.array, at) }
  if ('map' in shape) return { type: 'map', values: schemaOf(shape.map, at) }
  if ('maybe' in shape) return ['null', schemaOf(shape.maybe, at)]
  if ('size' in shape) return { type: 'fixed', name: `F${at}`, size: shape.size }
  if ('symbols' in shape) {
    return {
      type: 'enum',
      name: `E${at}`,
      symbols: shape.symbols,
      ...(shape.fallback && { default: shape.symbols[0] }),
    }
  }
  const fields = shape.fields.map(({ name, shape: inside, optional, alias }) => ({
    name,
    ...(optional
      ? { type: ['null', schemaOf(inside, `${at}_${name}`)], default: null }
      : { type: schemaOf(inside, `${at}_${name}`) }),
    ...(alias && { aliases: ['z'] }),
  }))
  return shape.renamed
    ? { type: 'record', name: `N${at}`, aliases: [`R${at}`], fields }
    : { type: 'record', name: `R${at}`, fields }
}

const rarely = fc.nat(9).map((n) => n === 0)
const { shape: anyShape, record: anyRecord } = fc.letrec<{ shape: Shape; plain: Shape; record: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    { weight: 4, arbitrary: tie('plain') },
    { weight: 1, arbitrary: tie('plain').map((maybe) => ({ maybe })) },
  ),
  plain: fc.oneof(
    { maxDepth: 3 },
    { weight: 4, arbitrary: fc.constantFrom('boolean', 'int', 'long', 'float', 'double', 'string', 'bytes') },
    { weight: 1, arbitrary: fc.record({ size: fc.integer({ min: 1, max: 2 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ symbols: fc.subarray(['A', 'B', 'C'], { minLength: 1 }), fallback: fc.boolean() }),
    },
    { weight: 1, arbitrary: fc.record({ array: tie('shape') }) },
    { weight: 1, arbitrary: fc.record({ map: tie('shape') }) },
    { weight: 2, arbitrary: tie('record') },
  ),
  record: fc.record({
    fields: fc.uniqueArray(
      fc.record({ name: fc.constantFrom('x', 'y', 'z'), shape: tie('plain'), optional: rarely, alias: rarely }),
      { selector: ({ name }) => name, maxLength: 3 },
    ),
    renamed: rarely,
  }),
}))

/** Two schemas of records: half of the pairs are unrelated, half differ in one place only. */
export const arbitrarySchemaPair: fc.Arbitrary<[Schema, Schema]> = fc
  .oneof(
    fc.tuple(anyRecord, anyRecord),
    fc
      .tuple(anyRecord, fc.nat(), anyShape, fc.boolean())
      .map(([shape, at, other, optional]) => [shape, changed(shape, at, other, optional)]),
  )
  .map((pair) => pair.map((shape) => schemaOf(shape!, '')) as [Schema, Schema])
  .filter((pair) => pair.every(compiles))

function changed(shape: Shape, at: number, other: Shape, optional: boolean): Shape {
  if (typeof shape === 'string' || !('fields' in shape)) return shape
  const free = ['x', 'y', 'z'].find((name) => shape.fields.every((field) => field.name !== name))
  if (free && at % 2 === 0)
    return { ...shape, fields: [...shape.fields, { name: free, shape: 'int', optional, alias: false }] }
  return {
    ...shape,
    fields: shape.fields.map((field, i) =>
      i === at % shape.fields.length ? { ...field, shape: other, optional: false } : field,
    ),
  }
}

/** avsc refuses some aliases and nested unions. */
function compiles(schema: Schema): boolean {
  try {
    avro.Type.forSchema(schema)
    return true
  } catch {
    return false
  }
}
