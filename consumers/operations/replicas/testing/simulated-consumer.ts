import type { Seen } from '../advice/advise.ts'
import { seen } from './seen.ts'

/** A consumer on a virtual clock: what it takes is limited by its replicas, and by nothing while lanes move. */
export class SimulatedConsumer {
  replicas: number
  behind = 0
  private readonly lanes: number
  private readonly perReplica: number
  private movingUntil = 0
  private last = { arrived: 0, taken: 0, seconds: 1 }

  constructor({ replicas, lanes, perReplica }: { replicas: number; lanes: number; perReplica: number }) {
    this.replicas = replicas
    this.lanes = lanes
    this.perReplica = perReplica
  }

  /** Lets some time pass in which so many events arrive per second. */
  pass(now: number, seconds: number, arrivingPerSecond: number): void {
    const moving = Math.min(seconds, Math.max(0, this.movingUntil - now))
    const able = (seconds - moving) * this.perReplica * Math.min(this.replicas, this.lanes)
    const arrived = seconds * arrivingPerSecond
    const taken = Math.min(this.behind + arrived, able)
    this.behind += arrived - taken
    this.last = { arrived, taken, seconds }
  }

  change(now: number, replicas: number): void {
    this.replicas = replicas
    this.movingUntil = now + 3
  }

  look(): Seen {
    const { arrived, taken, seconds } = this.last
    const [arrivingPerSecond, takenPerSecond] = [arrived / seconds / this.lanes, taken / seconds / this.lanes]
    const lagMs = this.behind < 1 ? 0 : (1_000 * this.behind) / Math.max(1, arrived / seconds)
    const lane = { behind: this.behind / this.lanes, lagMs, arrivingPerSecond, takenPerSecond }
    const able = seconds * this.perReplica * this.replicas
    return seen({
      replicas: this.replicas,
      lanes: Array.from({ length: this.lanes }, () => lane),
      busy: Math.min(1, taken / able),
    })
  }
}
