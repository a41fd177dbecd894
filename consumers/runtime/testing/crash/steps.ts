import type { Consumer, Kafka, Producer } from 'kafkajs'
import type pg from 'pg'
import type { Pool } from '../../../../infra/postgres/pool.ts'
import type { Codec } from '../../../../schemas/codec/codec.ts'
import type { CallHandler, ConsumerDefinition } from '../../handler.ts'

/** Called synchronously at every step a replica passes, such as `before lane_lock`. */
export type Passed = (step: string) => void

/** All dependencies of a replica are passed in, so its steps are observed by wrapping them, without hooks. */
export interface Touched<State, Row> {
  definition: ConsumerDefinition<State, Row>
  pool: Pool
  codec: Codec
  kafka: Kafka
}

/**
 * The same dependencies, with a named step at every use:
 *
 * - `before X`, `after X` for every statement X: its prepared name, else verb and table (`insert count`). A commit is named
 *   after the statement it follows; `during X` is passed where X may take effect although its answer never arrives
 * - `after fetch`; `before send`, `after send`; `before decode`, `after decode`, the same for `encode` and `learn`
 * - `before call ask`, `after call ask` around each call of kind `ask`
 */
export function observeSteps<State, Row>(touched: Touched<State, Row>, passed: Passed): Touched<State, Row> {
  const { definition, pool, codec, kafka } = touched
  return {
    definition: { ...definition, calls: observeCalls(definition.calls ?? {}, passed) },
    pool: observePool(pool, passed),
    codec: replace(codec, {
      learn: around('learn', codec.learn, passed),
      decode: around('decode', codec.decode, passed),
      encode: around('encode', codec.encode, passed),
    }),
    kafka: replace(kafka, {
      consumer: (config) => observeFetching(kafka.consumer(config), passed),
      producer: (config) => observeSending(kafka.producer(config), passed),
    }),
  }
}

/** The object with some members replaced. */
export const replace = <T extends object>(target: T, members: Partial<T>): T =>
  new Proxy(target, {
    get(_, name) {
      if (Object.hasOwn(members, name)) return members[name as keyof T]
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })

function around<Arguments extends unknown[], Result>(
  name: string,
  work: (...args: Arguments) => Result,
  passed: Passed,
): (...args: Arguments) => Result {
  return (...args) => {
    passed(`before ${name}`)
    const result = work(...args)
    if (!(result instanceof Promise)) passed(`after ${name}`)
    else
      void result.then(
        () => passed(`after ${name}`),
        () => {},
      )
    return result
  }
}

function observeCalls<State, Row>(
  calls: Readonly<Record<string, CallHandler<State, Row>>>,
  passed: Passed,
): Record<string, CallHandler<State, Row>> {
  return Object.fromEntries(
    Object.entries(calls).map(([kind, call]) => [
      kind,
      { ...call, make: around(`call ${kind}`, (...args) => call.make(...args), passed) },
    ]),
  )
}

const observeFetching = (consumer: Consumer, passed: Passed): Consumer =>
  replace(consumer, {
    run: (config) =>
      consumer.run({
        ...config,
        eachBatch: async (payload) => {
          if (payload.batch.messages.length > 0) passed('after fetch')
          await config?.eachBatch?.(payload)
        },
      }),
  })

const observeSending = (producer: Producer, passed: Passed): Producer =>
  replace(producer, { sendBatch: around('send', (batch) => producer.sendBatch(batch), passed) })

type Query = (...args: [statement: unknown, values?: unknown[]]) => Promise<pg.QueryResult>

function observePool(pool: Pool, passed: Passed): Pool {
  const connect = async () => observeClient(await pool.connect(), passed)
  /** A statement outside a transaction commits by itself. */
  const query: Query = async (statement, values) => {
    const client = await pool.connect()
    let failed = true
    try {
      const result = await pass(nameOf(statement), () => client.query(statement as string, values), passed, true)
      failed = false
      return result
    } finally {
      client.release(failed)
    }
  }
  return replace(pool, { connect: connect as Pool['connect'], query: query as Pool['query'] })
}

function observeClient(client: pg.PoolClient, passed: Passed): pg.PoolClient {
  let last = ''
  const query: Query = (statement, values) => {
    const name = nameOf(statement)
    const commits = name === 'commit'
    const step = commits ? `commit after ${last}` : name
    last = name
    return pass(step, () => client.query(statement as string, values), passed, commits)
  }
  return replace(client, { query: query as pg.PoolClient['query'] })
}

/** pg writes a statement synchronously: when its promise exists, the statement is on its way to the server. */
async function pass<T>(name: string, query: () => Promise<T>, passed: Passed, takesEffect: boolean): Promise<T> {
  passed(`before ${name}`)
  const answer = query()
  if (takesEffect) passed(`during ${name}`)
  const result = await answer
  passed(`after ${name}`)
  return result
}

/** Prepared name of a statement, else its verb and table. */
function nameOf(statement: unknown): string {
  if (typeof statement === 'object' && statement !== null && 'name' in statement) return String(statement.name)
  const text = typeof statement === 'string' ? statement : String((statement as pg.QueryConfig).text)
  const [, verb, table] = /^\s*(\w+)(?:.*?\b(?:from|into|update|table)\s+([\w".]+))?/is.exec(text) ?? []
  return [verb?.toLowerCase(), table].filter(Boolean).join(' ')
}
