import type { Handler } from '../runtime/handler.ts'

export interface Mail {
  kind: string
  subject: string
  /** The event that caused the mail. */
  eventId: string
  /** UTC epoch ms. */
  time: number
}

/** The mails of one order. */
export interface Mails {
  /** Kinds already written. */
  known: readonly string[]
  /** Not in the table yet. */
  fresh: readonly Mail[]
}

/** A handler that writes one mail of this kind per order, however many such events arrive. */
export const mailOnce =
  <Data>(kind: string, subject: (data: Data) => string): Handler<Data, Mails> =>
  (data, { known, fresh }, { eventId, time }) =>
    known.includes(kind)
      ? {}
      : { state: { known: [...known, kind], fresh: [...fresh, { kind, subject: subject(data), eventId, time }] } }
