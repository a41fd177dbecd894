/** Feed `topics`. */
export interface TopicsPage {
  topics: readonly {
    name: string
    writers: readonly string[]
    events: readonly string[]
    partitions: number | null
    retentionMs: number
    readers: readonly string[]
  }[]
  /** Why the topics may be those of an earlier generation. */
  databaseTrouble: string | null
}

/** Feed `records?topic=&partition=&from=&key=&type=`. Offsets are text. */
export interface RecordsPage {
  records: readonly RecordLine[]
  scanned: number
  partitions: readonly { partition: number; low: string; end: string; next: string }[]
  /** Why payloads are bytes. */
  registryTrouble: string | null
  /** As in feed `topics`. */
  databaseTrouble: string | null
}

export interface RecordLine {
  place: string
  partition: number
  offset: string
  key: string | null
  type: string
  writer: string | null
  eventId: string
  happenedAt: string | null
  publishedAt: string | null
  schema: string | null
  bytes: number | null
  payload: string | null
  unreadable: string | null
  raw: string | null
  headers: readonly (readonly [string, string])[]
}

/** Feed `schemas`. */
export interface SchemasPage {
  events: readonly {
    type: string
    topic: string
    subject: string
    readers: readonly string[]
    versions: readonly SchemaVersion[]
  }[]
}

export interface SchemaVersion {
  version: number
  id: number
  schema: string
  changes: readonly string[]
  unreadable: readonly string[]
  isCurrent: boolean
}

/** Result of the job that reads all retained records. */
export interface RetainedSchemas {
  schemas: readonly {
    topic: string
    /** `v2 (id 14)`; null for records without a schema id. */
    schema: string | null
    /** Null if this version of Tally knows no such event. */
    type: string | null
    records: number
    oldestAt: string
    newestAt: string
    /** Consumers that handle the type. */
    readers: readonly string[]
    unreadable: string | null
  }[]
}
