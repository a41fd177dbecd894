import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { createSandbox } from '../../../../schemas/testing/sandbox.ts'
import type { Sandbox } from '../../../../schemas/testing/sandbox.ts'
import { readTopic } from '../../../testing/read-topic.ts'
import { samples } from './testing/samples.ts'

/** @returns what is on the topic then, in order per partition */
async function send({ env, kafka, namespace }: Sandbox, name: string, patches: 'on' | 'off') {
  const topic = `${namespace}${name}`
  const program = join(import.meta.dirname, 'testing/send-samples.ts')
  const settings = { ...env, TALLY_KAFKAJS_PATCHES: patches }
  const { stdout } = await promisify(execFile)(process.execPath, [program, topic], { env: settings })
  expect(JSON.parse(stdout)).toEqual({ patched: patches === 'on' })
  const records = await readTopic(kafka, topic)
  return records
    .map(({ partition, offset, key, value, headers, attributes }) => ({
      partition,
      offset,
      key,
      value,
      headers,
      attributes,
    }))
    .toSorted((a, b) => a.partition - b.partition || Number(a.offset) - Number(b.offset))
}

test('kafkajs with our faster parts and without them publishes the same records', async () => {
  await using sandbox = createSandbox()
  await sandbox.createTopics(3)
  const [patched, plain] = [await send(sandbox, 'orders', 'on'), await send(sandbox, 'stock', 'off')]
  expect(plain).toHaveLength(2 * samples('').length)
  expect(patched).toEqual(plain)
})
