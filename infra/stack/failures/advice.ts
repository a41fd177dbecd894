export interface Advice {
  /** What the operator can do, a sentence without a full stop. */
  readonly advice: string
  /**
   * Whether neither waiting nor another attempt can help, even while the process still runs. Of damaged data this is not
   * said: after a crash, servers report and repair some.
   */
  readonly definite: boolean
}

const anotherFolder = 'set TALLY_DATA_DIR to another folder, or delete all data with `npm run stack -- reset`'

/** Known causes. The texts are those of PostgreSQL, Kafka, the JVM, Node and the C library. */
const known: readonly { when: RegExp; advice: string; definite?: true }[] = [
  {
    when: /No space left on device|ENOSPC|disk is full/i,
    advice: 'Free space on the disk of the data folder',
    definite: true,
  },
  {
    when: /EADDRINUSE|Address already in use|port .*\b(?:in use|already bound)|Is another postmaster already running|could not create any TCP\/IP sockets/i,
    advice: 'Stop the process that uses the port, or choose other ports with TALLY_PORT_BASE',
    definite: true,
  },
  {
    when: /database files are incompatible|not compatible with this version|No MetadataVersion|unsupported version of the metadata/i,
    advice: `The data is of another version: start it with that version of Tally, ${anotherFolder}`,
  },
  {
    when: /UnsupportedClassVersionError|Unrecognized VM option|Could not create the Java Virtual Machine/,
    advice: 'Install a JDK 21 or newer, or point JAVA_HOME to one',
  },
  {
    when: /OutOfMemoryError|Cannot allocate memory|insufficient memory|ENOMEM/i,
    advice: 'Free memory of this machine: end other programs',
  },
  { when: /Permission denied|EACCES|invalid permissions/i, advice: 'Make the data folder writable for this user' },
  {
    when: /corrupt|pg_control|checkpoint record|not a valid data directory|could not open file "(?:base|global|pg_)|node ID not found|cluster.?id.* (?:doesn't match|but expected)|meta\.properties|invalid magic|\bCRC\b/i,
    advice: `The data is damaged: restore a copy of the data folder, ${anotherFolder}`,
  },
]

/** What to do about a cause; undefined if it is not known. */
export function adviceFor(cause: string): Advice | undefined {
  const found = known.find(({ when }) => when.test(cause))
  return found && { advice: found.advice, definite: found.definite ?? false }
}
