import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { canTest, startQueue } from '../testing/queues/start-queues.ts'
import type { TestQueue } from '../testing/queues/start-queues.ts'
import { createSqs, sqsError } from './client.ts'
import type { SqsAccess } from './client.ts'
import { queueUrl } from './queue-url.ts'

const onSqs = canTest('sqs') ? describe : describe.skip

onSqs('a client of SQS', () => {
  let server: TestQueue
  beforeAll(async () => {
    server = await startQueue('sqs', 22_200, { durable: true })
  })
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  test('a message of 1 MiB is taken and one byte more refused; what was taken is there after a kill', async () => {
    const sqs = createSqs(server.config.sqs as SqsAccess)
    await sqs.send(new CreateQueueCommand({ QueueName: 'kept' }))
    const QueueUrl = await queueUrl(sqs, 'kept')
    const send = (bytes: number) => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x'.repeat(bytes) }))
    await send(1_048_576)
    await expect(send(1_048_577)).rejects.toThrow('MessageTooLong')
    server.kill()
    await server.restarted()
    const received = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }))
    expect(received.Messages?.map(({ Body }) => Body?.length)).toEqual([1_048_576])
    sqs.destroy()
  })

  test('a queue that does not exist may be created later: UNREACHABLE', async () => {
    const missing = queueUrl(createSqs(server.config.sqs as SqsAccess), 'missing')
    await expect(missing).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
  })
})

test('wrong credentials are DENIED, and no text shows them', async () => {
  const answer = { __type: 'com.amazon.coral.service#UnrecognizedClientException', message: 'The token is invalid.' }
  const server = createServer((_request, response) =>
    response.writeHead(403, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(answer)),
  )
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = { accessKeyId: 'AKIA', secretAccessKey: 'correct-horse-battery' }
  const asked = queueUrl(createSqs({ region: 'eu-central-1', endpoint, credentials }), 'orders')
  await expect(asked).rejects.toMatchObject({
    code: 'DENIED',
    message: expect.not.stringContaining('correct-horse-battery'),
  })
  server.closeAllConnections()
  server.close()
})

test('a server that accepts connections and answers nothing is UNREACHABLE, in time', async () => {
  const server = createServer(() => {})
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const sqs = createSqs({ region: 'eu-central-1', endpoint, credentials }, { requestMs: 100 })
  await expect(queueUrl(sqs, 'orders')).rejects.toMatchObject({ code: 'UNREACHABLE', retryable: true })
  sqs.destroy()
  server.closeAllConnections()
  server.close()
})

test('an error that says nothing is UNREACHABLE', () => {
  expect(sqsError(new Error('socket hang up'))).toMatchObject({ code: 'UNREACHABLE', retryable: true })
})
