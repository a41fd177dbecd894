import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../../infra/config.ts'
import { describeError, TallyError } from '../../../infra/errors.ts'
import { quoteIdentifier } from '../../../infra/postgres/identifiers.ts'
import { followOwner } from '../../../infra/postgres/owners.ts'
import { createPool } from '../../../infra/postgres/pool.ts'
import { scramVerifier } from '../../../infra/postgres/scram-verifier.ts'
import { inTransaction } from '../../../infra/postgres/transaction.ts'
import type { Logger } from '../../../infra/logger.ts'
import { roleName } from '../../../infra/security/database-url.ts'
import { ensurePasswords, stackCredentials } from '../../../infra/security/stack-credentials.ts'
import { generationSchema } from '../../../infra/topic-generations/generation-table.ts'
import { schemaName } from '../../runtime/load-consumer.ts'
import { declaredRights } from './rights.ts'
import type { ServiceRights } from './rights.ts'

/**
 * The statements that give every service a role of its own: owner of its schema, because it maintains the partitions of its
 * inbox, reader of the generations, and nothing else. They can be repeated; existing roles keep their passwords.
 */
export function roleStatements(rights: readonly ServiceRights[], namespace: string, database: string): string[] {
  const generations = quoteIdentifier(generationSchema(namespace))
  return [
    `revoke connect, temporary on database ${quoteIdentifier(database)} from public`,
    ...rights.flatMap(({ principal, schema, alsoReads }) => {
      const role = quoteIdentifier(roleName(namespace, principal))
      const literal = `'${roleName(namespace, principal)}'`
      return [
        `do $$ begin if not exists (select from pg_roles where rolname = ${literal}) then create role ${role} login; end if; end $$`,
        // An owner is given only by a member; a superuser counts as one
        `do $$ begin if not pg_has_role(${literal}, 'member') then grant ${role} to current_user; end if; end $$`,
        `grant connect on database ${quoteIdentifier(database)} to ${role}`,
        `alter schema ${schema} owner to ${role}`,
        `grant usage on schema ${generations} to ${role}`,
        `grant select on all tables in schema ${generations} to ${role}`,
        ...Object.entries(alsoReads).flatMap(([other, tables]) => {
          const foreign = quoteIdentifier(schemaName(namespace, other))
          const names = tables.map((table) => `${foreign}.${quoteIdentifier(table)}`)
          return [`grant usage on schema ${foreign} to ${role}`, `grant select on ${names.join(', ')} to ${role}`]
        }),
      ]
    }),
  ]
}

export async function declaredRoles(config: Config): Promise<string[]> {
  const { pathname } = new URL(config.postgres.url)
  return roleStatements(await declaredRights(config), config.namespace, decodeURIComponent(pathname.slice(1)))
}

/**
 * Gives every service its role, in one transaction. In a secured data folder the roles get their passwords, too; elsewhere
 * they get those of a folder, or an operator sets them. Needs the schemas, and a role that may create roles or is a member of
 * those that exist.
 * @param passwords folder with a file `<service>.password` for each service
 */
export async function applyRoles(config: Config, log: Logger, passwords?: string): Promise<string> {
  const rights = await declaredRights(config)
  const statements = await declaredRoles(config)
  ensurePasswords(
    config.dataDir,
    rights.map(({ principal }) => principal),
  )
  const credentials = config.postgres.embedded ? stackCredentials(config.dataDir) : undefined
  const passwordOf = (principal: string) =>
    passwords === undefined ? credentials?.password('database', principal) : passwordIn(passwords, principal)
  const given = new Map(rights.map(({ principal }) => [principal, passwordOf(principal)]))
  const pool = createPool({ url: config.postgres.url, name: 'deploy', max: 1, log })
  try {
    await inTransaction(pool, async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(hashtext('tally.roles'))`) // Concurrent deployments
      for (const statement of statements) await tx.query(statement)
      for (const { principal, schema } of rights) {
        await followOwner(tx, schema)
        const password = given.get(principal)
        if (password === undefined) continue
        const verifier = scramVerifier(password)
        await tx.query(`alter role ${quoteIdentifier(roleName(config.namespace, principal))} password '${verifier}'`)
      }
    })
  } finally {
    await pool.end()
  }
  return `roles: ${rights.length} services, each owner of its schema`
}

function passwordIn(folder: string, principal: string): string {
  const file = join(folder, `${principal}.password`)
  try {
    const password = readFileSync(file, 'utf8').trim()
    if (password === '') throw new Error(`${file} is empty`)
    return password
  } catch (error) {
    throw new TallyError('CONFIG_INVALID', `The password of ${principal} cannot be read: ${describeError(error)}`)
  }
}
