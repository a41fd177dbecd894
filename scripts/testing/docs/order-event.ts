import type { Edit } from '../../mutate/mutation.ts'

/** The new files of an event about orders, and of a consumer of it. */
export const refundFiles: Readonly<Record<string, string>> = {
  'schemas/avro/RefundIssued.avsc': JSON.stringify({
    type: 'record',
    name: 'RefundIssued',
    namespace: 'tally.payments',
    doc: 'Money of a completed order was paid back.',
    fields: [
      { name: 'orderId', type: 'string', doc: 'Id of the order; the key of the record' },
      { name: 'amountMinor', type: 'long', doc: 'Amount paid back, in minor units of the currency' },
      { name: 'currency', type: 'string', doc: 'ISO 4217 code of the amount' },
      {
        name: 'issuedAt',
        type: { type: 'long', logicalType: 'timestamp-millis' },
        doc: 'When, UTC epoch milliseconds',
      },
    ],
  }),
  'consumers/refunds/consumer.ts': `
    import { defineConsumer } from '../runtime/handler.ts'
    import { refunds } from './refunds-table.ts'

    export default () =>
      defineConsumer({
        group: 'refunds',
        effects: 'none',
        state: refunds,
        handlers: { RefundIssued: ({ amountMinor }, paidBack) => ({ state: paidBack + amountMinor }) },
      })`,
  'consumers/refunds/refunds-table.ts': `
    import type { StateTable } from '../runtime/state-table.ts'

    export const refunds: StateTable<number> = {
      initial: () => 0,
      async load(tx, keys) {
        const { rows } = await tx.query<{ key: string; minor: number }>('select * from refund where key = any($1)', [keys])
        return new Map(rows.map(({ key, minor }) => [key, minor]))
      },
      async save(tx, states) {
        await tx.query(
          'insert into refund select * from unnest($1::text[], $2::bigint[]) on conflict (key) do update set minor = excluded.minor',
          [[...states.keys()], [...states.values()]],
        )
      },
    }`,
  'consumers/refunds/sql/001_refund.sql': 'create table refund (key text primary key, minor bigint not null);',
}

/** The lines that the other files need. The first is the topic; the type check asks for the others. */
export const refundEdits: readonly Edit[] = [
  {
    file: 'schemas/topics.ts',
    find: `'PaymentVoided', 'PaymentCaptured']`,
    replace: `'PaymentVoided', 'PaymentCaptured', 'RefundIssued']`,
  },
  {
    file: 'schemas/validate.ts',
    find: '  StockReserved: (event) =>\n',
    replace: `  RefundIssued: (event) =>
    id('orderId', event.orderId) ??
    amount('amountMinor', event.amountMinor) ??
    currency(event.currency) ??
    time('issuedAt', event.issuedAt),
  StockReserved: (event) =>\n`,
  },
  {
    file: 'schemas/validate.test.ts',
    find: `  StockReserved: { orderId: 'o1',`,
    replace: `  RefundIssued: { orderId: 'o1', amountMinor: 500, currency: 'EUR', issuedAt: at },\n  StockReserved: { orderId: 'o1',`,
  },
  {
    file: 'producers/sample-data/event-generator.ts',
    find: '  StockReserved: ({ about, stock, at }) =>',
    replace:
      '  RefundIssued: ({ about, money, at }) => ({ ...about, ...money, issuedAt: at }),\n  StockReserved: ({ about, stock, at }) =>',
  },
  {
    file: 'consumers/order-status/summarize.ts',
    find: `    case 'StockReserved':`,
    replace: `    case 'RefundIssued':\n      return 'money was paid back'\n    case 'StockReserved':`,
  },
  {
    file: 'scripts/verify/invariants/event-sets.ts',
    find: `  StockReserved: { completed: 'required' },`,
    replace: `  RefundIssued: { many: true, completed: 'allowed' },\n  StockReserved: { completed: 'required' },`,
  },
]
