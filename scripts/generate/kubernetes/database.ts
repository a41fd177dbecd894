import { connectionsFor } from '../deployed-services.ts'
import type { Declared } from '../deployed-services.ts'
import { cluster } from './names.ts'
import { secretNamesOf } from './secrets.ts'

const api = 'postgresql.cnpg.io/v1'

/**
 * PostgreSQL with a role per service. The owner of the database migrates it and gives each schema to its role, so it is a
 * member of all roles; CloudNativePG creates them and sets their passwords.
 */
export function databaseManifests(declared: Declared): object[] {
  const role = (name: string, secret: string, more: object = {}) => ({
    ...{ name, ensure: 'present', login: true, passwordSecret: { name: secret } },
    ...more,
  })
  const { services } = declared
  return [
    {
      ...{ apiVersion: api, kind: 'Cluster', metadata: { name: cluster.database } },
      spec: {
        instances: 3,
        imageName: 'ghcr.io/cloudnative-pg/postgresql:18.4',
        storage: { size: '100Gi' },
        // A committed event survives the loss of an instance
        postgresql: {
          parameters: {
            max_connections: String(connectionsFor(declared)),
            shared_buffers: '2GB',
            password_encryption: 'scram-sha-256',
          },
          pg_hba: ['hostnossl all all all reject', 'hostssl all all all scram-sha-256'],
          synchronous: { method: 'any', number: 1 },
        },
        resources: { requests: { cpu: '2', memory: '8Gi' }, limits: { memory: '8Gi' } },
        bootstrap: {
          initdb: { database: 'tally', owner: 'tally', secret: { name: secretNamesOf.database('admin') } },
        },
        managed: {
          roles: [
            role('tally', secretNamesOf.database('admin'), { inRoles: services.map(({ role: own }) => own) }),
            role('registry', secretNamesOf.database('registry')),
            ...services.map((own) => role(own.role, secretNamesOf.database(own.name))),
          ],
        },
      },
    },
    {
      ...{ apiVersion: api, kind: 'Database', metadata: { name: 'registry' } },
      spec: { name: 'registry', owner: 'registry', cluster: { name: cluster.database } },
    },
  ]
}
