import { createHash } from 'node:crypto'
import { TallyError } from '../../../infra/errors.ts'
import { prepared } from '../../../infra/postgres/transaction.ts'
import type { Pool } from '../../../infra/postgres/pool.ts'
import { createEncoder } from '../../../schemas/codec/encoder.ts'
import type { Encode } from '../../../schemas/codec/encoder.ts'
import type { EventType } from '../../../schemas/generated/events.ts'
import { loadSchemas } from '../../../schemas/load-schemas.ts'
import type { EventSchema } from '../../../schemas/load-schemas.ts'
import { reachDatabase } from '../reach-database.ts'

/** The events this service writes. */
const written: readonly EventType[] = ['OrderPlaced', 'CancellationRequested']

/** Tells versions of a schema apart: an id that belongs to another version would make bytes unreadable. */
const fingerprint = ({ json }: EventSchema): string => createHash('sha256').update(json).digest('hex')

const insert = prepared(
  'schema_id_store',
  `insert into schema_id (event_type, fingerprint, schema_id) select * from unnest($1::text[], $2::text[], $3::int[])
   on conflict (event_type, fingerprint) do update set schema_id = excluded.schema_id`,
)

/** Stores what the registry calls the schemas of this checkout. For deployment: accepting an order then needs no registry. */
export async function storeSchemaIds(pool: Pool, ids: ReadonlyMap<EventType, number>): Promise<void> {
  const schemas = writtenSchemas()
  await insert(
    pool,
    schemas.map(({ type }) => type),
    schemas.map(fingerprint),
    schemas.map(({ type }) => ids.get(type as EventType)),
  )
}

const find = prepared<{ event_type: EventType; fingerprint: string; schema_id: number }>(
  'schema_id_find',
  'select event_type, fingerprint, schema_id from schema_id',
)

/**
 * Makes the encoder from the stored ids.
 * @throws TallyError UNREACHABLE when the database is away, and while the ids are not stored: the first deployment is still
 * under way
 */
async function readEncoder(pool: Pool, schemas: readonly EventSchema[]): Promise<Encode> {
  const stored = await reachDatabase(() => find(pool))
  const ids = new Map<EventType, number>()
  for (const schema of schemas) {
    const row = stored.find(
      ({ event_type, fingerprint: of }) => event_type === schema.type && of === fingerprint(schema),
    )
    if (!row) throw new TallyError('UNREACHABLE', `the schema of ${schema.type} has no id yet: it is not deployed`)
    ids.set(row.event_type, row.schema_id)
  }
  return createEncoder(schemas, ids)
}

/** Reads the ids when first needed, again until they are there, then never more. */
export function lazyEncoder(pool: Pool): () => Promise<Encode> {
  const schemas = writtenSchemas()
  let encoder: Encode | undefined
  return async () => (encoder ??= await readEncoder(pool, schemas))
}

const writtenSchemas = (): EventSchema[] => loadSchemas().filter(({ type }) => written.includes(type as EventType))
