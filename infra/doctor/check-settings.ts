import { didYouMean } from '../closest-names.ts'
import { readSecretFiles } from '../security/secret-files.ts'
import { contradictionsIn, secretSettings, settings } from '../settings.ts'
import type { Finding } from './finding.ts'

export interface CheckedSettings {
  readonly findings: readonly Finding[]
  /** The environment without the variables that are wrong, so that everything else can still be checked. */
  readonly usable: NodeJS.ProcessEnv
  /** Servers with a wrong variable: `TALLY_KAFKA_`. */
  readonly wrongServers: ReadonlySet<string>
}

const names = [...Object.keys(settings.shape), ...secretSettings.map((name) => `${name}_FILE`)]
const httpUrls = ['TALLY_REGISTRY_URL', 'TALLY_GATEWAY_URL', 'TALLY_CARRIER_URL']
const page = 'docs/configuration.md lists all settings'

/** Checks an environment: unknown names, values that do not parse, broker lists, schemes of URLs. Pure. */
export function checkSettings(env: NodeJS.ProcessEnv): CheckedSettings {
  const unknown = Object.keys(env).filter((name) => name.startsWith('TALLY_') && !names.includes(name))
  const findings: Finding[] = unknown.sort().map((name) => ({
    area: 'settings',
    problem: `${name} is not a setting of Tally: it has no effect`,
    cure: didYouMean(name, names).trim().replace(/\?$/, '') || `Remove it; ${page}`,
  }))
  const wrong = problemsIn(env)
  for (const [name, message] of wrong)
    findings.push({ area: 'settings', problem: `${name}: ${message}`, cure: `Correct ${name}; ${page}` })
  const servers = new Set([...wrong.keys()].flatMap((name) => serverOf(name) ?? []))
  return { findings, usable: without(env, wrong.keys()), wrongServers: servers }
}

/** What is wrong with each variable, by name. */
function problemsIn(env: NodeJS.ProcessEnv): Map<string, string> {
  const { env: given, problems } = readSecretFiles(env, secretSettings)
  const inFiles = problems.map((problem) => {
    const [, name = '', message = ''] = /^(\w+): (.*)$/s.exec(problem) ?? []
    return [name, message] as const
  })
  const parsed = (settings.safeParse(given).error?.issues ?? []).map(
    ({ path, message }) => [String(path[0]), message] as const,
  )
  const against = contradictionsIn({ ...settings.parse({}), ...given } as Parameters<typeof contradictionsIn>[0])
  // Of several problems of a variable the first explains the others
  return new Map([...inFiles, ...parsed, ...syntaxProblems(given), ...against].toReversed())
}

/** Which server a variable belongs to: `TALLY_KAFKA_`; undefined if to none. Queues are one: their settings need each other. */
const serverOf = (name: string): string | undefined =>
  /^TALLY_(RABBITMQ|SQS|FORWARD)_/.test(name)
    ? 'TALLY_QUEUE_'
    : /^TALLY_(KAFKA|REGISTRY|DATABASE|GATEWAY|CARRIER|QUEUE)_/.exec(name)?.[0]

/** The environment without the wrong variables, and without all of a server of which one is wrong. */
function without(env: NodeJS.ProcessEnv, wrong: Iterable<string>): NodeJS.ProcessEnv {
  const names = new Set(wrong)
  const servers = new Set([...names].map(serverOf))
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => {
      const server = serverOf(name)
      return !names.has(name) && (server === undefined || !servers.has(server))
    }),
  )
}

function* syntaxProblems(env: NodeJS.ProcessEnv): Generator<[name: string, problem: string]> {
  const brokers = env['TALLY_KAFKA_BROKERS']?.split(',').map((broker) => broker.trim()) ?? []
  const bad = brokers.filter((broker) => !isHostAndPort(broker))
  if (bad.length > 0) yield ['TALLY_KAFKA_BROKERS', `"${bad.join('", "')}" is not host:port`]
  for (const name of httpUrls) {
    const scheme = schemeOf(env[name])
    if (scheme !== undefined && !/^https?$/.test(scheme)) yield [name, `${scheme}:// is not http:// or https://`]
  }
  const scheme = schemeOf(env['TALLY_DATABASE_URL'])
  if (scheme !== undefined && !/^postgres(ql)?$/.test(scheme))
    yield ['TALLY_DATABASE_URL', `${scheme}:// is not postgres://`]
}

function isHostAndPort(broker: string): boolean {
  const [, port] = /^(?:[\w.-]+|\[[\da-fA-F:]+\]):(\d{1,5})$/.exec(broker) ?? []
  return port !== undefined && Number(port) > 0 && Number(port) < 65_536
}

const schemeOf = (url: string | undefined): string | undefined => /^([a-z][\w+.-]*):\/\//i.exec(url ?? '')?.[1]
