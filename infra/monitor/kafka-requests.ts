import type { Kafka, RequestEvent } from 'kafkajs'
import type { Meter } from './meters.ts'

/** Requests to Kafka that were answered since this process started, by their name in the protocol: `Fetch`, `Produce`. */
const answered = new Map<string, number>()

/** Counts the requests of all clients that this Kafka will make. */
export function countRequests(kafka: Kafka): Kafka {
  const { consumer, producer, admin } = kafka
  return Object.assign(kafka, {
    consumer: counted(consumer.bind(kafka)),
    producer: counted(producer.bind(kafka)),
    admin: counted(admin.bind(kafka)),
  })
}

interface Observable {
  readonly events: { readonly REQUEST: string }
  on(event: string, listener: (event: RequestEvent) => void): unknown
}

function counted<Options, Client>(make: (options: Options) => Client): (options: Options) => Client {
  return (options) => {
    const client = make(options)
    const { events, on } = client as Observable
    on(events.REQUEST, ({ payload: { apiName } }) => answered.set(apiName, (answered.get(apiName) ?? 0) + 1))
    return client
  }
}

/** Shows the counts as a metric. */
export const observeRequests = (meter: Meter): (() => void) =>
  meter.observe(
    { tally_kafka_requests_total: ['Requests to Kafka that were answered, by their name in its protocol', 'request'] },
    (report) => {
      for (const [request, number] of answered) report('tally_kafka_requests_total', number, { request })
    },
  )
