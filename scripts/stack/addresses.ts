import type { StackStatus } from '../../infra/stack/supervisor/stack-record.ts'

/** Addresses of a stack; that of the orders API only if it is part of it. */
export function addressLines({ addresses, processes }: StackStatus): string {
  const { api, kafka, registry, postgres } = addresses
  const isThere = processes.some(({ name }) => name === 'orders-api')
  return [
    ...(isThere ? [`  orders API  ${api}`] : []),
    `  Kafka       ${kafka}`,
    `  registry    ${registry}`,
    `  PostgreSQL  ${postgres}`,
  ].join('\n')
}
