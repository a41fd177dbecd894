import type { Producer, ProducerBatch, RecordMetadata } from 'kafkajs'
import type { NewRecord } from './broker.ts'
import type { Wire } from './wire.ts'
import { request } from './wire.ts'

interface Share {
  topic: string
  partition: number
  records: NewRecord[]
}

/** The part of a kafkajs producer that `RecordSender` uses. */
export function simulatedProducer(wire: Wire): Producer {
  const producer = {
    connect: () => request(wire, () => {}),
    disconnect: async () => {},
    sendBatch: (batch: ProducerBatch) => send(wire, sharesOf(batch)),
  }
  return producer as unknown as Producer
}

function send(wire: Wire, shares: readonly Share[]): Promise<RecordMetadata[]> {
  const { clock, random, faults, broker, server } = wire
  const lost = () => new Error('Connection error: socket hang up')
  const write = (some: readonly Share[]) => {
    for (const { topic, partition, records } of some)
      for (const record of records) broker.append(topic, partition, record)
    return some.map(({ topic, partition }) => ({ topicName: topic, partition, errorCode: 0 }))
  }
  if (random.chance(faults.delayedRequest)) {
    const late = shares.filter(() => random.chance(0.8))
    clock.after(random.between(0, 6_000), () => write(late), server)
    return request(wire, () => Promise.reject(lost()))
  }
  const fate = random.uniform()
  const arrived = fate < faults.torn ? shares.filter(() => random.chance(0.5)) : shares
  return request(wire, () => {
    if (random.chance(faults.lostRequest)) throw lost()
    const answer = write(arrived)
    if (random.chance(faults.lostAnswer)) throw lost()
    return answer // kafkajs may resolve although a partition was not written
  })
}

const sharesOf = ({ topicMessages = [] }: ProducerBatch): Share[] =>
  topicMessages.flatMap(({ topic, messages }) =>
    [...Map.groupBy(messages, ({ partition = 0 }) => partition)].map(([partition, records]) => ({
      topic,
      partition,
      records: records as NewRecord[],
    })),
  )
