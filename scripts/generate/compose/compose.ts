import { toYaml } from '../yaml.ts'
import type { Declared } from '../deployed-services.ts'
import { bridgesOf } from './bridges.ts'
import { forwardersOf } from './forwarders.ts'
import { monitoring, monitoringConfigs } from './monitoring.ts'
import { pipelineOf } from './pipeline.ts'
import { brokers } from './secrets.ts'
import { serverConfigs, serversOf } from './servers.ts'

/**
 * `infra/docker/compose.yml`. Only the network `outside` leads out of the host; servers are not on it. Secrets are files
 * below `secrets/`, which `npm run secrets` makes.
 */
export function composeFile(declared: Declared): string {
  const services = {
    ...serversOf(declared),
    ...pipelineOf(declared),
    ...bridgesOf(declared),
    ...forwardersOf(declared),
    ...monitoring,
  }
  const secrets = new Set(
    Object.values<object>(services).flatMap((each) => ('secrets' in each ? (each.secrets as string[]) : [])),
  )
  return toYaml({
    name: 'tally',
    services,
    networks: { inside: { internal: true }, outside: {} },
    volumes: Object.fromEntries(
      [...brokers, 'database', 'simulators', 'prometheus', 'grafana', 'rabbitmq'].map((name) => [name, {}]),
    ),
    configs: { ...serverConfigs, ...monitoringConfigs },
    secrets: Object.fromEntries([...secrets].sort().map((name) => [name, { file: `./secrets/${name}` }])),
  })
}
