import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { TallyError } from '../../errors.ts'
import { stackCredentials } from '../../security/stack-credentials.ts'
import { poll } from '../supervisor/launch.ts'
import type { ProcessSpec } from '../supervisor/process-spec.ts'
import { findRabbitmq } from './rabbitmq-binaries.ts'
import type { RabbitmqBinaries } from './rabbitmq-binaries.ts'

/**
 * RabbitMQ as it is installed on this machine, on 127.0.0.1 only, with its data in the data folder. Its Erlang node has a
 * port mapper of its own: the one of the machine would know the node beside others, listen on every address, and run on.
 * @param management with its management API, if the package has it; it doubles the time of a start
 */
export function rabbitmqServers(config: Config, { management = true }: { management?: boolean } = {}): ProcessSpec[] {
  const installed = findRabbitmq(config.java.searchPath)
  const managed = management && installed?.management === true
  return [portMapper(config, installed), node(config, installed, managed)]
}

function portMapper({ ports }: Config, installed: RabbitmqBinaries | undefined): ProcessSpec {
  return {
    name: 'epmd',
    title: 'Erlang port mapper',
    kind: 'server',
    after: [],
    ports: [ports.epmd],
    stopSignal: 'SIGTERM',
    stopWithinMs: 5_000,
    readyWithinMs: 30_000,
    prepare: async () => ({
      command: required(installed).epmd,
      args: ['-port', String(ports.epmd), '-address', '127.0.0.1'],
    }),
    ready: (_running, signal) => poll(() => accepts(ports.epmd), { everyMs: 25, signal }),
  }
}

function node(config: Config, installed: RabbitmqBinaries | undefined, managed: boolean): ProcessSpec {
  const { ports, dataDir } = config
  const home = join(dataDir, 'rabbitmq')
  return {
    name: 'rabbitmq',
    title: `RabbitMQ ${installed?.version ?? ''}`.trim(),
    kind: 'server',
    after: ['epmd'],
    ports: [ports.amqp, ports.distribution, ...(managed ? [ports.management] : [])],
    stopSignal: 'SIGTERM',
    stopWithinMs: 20_000,
    readyWithinMs: 180_000,
    async prepare() {
      const { server } = required(installed)
      mkdirSync(home, { recursive: true, mode: 0o700 })
      writeFileSync(join(home, 'enabled_plugins'), managed ? '[rabbitmq_management].\n' : '[].\n')
      const settings = join(home, 'rabbitmq.conf')
      rmSync(settings, { force: true })
      writeFileSync(settings, settingsText(config, managed), { mode: 0o600 })
      return { command: server, args: [], cwd: home, env: environment(config, home) }
    },
    async ready(_running, signal) {
      await poll(() => accepts(ports.amqp), { everyMs: 50, signal })
      if (managed) await poll(() => accepts(ports.management), { everyMs: 50, signal })
    },
  }
}

/** @throws TallyError TOOL_MISSING */
function required(installed: RabbitmqBinaries | undefined): RabbitmqBinaries {
  if (installed) return installed
  throw new TallyError(
    'TOOL_MISSING',
    'RabbitMQ is not installed: install it (for example the package rabbitmq-server), or take rabbitmq out of TALLY_QUEUE_SERVERS',
  )
}

function settingsText({ dataDir, ports, rabbitmq }: Config, managed: boolean): string {
  const { username, password } = new URL(rabbitmq.url ?? '')
  const credentials = stackCredentials(dataDir)
  const listeners = credentials
    ? {
        'listeners.tcp': 'none',
        'listeners.ssl.1': `127.0.0.1:${ports.amqp}`,
        'ssl_options.cacertfile': credentials.authority,
        'ssl_options.certfile': credentials.certificate,
        'ssl_options.keyfile': credentials.key,
      }
    : { 'listeners.tcp.1': `127.0.0.1:${ports.amqp}` }
  const settings = {
    ...listeners,
    ...(managed && { 'management.tcp.ip': '127.0.0.1', 'management.tcp.port': ports.management }),
    default_user: username, // Only the first start makes it
    default_pass: password,
    'log.console': true,
    'log.console.level': 'warning',
    'vm_memory_high_watermark.relative': 0.4,
    'disk_free_limit.absolute': '50MB',
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('')
}

/** Idle schedulers sleep instead of spinning: the machine has other servers to run. */
const modest = '+sbwt none +sbwtdcpu none +sbwtdio none'

/** What the scripts of RabbitMQ read. Whatever the machine's own configuration says must not count. */
const environment = ({ ports }: Config, home: string): Record<string, string> => ({
  HOME: home, // The Erlang cookie
  LC_ALL: 'C.UTF-8',
  RABBITMQ_NODENAME: 'tally@localhost',
  RABBITMQ_DIST_PORT: String(ports.distribution),
  RABBITMQ_CONF_ENV_FILE: join(home, 'no-environment'),
  RABBITMQ_CONFIG_FILE: join(home, 'rabbitmq.conf'),
  RABBITMQ_ADVANCED_CONFIG_FILE: join(home, 'no-advanced.config'),
  RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'enabled_plugins'),
  RABBITMQ_MNESIA_BASE: join(home, 'data'),
  RABBITMQ_LOG_BASE: join(home, 'log'),
  RABBITMQ_LOGS: '-',
  RABBITMQ_FEATURE_FLAGS_FILE: join(home, 'feature_flags'),
  RABBITMQ_PID_FILE: join(home, 'pid'),
  RABBITMQ_ALLOW_INPUT: '1', // The script becomes the server, which then gets the signals
  RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
    '-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} ' + modest,
  ERL_FLAGS: '-start_epmd false',
  ERL_EPMD_PORT: String(ports.epmd),
  ERL_EPMD_ADDRESS: '127.0.0.1',
  ERL_CRASH_DUMP_SECONDS: '0',
})

/** Whether something listens on a port. In the range of outgoing ports a socket can meet itself there. */
const accepts = (port: number): Promise<boolean> =>
  new Promise((answer) => {
    const socket = connect(port, '127.0.0.1')
    const end = (open: boolean) => {
      socket.destroy()
      answer(open)
    }
    socket.once('connect', () => end(socket.localPort !== port)).once('error', () => end(false))
  })
