import { join } from 'node:path'
import type { Config } from '../../config.ts'
import { fetchJars, pinned } from './jars.ts'
import { dropArchive, findJdk, sharedArchive, unicodePaths } from './java.ts'
import { poll } from '../supervisor/launch.ts'
import type { ProcessSpec } from '../supervisor/process-spec.ts'
import { stackCredentials } from '../../security/stack-credentials.ts'
import { ensureDatabase } from './postgres-server.ts'

const jvm = [
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Djava.util.logging.manager=org.jboss.logmanager.LogManager',
  // Apicurio's own settings are deprecated or unknown in the version of Quarkus that it contains
  '-Dquarkus.log.category."io.quarkus.config".level=ERROR',
  '-Dquarkus.log.category."io.quarkus.runtime.configuration".level=ERROR',
  // Without a compatibility rule nothing is checked. System properties, because not every name works as an environment variable
  '-Dapicurio.rules.global.compatibility=BACKWARD',
  '-Dapicurio.rules.global.validity=FULL',
]

/** Apicurio Registry from Maven, with its schemas in its own PostgreSQL database. */
export function registryServer(config: Config): ProcessSpec {
  const version = pinned('registry.version')
  const { registry: port, registryManagement } = config.ports
  let archive: string | undefined
  return {
    name: 'registry',
    title: `Apicurio Registry ${version}`,
    kind: 'server',
    after: ['postgres'],
    ports: [port, registryManagement],
    stopSignal: 'SIGTERM',
    stopWithinMs: 10_000,
    readyWithinMs: 90_000,
    async prepare(progress) {
      const jdk = findJdk(config.java)
      const jars = await fetchJars(jdk, progress)
      const database = new URL(config.postgres.url)
      await ensureDatabase(config.postgres.url, 'registry')
      archive = join(jars.dir, `registry-${jdk.version}.jsa`)
      return {
        command: jdk.java,
        args: [...jvm, ...sharedArchive(archive), '-jar', jars.registry],
        env: {
          ...unicodePaths,
          QUARKUS_HTTP_HOST: '127.0.0.1',
          QUARKUS_HTTP_PORT: String(port),
          QUARKUS_HTTP_ACCESS_LOG_ENABLED: 'false',
          QUARKUS_MANAGEMENT_HOST: '127.0.0.1',
          QUARKUS_MANAGEMENT_PORT: String(registryManagement),
          APICURIO_STORAGE_KIND: 'sql',
          APICURIO_STORAGE_SQL_KIND: 'postgresql',
          APICURIO_DATASOURCE_URL: `jdbc:postgresql://${database.host}/registry${database.search}${rootCertificate(config)}`,
          APICURIO_DATASOURCE_USERNAME: decodeURIComponent(database.username),
          APICURIO_DATASOURCE_PASSWORD: decodeURIComponent(database.password),
          APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '2', // The defaults would use half of PostgreSQL's connections
          APICURIO_DATASOURCE_JDBC_MIN_SIZE: '2',
          APICURIO_DATASOURCE_JDBC_MAX_SIZE: '10',
        },
      }
    },
    recover: () => dropArchive(archive),
    async ready(_running, signal) {
      await poll(() => answers(`http://127.0.0.1:${registryManagement}/health/ready`), { everyMs: 50, signal })
      await poll(() => answers(`http://127.0.0.1:${port}/apis/ccompat/v7/subjects`), { everyMs: 50, signal })
    },
  }
}

/** JDBC does not share the authorities of this process. */
function rootCertificate({ dataDir, postgres }: Config): string {
  const credentials = stackCredentials(dataDir)
  return credentials && postgres.embedded ? `&sslrootcert=${encodeURIComponent(credentials.authority)}` : ''
}

async function answers(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
  await response.arrayBuffer()
  return response.ok
}
