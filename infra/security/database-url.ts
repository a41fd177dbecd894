import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { operator, stackCredentials } from './stack-credentials.ts'

/**
 * A database URL whose TLS, if it has any, verifies the server: certificate and name. `pg` treats the weaker modes of libpq in
 * the same way but warns about them; those that verify nothing are refused by `unverified`.
 * @param password replaces that of the URL
 */
export function databaseUrl(given: string, password?: string): string {
  const url = new URL(given)
  if (password !== undefined) url.password = encodeURIComponent(password)
  if (weaker.has(url.searchParams.get('sslmode') ?? '')) url.searchParams.set('sslmode', 'verify-full')
  return url.href
}

const weaker = new Set(['prefer', 'require', 'verify-ca'])

/** Whether TLS by this URL would accept any server. */
export function unverified(given: string): boolean {
  const parameters = URL.parse(given)?.searchParams
  return parameters?.get('sslmode') === 'no-verify' || parameters?.has('uselibpqcompat') === true
}

/**
 * The URL of the embedded database. In a secured data folder it is by TLS, and each principal but the operator has a role of
 * its own, named like the schema of the service.
 */
export function embeddedDatabaseUrl(
  dataDir: string,
  port: number,
  { principal, namespace }: { principal: string; namespace: string } = { principal: operator, namespace: '' },
): string {
  const credentials = stackCredentials(dataDir)
  const own = credentials && principal !== operator
  const role = own ? roleName(namespace, principal) : 'tally'
  const password = own ? credentials.password('database', principal) : ownerPassword(dataDir)
  return `postgres://${role}:${password}@127.0.0.1:${port}/tally${credentials ? '?sslmode=verify-full' : ''}`
}

/** A service's role in the database: the name of its schema. */
export const roleName = (namespace: string, principal: string): string =>
  `${namespace}${principal.replaceAll('-', '_')}`

/** The first start creates the password of the embedded database and keeps it beside its data, readable by the owner only. */
function ownerPassword(dataDir: string): string {
  try {
    return readFileSync(join(dataDir, 'postgres.password'), 'utf8').trim()
  } catch {
    return '' // Not started yet: the connection attempt reports it
  }
}
