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

/** The types of the events that this service writes. */
const written: readonly EventType[] = ['OrderPlaced', 'CancellationRequested']

/** Identifies a version of a schema: an id of another version would make the bytes unreadable. */
const fingerprint = ({ json }: EventSchema): string => createHash('sha256').update(json).digest('hex')

const insert = prepared(
  'schema_id_store',
  `insert into schema_id (event_type, fingerprint, schema_id) select * from unnest($1::text[], $2::text[], $3::int[])
   on conflict (event_type, fingerprint) do update set schema_id = excluded.schema_id`,
)

/** Stores the registry ids of the schemas of this checkout. Part of deployment, so that accepting an order needs no registry. */
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
 * Creates the encoder from the stored ids.
 * @throws TallyError UNREACHABLE when the database does not answer, or while the ids are not stored because the first
 * deployment is still running
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

/** Reads the ids at the first use, retries until they exist, then keeps them. */
export function lazyEncoder(pool: Pool): () => Promise<Encode> {
  const schemas = writtenSchemas()
  let encoder: Encode | undefined
  return async () => (encoder ??= await readEncoder(pool, schemas))
}

const writtenSchemas = (): EventSchema[] => loadSchemas().filter(({ type }) => written.includes(type as EventType))
