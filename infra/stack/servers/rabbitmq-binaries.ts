import { accessSync, constants, existsSync, readdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface RabbitmqBinaries {
  readonly server: string
  /** Erlang's port mapper, without which no node of RabbitMQ starts. */
  readonly epmd: string
  /** `3.10.8`, or empty if the folders do not tell. */
  readonly version: string
  /** Whether the package has the management API. */
  readonly management: boolean
}

/** Debian's command on PATH runs as root or rabbitmq only, so the program behind it is looked for first. */
const homes = ['/usr/lib/rabbitmq/bin', '/opt/homebrew/opt/rabbitmq/sbin', '/usr/local/opt/rabbitmq/sbin']

/** The installed RabbitMQ; undefined if there is none. @param searchPath folders of PATH */
export function findRabbitmq(searchPath: readonly string[]): RabbitmqBinaries | undefined {
  const server = find('rabbitmq-server', [...homes, ...searchPath])
  const epmd = find('epmd', [...searchPath, '/usr/bin', '/usr/lib/erlang/bin'])
  if (server === undefined || epmd === undefined) return undefined
  const home = dirname(dirname(realpathSync(server)))
  const plugins = join(home, 'plugins')
  return {
    ...{ server, epmd },
    version: /rabbitmq_server-([\d.]+)/.exec(home)?.[1] ?? '',
    management: existsSync(plugins) && readdirSync(plugins).some((name) => name.startsWith('rabbitmq_management-')),
  }
}

const find = (name: string, folders: readonly string[]): string | undefined =>
  folders.map((folder) => join(folder, name)).find(isExecutable)

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
