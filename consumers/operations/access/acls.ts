import kafkajs from 'kafkajs'
import type { AclEntry, Admin } from 'kafkajs'
import type { Config } from '../../../infra/config.ts'
import { withAdmin } from '../../../infra/kafka/admin.ts'
import { connectKafka } from '../../../infra/kafka/command-client.ts'
import { setPasswords } from '../../../infra/kafka/scram-users.ts'
import { ensurePasswords, stackCredentials } from '../../../infra/security/stack-credentials.ts'
import { declaredRights } from './rights.ts'
import type { ServiceRights } from './rights.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

/** One permission of one principal. */
export interface Acl {
  /** As Kafka names it: `User:payment`. */
  readonly principal: string
  readonly operation: 'Read' | 'Write'
  readonly kind: 'topic' | 'group'
  readonly name: string
  readonly pattern: 'literal' | 'prefixed'
}

export interface AclOptions {
  /** Principal of a service, with `{service}` for its name. @default `User:{service}` */
  principal?: string
}

/**
 * The permissions of every service. Reading and writing include describing. A topic counts with all its generations
 * (`orders`, `orders.g2`), because a change of the partition count begins new ones while the services run.
 */
export const aclsOf = (
  rights: readonly ServiceRights[],
  namespace: string,
  { principal = 'User:{service}' }: AclOptions = {},
): Acl[] =>
  rights.flatMap(({ principal: service, reads, writes, group }) => {
    const of = { principal: principal.replaceAll('{service}', service) }
    const topic = (operation: Acl['operation'], name: string): Acl[] => [
      { ...of, operation, kind: 'topic', name: `${namespace}${name}`, pattern: 'literal' },
      { ...of, operation, kind: 'topic', name: `${namespace}${name}.g`, pattern: 'prefixed' },
    ]
    return [
      ...reads.flatMap((name) => topic('Read', name)),
      ...writes.flatMap((name) => topic('Write', name)),
      ...(group === undefined
        ? []
        : [{ ...of, operation: 'Read', kind: 'group', name: `${namespace}${group}`, pattern: 'literal' } as const]),
    ]
  })

export const declaredAcls = async (config: Config, options?: AclOptions): Promise<Acl[]> =>
  aclsOf(await declaredRights(config), config.namespace, options)

/** As a command of Kafka's own tools. */
export const aclCommand = ({ principal, operation, kind, name, pattern }: Acl, server: string): string =>
  `kafka-acls.sh --bootstrap-server ${server} --add --allow-principal ${principal} --operation ${operation} --${kind} ${name} --resource-pattern-type ${pattern}`

/**
 * Makes the permissions of the services' principals what the code declares: adds missing ones and removes others. Other
 * principals are not touched. In a secured data folder the services get their passwords at Kafka, too.
 */
export async function applyAcls(config: Config, options?: AclOptions): Promise<string> {
  const rights = await declaredRights(config)
  const wanted = aclsOf(rights, config.namespace, options)
  const kafka = connectKafka('acls', config)
  const principals = rights.map(({ principal }) => principal)
  ensurePasswords(config.dataDir, principals)
  const credentials = config.kafka.embedded ? stackCredentials(config.dataDir) : undefined
  if (credentials)
    await setPasswords(
      kafka,
      principals.map((name) => ({ name, password: credentials.password('kafka', name) })),
    )
  const { added, removed } = await withAdmin(kafka, (admin) => makeEqual(admin, wanted))
  return `acls: ${added} added, ${removed} removed, ${wanted.length - added} there already, of ${principals.length} services`
}

async function makeEqual(admin: Admin, wanted: readonly Acl[]): Promise<{ added: number; removed: number }> {
  const entries = wanted.map(entryOf)
  const found = (
    await Promise.all([...new Set(wanted.map(({ principal }) => principal))].map((one) => aclsOfPrincipal(admin, one)))
  ).flat()
  const [have, want] = [new Set(found.map(keyOf)), new Set(entries.map(keyOf))]
  const missing = entries.filter((entry) => !have.has(keyOf(entry)))
  const other = found.filter((entry) => !want.has(keyOf(entry)))
  if (missing.length > 0) await admin.createAcls({ acl: missing })
  if (other.length > 0) await admin.deleteAcls({ filters: other })
  return { added: missing.length, removed: other.length }
}

async function aclsOfPrincipal(admin: Admin, principal: string): Promise<AclEntry[]> {
  const { resources } = await admin.describeAcls({
    principal,
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  })
  return resources.flatMap(({ acls, resourceType, resourceName, resourcePatternType }) =>
    acls.map((acl) => ({ ...acl, resourceType, resourceName, resourcePatternType })),
  )
}

const entryOf = ({ principal, operation, kind, name, pattern }: Acl): AclEntry => ({
  ...{ principal, host: '*', resourceName: name, permissionType: AclPermissionTypes.ALLOW },
  operation: operation === 'Read' ? AclOperationTypes.READ : AclOperationTypes.WRITE,
  resourceType: kind === 'topic' ? AclResourceTypes.TOPIC : AclResourceTypes.GROUP,
  resourcePatternType: pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
})

const keyOf = (entry: AclEntry): string =>
  [
    ...[entry.principal, entry.host, entry.operation, entry.permissionType],
    ...[entry.resourceType, entry.resourceName, entry.resourcePatternType],
  ].join(' ')
