import type { Command } from 'commander'
import { environmentWith } from '../../infra/config.ts'
import type { Config } from '../../infra/config.ts'
import { loadStackConfig } from '../../infra/stack/supervisor/data-dir.ts'
import { integer } from '../cli/arguments.ts'

export interface BrokersOption {
  brokers?: number
}

export const withBrokersOption = (command: Command): Command =>
  command.option(
    '--brokers <n>',
    'embedded Kafka brokers, 1 to 5; fixed once the data folder is created (default: TALLY_BROKERS, or 1)',
    integer(1, 5),
  )

/** The configuration of a new stack. @throws TallyError USAGE if its data folder has another number of brokers */
export const configWithBrokers = ({ brokers }: BrokersOption): Config =>
  loadStackConfig(brokers === undefined ? undefined : environmentWith({ TALLY_BROKERS: String(brokers) }))
