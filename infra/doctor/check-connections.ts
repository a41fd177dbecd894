import type { Finding } from './finding.ts'

/** Connections that one replica of a service may open. */
export interface ServiceConnections {
  readonly service: string
  readonly each: number
  readonly replicas: number
}

export interface ConnectionLimits {
  readonly maxConnections: number
  /** Kept for superusers and other reserved roles. */
  readonly reserved: number
  /** Lanes of the pipeline: more replicas of a consumer than that stand by. */
  readonly lanes: number
}

/** For commands, deployments and the registry. */
const others = 20

/** Adds up what the wanted replicas may open. Pure. */
export function judgeConnections(
  services: readonly ServiceConnections[],
  { maxConnections, reserved, lanes }: ConnectionLimits,
): Finding[] {
  const needed = others + services.reduce((sum, { each, replicas }) => sum + each * replicas, 0)
  const usable = maxConnections - reserved
  if (needed <= usable) return []
  const idle = services.filter(({ service, replicas }) => service !== 'orders-api' && replicas > lanes)
  const surplus = idle.reduce((sum, { each, replicas }) => sum + each * (replicas - lanes), 0)
  const wanted = services.map(({ service, each, replicas }) => `${service} ${replicas} × ${each}`).join(', ')
  const raise = `Raise max_connections to ${needed + reserved} (about 10 MB of the server's memory each)`
  const fewer =
    surplus > 0 ? `; or run at most ${lanes} replicas of a consumer, one per lane: that saves ${surplus}` : ''
  return [
    {
      area: 'connections',
      problem: `The replicas may open ${needed} connections (${wanted}, ${others} for commands), the database allows ${usable}`,
      cure: `${raise}${fewer}`,
    },
  ]
}
