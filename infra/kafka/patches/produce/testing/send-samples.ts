// Sends the sample records to a topic as services send theirs, and says whether kafkajs was patched for it.
import { createRequire } from 'node:module'
import { loadConfig } from '../../../../config.ts'
import { createKafka } from '../../../client.ts'
import { RecordSender } from '../../../record-sender.ts'
import { silentLogger } from '../../../../logger.ts'
import { packRecords } from '../packed-records.ts'
import type { OutgoingMessage } from '../record-writer.ts'
import { samples } from './samples.ts'

const require = createRequire(import.meta.url)
const request = () => require('kafkajs/src/protocol/requests/produce/v7/request') as unknown
const original = request()
const kafka = createKafka({ servers: loadConfig().kafka, clientId: 'samples', log: silentLogger })
const sender = new RecordSender(kafka)
const all = samples(process.argv[2] ?? '')
await sender.send(all.slice(0, 100))
await sender.send(all.slice(100)) // Sequence numbers continue
// The same again, encoded beforehand; one batch of a partition at a time
for (const partition of [0, 1, 2]) {
  const own = all.filter((record) => record.partition === partition)
  for (const packed of packRecords(own as OutgoingMessage[], { count: 70, bytes: 100_000 }))
    await sender.sendPacked([{ ...packed, topic: own[0]?.topic ?? '', partition }])
}
await sender.stop()
process.stdout.write(JSON.stringify({ patched: request() !== original }))
