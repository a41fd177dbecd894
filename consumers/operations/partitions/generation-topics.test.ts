import { expect, test } from '@jest/globals'
import { loadConfig } from '../../../infra/config.ts'
import { topics } from '../../../schemas/topics.ts'
import { topicConfig } from './generation-topics.ts'

test('no clock of a publisher decides how long its events are kept', () => {
  for (const topic of topics) {
    const { configEntries } = topicConfig(topic, loadConfig({}), 3)
    expect(configEntries).toContainEqual({ name: 'message.timestamp.type', value: 'LogAppendTime' })
    expect(configEntries).toContainEqual({ name: 'min.insync.replicas', value: '2' })
  }
})
