import type { Pool } from '../postgres/pool.ts'
import { prepared } from '../postgres/transaction.ts'

const send = prepared('notice_send', `select pg_notify(current_schema, '')`)

/** Tells the other processes of the pool's schema to look. Never rejects: a notice may be lost anyway. */
export const sendNotice = (pool: Pool): Promise<unknown> => send(pool).catch(() => {})
