import type { RunningProcess } from './launch.ts'

export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
  /** Added to our own environment. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly user?: { readonly uid: number; readonly gid: number }
}

/** All there is to know about one process of the stack; the same for servers and services. */
export interface ProcessSpec {
  /** Short name, of its log file too: `kafka`, `payment`. */
  readonly name: string
  /** For people: `Kafka 4.3.1`. */
  readonly title: string
  /**
   * - `server`, `simulator`: run as long as the stack; without them the start fails. Stopped after the services, one by one
   * - `service`: restarted whenever it ends, even if it never got ready
   * - `step`: runs once while starting; its failure fails the start
   */
  readonly kind: 'server' | 'simulator' | 'service' | 'step'
  /** Names of those that must be ready before it starts; names not in the stack do not count. */
  readonly after: readonly string[]
  /** Of a replica: the consumer it is one of. */
  readonly consumer?: string
  /** Listened on, on 127.0.0.1; the first is the one for clients. */
  readonly ports?: readonly number[]
  /** An IPC channel to the supervisor: closes when that dies, so that services end with it. */
  readonly ipc?: boolean
  readonly readyWithinMs: number
  readonly stopSignal: NodeJS.Signals
  /** Killed when it needs longer. */
  readonly stopWithinMs: number
  /** Makes what the process needs (data folder, downloads) and says how to run it. Called before every start. */
  prepare(progress: (text: string) => void): Promise<CommandLine>
  /** Called when it ended before it was ready. True: a cache that may be damaged is dropped, another try makes sense. */
  recover?(): boolean
  /** Resolves once the process serves. May poll until `signal` aborts. Not asked of a step. */
  ready(running: RunningProcess, signal: AbortSignal): Promise<void>
}
