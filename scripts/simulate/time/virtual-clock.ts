/**
 * A process of the simulated world. Events reach it only while it runs: a frozen one (SIGSTOP) receives them when it resumes,
 * a dead one (SIGKILL) never.
 */
export class Party {
  readonly name: string
  condition: 'running' | 'frozen' | 'dead' = 'running'
  readonly held: Scheduled[] = []

  constructor(name: string) {
    this.name = name
  }
}

/** A scheduled step, which can be cancelled. */
export interface Scheduled {
  at: number
  readonly order: number
  readonly party: Party
  readonly run: () => void
  cancelled: boolean
}

/** The real `setImmediate`: the global one is replaced for the code under test. */
const nextTurn = setImmediate

/**
 * A clock that advances only when nothing is left to run. Each step runs to its end, promises included, before the next one
 * begins, so the order of all steps depends only on what was scheduled.
 */
export class VirtualClock {
  /** Milliseconds since the beginning. */
  now = 0
  /** Number of steps so far, part of the fingerprint. */
  steps = 0
  /** The party whose step is running. Steps that it schedules belong to it. */
  party: Party
  /** Hash of the time and party of each step, in order. */
  fingerprint = 0
  /** Receives a readable trace. */
  trace: ((text: string) => void) | undefined
  private readonly heap: Scheduled[] = []
  private order = 0

  constructor(world: Party) {
    this.party = world
  }

  /** @param delayMs from now; steps due at the same time run in the order in which they were scheduled */
  after(delayMs: number, run: () => void, party: Party = this.party): Scheduled {
    const entry = { at: this.now + Math.max(0, delayMs), order: this.order++, party, run, cancelled: false }
    this.push(entry)
    return entry
  }

  freeze(party: Party): void {
    if (party.condition === 'running') party.condition = 'frozen'
  }

  /** Resumes a frozen party: the steps that became due meanwhile run now, in order. */
  thaw(party: Party): void {
    if (party.condition !== 'frozen') return
    party.condition = 'running'
    for (const { run, cancelled } of party.held.splice(0)) if (!cancelled) this.after(0, run, party)
  }

  kill(party: Party): void {
    party.condition = 'dead'
    party.held.length = 0
  }

  /** Advances time until `done`, or until no step is left. */
  run(done: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const turn = () => {
        if (done() || !this.step()) nextTurn(resolve)
        else queueMicrotask(next)
      }
      // A tick runs all pending promises; a turn of the event loop would, too, at four times the cost
      const next = () => process.nextTick(turn)
      next()
    })
  }

  /** @returns false if no step is left */
  private step(): boolean {
    for (let entry = this.pop(); entry; entry = this.pop()) {
      const { party } = entry
      if (entry.cancelled || party.condition === 'dead') continue
      if (party.condition === 'frozen') {
        party.held.push(entry)
        continue
      }
      this.now = entry.at
      this.party = party
      this.steps++
      this.fingerprint = (Math.imul(this.fingerprint ^ entry.order, 0x01000193) + Math.trunc(entry.at * 1_000)) | 0
      entry.run()
      return true
    }
    return false
  }

  private push(entry: Scheduled): void {
    const { heap } = this
    let child = heap.push(entry) - 1
    while (child > 0) {
      const parent = (child - 1) >> 1
      if (!earlier(entry, heap[parent] as Scheduled)) break
      heap[child] = heap[parent] as Scheduled
      child = parent
    }
    heap[child] = entry
  }

  private pop(): Scheduled | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (!first || !last || first === last) return first
    let parent = 0
    for (let child = 1; child < heap.length; child = 2 * parent + 1) {
      const right = heap[child + 1]
      if (right && earlier(right, heap[child] as Scheduled)) child++
      if (!earlier(heap[child] as Scheduled, last)) break
      heap[parent] = heap[child] as Scheduled
      parent = child
    }
    heap[parent] = last
    return first
  }
}

const earlier = (a: Scheduled, b: Scheduled): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)
