import type { Tx } from './transaction.ts'

/** SQL that names every table, sequence, view and function of a schema ($1) whose owner is not that of the schema. */
const strangers = `
  select format('alter %s %s owner to %I',
      case relkind when 'S' then 'sequence' when 'v' then 'view' else 'table' end, c.oid::regclass, n.nspowner::regrole::text) as change
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.oid = $1::regnamespace and c.relowner <> n.nspowner and relkind in ('r', 'p', 'v', 'S')
    and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype in ('a', 'i') and relkind = 'S')
  union all
  select format('alter function %s owner to %I', p.oid::regprocedure, n.nspowner::regrole::text)
  from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  where n.oid = $1::regnamespace and p.proowner <> n.nspowner and p.prokind = 'f'`

/**
 * Gives what lies in a schema to the owner of the schema: a migration leaves new tables to the role that ran it, and a
 * service maintains its tables as their owner.
 * @param schema quoted
 */
export async function followOwner(tx: Tx, schema: string): Promise<void> {
  const { rows } = await tx.query<{ change: string }>(strangers, [schema])
  for (const { change } of rows) await tx.query(change)
}

/** Gives a table the owner and the grants of another one that it replaces. @param from, to qualified and quoted */
export async function copyRights(tx: Tx, from: string, to: string): Promise<void> {
  const { rows } = await tx.query<{ change: string }>(
    `select format('grant %s on table %s to %I', privilege_type, $2::text, grantee::regrole::text) as change
     from pg_class, aclexplode(relacl) where pg_class.oid = $1::regclass and grantee <> 0 and grantee <> relowner
     union all
     select format('alter table %s owner to %I', $2::text, relowner::regrole::text)
     from pg_class where oid = $1::regclass and relowner <> (select relowner from pg_class where oid = $2::regclass)`,
    [from, to],
  )
  for (const { change } of rows) await tx.query(change)
}
