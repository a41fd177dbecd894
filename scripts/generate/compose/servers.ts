import { connectionsFor } from '../deployed-services.ts'
import type { Declared } from '../deployed-services.ts'
import { brokers } from './secrets.ts'

const kafkaImage = 'apache/kafka:4.3.1'

/** One of three combined nodes. Clients, brokers and controllers know each other by certificates. */
const broker = (name: string, id: number, { config }: Declared) => ({
  image: kafkaImage,
  restart: 'unless-stopped',
  environment: {
    CLUSTER_ID: 'dGFsbHktY29tcG9zZS0wMQ',
    KAFKA_NODE_ID: String(id),
    KAFKA_PROCESS_ROLES: 'broker,controller',
    KAFKA_LISTENERS: 'CLIENT://:9092,CONTROLLER://:9093',
    KAFKA_ADVERTISED_LISTENERS: `CLIENT://${name}:9092`,
    KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CLIENT:SSL,CONTROLLER:SSL',
    KAFKA_INTER_BROKER_LISTENER_NAME: 'CLIENT',
    KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
    KAFKA_CONTROLLER_QUORUM_VOTERS: brokers.map((each, index) => `${index + 1}@${each}:9093`).join(','),
    KAFKA_LOG_DIRS: '/var/lib/kafka/data',
    KAFKA_SSL_KEYSTORE_TYPE: 'PEM',
    KAFKA_SSL_KEYSTORE_LOCATION: '/run/secrets/kafka.pem',
    KAFKA_SSL_TRUSTSTORE_TYPE: 'PEM',
    KAFKA_SSL_TRUSTSTORE_LOCATION: '/run/secrets/authority.crt',
    KAFKA_SSL_CLIENT_AUTH: 'required',
    KAFKA_AUTHORIZER_CLASS_NAME: 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    KAFKA_SUPER_USERS: 'User:CN=kafka;User:CN=admin',
    KAFKA_ALLOW_EVERYONE_IF_NO_ACL_FOUND: 'false',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_DEFAULT_REPLICATION_FACTOR: '3',
    KAFKA_MIN_INSYNC_REPLICAS: '2',
    KAFKA_NUM_PARTITIONS: String(config.partitions),
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '3',
    KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '3',
    KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '2',
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR: '3',
    KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR: '2',
    KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS: '1000',
    KAFKA_BROKER_SESSION_TIMEOUT_MS: '3000',
    KAFKA_BROKER_HEARTBEAT_INTERVAL_MS: '500',
    KAFKA_HEAP_OPTS: '-Xms512m -Xmx512m',
  },
  secrets: ['authority.crt', 'kafka.pem'],
  volumes: [`${name}:/var/lib/kafka/data`],
  networks: ['inside'],
  // The port opens when the broker has joined the cluster
  healthcheck: {
    test: ['CMD-SHELL', 'nc -z 127.0.0.1 9092'],
    ...{ interval: '5s', timeout: '3s', retries: 30, start_period: '20s' },
  },
  stop_grace_period: '30s',
})

const database = (declared: Declared) => ({
  image: 'postgres:18.4-bookworm',
  restart: 'unless-stopped',
  // PostgreSQL refuses a key that others may read, and secrets keep the owner they have on the host
  entrypoint: [
    'sh',
    '-c',
    'install -o postgres -g postgres -m 0600 /run/secrets/database.key /run/tls/server.key && exec docker-entrypoint.sh "$$@"',
    'sh',
  ],
  command: [
    'postgres',
    ...Object.entries({
      ssl: 'on',
      ssl_min_protocol_version: 'TLSv1.2',
      ssl_cert_file: '/run/secrets/database.crt',
      ssl_key_file: '/run/tls/server.key',
      hba_file: '/etc/postgresql/pg_hba.conf',
      password_encryption: 'scram-sha-256',
      max_connections: String(connectionsFor(declared)),
      shared_buffers: '512MB',
    }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ],
  environment: {
    POSTGRES_USER: 'tally',
    POSTGRES_DB: 'tally',
    POSTGRES_PASSWORD_FILE: '/run/secrets/admin.password',
    POSTGRES_INITDB_ARGS: '--auth=scram-sha-256 --encoding=UTF8 --locale=C',
  },
  secrets: ['database.crt', 'database.key', 'admin.password', 'registry.password'],
  configs: [
    { source: 'pg_hba.conf', target: '/etc/postgresql/pg_hba.conf' },
    { source: 'registry-database', target: '/docker-entrypoint-initdb.d/registry.sh' },
  ],
  tmpfs: ['/run/tls'],
  volumes: ['database:/var/lib/postgresql'],
  networks: ['inside'],
  healthcheck: {
    test: ['CMD', 'pg_isready', '-q', '-h', '127.0.0.1', '-U', 'tally'],
    ...{ interval: '5s', timeout: '3s', retries: 30 },
  },
  stop_signal: 'SIGINT',
  stop_grace_period: '30s',
})

/** It asks nobody who they are, so only services reach it. */
const registry = {
  image: 'apicurio/apicurio-registry:3.3.3',
  restart: 'unless-stopped',
  environment: {
    SMALLRYE_CONFIG_LOCATIONS: '/run/secrets/registry.properties',
    APICURIO_STORAGE_KIND: 'sql',
    APICURIO_STORAGE_SQL_KIND: 'postgresql',
    APICURIO_DATASOURCE_URL:
      'jdbc:postgresql://database:5432/registry?sslmode=verify-full&sslrootcert=/run/secrets/authority.crt',
    APICURIO_DATASOURCE_USERNAME: 'registry',
    APICURIO_DATASOURCE_JDBC_INITIAL_SIZE: '2',
    APICURIO_DATASOURCE_JDBC_MIN_SIZE: '2',
    APICURIO_DATASOURCE_JDBC_MAX_SIZE: '10',
  },
  secrets: ['authority.crt', 'registry.properties'],
  depends_on: { database: { condition: 'service_healthy' } },
  networks: ['inside'],
  healthcheck: {
    test: ['CMD-SHELL', 'bash -c "</dev/tcp/127.0.0.1/8080"'],
    ...{ interval: '5s', timeout: '3s', retries: 40 },
  },
}

/** Kafka, PostgreSQL and the schema registry, none of them reachable from outside. */
export const serversOf = (declared: Declared) => ({
  ...Object.fromEntries(brokers.map((name, index) => [name, broker(name, index + 1, declared)])),
  database: database(declared),
  registry,
})

/** Contents of files that the servers read. */
export const serverConfigs = {
  'pg_hba.conf': {
    content:
      'local all all scram-sha-256\nhostssl all all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n',
  },
  'registry-database': {
    content: [
      'psql -v ON_ERROR_STOP=1 -v password="$$(cat /run/secrets/registry.password)" -U "$$POSTGRES_USER" -d tally <<SQL',
      "create role registry login password :'password';",
      'create database registry owner registry;',
      'SQL',
      '',
    ].join('\n'),
  },
}
