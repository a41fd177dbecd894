import { toYaml } from '../yaml.ts'
import { ports } from '../deployed-services.ts'
import type { Declared } from '../deployed-services.ts'

/** Prometheus finds every replica by the name of its service; `job` is the service, as in a stack. */
export const prometheusConfig = ({ services, forwarders }: Declared): string =>
  toYaml({
    global: { scrape_interval: '5s', evaluation_interval: '5s' },
    rule_files: ['/etc/prometheus/alerts.yml'],
    scrape_configs: [...services, ...forwarders].map(({ name }) => ({
      job_name: name,
      dns_sd_configs: [{ names: [name], type: 'A', port: ports.monitor, refresh_interval: '5s' }],
    })),
  })

const dashboards = {
  apiVersion: 1,
  providers: [{ name: 'tally', type: 'file', options: { path: '/var/lib/grafana/dashboards' } }],
}
const datasource = {
  apiVersion: 1,
  datasources: [{ name: 'Prometheus', type: 'prometheus', url: 'http://prometheus:9090', isDefault: true }],
}

export const monitoring = {
  prometheus: {
    image: 'prom/prometheus:v3.5.0',
    restart: 'unless-stopped',
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    volumes: [
      './prometheus.yml:/etc/prometheus/prometheus.yml:ro',
      '../observability/alerts.yml:/etc/prometheus/alerts.yml:ro',
      'prometheus:/prometheus',
    ],
    networks: ['inside'],
  },
  grafana: {
    image: 'grafana/grafana:12.1.0',
    restart: 'unless-stopped',
    environment: {
      GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/grafana.password',
      GF_ANALYTICS_REPORTING_ENABLED: 'false',
      GF_ANALYTICS_CHECK_FOR_UPDATES: 'false',
    },
    secrets: ['grafana.password'],
    configs: [
      { source: 'datasource', target: '/etc/grafana/provisioning/datasources/tally.yml' },
      { source: 'dashboards', target: '/etc/grafana/provisioning/dashboards/tally.yml' },
    ],
    volumes: ['../observability/dashboard.json:/var/lib/grafana/dashboards/tally.json:ro', 'grafana:/var/lib/grafana'],
    networks: ['inside', 'outside'],
    ports: [{ target: 3000, host_ip: '127.0.0.1' }],
  },
}

export const monitoringConfigs = {
  datasource: { content: toYaml(datasource) },
  dashboards: { content: toYaml(dashboards) },
}
