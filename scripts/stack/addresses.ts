import type { StackStatus } from '../../infra/stack/supervisor/stack-record.ts'
import { say } from '../cli/command.ts'

/** Where to reach a stack; the orders API only if it is part of it. */
export function sayAddresses({ addresses, processes }: StackStatus): void {
  const { api, kafka, registry, postgres } = addresses
  if (processes.some(({ name }) => name === 'orders-api')) say(`  orders API  ${api}`)
  say(`  Kafka       ${kafka}`)
  say(`  registry    ${registry}`)
  say(`  PostgreSQL  ${postgres}`)
}
