import { environmentOf } from '../deployed-services.ts'
import type { Declared } from '../deployed-services.ts'
import { containerSecurity, podSecurity, secretVolumes, surroundings, variables } from './names.ts'
import { secretNamesOf } from './secrets.ts'
import { labelsOf } from './workloads.ts'

/**
 * Brings database, topics, schemas and roles to what the image expects, and ends. Strimzi gives the rights at Kafka. A Job
 * cannot be changed, so each deployment replaces it.
 */
export function migrationJob({ config }: Declared): object {
  const { volumes, volumeMounts } = secretVolumes('admin', secretNamesOf.database('admin'))
  return {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'deploy', labels: labelsOf('deploy') } },
    spec: {
      ...{ backoffLimit: 20, ttlSecondsAfterFinished: 86_400 },
      template: {
        metadata: { labels: labelsOf('deploy') },
        spec: {
          ...{ automountServiceAccountToken: false, restartPolicy: 'OnFailure', securityContext: podSecurity },
          containers: [
            {
              ...{ name: 'deploy', image: 'tally' },
              args: ['scripts/deploy.ts', 'database', 'topics', 'schemas', 'roles', '--apply'],
              env: variables(environmentOf({ principal: 'admin', role: 'tally' }, config, surroundings)),
              envFrom: [{ configMapRef: { name: 'tally' } }],
              resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '512Mi' } },
              ...{ securityContext: containerSecurity, volumeMounts },
            },
          ],
          volumes,
        },
      },
    },
  }
}
