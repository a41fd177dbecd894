import { withoutCodec } from '../../../../consumers/operations/connect-codec.ts'
import { readGroups } from '../../../../consumers/operations/groups.ts'
import { parseRangeBound } from '../../../../consumers/operations/replay/plan/range-bound.ts'
import { browseRecords } from '../../../../consumers/operations/topics/browse-records.ts'
import type { BrowsedRecord } from '../../../../consumers/operations/topics/browse-records.ts'
import { readSchemas } from '../../../../consumers/operations/topics/read-schemas.ts'
import { TallyError } from '../../../../infra/errors.ts'
import { inGeneration, topics } from '../../../../schemas/topics.ts'
import { hexDump } from '../../../parked/printable.ts'
import type { RecordLine, RecordsPage, SchemasPage, TopicsPage } from '../../contract/topics.ts'
import type { ConsoleContext } from '../context.ts'
import { troubleOf } from '../http/failures.ts'
import type { Feed } from '../live/feeds.ts'
import type { HealthSamples } from '../live/health-samples.ts'
import { payloadText } from './payload.ts'
import { SchemaVersions } from './schema-versions.ts'

/** The topics, their records, and the schemas of the events. */
export function topicFeeds(context: ConsoleContext, samples: HealthSamples): Record<string, Feed> {
  const versions = new SchemaVersions(context.config)
  const followed = new Map<string, { end: number | undefined; page: RecordsPage }>()
  return {
    topics: {
      everyMs: 30_000,
      async read(): Promise<TopicsPage> {
        const { config, error } = await context.present()
        const groups = await readGroups(config)
        return {
          topics: topics.map(({ name, writtenBy, events, retentionMs }) => {
            const current = inGeneration(name, config.generation)
            return {
              name: current,
              writers: writtenBy.split(', '),
              ...{ events, retentionMs, partitions: error ? null : config.partitions },
              readers: groups.filter((group) => group.topics.has(current)).map((group) => group.name),
            }
          }),
          databaseTrouble: error ? troubleOf(error, config) : null,
        }
      },
    },
    records: {
      everyMs: 2_000,
      async read(query, signal): Promise<RecordsPage> {
        const end = await endOf(samples, query.get('topic'))
        const before = followed.get(query.toString())
        if (end !== undefined && before?.end === end) return before.page
        const [topic = '', partition, from, key, type] = ['topic', 'partition', 'from', 'key', 'type'].map(
          (name) => query.get(name)?.trim() || undefined,
        )
        if (partition !== undefined && !/^\d{1,4}$/.test(partition))
          throw new TallyError('USAGE', `"${partition}" is not a partition: they are numbers from 0`)
        const codec = await context.codec(signal)
        const { config, error } = await context.present()
        const found = await browseRecords(
          config,
          codec,
          {
            topic,
            partition: partition === undefined ? undefined : Number(partition),
            from: from === undefined ? undefined : parseRangeBound(from),
            key,
            type,
          },
          signal,
        )
        await versions.learn(found.records.flatMap(({ schemaId }) => schemaId ?? []))
        const page: RecordsPage = {
          records: found.records.map((record) => lineOf(record, (id) => versions.of(id))),
          scanned: found.scanned,
          registryTrouble: codec ? null : `${withoutCodec}.`,
          databaseTrouble: error ? troubleOf(error, config) : null,
          partitions: found.partitions.map(({ partition: number, low, end: last, next }) => ({
            partition: number,
            ...{ low: String(low), end: String(last), next: String(next) },
          })),
        }
        if (codec && !error) followed.set(query.toString(), { end, page }) // Complete as soon as all servers answer
        for (const old of [...followed.keys()].slice(0, -followedAtMost)) followed.delete(old)
        return page
      },
    },
    schemas: {
      everyMs: 30_000,
      async read(): Promise<SchemasPage> {
        const { config } = await context.present()
        const [events, groups] = await Promise.all([readSchemas(config), readGroups(config)])
        return {
          events: events.map((event) => ({
            ...event,
            readers: groups.filter(({ handles }) => handles.has(event.type)).map(({ name }) => name),
          })),
        }
      },
    },
  }
}

/** Queries whose last page is kept: it is read again only after the topic has grown. */
const followedAtMost = 20

/** Undefined if the broker does not say it, or if there is no such topic. */
async function endOf(samples: HealthSamples, topic: string | null): Promise<number | undefined> {
  const health = await samples.read().catch(() => undefined)
  return health?.brokerTrouble === undefined ? samples.samples.at(-1)?.ends.get(topic ?? '') : undefined
}

function lineOf(record: BrowsedRecord, schemaOf: (id: number) => string): RecordLine {
  const { partition, offset, key, type, writer, eventId, happenedAt, publishedAt, schemaId, bytes, unreadable } = record
  return {
    place: `${record.place?.topic}/${partition}@${offset}`,
    offset: String(offset),
    ...{ partition, key, type, writer, eventId, happenedAt, publishedAt, bytes, unreadable },
    schema: schemaId === null ? null : schemaOf(schemaId),
    payload: payloadText(record.data),
    raw: record.raw === null ? null : hexDump(Buffer.from(record.raw, 'base64'), record.bytes ?? undefined),
    headers: Object.entries(record.headers),
  }
}
