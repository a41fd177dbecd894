import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChosenEvent } from '../../consumers/operations/parked/choose-parked.ts'
import { prepareEdits, writeEdits } from '../../consumers/operations/parked/mend-parked.ts'
import type { EditOutcome, PreparedEdit } from '../../consumers/operations/parked/mend-parked.ts'
import type { Config } from '../../infra/config.ts'
import { TallyError } from '../../infra/errors.ts'
import { readTextFile } from '../../infra/text/read-text.ts'
import { printJson, say } from '../cli/command.ts'
import { actorOf, confirmed } from '../cli/consent.ts'
import { printDryRun } from './print-dry-run.ts'
import { printable } from './printable.ts'
import { followRedrive } from './redrive.ts'

export interface EditOptions {
  value?: string
  valueFile?: string
  type?: string
  why: string
  actor?: string
  yes?: boolean
  /** False: leave it parked. */
  redrive: boolean
  dryRun?: boolean
  wait: boolean
  json?: boolean
}

export async function edit(
  config: Config,
  events: readonly ChosenEvent[],
  options: EditOptions,
  signal: AbortSignal,
): Promise<void> {
  const text = (before: object) => textGiven(options) ?? textEdited(config, before)
  const prepared = await prepareEdits(config, events, { text, type: options.type }, signal)
  if (prepared.every(({ changes }) => changes.length === 0))
    return say('Nothing was changed: that is what it says already')
  for (const each of prepared) sayChanges(each)
  if (options.dryRun) return dryRunEdits(config, prepared, options, signal)
  if (!options.yes && !(await confirmed('Change it?'))) return say('Nothing was done')
  const by = { actor: actorOf(options), why: options.why }
  const { outcomes, asked } = await writeEdits(prepared, by, { redrive: options.redrive, signal })
  for (const outcome of outcomes) sayOutcome(outcome)
  if (outcomes.some(({ outcome }) => outcome === 'failed')) process.exitCode = 1
  if (asked.length > 0) await followRedrive(config, asked, options, signal, { edits: outcomes })
  else if (options.json) printJson({ edits: outcomes })
}

function sayChanges({ group, id, type, edited: { row }, changes }: PreparedEdit): void {
  say(`${group.name}/${id}, ${type} of ${printable(row.key)}:`)
  if (changes.length === 0) say('  nothing changes: that is what it says already')
  for (const change of changes) say(`  ${printable(change)}`)
}

function sayOutcome({ group, id, outcome, error }: EditOutcome): void {
  if (outcome === 'edited') say(`${group}/${id} is changed; the bytes before are in the audit`)
  if (outcome === 'failed') say(`${group}/${id} is not changed: ${error}`)
}

function dryRunEdits(
  config: Config,
  prepared: readonly PreparedEdit[],
  { json }: EditOptions,
  signal: AbortSignal,
): Promise<void> {
  const values = new Map(prepared.map(({ group, id, edited }) => [`${group.name}/${id}`, edited.value]))
  return printDryRun(
    config,
    prepared.map(({ group, id }) => ({ group, selection: { ids: [id] } })),
    { json, asIf: (group, row) => ({ ...row, value: values.get(`${group}/${row.id}`) ?? row.value }) },
    signal,
  )
}

/** @throws TallyError USAGE if the file cannot be read */
function textGiven({ value, valueFile }: EditOptions): string | undefined {
  if (valueFile === undefined) return value
  return readTextFile(valueFile)
}

/** Opens the operator's editor. @throws TallyError USAGE without a terminal or an editor, or if the editor fails */
function textEdited({ editor }: Config, json: object): string {
  if (!process.stdin.isTTY)
    throw new TallyError('USAGE', 'There is no terminal to edit in: add --value or --value-file')
  if (!editor) throw new TallyError('USAGE', 'Set EDITOR to the program to edit in, or add --value or --value-file')
  const folder = mkdtempSync(join(tmpdir(), 'tally-edit-'))
  try {
    const file = join(folder, 'event.json')
    writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`, { mode: 0o600 })
    // As git does: the variable may contain options of the program
    const { status, error } = spawnSync('sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' })
    if (status !== 0) throw new TallyError('USAGE', `${editor} failed: nothing was changed`, { cause: error })
    return readTextFile(file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
