import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Declared } from '../deployed-services.ts'

/** Names of the Secrets that `npm run secrets -- --print` makes; Strimzi and CloudNativePG make the others. */
export const secretNamesOf = {
  /** Login of a role in the database. */
  database: (name: string): string => `database-${name}`,
  registry: 'registry-settings',
  tokenKey: 'orders-api-token-key',
} as const

const secret = (name: string, stringData: Record<string, string>, type = 'Opaque') => ({
  ...{ apiVersion: 'v1', kind: 'Secret' },
  metadata: { name },
  type,
  stringData,
})

/** The Secrets of a deployment, from the files in a folder. Not for a repository: pipe them to `kubectl apply`. */
export function secretManifests(folder: string, { services, forwarders }: Declared): string {
  const read = (file: string) => readFileSync(join(folder, file), 'utf8')
  const login = (name: string, role: string) =>
    secret(
      secretNamesOf.database(name),
      { username: role, password: read(`${name}.password`) },
      'kubernetes.io/basic-auth',
    )
  return [
    login('admin', 'tally'),
    login('registry', 'registry'),
    ...[...services, ...forwarders].map(({ name, role }) => login(name, role)),
    secret(secretNamesOf.registry, { 'registry.properties': read('registry.properties') }),
    secret(secretNamesOf.tokenKey, { 'token.pub': read('token.pub') }),
  ]
    .map((each) => stringify(each))
    .join('---\n')
}
