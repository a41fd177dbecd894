import { TallyError } from '../errors.ts'
import { runService } from '../service.ts'
import { startCarrier } from './carrier.ts'
import { startGateway } from './gateway.ts'

/** Entry point of a simulator: `main.ts gateway` or `main.ts carrier`. */
const name = process.argv[2]

await runService(name ?? 'simulator', async ({ config, log }) => {
  const { dataDir, ports, gateway, carrier, simulatorHost: host } = config
  if (name === 'gateway') return startGateway({ dataDir, host, port: ports.gateway, log, ...gateway })
  if (name === 'carrier') return startCarrier({ dataDir, host, port: ports.carrier, log, ...carrier })
  throw new TallyError('USAGE', `Name the simulator to run: gateway or carrier, not ${name ?? 'none'}`)
})
