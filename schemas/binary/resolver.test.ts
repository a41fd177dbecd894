import { expect, test } from '@jest/globals'
import { describeError } from '../../infra/errors.ts'
import { Random } from '../../infra/testing/random.ts'
import { parseSchema } from '../avro-schema.ts'
import type { AvroType } from '../avro-schema.ts'
import { findClashes } from '../registry/compatibility.ts'
import { askApacheAvro, textOf } from './testing/apache-avro.ts'
import { Changer } from './testing/change-shape.ts'
import { randomBytes } from './testing/random-bytes.ts'
import { ShapeMaker } from './testing/random-schemas.ts'
import { SchemaWriter } from './testing/schema-json.ts'
import { compileBounds } from './bounds.ts'
import { compileResolver } from './resolver.ts'

const pairs = 3_000

function makePair(seed: number) {
  const random = new Random(seed)
  const maker = new ShapeMaker(random)
  const written = maker.record(3)
  const read = new Changer(random, maker, random.pick([0, 0.05, 0.15])).change(written)
  const writer = new SchemaWriter(random, random.pick(['valid', 'any JSON'])).json(written) as object
  const reader = new SchemaWriter(random, 'valid').json(read) as object
  const values = Array.from({ length: 4 }, () => randomBytes(parseSchema(writer), random))
  return { reader, writer, values }
}

/** Where this reader and Apache Avro for Java may differ, and why. */
const differences = [
  [
    'with an invalid default of the writer: Java checks it where the reader has aliases',
    /^!(Invalid default for field|Schema fields not set)/,
  ],
  ['with records smaller than the reader knows them: Java takes the bytes for too few', /^!Collection claims/],
  ['of another namespace in a union: Java wants the full name there', /^!Found \S+, expecting union/],
  ['beyond 2^53: a number of JavaScript would not be exact', /precision loss/],
  ['bytes that are not UTF-8: Java replaces them', /not UTF-8/],
  ['names of records: Java does not compare them, the specification does', /record .* cannot be read as record/],
] as const

test('reads what Apache Avro for Java reads, and the registry takes what is always readable', () => {
  const tried = Array.from({ length: pairs }, (_, i) => makePair(i + 1))
  const answers = askApacheAvro(tried)
  if (!answers) {
    process.stdout.write('Schema resolution was not compared with Apache Avro: Java or its jars are missing\n')
    return
  }
  const counts = { 'read alike': 0, 'refused alike': 0 } as Record<string, number>
  const count = (name: string) => (counts[name] = (counts[name] ?? 0) + 1)
  const different: unknown[] = []
  tried.forEach(({ reader, writer, values }, i) => {
    const [ours, theirs] = [parseSchema(reader), parseSchema(writer)]
    const { compatible, values: expected } = answers[i]!
    if ((findClashes(ours, theirs).length === 0) !== compatible) different.push({ reader, writer, compatible })
    values.forEach((value, j) => {
      const text = readAs(ours, theirs, value)
      const refused = [text, expected[j]!].filter((answer) => answer.startsWith('!'))
      if (refused.length === 2) return count('refused alike')
      if (text === expected[j]) return count('read alike')
      const reason = differences.find(([, pattern]) => pattern.test(refused[0] ?? ''))
      if (reason) count(reason[0])
      else different.push({ reader, writer, value: value.toString('hex'), text, expected: expected[j] })
    })
  })
  const figures = Object.entries(counts).map(([name, number]) => `${number} ${name}`)
  process.stdout.write(
    `Schema resolution: ${pairs} pairs, ${different.length} differences; values: ${figures.join('; ')}\n`,
  )
  expect(different.slice(0, 3)).toEqual([])
  expect(Math.min(counts['read alike']!, counts['refused alike']!)).toBeGreaterThan(pairs / 3)
})

function readAs(reader: AvroType, writer: AvroType, value: Buffer): string {
  try {
    compileBounds(writer)(value, 0)
    return textOf(compileResolver(reader, writer).read(value, 0))
  } catch (error) {
    expect(error).toMatchObject({ code: 'UNREADABLE' })
    return `!${describeError(error)}`
  }
}
