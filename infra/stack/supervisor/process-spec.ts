import type { ChildProcess } from 'node:child_process'
import type { ProcessIdentity } from './process-identity.ts'

export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
  /** Added to the environment of the supervisor. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  readonly user?: { readonly uid: number; readonly gid: number }
}

/** The specification of one process of the stack, server or service. */
export interface ProcessSpec {
  /** Short name, also of its log file: `kafka`, `payment`. */
  readonly name: string
  /** Readable name: `Kafka 4.3.1`. */
  readonly title: string
  /**
   * - `server`, `simulator`: runs as long as the stack; if it fails to start, the stack does. Stopped after the services, in turn
   * - `service`: restarted whenever it ends, even if it was never ready
   * - `step`: runs once during startup; if it fails, the startup fails
   */
  readonly kind: 'server' | 'simulator' | 'service' | 'step'
  /** Names of the processes that must be ready first; names outside the stack are ignored. */
  readonly after: readonly string[]
  /** Of a replica: its consumer. */
  readonly consumer?: string
  /** Ports on 127.0.0.1 that it listens on; the first is for clients. */
  readonly ports?: readonly number[]
  /** It gives its first port to the process that replaces it, without closing it: see `hand-over.ts`. */
  readonly handsOver?: boolean
  /** An IPC channel to the supervisor; it closes when the supervisor dies, so that services end, too. */
  readonly ipc?: boolean
  readonly readyWithinMs: number
  readonly stopSignal: NodeJS.Signals
  /** After this time it is killed. */
  readonly stopWithinMs: number
  /** Prepares what the process needs (data folder, downloads) and returns its command line. Called before every start. */
  prepare(progress: (text: string) => void): Promise<CommandLine>
  /** Called when it ends before it is ready. True: a possibly damaged cache was dropped, so another attempt makes sense. */
  recover?(): boolean
  /**
   * Resolves once the process is ready. May poll until `signal` aborts. Not called for a step.
   * @returns where it answers `/live`, `/ready` and `/metrics`, as a URL; nothing if it is not monitored
   */
  ready(running: RunningProcess, signal: AbortSignal): Promise<string | void>
}

export interface RunningProcess {
  readonly spec: ProcessSpec
  readonly identity: ProcessIdentity
  readonly child: ChildProcess
  /** Resolves with how the process ended: `exit code 1`, `SIGKILL`. */
  readonly exited: Promise<string>
  /** The output in its log since this start. */
  output(): string
  /** Whether nothing can be written to its log. */
  diskIsFull(): boolean
}
