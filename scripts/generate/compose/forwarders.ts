import type { Declared, DeployedService } from '../deployed-services.ts'
import { access } from './bridges.ts'
import { deploy, migrated, service } from './pipeline.ts'

const targets: Readonly<Record<string, { environment: object; secrets: readonly string[] }>> = {
  'forward-rabbitmq': {
    environment: {
      TALLY_FORWARD_RABBITMQ: '${TALLY_FORWARD_RABBITMQ:-exchange:events}',
      ...access.rabbitmq.environment,
    },
    secrets: access.rabbitmq.secrets,
  },
  'forward-sqs': {
    environment: { TALLY_FORWARD_SQS: '${TALLY_FORWARD_SQS:-events.fifo}', ...access.sqs.environment },
    secrets: access.sqs.secrets,
  },
}

/** A forwarder, if its profile is asked for. Its tables, role and rights are made by a step that knows its setting. */
function forwarder(own: DeployedService, declared: Declared): Record<string, object> {
  const { environment = {}, secrets = [] } = targets[own.name] ?? {}
  const optional = <T extends { environment: object; secrets: readonly string[] }>(base: T) => ({
    ...base,
    profiles: [own.name],
    environment: { ...base.environment, ...environment },
    secrets: [...base.secrets, ...secrets],
  })
  const step = optional(deploy(declared))
  return {
    [`deploy-${own.name}`]: { ...step, secrets: [...step.secrets, `${own.name}.password`], depends_on: migrated },
    [own.name]: {
      ...optional(service(own, declared)),
      depends_on: { [`deploy-${own.name}`]: { condition: 'service_completed_successfully' } },
    },
  }
}

export const forwardersOf = (declared: Declared): Record<string, object> =>
  Object.assign({}, ...declared.forwarders.map((own) => forwarder(own, declared)))
