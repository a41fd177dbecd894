import type { StackStatus } from '../../infra/stack/supervisor/stack-record.ts'

/** Addresses of a stack; those of the console, the shop and the orders API only if they are part of it. */
export function addressLines({ addresses, processes }: StackStatus): string {
  const { api, kafka, registry, postgres } = addresses
  const isThere = processes.some(({ name }) => name === 'orders-api')
  const [consolePort] = processes.find(({ name }) => name === 'console')?.ports ?? []
  return [
    ...(consolePort === undefined ? [] : [`  console     http://127.0.0.1:${consolePort}`]),
    ...(isThere ? [`  shop        ${api}/shop/`, `  orders API  ${api}`] : []),
    `  Kafka       ${kafka}`,
    `  registry    ${registry}`,
    `  PostgreSQL  ${postgres}`,
  ].join('\n')
}
