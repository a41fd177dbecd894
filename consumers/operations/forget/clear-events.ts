import { isTallyError } from '../../../infra/errors.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { isSealed } from '../../../infra/security/sealed-text.ts'
import type { Codec } from '../../../schemas/codec/codec.ts'
import { headerBytes } from '../../../schemas/codec/framing.ts'
import { changePersonal, hasClearText } from '../../../schemas/personal-data.ts'
import { changeAudited, readAuditedValues } from '../../runtime/tables/audited-values.ts'
import { readParkedOf } from '../../runtime/tables/parked-list.ts'
import type { ParkedRow } from '../../runtime/tables/parked-row.ts'
import { editParked, encodeEdit } from '../parked/edit-parked.ts'
import type { OpenGroup } from '../parked/parked-groups.ts'

/** What of stored events a group has in clear. */
export interface ClearEvents {
  /** Parked events, to be rewritten without their personal data. */
  readonly parked: readonly ParkedRow[]
  /** Parked events that cannot be read: nobody knows what they say. */
  readonly unreadable: number
  /** Values in the audit, to be replaced. */
  readonly audited: readonly { id: number; before: Buffer | null; after: Buffer | null }[]
}

/** @param keys ids of orders, at most a few hundred */
export async function findClearEvents(
  { pool }: OpenGroup,
  keys: readonly string[],
  codec: Codec,
): Promise<ClearEvents> {
  const rows = (await readParkedOf(pool, keys)).filter(({ source }) => source === 'record')
  const audited = await readAuditedValues(pool, keys)
  const values = [...rows.map(({ value }) => value), ...audited.flatMap(({ before, after }) => [before, after])]
  await codec.learn(values.flatMap((value) => codec.schemaIdOf(value) ?? []))
  const judged = rows.map((row) => ({ row, cleared: withoutPersonal(row.value, codec) }))
  return {
    parked: judged.flatMap(({ row, cleared }) => (Buffer.isBuffer(cleared) ? [row] : [])),
    unreadable: judged.filter(({ cleared }) => cleared === 'unreadable').length,
    audited: audited.flatMap(({ id, source, before, after }) => {
      const [cleared, clearedAfter] = [before, after].map((value) => auditedWithout(source, value, codec))
      if (!cleared && !clearedAfter) return []
      return [{ id, before: cleared ?? before, after: clearedAfter ?? after }]
    }),
  }
}

/** Rewrites them: parked events first, because an edit of one puts what it said before into the audit. */
export async function blankParked(
  { pool }: OpenGroup,
  rows: readonly ParkedRow[],
  by: { actor: string; why: string },
  { codec, partitions }: { codec: Codec; partitions: number },
): Promise<void> {
  for (const row of rows) {
    const { type, data } = codec.decode(row.value)
    const edit = { type, data: changePersonal(type, data as never, blankClear) }
    await editParked(pool, encodeEdit(row, edit, codec, partitions), by, { redrive: false })
  }
}

export const blankAudited = (pool: Pool, { audited }: ClearEvents): Promise<void> => changeAudited(pool, audited)

const blankClear = (text: string) => (isSealed(text) ? text : '')

/** The value without its clear personal texts; undefined if it has none. */
function withoutPersonal(value: Buffer | null, codec: Codec): Buffer | 'unreadable' | undefined {
  if (value === null) return undefined
  try {
    const { type, data } = codec.decode(value)
    if (!hasClearText(type, data as never)) return undefined
    return Buffer.from(codec.encode(type, changePersonal(type, data as never, blankClear)))
  } catch (error) {
    if (isTallyError(error, 'UNREADABLE')) return 'unreadable'
    throw error
  }
}

/** Of audited bytes that nobody can read only the schema's id stays, by which events are counted. */
function auditedWithout(source: string, value: Buffer | null, codec: Codec): Buffer | undefined {
  if (value === null) return undefined
  if (source !== 'record') return answerWithout(value)
  const cleared = withoutPersonal(value, codec)
  if (cleared !== 'unreadable') return cleared
  return value.length > headerBytes ? value.subarray(0, headerBytes) : undefined
}

/** The answer to a call, stored as JSON: its words may repeat an address. */
function answerWithout(value: Buffer): Buffer | undefined {
  const stored = JSON.parse(value.toString('utf8')) as { answer?: { detail?: unknown } }
  const detail = stored.answer?.detail
  if (typeof detail !== 'string' || detail === '' || isSealed(detail)) return undefined
  return Buffer.from(JSON.stringify({ ...stored, answer: { ...stored.answer, detail: '' } }))
}
