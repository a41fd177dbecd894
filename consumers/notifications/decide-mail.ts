import type { Handler } from '../runtime/handler.ts'

export interface Mail {
  kind: string
  subject: string
  /** Event that made us write. */
  eventId: string
  /** UTC epoch ms. */
  time: number
}

/** The mails of one order. */
export interface Mails {
  /** Kinds written before. */
  known: readonly string[]
  /** Not in the table yet. */
  fresh: readonly Mail[]
}

/** A handler that writes one mail of this kind per order, however many such events come. */
export const mailOnce =
  <Data>(kind: string, subject: (data: Data) => string): Handler<Data, Mails> =>
  (data, { known, fresh }, { eventId, time }) =>
    known.includes(kind)
      ? {}
      : { state: { known: [...known, kind], fresh: [...fresh, { kind, subject: subject(data), eventId, time }] } }
