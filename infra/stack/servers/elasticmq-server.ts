import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { poll } from '../supervisor/launch.ts'
import type { ProcessSpec } from '../supervisor/process-spec.ts'
import { fetchByPom, jarsIn, pinnedIn } from './jars.ts'
import { allowUnsafe, dropArchive, findJdk, sharedArchive, unicodePaths } from './java.ts'

const pom = join(import.meta.dirname, 'jars', 'elasticmq', 'pom.xml')
const jvm = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']

/**
 * ElasticMQ from Maven: a server with the API of Amazon SQS, without its logins.
 * @param durable keeps messages over a restart, in a file, at a tenth of the speed. @default false
 */
export function elasticmqServer(config: Config, { durable = false }: { durable?: boolean } = {}): ProcessSpec {
  const port = config.ports.elasticmq
  const home = join(config.dataDir, 'elasticmq')
  let archive: string | undefined
  return {
    name: 'elasticmq',
    title: `ElasticMQ ${pinnedIn(pom, 'elasticmq.version')}`,
    kind: 'server',
    after: [],
    ports: [port],
    stopSignal: 'SIGTERM',
    stopWithinMs: 10_000,
    readyWithinMs: 90_000,
    async prepare(progress) {
      const jdk = findJdk(config.java)
      const jars = await fetchByPom({ pom, what: 'ElasticMQ', megabytes: 40 }, jdk, progress)
      mkdirSync(home, { recursive: true, mode: 0o700 })
      writeFileSync(join(home, 'elasticmq.conf'), settingsText(port, config.sqs?.region ?? 'elasticmq', durable))
      writeFileSync(join(home, 'class-path.args'), `-cp "${jarsIn(join(jars, 'elasticmq')).join(':')}"\n`)
      archive = join(jars, `elasticmq-${jdk.version}.jsa`)
      const settings = ['-Dconfig.file=elasticmq.conf', '@class-path.args', 'org.elasticmq.server.Main']
      const args = [...jvm, ...sharedArchive(archive), ...allowUnsafe(jdk), ...settings]
      return { command: jdk.java, args, cwd: home, env: unicodePaths }
    },
    recover: () => dropArchive(archive),
    ready: (_running, signal) =>
      poll(async () => (await fetch(`http://127.0.0.1:${port}/health`)).status < 500, { everyMs: 50, signal }),
  }
}

/** `strict`: the limits are those of Amazon SQS. The files are relative to the working folder. */
const settingsText = (port: number, region: string, durable: boolean): string => `
include classpath("application.conf")
generate-node-address = false
node-address { protocol = http, host = "127.0.0.1", port = ${port}, context-path = "" }
rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = ${port}, sqs-limits = strict }
rest-stats { enabled = false }
queues-storage { enabled = true, path = "queues.conf" }
messages-storage {
  enabled = ${durable}
  driver-class-name = "org.h2.Driver"
  uri = "jdbc:h2:./messages;WRITE_DELAY=0"
  username = ""
  password = ""
}
aws { region = ${JSON.stringify(region)}, accountId = "000000000000" }
`
