import { toYaml } from '../yaml.ts'
import type { Declared } from '../deployed-services.ts'
import { databaseManifests } from './database.ts'
import { topicManifests, userManifests } from './kafka.ts'
import { migrationJob } from './migration.ts'
import { networkPolicies } from './network.ts'
import { queueComponents } from './queues.ts'
import { workloadOf } from './workloads.ts'

/** The manifests in `infra/k8s/generated/` by name; `infra/k8s/kustomization.yaml` puts them together with the others. */
export const kubernetesFiles = (declared: Declared): Record<string, string> => ({
  topics: toYaml(...topicManifests(declared)),
  users: toYaml(...userManifests(declared)),
  database: toYaml(...databaseManifests(declared)),
  migration: toYaml(migrationJob(declared)),
  services: toYaml(...declared.services.flatMap((own) => workloadOf(own, declared))),
  network: toYaml(...networkPolicies(declared)),
  ...queueComponents(declared),
})
