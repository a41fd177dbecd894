import type { Mutation } from '../mutation.ts'

const resolver = 'schemas/binary/resolver.ts'
const readRecords = 'consumers/runtime/batch/read-records.ts'
const readRecordsTest = 'consumers/runtime/batch/read-records.test.ts'
const foreignWriters = 'schemas/codec/foreign-writers.test.ts'

/** What comes in from outside is read as it was meant, or refused. */
export const reading: readonly Mutation[] = [
  {
    name: 'refuse-union-for-one-branch',
    guard: 'a value is refused for its own branch only',
    broken: 'one branch that the reader lacks makes the whole schema unreadable',
    edits: [{ file: resolver, find: 'plans.every((plan)', replace: 'plans.some((plan)' }],
    noticedBy: { file: foreignWriters, title: 'a field that may be null is read where it is not' },
  },
  {
    name: 'read-long-roughly',
    guard: 'integers of 64 bits are exact',
    broken: 'they are read as numbers that may be rounded',
    edits: [{ file: resolver, find: 'Math.abs(rough) < 2 ** 52', replace: 'Math.abs(rough) < 2 ** 64' }],
    noticedBy: { file: foreignWriters, title: 'a number that JavaScript cannot hold is refused, not rounded' },
  },
  {
    name: 'resolve-without-aliases',
    guard: 'a field is read under its former name',
    broken: 'only its present name counts',
    edits: [
      {
        file: 'schemas/binary/rules.ts',
        find: 'aliases.includes(name))?.name',
        replace: 'aliases.length < 0)?.name',
      },
    ],
    noticedBy: { file: foreignWriters, title: 'a field is read under its former name' },
  },
  {
    name: 'ignore-whatever-claims-a-type',
    guard: 'a type that this version does not know is ignored only if header and schema agree on it',
    broken: 'a record that claims any unknown type is ignored',
    edits: [
      { file: readRecords, find: 'schemaId !== undefined && codec.nameOf(schemaId) === claimed', replace: 'claimed' },
    ],
    noticedBy: { file: readRecordsTest, title: '%s' },
  },
  {
    name: 'ignore-types-of-other-topics',
    guard: 'what a topic does not carry is parked by all that read it',
    broken: 'groups that do not handle its type ignore it',
    edits: [
      {
        file: readRecords,
        find: 'type !== undefined && carries(topic, type) ? type',
        replace: 'type !== undefined ? type',
      },
    ],
    noticedBy: { file: readRecordsTest, title: '%s' },
  },
  {
    name: 'malformed-time-is-none',
    guard: 'a malformed time is refused',
    broken: 'it counts as missing, and the time of the record is taken',
    edits: [
      {
        file: 'schemas/envelope.ts',
        find: 'if (header === undefined || header === null) {',
        replace: 'if (!header || readTime(header.toString()).fault) {',
      },
    ],
    noticedBy: { file: readRecordsTest, title: 'the time %p is no missing time' },
  },
  {
    name: 'print-what-came-in',
    guard: 'nothing from outside controls the terminal of an operator',
    broken: 'it is printed as it came in',
    edits: [
      { file: 'scripts/cli/terminal.ts', find: "printableLines(lines.join('\\n'))", replace: "lines.join('\\n')" },
    ],
    noticedBy: { file: 'scripts/cli/cli.test.ts', title: 'nothing that is printed controls the terminal' },
  },
]
