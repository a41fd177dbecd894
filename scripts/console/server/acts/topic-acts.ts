import { z } from 'zod'
import { readGroups } from '../../../../consumers/operations/groups.ts'
import { readRetainedSchemas } from '../../../../consumers/operations/topics/retained-schemas.ts'
import { currentConfig } from '../../../../infra/topic-generations/current-config.ts'
import { count } from '../../../cli/figures.ts'
import type { RetainedSchemas } from '../../contract/topics.ts'
import type { ConsoleContext } from '../context.ts'
import { SchemaVersions } from '../pages/schema-versions.ts'
import { act } from './act.ts'
import type { Act } from './act.ts'
import type { Jobs } from './jobs.ts'

/** Counts what is on the topics. It changes nothing, and no command does the same. */
export const topicActs = (context: ConsoleContext, jobs: Jobs): Record<string, Act> => ({
  'retained-schemas': act(z.object({}), () => {
    const title = 'Reading all retained records'
    const job = jobs.start({
      title,
      async work({ signal, say }) {
        const config = await currentConfig(context.config, context.pool)
        const [found, groups, codec] = await Promise.all([
          readRetainedSchemas(config, {
            signal,
            onProgress: (offsets, all) => say([`${count(offsets)} of ${count(all, 'offset')} read`], offsets / all),
          }),
          readGroups(config),
          context.codec(signal),
        ])
        const ids = found.flatMap(({ schemaId }) => schemaId ?? [])
        const versions = new SchemaVersions(config)
        await Promise.all([versions.learn(ids), codec?.learn(ids).catch(() => {})]) // Names stay unknown then
        const result: RetainedSchemas = {
          schemas: found.map(({ topic, schemaId, records, oldestAt, newestAt }) => {
            const type = schemaId === null ? undefined : codec?.typeOf(schemaId)
            return {
              ...{ topic, records, type: type ?? null },
              schema: schemaId === null ? null : versions.of(schemaId),
              oldestAt: new Date(oldestAt).toISOString(),
              newestAt: new Date(newestAt).toISOString(),
              readers: groups.flatMap(({ name, handles }) => (type && handles.has(type) ? name : [])),
              unreadable: schemaId === null ? 'no schema id' : (codec?.whyUnreadable(schemaId) ?? null),
            }
          }),
        }
        const records = found.reduce((sum, each) => sum + each.records, 0)
        return { lines: [`${count(records, 'record')} read, with ${count(new Set(ids).size, 'schema id')}.`], result }
      },
    })
    return Promise.resolve({ said: [title], job })
  }),
})
