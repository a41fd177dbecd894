import type { PartitionAssigner } from 'kafkajs'
import kafkajs from 'kafkajs'
import type { Party, Scheduled, VirtualClock } from '../time/virtual-clock.ts'

const { MemberAssignment } = kafkajs.AssignerProtocol

type Assigner = ReturnType<PartitionAssigner>
export type Assignment = Record<string, number[]>

export interface Joining {
  memberId: string
  metadata: Buffer
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  assigner: Assigner
  topics: readonly string[]
}

export interface Joined {
  generation: number
  assignment: Assignment
}

interface Member extends Joining {
  /** Timer of its session; a member that waits in a join has none. */
  expiry: Scheduled | undefined
  answer: ((joined: Joined) => void) | undefined
}

/** The group coordinator: members, generations and sessions, with the eager protocol that kafkajs uses. */
export class Group {
  private readonly clock: VirtualClock
  private readonly party: Party
  private readonly members = new Map<string, Member>()
  private generation = 0
  private lastMember = 0
  private rebalance: Scheduled | undefined

  constructor(clock: VirtualClock, party: Party) {
    this.clock = clock
    this.party = party
  }

  newMemberId(client: string): string {
    return `${client}-${++this.lastMember}`
  }

  /** Resolves when all known members have joined or have been removed. */
  join(joining: Joining): Promise<Joined> {
    return new Promise((answer) => {
      this.forget(joining.memberId)
      this.members.set(joining.memberId, { ...joining, answer, expiry: undefined })
      this.rebalance ??= this.clock.after(joining.rebalanceTimeoutMs, () => void this.complete(), this.party)
      if ([...this.members.values()].every((member) => member.answer)) {
        this.rebalance.cancelled = true
        this.rebalance = this.clock.after(10, () => void this.complete(), this.party)
      }
    })
  }

  /** @throws the errors of kafkajs for a rebalance and for an unknown member */
  heartbeat(memberId: string, generation: number): void {
    const member = this.members.get(memberId)
    if (!member || generation !== this.generation) throw new GroupError('UNKNOWN_MEMBER_ID')
    if (member.expiry) member.expiry.cancelled = true
    member.expiry = this.expiryOf(member)
    if (this.rebalance) throw new GroupError('REBALANCE_IN_PROGRESS')
  }

  leave(memberId: string): void {
    if (this.forget(memberId)) this.startRebalance()
  }

  private forget(memberId: string): boolean {
    const member = this.members.get(memberId)
    if (member?.expiry) member.expiry.cancelled = true
    return this.members.delete(memberId)
  }

  private expiryOf({ memberId, sessionTimeoutMs }: Joining): Scheduled {
    return this.clock.after(sessionTimeoutMs, () => this.leave(memberId), this.party)
  }

  private startRebalance(): void {
    const [first] = this.members.values()
    if (first) this.rebalance ??= this.clock.after(first.rebalanceTimeoutMs, () => void this.complete(), this.party)
  }

  private async complete(): Promise<void> {
    this.rebalance = undefined
    for (const [id, { answer }] of this.members) if (!answer) this.forget(id)
    const members = [...this.members.values()]
    const [leader] = members
    if (!leader) return
    const generation = ++this.generation
    const shares = await leader.assigner.assign({
      members: members.map(({ memberId, metadata }) => ({ memberId, memberMetadata: metadata })),
      topics: [...leader.topics],
    })
    for (const member of members) {
      const share = shares.find(({ memberId }) => memberId === member.memberId)
      const assignment = share ? MemberAssignment.decode(share.memberAssignment)?.assignment : undefined
      member.answer?.({ generation, assignment: assignment ?? {} })
      member.answer = undefined
      member.expiry = this.expiryOf(member)
    }
  }
}

export class GroupError extends Error {
  readonly type: string

  constructor(type: 'REBALANCE_IN_PROGRESS' | 'UNKNOWN_MEMBER_ID') {
    super(type)
    this.type = type
  }
}
