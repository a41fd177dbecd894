import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readValue } from '../../consumers/operations/parked/read-value.ts'
import { editParked, encodeEdit } from '../../consumers/operations/parked/edit-parked.ts'
import type { EditedRow } from '../../consumers/operations/parked/edit-parked.ts'
import { readParked } from '../../consumers/operations/parked/list-parked.ts'
import type { Config } from '../../infra/config.ts'
import { currentConfig } from '../../infra/topic-generations/current-config.ts'
import { TallyError } from '../../infra/errors.ts'
import { printJson, say } from '../cli/command.ts'
import { actorOf, confirmed } from '../cli/consent.ts'
import type { Lot } from '../../consumers/operations/parked/choose-parked.ts'
import { printable } from './printable.ts'
import { changedFields, editableJson, readEdit, typeOfRecord } from '../../consumers/operations/parked/read-edit.ts'
import { seeThrough } from './redrive.ts'
import { connectCodec } from '../../consumers/operations/connect-codec.ts'
import { rehearse } from './rehearsal.ts'

export interface EditOptions {
  value?: string
  valueFile?: string
  type?: string
  why: string
  actor?: string
  yes?: boolean
  /** False: leave it parked. */
  redrive: boolean
  rehearse?: boolean
  wait: boolean
  json?: boolean
}

export async function edit(
  config: Config,
  { lot, id }: { lot: Lot; id: number },
  options: EditOptions,
  signal: AbortSignal,
): Promise<void> {
  const name = `${lot.group}/${id}`
  const row = await readParked(lot.pool, id)
  if (!row) throw new TallyError('PRECONDITION_FAILED', `${name} has just left the parking lot`)
  const codec = await connectCodec(config, signal)
  const before = await readValue(row, codec)
  const type = options.type ?? typeOfRecord(row, before)
  const text = textGiven(options) ?? textEdited(config, editableJson(before))
  const wanted = readEdit(text, row, type)
  const edited = encodeEdit(row, wanted, codec, (await currentConfig(config, lot.pool)).partitions)
  const changes = changedFields(
    before.kind === 'bytes' ? undefined : editableJson(before),
    'answer' in wanted ? wanted.answer : wanted.data,
  )
  if (changes.length === 0) return say('Nothing was changed: that is what it says already')
  say(`${name}, ${type ?? row.type} of ${printable(row.key)}:`)
  for (const change of changes) say(`  ${printable(change)}`)
  if (options.rehearse) {
    const asIf = (other: typeof row) => (other.id === id ? { ...other, value: edited.value } : other)
    return rehearse(config, [{ lot, selection: { ids: [id] } }], { json: options.json, asIf }, signal)
  }
  if (!options.yes && !(await confirmed('Change it?'))) return say('Nothing was done')
  await executeRun(config, lot, edited, options, signal)
}

async function executeRun(
  config: Config,
  lot: Lot,
  edited: EditedRow,
  options: EditOptions,
  signal: AbortSignal,
): Promise<void> {
  const by = { actor: actorOf(options), why: options.why }
  const key = await editParked(lot.pool, edited, by, { redrive: options.redrive })
  say(`${lot.group}/${edited.row.id} is changed; the bytes before are in the audit`)
  if (key) await seeThrough(config, [{ lot, keys: [key] }], options, signal)
  else if (options.json) printJson({ edited: edited.row.id })
}

function textGiven({ value, valueFile }: EditOptions): string | undefined {
  return valueFile === undefined ? value : readFileSync(valueFile, 'utf8')
}

/** Lets the person edit it in a program of their own. @throws TallyError USAGE without terminal or program */
function textEdited({ editor }: Config, json: object): string {
  if (!process.stdin.isTTY)
    throw new TallyError('USAGE', 'There is no terminal to edit in: add --value or --value-file')
  if (!editor) throw new TallyError('USAGE', 'Set EDITOR to the program to edit in, or add --value or --value-file')
  const folder = mkdtempSync(join(tmpdir(), 'tally-edit-'))
  try {
    const file = join(folder, 'event.json')
    writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 })
    // As git does: the variable may hold options of the program, too
    const { status, error } = spawnSync('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    if (status !== 0) throw new TallyError('USAGE', `${editor} did not end well: nothing was changed`, { cause: error })
    return readFileSync(file, 'utf8')
  } finally {
    rmSync(folder, { recursive: true })
  }
}
