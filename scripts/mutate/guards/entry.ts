import type { Mutation } from '../mutation.ts'

const session = 'infra/postgres/session.ts'
const sessionTest = 'infra/postgres/session.int.test.ts'
const poolerTest = 'infra/postgres/pooler.int.test.ts'
const readText = 'infra/text/read-text.ts'
const textTest = 'infra/text/text.test.ts'

/** Sessions, times, texts and imports: what a server's defaults or a machine's zone say decides nothing, and an order is imported once. */
export const entry: readonly Mutation[] = [
  {
    name: 'session-defaults',
    guard: 'each session sets what the code relies on',
    broken: 'the defaults of the database or the role decide',
    edits: [
      {
        file: session,
        find: 'await send(prepare, [names, Object.values(wanted), limits.name])',
        replace: 'void prepare',
      },
    ],
    noticedBy: {
      file: sessionTest,
      title: 'no default of a database or a role reaches a session, and neither do options of the URL',
    },
  },
  {
    name: 'session-unchecked',
    guard: 'a session that cannot have its settings is refused',
    broken: 'it fails later, at whatever it does first',
    edits: [{ file: session, find: "error.code === '42501'", replace: "error.code === '42502'" }],
    noticedBy: { file: sessionTest, title: 'a role that may not change one of its defaults is refused in a sentence' },
  },
  {
    name: 'session-shared',
    guard: 'a pooler that shares sessions between connections is refused',
    broken: 'settings and advisory locks of one connection are those of another',
    edits: [{ file: session, find: 'if (other === pid) throw', replace: 'if (other === 0) throw' }],
    noticedBy: { file: poolerTest, title: 'one session of two connections is refused' },
  },
  {
    name: 'session-nameless',
    guard: 'a session has the name of its process whatever a pooler drops',
    broken: 'the owners of lanes look dead',
    edits: [{ file: session, find: "set_config('application_name', $3, false)", replace: 'left($3, 0)' }],
    noticedBy: {
      file: poolerTest,
      title: 'a pooler that drops all that a client asks for at start takes no setting from a session',
    },
  },
  {
    name: 'import-by-content',
    guard: 'an imported order is identified by its source and number',
    broken: 'a corrected row is a second order',
    edits: [
      {
        file: 'producers/import/plan-import.ts',
        find: 'JSON.stringify([name, orderNumber])',
        replace: 'JSON.stringify([name, orderNumber, lines, shipTo])',
      },
    ],
    noticedBy: {
      file: 'producers/import/import.test.ts',
      title: 'the ids of an order follow from its source and number, whatever its rows say',
    },
  },
  {
    name: 'import-delivers-again',
    guard: 'an import delivers what is missing',
    broken: 'it delivers everything again',
    edits: [
      {
        file: 'producers/import/compare-orders.ts',
        find: 'let from = delivered.get(sku) ?? 0; from < target',
        replace: 'let from = 0 * (delivered.get(sku) ?? 0); from < target',
      },
    ],
    noticedBy: {
      file: 'producers/import/table-files.test.ts',
      title: 'stock is the difference to the greater of given and needed; delivered again it is nothing',
    },
  },
  {
    name: 'import-changes-unseen',
    guard: 'what changed since the first import is told',
    broken: 'a corrected row counts as unchanged',
    edits: [
      {
        file: 'producers/import/compare-orders.ts',
        find: 'if (was === is) return',
        replace: 'if (was !== undefined) return',
      },
    ],
    noticedBy: {
      file: 'producers/import/table-files.test.ts',
      title: 'what changed since the first import is said field by field, with its line',
    },
  },
  {
    name: 'time-without-offset',
    guard: 'a time without offset is refused',
    broken: 'it is taken for UTC',
    edits: [
      {
        file: 'schemas/time.ts',
        find: '([Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)$/',
        replace: '([Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)?$/',
      },
    ],
    noticedBy: { file: 'schemas/time.test.ts', title: '"%s" is refused with the reason' },
  },
  {
    name: 'mark-kept',
    guard: 'a byte order mark is no part of a text',
    broken: 'the first line begins with it',
    edits: [{ file: readText, find: '? bytes.subarray(3) : bytes', replace: '? bytes.subarray(0) : bytes' }],
    noticedBy: { file: textTest, title: 'bytes are strict UTF-8 without a byte order mark' },
  },
  {
    name: 'bytes-replaced',
    guard: 'bytes that are no UTF-8 are refused',
    broken: 'they are replaced unnoticed',
    edits: [
      { file: readText, find: '{ fatal: true, ignoreBOM: true }', replace: '{ fatal: false, ignoreBOM: true }' },
      { file: readText, find: 'if (!isUtf8(bytes)) return {', replace: 'if (!isUtf8(bytes.subarray(0, 0))) return {' },
    ],
    noticedBy: { file: textTest, title: 'a line that is no UTF-8 is a fault, the others are read' },
  },
  {
    name: 'lines-end-at-lf-only',
    guard: 'a line ends at LF, CRLF or CR',
    broken: 'a file with CR is one line',
    edits: [{ file: 'infra/text/text-lines.ts', find: 'return cr < 0 ? lf : cr', replace: 'return cr < 0 ? lf : lf' }],
    noticedBy: { file: textTest, title: 'lines are those of the whole text, wherever the bytes are cut' },
  },
]
